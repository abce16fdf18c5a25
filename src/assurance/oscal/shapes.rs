//! The parts that OSCAL's documents share, as far as we write them. Field by field as in the reference of the JSON format:
//! <https://pages.nist.gov/OSCAL-Reference/models/v1.2.1/>.

use super::{uuid_of, NS};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// The version of OSCAL that the documents claim.
const OSCAL_VERSION: &str = "1.2.1";

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Metadata {
    title: String,
    last_modified: String,
    version: String,
    oscal_version: &'static str,
}

impl Metadata {
    pub(super) fn new(title: String, at: Timestamp, version: &str) -> Self {
        Self { title, last_modified: at.to_string(), version: version.to_owned(), oscal_version: OSCAL_VERSION }
    }
}

/// A name and a value. Those without a namespace are OSCAL's own.
#[derive(Serialize)]
pub(super) struct Property {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ns: Option<&'static str>,
    value: String,
}

impl Property {
    pub(super) fn ours(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, ns: Some(NS), value: value.into() }
    }

    pub(super) fn oscals(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, ns: None, value: value.into() }
    }
}

#[derive(Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) rel: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct BackMatter {
    pub(super) resources: Vec<Resource>,
}

/// Something referred to as `#uuid`.
#[derive(Serialize)]
pub(super) struct Resource {
    pub(super) uuid: Uuid,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rlinks: Vec<Rlink>,
}

#[derive(Serialize)]
struct Rlink {
    href: &'static str,
}

impl Resource {
    /// The resource of that title; `href` is where it can be had.
    pub(super) fn new(title: &str, description: &str, href: Option<&'static str>) -> Self {
        let rlinks = href.map(|href| Rlink { href }).into_iter().collect();
        Self { uuid: uuid_of(&format!("resource/{title}")), title: title.to_owned(), description: description.to_owned(), rlinks }
    }
}

#[derive(Serialize)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) prose: String,
}
