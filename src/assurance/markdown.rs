//! docs/controls.md: the catalogue as a page, what is open in front.

use crate::{Catalogue, Check, Code, Framework, Part, Rule};
use std::collections::BTreeMap;
use std::fmt::Write;

const HEAD: &str = "\
# The controls catalogue

<!-- Made from src/assurance/controls.toml: change that, and run `cargo test --test controls`, which says how to bring this page up. -->

Each rule of the rule book with the code that enforces it, the tests that prove it, the checks of `contactpointctl inspect` that show
it on a running system, and the controls of three frameworks that it serves. A rule of which a part is missing is listed as open and
not claimed. A mapping says where to look, not that an auditor will be content.

Tests are named by their functions: `cargo test --workspace NAME` runs one; scripts by their path. tests/controls.rs holds every name
here against the sources. The same in OSCAL 1.2: [rule book](controls/rule-book.json),
[component-definition](controls/component-definition.json); a run of `contactpointctl inspect --format oscal` gives the
assessment-results.
";

impl Catalogue {
    /// The catalogue as the page docs/controls.md, in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let frameworks: String = Framework::ALL.iter().map(|framework| self.framework_table(*framework)).collect();
        let parts: String = self.parts().iter().map(|part| self.part_section(part)).collect();
        [HEAD.to_owned(), self.counts(), self.open(), self.tested_only(), parts, self.checks_table(), frameworks].concat()
    }

    fn count(&self, of_sort: impl Fn(&Rule) -> bool) -> usize {
        self.rules().iter().filter(|rule| of_sort(rule)).count()
    }

    fn counts(&self) -> String {
        format!(
            "\n| of {} rules | |\n| ---: | --- |\n| {} | open: not built |\n| {} | open: in part |\n| {} | enforced and tested; nothing of a running \
             system shows them |\n| {} | enforced, tested, and shown on a running system |\n",
            self.rules().len(),
            self.count(|rule| rule.open.is_some() && rule.code.is_empty()),
            self.count(|rule| rule.open.is_some() && !rule.code.is_empty()),
            self.count(tested_only),
            self.count(|rule| rule.open.is_none() && !rule.checks.is_empty()),
        )
    }

    fn open(&self) -> String {
        let mut section = "\n## Open\n\n| rule | what is missing |\n| --- | --- |\n".to_owned();
        for rule in self.rules() {
            if let Some(open) = &rule.open {
                let _ = writeln!(section, "| [{}]({}) | {open} |", rule.id, anchor(rule));
            }
        }
        section
    }

    fn tested_only(&self) -> String {
        let rules: Vec<String> =
            self.rules().iter().filter(|rule| tested_only(rule)).map(|rule| format!("[{}]({})", rule.id, anchor(rule))).collect();
        format!("\n## Enforced and tested, and not seen by an inspection\n\n{}\n", rules.join(", "))
    }

    fn part_section(&self, part: &Part) -> String {
        let mut section = format!("\n## {}. {}\n", part.letter, part.title);
        self.rules().iter().filter(|rule| rule.id.part() == part.letter).for_each(|rule| section.push_str(&rule_section(rule)));
        section
    }

    fn checks_table(&self) -> String {
        let mut table = "\n## What an inspection looks at\n\n| check | what should be | shows |\n| --- | --- | --- |\n".to_owned();
        for check in self.checks() {
            let _ = writeln!(table, "| `{}` | {} | {} |", check.id, check.text, self.shown_by(check).join(" "));
        }
        table
    }

    fn shown_by(&self, check: &Check) -> Vec<&str> {
        self.rules().iter().filter(|rule| rule.checks.contains(&check.id)).map(|rule| rule.id.as_str()).collect()
    }

    fn framework_table(&self, framework: Framework) -> String {
        let mut by_control: BTreeMap<Natural, Vec<&str>> = BTreeMap::new();
        for rule in self.rules() {
            for control in framework.controls(rule) {
                by_control.entry(Natural::of(control)).or_default().push(rule.id.as_str());
            }
        }
        let mut table = format!("\n## {}\n\n| control | rules |\n| --- | --- |\n", framework.title());
        for (control, rules) in by_control {
            let _ = writeln!(table, "| {} | {} |", control.text, rules.join(" "));
        }
        table
    }
}

fn tested_only(rule: &Rule) -> bool {
    rule.open.is_none() && rule.checks.is_empty()
}

fn anchor(rule: &Rule) -> String {
    format!("#{}", rule.id.as_str().to_lowercase())
}

fn rule_section(rule: &Rule) -> String {
    let basis = if rule.basis.is_empty() { String::new() } else { format!(" ({})", rule.basis) };
    let mut section = format!("\n### {}\n\n{}{basis}\n\n", rule.id, rule.text);
    if let Some(open) = &rule.open {
        let _ = writeln!(section, "- **Open**: {open}");
    }
    let mapped = Framework::ALL.iter().map(|framework| format!("{}: {}", framework.short(), framework.controls(rule).join(", ")));
    let lines = [
        ("Code", listed(rule.code.iter().map(linked))),
        ("Tests", listed(rule.tests.iter().map(|test| format!("`{test}`")))),
        ("Inspect", listed(rule.checks.iter().map(|check| format!("`{check}`")))),
        ("Serves", Some(mapped.collect::<Vec<_>>().join("; "))),
    ];
    for (title, line) in lines {
        if let Some(line) = line {
            let _ = writeln!(section, "- {title}: {line}");
        }
    }
    section
}

fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| items.join(", "))
}

fn linked(code: &Code) -> String {
    format!("[`{}`](../{})", code.as_str(), code.path())
}

/// A control's name in the order that people expect: AC-3 before AC-12.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Natural<'a> {
    parts: Vec<(u64, &'a str)>,
    text: &'a str,
}

impl<'a> Natural<'a> {
    fn of(text: &'a str) -> Self {
        let pieces = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let parts = pieces.map(|piece| piece.parse().map_or((0, piece), |number| (number, ""))).collect();
        Self { parts, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_stand_in_the_order_that_people_expect() {
        // J1: a controls catalogue that people read as well
        let mut names = ["AC-12", "AC-3(13)", "AC-3", "A.8.15", "AC-3(8)", "A.8.2"].map(Natural::of);
        names.sort();
        assert_eq!(names.map(|name| name.text), ["A.8.2", "A.8.15", "AC-3", "AC-3(8)", "AC-3(13)", "AC-12"]);
    }
}
