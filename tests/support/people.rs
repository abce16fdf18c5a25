//! Organisations and people as the tests enrol them, by the ways the directory has for it.

use crate::clock;
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
    /// What it is accredited for: query, feed and others.
    pub capabilities: &'a [&'a str],
}

impl Enrolment<'_> {
    /// The body of POST /v1/organisations. The supervisor's log-in name is the administrator's with "-sv" behind it.
    #[must_use]
    pub fn body(&self, certificate: &ClientCertificate, administrator: &str) -> Value {
        let head = |login: &str, given: &str| json!({"login": login, "given_name": given, "family_name": "Minton", "checks": checks()});
        let mut body = json!({
            "name": self.name,
            "kind": self.kind,
            "certificates": [certificate.certificate],
            "administrator": head(administrator, "Ada"),
            "supervisor": head(&format!("{administrator}-sv"), "Sven"),
        });
        if let Some(authority) = self.authority {
            body["authority"] = json!(authority);
        }
        body
    }
}

/// The body of POST /v1/people, under the organisation's first supervisor.
#[must_use]
pub fn new_person(organisation: &Organisation, login: &str, roles: &[&str]) -> Value {
    let (given, family, supervisor) = ("Robin", "Tester", organisation.supervisor.id);
    json!({"login": login, "given_name": given, "family_name": family, "roles": roles, "supervisor": supervisor, "checks": checks()})
}

/// Checks that hold: made today.
#[must_use]
pub fn checks() -> Value {
    let today = today();
    json!({"vetted": today, "barring": today, "trained": today})
}

/// The day in UTC, as the daemon has it.
///
/// # Panics
/// Where there is no such day.
#[must_use]
pub fn today() -> String {
    day(0)
}

/// A day so many days after today, or before it.
///
/// # Panics
/// Where there is no such day.
#[must_use]
pub fn day(later: i64) -> String {
    let seconds = i64::try_from(clock::now().as_secs()).expect("a time of this age");
    let today = jiff::Timestamp::from_second(seconds).expect("a time of this age").to_zoned(jiff::tz::TimeZone::UTC).date();
    today.checked_add(jiff::Span::new().days(later)).expect("a day of the calendar").to_string()
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
    /// The administrator's session, in which they accepted for the organisation.
    pub session: String,
    /// Its first supervisor, who has not logged in yet.
    pub supervisor: Person,
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
