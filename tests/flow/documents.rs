//! Numbers that the pages show are such as the directory takes: whoever pastes an example is not refused for its check digit.

use contactpoint_domain::{ChildNumber, NhsNumber};
use std::path::{Path, PathBuf};

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.push(root.join("README.md"));
    pages
}

/// Ten digits in one piece, or as NHS numbers are written, with no letter or digit beside them. The ends of ranges ("one to another")
/// are none.
fn numbers(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == ' ';
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(|c: char| c.is_ascii_digit()).map(|at| from + at) {
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |at| start + at);
        let run = text[start..end].trim_end();
        let (before, after) = (&text[..start], &text[start + run.len()..]);
        from = end;
        let shape: Vec<usize> = run.split(' ').map(str::len).collect();
        let stands_alone = !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        let ends_range = before.ends_with(" to ") || after.starts_with(" to ");
        if (shape == [10] || shape == [3, 3, 4]) && stands_alone && !ends_range {
            found.push(run.to_owned());
        }
    }
    found
}

#[test]
fn every_ten_digit_number_on_a_page_is_a_child_number_or_an_nhs_number() {
    // A4, A5: both have a check digit, and a number without the right one is refused
    let mut seen = 0;
    for page in pages() {
        for number in numbers(&std::fs::read_to_string(&page).unwrap()) {
            let is_one = number.parse::<ChildNumber>().is_ok() || number.parse::<NhsNumber>().is_ok();
            assert!(is_one, "{number} in {}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 2, "{seen}");
    let text = "view 4182736459 now, 999 000 0018, 01632 960101, 900 000 0000 to 998 999 9999, P0000050001";
    assert_eq!(numbers(text), ["4182736459", "999 000 0018"]);
}
