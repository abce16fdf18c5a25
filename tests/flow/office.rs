//! Organisations with people who are logged in, and how these ask.

use crate::answers::examined;
use contactpoint_client::{tls, Connection, ServerAddress};
use contactpoint_support::{call, new_person, request, Answer, ClientCertificate, Enrolment, Organisation, Person, Rig};
use http::{Method, Request};
use http_body_util::Full;
use rustls::ClientConfig;
use serde_json::Value;
use std::sync::Arc;

/// Somebody logged in, at a machine that has their organisation's certificate.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) person: Person,
    pub(crate) token: String,
    pub(crate) certificate: ClientCertificate,
    pub(crate) server: ServerAddress,
    pub(crate) tls: Arc<ClientConfig>,
}

impl Desk {
    /// Logs a person in for the first time; they sign.
    pub(crate) async fn of(rig: &Rig, certificate: &ClientCertificate, person: &Person) -> Self {
        let token = rig.log_in_first(&mut rig.connection(certificate), person).await;
        Self::in_session(rig, certificate, person, token)
    }

    /// Somebody who is logged in already.
    pub(crate) fn in_session(rig: &Rig, certificate: &ClientCertificate, person: &Person, token: String) -> Self {
        Self { person: person.clone(), token, certificate: certificate.clone(), server: rig.server(), tls: identity(rig, certificate) }
    }

    /// A connection of its own.
    pub(crate) fn connection(&self) -> Connection {
        Connection::to(self.server.clone(), self.tls.clone()).unwrap()
    }

    /// Asks, on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<bytes::Bytes>>) -> Answer {
        examined(call(&mut self.connection(), request).await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(request(Method::POST, path, Some(&self.token), Some(&body))).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path, Some(&self.token), None)).await
    }

    /// A piece of a feed.
    pub(crate) async fn send_lines(&self, feed: u64, first_line: u64, lines: impl Into<bytes::Bytes>) -> Answer {
        let request = Request::post(format!("/v1/feeds/{feed}/lines?first_line={first_line}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "text/csv")
            .body(Full::new(lines.into()));
        self.send(request.unwrap()).await
    }
}

/// A TLS identity as the client program has it.
pub(crate) fn identity(rig: &Rig, certificate: &ClientCertificate) -> Arc<ClientConfig> {
    tls::configuration(rig.servers.pem().as_bytes(), certificate.certificate.as_bytes(), certificate.key.as_bytes()).unwrap()
}

/// An organisation, its administrator and its people, all of them logged in.
pub(crate) struct Office {
    pub(crate) organisation: Organisation,
    pub(crate) administrator: Desk,
    people: Vec<Desk>,
}

/// A practitioner, then a data steward.
pub(crate) const USUAL: &[&[&str]] = &[&["practitioner"], &["data-steward"]];

impl Office {
    /// Enrols an organisation, with a telephone and a mailbox, and a person for each of these sets of roles.
    pub(crate) async fn opened(rig: &Rig, enrolment: &Enrolment<'_>, people: &[&[&str]]) -> Self {
        let slug = enrolment.name.to_ascii_lowercase().replace(' ', "-");
        let certificate = rig.clients.client(enrolment.name);
        let mut body = enrolment.body(&certificate, &format!("{slug}-admin"));
        body["telephone"] = "01632 960000".into();
        body["email"] = format!("duty@{slug}.example").into();
        let organisation = rig.let_in(certificate, &body, enrolment.capabilities).await;
        let administrator = Desk::in_session(rig, &organisation.certificate, &organisation.administrator, organisation.session.clone());
        let mut desks = Vec::new();
        for (at, roles) in people.iter().enumerate() {
            let person = employed(&organisation, &administrator, &format!("{slug}-{at}"), roles).await;
            desks.push(Desk::of(rig, &organisation.certificate, &person).await);
        }
        Self { organisation, administrator, people: desks }
    }

    /// Makes an account. Its holder has not logged in yet, nor signed.
    pub(crate) async fn employ(&self, login: &str, roles: &[&str]) -> Person {
        employed(&self.organisation, &self.administrator, login, roles).await
    }

    /// The first of its people.
    pub(crate) fn practitioner(&self) -> &Desk {
        &self.people[0]
    }

    /// The second.
    pub(crate) fn steward(&self) -> &Desk {
        &self.people[1]
    }

    pub(crate) fn people(&self) -> &[Desk] {
        &self.people
    }
}

async fn employed(organisation: &Organisation, administrator: &Desk, login: &str, roles: &[&str]) -> Person {
    let new = new_person(organisation, login, roles);
    Person::of(&administrator.post("/v1/people", new).await.expect_status(201).json())
}
