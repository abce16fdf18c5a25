//! The product as an OSCAL component-definition: which control of which framework it serves, by which rules, code and tests.

use super::shapes::{BackMatter, Link, Metadata, Property, Resource};
use super::{control_id, implementation, rule_control, uuid_of, uuid_of_document, RULE_BOOK, VERSION};
use crate::json::written;
use crate::{Catalogue, Framework, ReportError, Rule};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// NIST publishes its catalog in OSCAL; the other two frameworks have none, and are referred to by their titles.
const NIST_CATALOG: &str =
    "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json";
const CAF_PAGE: &str = "https://www.ncsc.gov.uk/collection/cyber-assessment-framework";
const ISO_PAGE: &str = "https://www.iso.org/standard/27001";

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    component_definition: Definition,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Definition {
    uuid: Uuid,
    metadata: Metadata,
    components: Vec<Component>,
    back_matter: BackMatter,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Component {
    uuid: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    description: &'static str,
    purpose: &'static str,
    control_implementations: Vec<Implementation>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Implementation {
    uuid: Uuid,
    source: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    implemented_requirements: Vec<Requirement>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Requirement {
    uuid: Uuid,
    control_id: String,
    description: String,
    props: Vec<Property>,
}

impl Catalogue {
    /// The product as an OSCAL component-definition.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`], which no catalogue is known to cause.
    pub fn oscal_component_definition(&self) -> Result<String, ReportError> {
        let frameworks = Framework::ALL.iter().map(|framework| self.framework(*framework));
        let component = Component {
            uuid: super::component_uuid(),
            kind: "software",
            title: "contactpoint",
            description:
                "A national directory of who works with a child and how to reach them, with its daemon, operators' tool and client.",
            purpose: "A practitioner who works with a child finds out who else does, and nobody else finds out anything.",
            control_implementations: std::iter::once(self.rule_book()).chain(frameworks).collect(),
        };
        let definition = Definition {
            uuid: uuid_of_document("component-definition", self)?,
            metadata: Metadata::new("contactpoint: component definition".to_owned(), self.changed(), VERSION),
            components: vec![component],
            back_matter: BackMatter { resources: vec![caf(), iso()] },
        };
        written(&Document { component_definition: definition })
    }

    /// Each rule with its code, tests and checks, as the control of our own rule book.
    fn rule_book(&self) -> Implementation {
        Implementation {
            uuid: uuid_of("implementation/rule-book"),
            source: RULE_BOOK.to_owned(),
            description: "The project's own rules, each with what enforces it, what proves it and what of a running system shows it."
                .to_owned(),
            links: vec![],
            implemented_requirements: self.rules().iter().map(of_rule).collect(),
        }
    }

    /// Each control of a framework with the rules that serve it.
    fn framework(&self, framework: Framework) -> Implementation {
        let mut by_control: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in self.rules() {
            for control in framework.controls(rule) {
                by_control.entry(control).or_default().push(rule);
            }
        }
        Implementation {
            uuid: uuid_of(&format!("implementation/{}", framework.title())),
            source: source(framework),
            description: format!(
                "{}: what the product contributes, by its own rules. A mapping, not a claim of conformity.",
                framework.title()
            ),
            links: link(framework).into_iter().collect(),
            implemented_requirements: by_control.iter().map(|(control, rules)| of_control(framework, control, rules)).collect(),
        }
    }
}

fn source(framework: Framework) -> String {
    match framework {
        Framework::Nist => NIST_CATALOG.to_owned(),
        Framework::Caf => format!("#{}", caf().uuid),
        Framework::Iso27001 => format!("#{}", iso().uuid),
    }
}

/// To the framework's title, where it has no catalog.
fn link(framework: Framework) -> Option<Link> {
    match framework {
        Framework::Nist => None,
        Framework::Caf | Framework::Iso27001 => Some(Link { href: source(framework), rel: "reference" }),
    }
}

fn caf() -> Resource {
    Resource::new(Framework::Caf.title(), "Contributing outcomes A1.a to D2.b; published as text, not in OSCAL.", Some(CAF_PAGE))
}

fn iso() -> Resource {
    Resource::new(Framework::Iso27001.title(), "Controls A.5.1 to A.8.34; published as text, not in OSCAL.", Some(ISO_PAGE))
}

fn of_rule(rule: &Rule) -> Requirement {
    let code = rule.code.iter().map(|code| Property::ours("code", code.as_str()));
    let tests = rule.tests.iter().map(|test| Property::ours("test", test.clone()));
    let checks = rule.checks.iter().map(|check| Property::ours("check", check.as_str()));
    let status = Property::oscals("implementation-status", implementation(rule));
    Requirement {
        uuid: uuid_of(&format!("requirement/rule-book/{}", rule.id)),
        control_id: rule_control(&rule.id),
        description: said_of(rule),
        props: std::iter::once(status).chain(code).chain(tests).chain(checks).collect(),
    }
}

fn of_control(framework: Framework, control: &str, rules: &[&Rule]) -> Requirement {
    let status = Property::oscals("implementation-status", together(rules));
    let named = rules.iter().map(|rule| Property::ours("rule", rule.id.as_str()));
    let served = rules.iter().map(|rule| format!("{} ({})", rule.id, implementation(rule)));
    let served = served.collect::<Vec<_>>().join(", ");
    Requirement {
        uuid: uuid_of(&format!("requirement/{}/{control}", framework.title())),
        control_id: control_id(framework, control),
        description: format!("Served by rules {served}; what enforces and proves each is said where the rule book is implemented."),
        props: std::iter::once(status).chain(named).collect(),
    }
}

/// What is said of a control that several rules serve: all there, none there, or in part.
fn together(rules: &[&Rule]) -> &'static str {
    let all = |state: &str| rules.iter().all(|rule| implementation(rule) == state);
    match (all("implemented"), all("planned")) {
        (true, _) => "implemented",
        (_, true) => "planned",
        (false, false) => "partial",
    }
}

fn said_of(rule: &Rule) -> String {
    rule.open.as_ref().map_or_else(|| "Enforced and tested.".to_owned(), |open| format!("Open: {open}"))
}
