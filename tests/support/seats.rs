//! The data centre's people, as many as it takes: each act that lets somebody in takes a code that was never used (rules B2, C2), and an
//! authenticator shows two a minute. Whoever has none left makes way for a colleague, who is enrolled as the data centre enrols its people.

use crate::call::{request, Answer};
use crate::people::{checks, Person};
use crate::rig::Rig;
use http::Method;
use serde_json::{json, Value};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A session that was not used for so long is left: it ends after fifteen minutes (rule C2).
const IDLE: Duration = Duration::from_secs(600);
const OFFICER: &[&str] = &["security-officer"];
const OWNER: &[&str] = &["risk-owner", "administrator"];

/// Somebody of the data centre who is logged in and has signed.
struct Seat {
    person: Person,
    session: String,
    used: Instant,
}

/// Everybody who is logged in there, by what they may do; the first of each is whom the ceremony made.
#[derive(Default)]
pub(crate) struct Seats {
    officers: Mutex<Vec<Seat>>,
    owners: Mutex<Vec<Seat>>,
    made: AtomicU32,
}

impl Seats {
    /// Sessions are gone; the accounts stay.
    pub(crate) fn left(&mut self) {
        (self.officers, self.owners) = Default::default();
    }
}

/// True of the acts that take a fresh code.
pub(crate) fn takes_code(path: &str) -> bool {
    let acts = ["/sponsor", "/accreditations", "/resume", "/certificates", "/certificates/remove"];
    path.starts_with("/v1/organisations/") && acts.iter().any(|act| path.ends_with(act))
}

impl Rig {
    /// An act of some security officer, with a fresh code.
    pub(crate) async fn as_some_officer(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        // held until the answer is there: of two codes of one person the older must not come second
        let mut officers = self.seats.officers.lock().await;
        officers.retain(|seat| seat.used.elapsed() < IDLE);
        if officers.is_empty() {
            officers.push(self.seat(self.officer.clone()).await);
        }
        if officers.iter().all(|seat| seat.person.authenticator.left() == 0) {
            let mut owners = self.seats.owners.lock().await;
            self.owners_with_codes(&mut owners).await;
            let officer = self.colleague(&mut owners, OFFICER).await;
            officers.push(officer);
        }
        self.with_code(&mut officers, method, path, body).await
    }

    /// An act of some risk owner, with a fresh code.
    pub(crate) async fn as_some_owner(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut owners = self.seats.owners.lock().await;
        self.owners_with_codes(&mut owners).await;
        self.with_code(&mut owners, method, path, body).await
    }

    /// Somebody has a code: the last one at hand makes a colleague, who brings two.
    async fn owners_with_codes(&self, owners: &mut Vec<Seat>) {
        owners.retain(|seat| seat.used.elapsed() < IDLE);
        if owners.is_empty() {
            owners.push(self.seat(self.owner.clone()).await);
        }
        if owners.iter().map(|seat| seat.person.authenticator.left()).sum::<u64>() <= 1 {
            let owner = self.colleague(owners, OWNER).await;
            owners.push(owner);
        }
    }

    async fn colleague(&self, owners: &mut [Seat], roles: &[&str]) -> Seat {
        let number = self.seats.made.fetch_add(1, Ordering::Relaxed);
        let login = format!("{}-{number}", roles.first().copied().unwrap_or_default());
        let who = json!({"login": login, "given_name": "Colin", "family_name": "League", "roles": roles, "supervisor": self.owner.id, "checks": checks()});
        let made = self.with_code(owners, Method::POST, "/v1/people", Some(&who)).await;
        self.seat(Person::of(&made.expect_status(201).json())).await
    }

    async fn seat(&self, person: Person) -> Seat {
        let session = match person.id {
            id if id == self.officer.id => self.session(&self.officer_session, &person).await,
            id if id == self.owner.id => self.session(&self.owner_session, &person).await,
            _ => self.session(&Mutex::new(None), &person).await,
        };
        Seat { person, session, used: Instant::now() }
    }

    /// In the session of the first who has a code; where nobody has, the very first waits for the next.
    async fn with_code(&self, seats: &mut [Seat], method: Method, path: &str, body: Option<&Value>) -> Answer {
        let at = seats.iter().position(|seat| seat.person.authenticator.left() > 0).unwrap_or(0);
        let seat = &mut seats[at];
        seat.used = Instant::now();
        let mut body = body.cloned().unwrap_or_else(|| json!({}));
        if body.get("code").is_none() {
            body["code"] = json!(seat.person.authenticator.code().await);
        }
        self.control(request(method, path, Some(&seat.session), Some(&body))).await
    }
}
