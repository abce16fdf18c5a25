//! The catalogue: controls.toml, embedded and read strictly.

use crate::{CatalogueError, Check, CheckId, Part, Rule, RuleId};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The embedded catalogue.
///
/// # Errors
/// [`CatalogueError`] where this build's controls.toml is not one; a test of this crate holds that it is.
pub fn catalogue() -> Result<Catalogue, CatalogueError> {
    Catalogue::of_toml(include_str!("controls.toml"))
}

/// Every rule of the rule book in its order, and every check. Rules name only checks that are there; checks show at least one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    changed: Timestamp,
    parts: Vec<Part>,
    rules: Vec<Rule>,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    changed: String,
    part: Vec<Part>,
    rule: Vec<Rule>,
    check: Vec<Check>,
}

impl Catalogue {
    /// Reads a catalogue of the shape of controls.toml: `changed`, `[[part]]`, `[[rule]]`, `[[check]]`.
    ///
    /// # Errors
    /// [`CatalogueError`] names the rule or check that is at fault.
    pub fn of_toml(text: &str) -> Result<Self, CatalogueError> {
        let Written { changed, part, rule, check } = toml::from_str(text).map_err(|fault| CatalogueError::Malformed(fault.to_string()))?;
        let changed = changed.parse().map_err(|_| CatalogueError::Malformed(format!("changed = {changed} is no RFC 3339 moment")))?;
        let catalogue = Self { changed, parts: part, rules: rule, checks: check };
        catalogue.each_once()?;
        catalogue.each_placed()?;
        catalogue.each_named_check_there()?;
        catalogue.each_proven_or_open()?;
        Ok(catalogue)
    }

    /// When the catalogue last changed; its OSCAL documents carry it.
    #[must_use]
    pub const fn changed(&self) -> Timestamp {
        self.changed
    }

    /// The parts of the rule book, A to J.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The rules, in the rule book's order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The checks of an inspection.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The catalogue of these rules alone, with the checks that show them.
    ///
    /// # Errors
    /// The first of `rules` that is not in the rule book.
    pub fn only(mut self, rules: &[String]) -> Result<Self, RuleId> {
        if let Some(unknown) = rules.iter().find(|id| !self.rules.iter().any(|rule| rule.id.as_str() == id.as_str())) {
            return Err(RuleId::from(unknown.as_str()));
        }
        self.rules.retain(|rule| rules.iter().any(|id| id == rule.id.as_str()));
        self.checks.retain(|check| self.rules.iter().any(|rule| rule.checks.contains(&check.id)));
        Ok(self)
    }

