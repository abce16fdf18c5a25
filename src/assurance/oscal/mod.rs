//! The catalogue and a report in OSCAL 1.2, the format that accreditors' tools read (<https://pages.nist.gov/OSCAL/>).
//!
//! For: three documents that refer to each other - the rule book as a catalog, the product as a component-definition, one inspection as
//! assessment-results. Written from types, never from templates; every identifier is a UUID of version 5 (RFC 9562) made of a name, so that
//! equal input gives equal bytes. Leaves to others: judging the documents (tests/interop/oscal.rs, with compliance-trestle).

mod assessment;
mod component;
mod rule_book;
mod shapes;

use crate::json::written;
use crate::{Catalogue, Framework, ReportError, Rule, RuleId};
use uuid::Uuid;

/// Names within OSCAL that are ours.
const NS: &str = "urn:contactpoint:oscal";
/// The rule book's file, beside the component-definition's.
const RULE_BOOK: &str = "rule-book.json";

/// The programs' version, which the catalogue goes with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The identifier of what has that name; `name` is a path of words: "requirement/nist/ac-3".
fn uuid_of(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::new_v5(&Uuid::NAMESPACE_URL, NS.as_bytes()), name.as_bytes())
}

/// The identifier of a document made of the catalogue: of its whole content, so that two catalogues of one day are not taken for one.
fn uuid_of_document(name: &str, of: &Catalogue) -> Result<Uuid, ReportError> {
    let content = written(&(of.changed().to_string(), of.parts(), of.rules(), of.checks()))?;
    Ok(uuid_of(&format!("{name}/{VERSION}/{content}")))
}

/// The product, in the component-definition and as the subject of an inspection.
fn component_uuid() -> Uuid {
    uuid_of("component")
}

/// A rule as a control of the rule book: "b1".
fn rule_control(rule: &RuleId) -> String {
    rule.as_str().to_lowercase()
}

/// The statement of that control: "b1_smt".
fn rule_statement(rule: &RuleId) -> String {
    rule_control(rule) + "_smt"
}

/// `control` as the framework's own catalog names it: NIST's has "ac-3.13" for AC-3(13), the others no catalog.
fn control_id(framework: Framework, control: &str) -> String {
    match framework {
        Framework::Nist => control.to_lowercase().replace('(', ".").replace(')', ""),
        Framework::Caf | Framework::Iso27001 => control.to_owned(),
    }
}

/// OSCAL's word for how much of a rule is there.
fn implementation(rule: &Rule) -> &'static str {
    match (&rule.open, rule.code.is_empty()) {
        (None, _) => "implemented",
        (Some(_), false) => "partial",
        (Some(_), true) => "planned",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_named_as_its_own_catalog_names_it() {
        // J1: mapped; an identifier that NIST's catalog does not have leads nowhere
        assert_eq!(control_id(Framework::Nist, "AC-3(13)"), "ac-3.13");
        assert_eq!(control_id(Framework::Caf, "B2.a"), "B2.a");
        assert_eq!(control_id(Framework::Iso27001, "A.8.15"), "A.8.15");
    }

    #[test]
    fn an_identifier_is_of_version_5_and_the_same_for_the_same_name_only() {
        // RFC 9562, 5.5
        assert_eq!(uuid_of("requirement/nist/ac-3").get_version_num(), 5);
        assert_eq!(uuid_of("a"), uuid_of("a"));
        assert_ne!(uuid_of("a"), uuid_of("b"));
    }
}
