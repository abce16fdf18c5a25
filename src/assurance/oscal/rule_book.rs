//! The rule book as an OSCAL catalog: a group for each part, a control for each rule.

use super::shapes::{Metadata, Part, Property};
use super::{rule_control, rule_statement, uuid_of_document, VERSION};
use crate::json::written;
use crate::{Catalogue, ReportError, Rule};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
struct Document {
    catalog: Book,
}

#[derive(Serialize)]
struct Book {
    uuid: Uuid,
    metadata: Metadata,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    id: String,
    title: String,
    controls: Vec<Control>,
}

#[derive(Serialize)]
struct Control {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    props: Vec<Property>,
    parts: Vec<Part>,
}

impl Catalogue {
    /// The rule book as an OSCAL catalog.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`], which no catalogue is known to cause.
    pub fn oscal_rule_book(&self) -> Result<String, ReportError> {
        let group = |part: &crate::Part| Group {
            id: format!("part-{}", part.letter.to_lowercase()),
            title: part.title.clone(),
            controls: self.rules().iter().filter(|rule| rule.id.part() == part.letter).map(control).collect(),
        };
        let metadata = Metadata::new("The rule book of contactpoint".to_owned(), self.changed(), VERSION);
        let uuid = uuid_of_document("rule-book", self)?;
        written(&Document { catalog: Book { uuid, metadata, groups: self.parts().iter().map(group).collect() } })
    }
}

fn control(rule: &Rule) -> Control {
    let basis = (!rule.basis.is_empty()).then(|| Property::ours("basis", rule.basis.clone()));
    Control {
        id: rule_control(&rule.id),
        title: format!("Rule {}", rule.id),
        props: [Property::oscals("label", rule.id.as_str())].into_iter().chain(basis).collect(),
        parts: vec![Part { id: rule_statement(&rule.id), name: "statement", prose: rule.text.clone() }],
    }
}