    /// The rule of that number.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == *id)
    }

    /// The check of that name.
    #[must_use]
    pub fn check(&self, id: &CheckId) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == *id)
    }

    fn each_once(&self) -> Result<(), CatalogueError> {
        let mut rules = BTreeSet::new();
        if let Some(twice) = self.rules.iter().find(|rule| !rules.insert(&rule.id)) {
            return Err(CatalogueError::RuleTwice(twice.id.clone()));
        }
        let mut checks = BTreeSet::new();
        match self.checks.iter().find(|check| !checks.insert(&check.id)) {
            Some(twice) => Err(CatalogueError::CheckTwice(twice.id.clone())),
            None => Ok(()),
        }
    }

    fn each_placed(&self) -> Result<(), CatalogueError> {
        let placed = |rule: &&Rule| self.parts.iter().any(|part| part.letter == rule.id.part());
        match self.rules.iter().find(|rule| !placed(rule)) {
            Some(rule) => Err(CatalogueError::NoSuchPart(rule.id.clone())),
            None => Ok(()),
        }
    }

    fn each_named_check_there(&self) -> Result<(), CatalogueError> {
        for rule in &self.rules {
            if let Some(check) = rule.checks.iter().find(|check| self.check(check).is_none()) {
                return Err(CatalogueError::NoSuchCheck { rule: rule.id.clone(), check: check.clone() });
            }
        }
        match self.checks.iter().find(|check| !self.rules.iter().any(|rule| rule.checks.contains(&check.id))) {
            Some(idle) => Err(CatalogueError::IdleCheck(idle.id.clone())),
            None => Ok(()),
        }
    }

    fn each_proven_or_open(&self) -> Result<(), CatalogueError> {
        let unproven = |rule: &&Rule| rule.open.as_ref().map_or(rule.code.is_empty() || rule.tests.is_empty(), String::is_empty);
        match self.rules.iter().find(unproven) {
            Some(rule) => Err(CatalogueError::Unproven(rule.id.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_has_every_rule_of_the_rule_book_in_its_order() {
        // J1: every rule here maps to the code that enforces it and the test that proves it, in a machine-readable controls catalogue
        let catalogue = catalogue().unwrap();
        let expected: Vec<String> = [("A", 7), ("B", 5), ("C", 6), ("D", 8), ("E", 8), ("F", 5), ("G", 9), ("H", 5), ("I", 3), ("J", 5)]
            .iter()
            .flat_map(|(part, most)| (1..=*most).map(move |number| format!("{part}{number}")))
            .collect();
        let ids: Vec<&str> = catalogue.rules().iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, expected);
        assert!(catalogue.rules().iter().all(|rule| !rule.nist.is_empty() && !rule.caf.is_empty() && !rule.iso27001.is_empty()));
    }

    /// The last letter of each principle's outcomes, as the framework's version 3.2 has them: 39 in all.
    const CAF: &[&str] = &["A1.c", "A2.b", "A3.a", "A4.a", "B1.b", "B2.d", "B3.e", "B4.d", "B5.c", "B6.b", "C1.e", "C2.b", "D1.c", "D2.b"];
    /// How many controls each theme of Annex A has: 93 in all.
    const ISO: &[(&str, u8)] = &[("A.5.", 37), ("A.6.", 8), ("A.7.", 14), ("A.8.", 34)];

    fn is_caf(name: &str) -> bool {
        CAF.iter().any(|last| name.len() == 4 && name[..3] == last[..3] && (b'a'..=last.as_bytes()[3]).contains(&name.as_bytes()[3]))
    }

    fn is_iso(name: &str) -> bool {
        let number = |theme: &str| name.strip_prefix(theme)?.parse::<u8>().ok();
        ISO.iter().any(|(theme, most)| number(theme).is_some_and(|number| (1..=*most).contains(&number)))
    }

    /// NIST's names with their titles: what the rules are mapped to, each looked up in the publication.
    const NIST: &str = include_str!("nist-sp-800-53-r5.txt");

    fn nist() -> BTreeSet<&'static str> {
        NIST.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once(' ').unwrap().0).collect()
    }

    #[test]
    fn every_mapping_is_to_a_control_that_the_framework_has() {
        // J1: mapped; J1: to NIST SP 800-53 r5, the NCSC Cyber Assessment Framework and ISO 27001 Annex A controls
        let catalogue = catalogue().unwrap();
        let mapped_to: BTreeSet<&str> = catalogue.rules().iter().flat_map(|rule| rule.nist.iter().map(String::as_str)).collect();
        assert_eq!(mapped_to, nist(), "a control without its title, or a title that no rule needs");
        for rule in catalogue.rules() {
            let strangers =
                |names: &[String], known: fn(&str) -> bool| names.iter().filter(|name| !known(name)).cloned().collect::<Vec<_>>();
            assert_eq!([strangers(&rule.caf, is_caf), strangers(&rule.iso27001, is_iso)].concat(), Vec::<String>::new(), "{}", rule.id);
        }
        assert!(!is_caf("B2.e") && !is_caf("E1.a") && !is_iso("A.8.35") && !is_iso("A.5.0"));
    }

    #[test]
    fn a_catalogue_that_claims_too_much_is_refused() {
        // J1: every rule maps to the code that enforces it and the test that proves it
        let of = |rule: &str, checks: &str| {
            let head = "changed = '2026-11-21T00:00:00Z'\npart = [{ letter = 'G', title = 'Keys' }]\n";
            Catalogue::of_toml(&format!("{head}check = [{checks}]\n{rule}")).map(|_| ())
        };
        let seen = "{ id = 'hsm.keys', text = 'x' }";
        let rule = |id: &str, more: &str| format!("[[rule]]\nid = '{id}'\ntext = 'x'\nnist = []\niso27001 = []\n{more}\n");
        let whole = rule("G2", "code = ['src/keys']\ntests = ['a']\nchecks = ['hsm.keys']");
        assert_eq!(of(&whole, seen), Ok(()));
        let g2 = || RuleId::from("G2");
        assert_eq!(of(&rule("G2", "code = ['src/keys']"), ""), Err(CatalogueError::Unproven(g2())));
        assert_eq!(of(&rule("G2", "tests = ['a']"), ""), Err(CatalogueError::Unproven(g2())));
        assert_eq!(of(&rule("G2", "open = 'Not built.'"), ""), Ok(()));
        assert_eq!(of(&rule("G2", "open = ''"), ""), Err(CatalogueError::Unproven(g2())));
        assert_eq!(of(&whole, ""), Err(CatalogueError::NoSuchCheck { rule: g2(), check: "hsm.keys".into() }));
        assert_eq!(of(&rule("G2", "open = 'x'"), seen), Err(CatalogueError::IdleCheck("hsm.keys".into())));
        assert_eq!(of(&format!("{whole}{whole}"), seen), Err(CatalogueError::RuleTwice(g2())));
        assert_eq!(of(&whole, &format!("{seen}, {seen}")), Err(CatalogueError::CheckTwice("hsm.keys".into())));
        assert_eq!(of(&rule("K1", "open = 'x'"), ""), Err(CatalogueError::NoSuchPart("K1".into())));
        assert!(matches!(of(&rule("G2", "tested = ['a']"), ""), Err(CatalogueError::Malformed(_))));
    }
}
