//! Organisations and people as the tests enrol them, by the ways the directory has for it.

use crate::codes::Authenticator;
use crate::pki::ClientCertificate;
use serde_json::{json, Value};
use std::sync::Arc;

/// What an organisation is enrolled with.
#[derive(Debug, Clone)]
pub struct Enrolment<'a> {
    /// Its name.
    pub name: &'a str,
    /// council, school, surgery, youth-offending-team, police, voluntary, auditor.
    pub kind: &'a str,
    /// Its local authority's number.
    pub authority: Option<u64>,
    /// query, feed.
    pub capabilities: &'a [&'a str],
}

impl Enrolment<'_> {
    /// The body of POST /v1/organisations.
    #[must_use]
    pub fn body(&self, certificate: &ClientCertificate, administrator: &str) -> Value {
        let mut body = json!({
            "name": self.name,
            "kind": self.kind,
            "capabilities": self.capabilities,
            "certificates": [certificate.certificate],
            "administrator": {"login": administrator, "given_name": "Ada", "family_name": "Minton"},
        });
        if let Some(authority) = self.authority {
            body["authority"] = json!(authority);
        }
        body
    }
}

/// An enrolled organisation.
#[derive(Clone)]
pub struct Organisation {
    /// Its number in the directory.
    pub id: u64,
    /// Its certificate.
    pub certificate: ClientCertificate,
    /// Its first administrator.
    pub administrator: Person,
}

/// An enrolled person with both factors.
#[derive(Clone)]
pub struct Person {
    /// Number in the directory.
    pub id: u64,
    /// Log-in name.
    pub login: String,
    /// First factor.
    pub password: String,
    /// Second factor.
    pub authenticator: Arc<Authenticator>,
}

impl Person {
    /// From what an enrolment answers: id, login, password, code_secret.
    ///
    /// # Panics
    /// Where one of them is missing.
    #[must_use]
    pub fn of(answer: &Value) -> Self {
        let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("an enrolment answers with {key}")).to_owned();
        let authenticator = Arc::new(Authenticator::of(&text("code_secret")));
        Self { id: answer["id"].as_u64().unwrap_or(0), login: text("login"), password: text("password"), authenticator }
    }

    /// The body of POST /v1/session, with a fresh code.
    pub async fn log_in_body(&self) -> Value {
        json!({"login": self.login, "password": self.password, "code": self.authenticator.code().await})
    }
}
