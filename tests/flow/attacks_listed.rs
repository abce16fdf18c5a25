//! docs/attacks.md and docs/accreditor.md name a test for each claim: each of them exists.

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    // style rule 11: docs/attacks.md lists how directories have failed before, our answer, and the test's name
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests"), &mut files);
    let code: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let pages = ["docs/attacks.md", "docs/accreditor.md"].map(|page| std::fs::read_to_string(root.join(page)).unwrap());
    let list = pages.join("\n");
    let named = list.split('`').skip(1).step_by(2).filter(|text| text.matches('_').count() >= 4);
    let missing: Vec<&str> = named.clone().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(named.count() > 50);
}
