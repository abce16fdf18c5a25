//! The controls catalogue and the pages that name tests against the sources: every file, item and test that they name is there, a test that proves
//! a rule quotes it, and the generated pages are what the catalogue says. Each check is a function over plain data, run once over the real
//! thing and once over a planted offender. Leaves to others: the catalogue's own shape (src/assurance), OSCAL's (tests/interop/oscal.rs).

#![expect(clippy::unwrap_used, reason = "what cannot be read fails the test")]

use contactpoint_assurance::{catalogue, Catalogue};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const NONE: &[&str] = &[];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every test of the sources: its name, and what the line above its attribute and the first two of its body say.
fn tests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = ["src", "tests"].iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                found.extend(tests_of(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// The tests of one source: a function below an attribute that ends in `test]` or has arguments for one. One that is ignored proves nothing.
fn tests_of(source: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let attributes = (0..lines.len()).filter(|at| ["#[test]", "#[tokio::test"].iter().any(|attribute| lines[*at].starts_with(attribute)));
    let test = |at: usize| {
        let head = (at..lines.len()).find(|line| lines[*line].starts_with("fn ") || lines[*line].starts_with("async fn "))?;
        if lines[at..head].iter().any(|line| line.starts_with("#[ignore")) {
            return None;
        }
        let name = lines[head].split("fn ").nth(1)?.split('(').next()?;
        let said = [&lines[at.saturating_sub(1)..at], &lines[(head + 1).min(lines.len())..(head + 3).min(lines.len())]].concat();
        Some((name.to_owned(), said.into_iter().filter(|line| line.starts_with("//")).collect::<Vec<_>>().join(" ")))
    };
    attributes.filter_map(test).collect()
}

/// Files and items that `catalogue` names and the tree below `root` does not have.
fn missing_code(catalogue: &Catalogue, root: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    for rule in catalogue.rules() {
        for code in &rule.code {
            let path = root.join(code.path());
            let there = match code.item() {
                None => path.exists(),
                Some(item) => std::fs::read_to_string(&path).is_ok_and(|text| has_word(&text, item)),
            };
            if !there {
                missing.push(format!("{}: {}", rule.id, code.as_str()));
            }
        }
    }
    missing
}

/// Whether `word` stands in `text` by itself.
fn has_word(text: &str, word: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
}

/// Tests that `catalogue` names and `tests` does not have; a script is named by its path.
fn missing_tests(catalogue: &Catalogue, tests: &BTreeMap<String, String>) -> Vec<String> {
    let named = catalogue.rules().iter().flat_map(|rule| rule.tests.iter().map(move |test| (rule, test)));
    let there = |test: &str| if test.contains('/') { root().join(test).is_file() } else { tests.contains_key(test) };
    named.filter(|(_, test)| !there(test)).map(|(rule, test)| format!("{}: {test}", rule.id)).collect()
}

/// Rules of which not one test quotes the number.
fn unquoted(catalogue: &Catalogue, tests: &BTreeMap<String, String>) -> Vec<String> {
    let quotes = |test: &String, rule: &str| tests.get(test).is_some_and(|said| has_word(said, rule));
    let proven = catalogue.rules().iter().filter(|rule| !rule.tests.is_empty());
    proven.filter(|rule| !rule.tests.iter().any(|test| quotes(test, rule.id.as_str()))).map(|rule| rule.id.to_string()).collect()
}

/// Names of tests in a page that `tests` does not have.
fn missing_in_page(page: &str, tests: &BTreeMap<String, String>) -> Vec<String> {
    named_in_page(page).filter(|name| !tests.contains_key(*name)).map(str::to_owned).collect()
}

/// Names of tests in a page, between backticks. A name of a test has at least four words.
fn named_in_page(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2).filter(|text| text.matches('_').count() >= 3 && text.chars().all(of_a_name))
}

fn of_a_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

/// Actors of the threat model, third-level headings, without a word on what stops them or on what does not.
fn half_described(page: &str) -> Vec<String> {
    let actors = page.split("\n### ").skip(1);
    let whole = |actor: &&str| actor.contains("\n**What stops it.**") && actor.contains("\n**What does not.**");
    actors.filter(|actor| !whole(actor)).map(|actor| actor.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_file_and_item_that_the_catalogue_names_is_there() {
    // J1: every rule here maps to the code that enforces it
    assert_eq!(missing_code(&catalogue().unwrap(), root()), NONE);
}

#[test]
fn every_test_that_the_catalogue_names_is_a_test_and_one_of_each_rule_quotes_it() {
    // J1: ... and the test that proves it
    let (catalogue, tests) = (catalogue().unwrap(), tests());
    assert_eq!(missing_tests(&catalogue, &tests), NONE);
    assert_eq!(unquoted(&catalogue, &tests), NONE);
}

#[test]
fn the_generated_pages_are_what_the_catalogue_says() {
    // J1: in a machine-readable controls catalogue; J1: docs/controls.md, generated
    let catalogue = catalogue().unwrap();
    let pages = [
        ("controls.md", catalogue.markdown()),
        ("controls/rule-book.json", catalogue.oscal_rule_book().unwrap()),
        ("controls/component-definition.json", catalogue.oscal_component_definition().unwrap()),
    ];
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("controls-pages");
    let mut stale = Vec::new();
    for (page, text) in pages {
        let path = fresh.join(page);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
        if std::fs::read_to_string(root().join("docs").join(page)).ok() != Some(text) {
            stale.push(page);
        }
    }
    assert_eq!(stale, NONE, "to bring them up: cp -r {}/. docs/", fresh.display());
}

#[test]
fn every_test_that_a_page_names_is_a_test() {
    // docs/attacks.md lists how directories have failed before, our answer, and the test's name
    let tests = tests();
    for (page, least) in [("attacks.md", 100), ("accreditor.md", 3), ("threat-model.md", 50)] {
        let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
        assert_eq!(missing_in_page(&text, &tests), NONE, "{page}");
        assert!(named_in_page(&text).count() >= least, "{page} names tests in another way now");
    }
}

#[test]
fn what_the_page_of_attacks_leaves_open_is_open_in_the_catalogue() {
    // J1: a rule that is known to be broken somewhere is not reported as enforced
    let page = std::fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    let catalogue = catalogue().unwrap();
    let whole = |id: &str| catalogue.rules().iter().any(|rule| rule.id.to_string() == id && rule.open.is_none());
    let named = left_open(&page);
    assert!(named.len() > 10, "{named:?}");
    assert_eq!(named.iter().filter(|id| whole(id)).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(left_open("## Open\n\n- **Alerts** (D7, E): of\n- **Trees** grow (H2 to H4):\n"), ["D7", "H2", "H4"].map(str::to_owned));
}

/// The rules that stand in brackets behind the bold words of the page's last list.
fn left_open(page: &str) -> Vec<String> {
    let list = page.split("## Open").nth(1).unwrap_or_default();
    let said = list.lines().filter_map(|line| line.strip_prefix("- **")?.split(':').next());
    let words = said.filter_map(|head| head.split_once('(')).flat_map(|(_, rest)| rest.split(|c: char| !c.is_ascii_alphanumeric()));
    let is_rule =
        |word: &&str| word.len() == 2 && word.starts_with(|c: char| c.is_ascii_uppercase()) && word.ends_with(|c: char| c.is_ascii_digit());
    words.filter(is_rule).map(str::to_owned).collect()
}

#[test]
fn the_threat_model_says_of_each_actor_what_stops_it_and_what_does_not() {
    // J1: docs/threat-model.md - actors, assets, what each bar stops and what none does
    let page = std::fs::read_to_string(root().join("docs/threat-model.md")).unwrap();
    assert_eq!(half_described(&page), NONE);
    assert!(page.matches("\n### ").count() >= 12);
}

// --- and an offender for each check ----------------------------------------------------------------------------------------------

const PLANTED: &str = r#"
changed = "2026-11-21T00:00:00Z"
part = [{ letter = "G", title = "Operators and keys" }]
check = []

[[rule]]
id = "G2"
text = "Master keys live in the HSM."
nist = []
iso27001 = []
code = ["src/keys", "src/keys/kind.rs::HsmKey", "src/keys/kind.rs::NoSuchThing", "src/key"]
tests = ["a_key_that_may_leave_is_refused", "a_key_that_nobody_made", "tests/demo/run.sh", "tests/demo/walk.sh"]
"#;

#[test]
fn planted_claims_are_found() {
    // J1: a claim whose code or test is gone is none
    let planted = Catalogue::of_toml(PLANTED).unwrap();
    assert_eq!(missing_code(&planted, root()), ["G2: src/keys/kind.rs::NoSuchThing", "G2: src/key"]);
    assert_eq!(missing_tests(&planted, &tests()), ["G2: a_key_that_nobody_made", "G2: tests/demo/walk.sh"]);
    let silent = BTreeMap::from([("a_key_that_may_leave_is_refused".to_owned(), "// G20, not G2x".to_owned())]);
    assert_eq!(unquoted(&planted, &silent), ["G2"]);
    assert_eq!(unquoted(&planted, &tests()), NONE);
}

#[test]
fn tests_are_told_from_other_functions_with_what_they_quote() {
    // J1: every rule maps to the test that proves it
    let source =
        "fn a_b_c() {\n}\n#[test]\n#[ignore = \"x\"]\nfn h() {}\n#[test]\nfn d_e_f() {\n    // G2: x\n    let y = 1;\n}\n// F1\n#[tokio::test(flavor = \"x\")]\nasync fn g() {}\n";
    let found: Vec<(String, String)> = tests_of(source);
    assert_eq!(found, [("d_e_f".to_owned(), "// G2: x".to_owned()), ("g".to_owned(), "// F1".to_owned())]);
}

#[test]
fn a_page_that_names_a_test_which_is_gone_or_stops_short_is_found() {
    // J1: what each bar stops and what none does
    let page = "# T\n\n### A thief\n\n**What stops it.** `a_b_c_d` and `docs/x_y_z_w.md`\n\n### A spy\n\n**What stops it.** x\n\n**What does not.** y\n";
    assert_eq!(missing_in_page(page, &BTreeMap::new()), ["a_b_c_d"]);
    assert_eq!(half_described(page), ["A thief"]);
}
