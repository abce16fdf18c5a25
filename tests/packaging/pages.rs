//! What the packages carry beside the programs, held against the lists of it. The built packages are held against them too, minutes later
//! (tests/appliance/packages.sh); what was left out of a list is told here first.

use crate::page;
use std::collections::BTreeSet;

/// Links of installed pages to pages that are not installed beside them: of each list of pages, each link to a file in docs/.
fn lost_links(list: &str) -> Vec<String> {
    let installed: BTreeSet<&str> = list.lines().map(str::trim).filter(|file| !file.is_empty()).collect();
    let mut lost = Vec::new();
    for file in installed.iter().filter(|file| file.ends_with(".md")) {
        let text = page(file);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let pages = links.filter(|link| link.ends_with(".md") && !link.contains("://") && !link.contains('/'));
        lost.extend(
            pages.filter(|link| !installed.contains(format!("docs/{link}").as_str())).map(|link| format!("{file} leads to {link}")),
        );
    }
    lost
}

#[test]
fn each_link_of_an_installed_page_leads_to_one_that_is_installed_beside_it() {
    // J1: documents a stranger can follow
    for list in ["packaging/debian/contactpoint.docs", "packaging/debian/contactpoint-client.docs"] {
        assert_eq!(lost_links(&page(list)), Vec::<String>::new(), "{list}");
    }
    assert!(lost_links("docs/operations.md\n").iter().any(|lost| lost.ends_with("leads to review.md")), "it can fail");
}

#[test]
fn each_settings_file_that_is_installed_stands_in_the_list_of_paths() {
    // G5: the package holds what is listed, and nothing else
    let paths = page("tests/appliance/packages/contactpoint.paths");
    let install = page("packaging/debian/contactpoint.install");
    let files = install.lines().filter_map(|line| line.strip_prefix("config/")?.strip_suffix(" etc/contactpoint"));
    let unlisted: Vec<&str> =
        files.filter(|file| !paths.lines().any(|line| line.ends_with(&format!(" etc/contactpoint/{file}")))).collect();
    assert_eq!(unlisted, Vec::<&str>::new());
}
