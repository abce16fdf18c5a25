//! The appliance of a crash test and the people at it: a school that looks and feeds, an auditor who asks who looked.
//!
//! Sessions end with the process that holds them and a one-time code works once, so accounts are made in advance and take turns: each
//! restart finds people whose codes are not used up, and nobody waits for the next thirty seconds.

use crate::roll::Pupil;
use contactpoint_client::{Connection, ConnectionError};
use contactpoint_support::{call, request, Answer, Enrolment, Organisation, Person, Programs, Rig};
use http::Method;
use serde_json::{json, Value};
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

/// Accounts of each sort; each of them is used for at most three log-ins in any half minute.
const TURNS: usize = 10;

/// A running appliance.
pub(crate) struct World {
    pub(crate) rig: Rig,
    pub(crate) school: Organisation,
    auditors: Organisation,
    practitioners: Vec<Person>,
    stewards: Vec<Person>,
    reviewers: Vec<Person>,
    turn: usize,
}

/// Who is logged in since the last start.
pub(crate) struct Sessions {
    pub(crate) practitioner: Session,
    pub(crate) steward: Session,
    pub(crate) reviewer: Session,
}

/// A person's session and a connection of their organisation.
pub(crate) struct Session {
    connection: Connection,
    token: String,
    /// The person's number.
    pub(crate) person: u64,
    /// What they logged in with.
    factors: Value,
}

/// The shipped settings, with the highest ceiling of records seen: one practitioner looks at what twenty feeds took in.
fn settings() -> String {
    let shipped = include_str!("../../config/contactpointd.toml");
    let raised = shipped.replace("\npractitioner = 200\n", "\npractitioner = 10000\n");
    assert!(raised != shipped, "the ceiling is a setting");
    raised
}

impl World {
    /// Everything enrolled, nothing fed.
    pub(crate) async fn started() -> Self {
        let rig = Rig::started(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), Some(&settings()));
        let enrol = |name, kind, authority, capabilities| Enrolment { name, kind, authority, capabilities };
        let council = rig.enrol(&enrol("Borough", "council", None, &[])).await;
        let school = rig.enrol(&enrol("School", "school", Some(council.id), &["query", "feed"])).await;
        let auditors = rig.enrol(&enrol("Auditors", "auditor", None, &["audit"])).await;
        let practitioners = turns(&rig, &school, "teacher", "practitioner").await;
        let stewards = turns(&rig, &school, "steward", "data-steward").await;
        let reviewers = turns(&rig, &auditors, "reviewer", "auditor").await;
        Self { rig, school, auditors, practitioners, stewards, reviewers, turn: 0 }
    }

    /// Logs in the next three people.
    pub(crate) async fn log_in(&mut self) -> Sessions {
        let at = self.turn % TURNS;
        self.turn += 1;
        let (practitioner, steward, reviewer) = tokio::join!(
            self.session(&self.school, &self.practitioners[at]),
            self.session(&self.school, &self.stewards[at]),
            self.session(&self.auditors, &self.reviewers[at]),
        );
        Sessions { practitioner, steward, reviewer }
    }

    async fn session(&self, organisation: &Organisation, person: &Person) -> Session {
        let mut connection = self.rig.connection(&organisation.certificate);
        let factors = person.log_in_body().await;
        let asked = request(Method::POST, "/v1/session", None, Some(&factors));
        let answer = call(&mut connection, asked).await.expect("an answer").expect_status(201).json();
        let token = answer["token"].as_str().expect("a token").to_owned();
        self.rig.sign(&mut connection, &token).await;
        Session { connection, token, person: person.id, factors }
    }

    /// Rule C2: a session ends with its process, and a code that was taken before works no more.
    pub(crate) async fn ended_with_the_process(&self, sessions: &Sessions) {
        let mut session = self.beside(&sessions.practitioner, &self.school);
        let looked = session.post("/v1/children/view", &json!({"child_number": "0000000000", "reason": "coordination"})).await;
        assert_eq!(looked.expect("an answer").status, 401);
        let again = request(Method::POST, "/v1/session", None, Some(&sessions.practitioner.factors));
        assert_eq!(call(&mut session.connection, again).await.expect("an answer").expect_status(401).code(), "log_in_failed");
    }

    /// The same session on a connection of its own.
    pub(crate) fn beside(&self, session: &Session, organisation: &Organisation) -> Session {
        Session {
            connection: self.rig.connection(&organisation.certificate),
            token: session.token.clone(),
            person: session.person,
            factors: session.factors.clone(),
        }
    }

    /// Logs the next steward in by the organisations' client, whose later runs are in that session.
    pub(crate) async fn client_logs_in(&mut self) {
        let steward = self.stewards[self.turn % TURNS].clone();
        self.turn += 1;
        let code = steward.authenticator.code().await;
        let log_in = ["log-in", "--login", &steward.login, "--password-stdin", "--code", &code];
        let mut client = self.client_begun(&log_in);
        let typed = client.stdin.take().expect("its input").write_all(format!("{}\n", steward.password).as_bytes());
        typed.expect("it reads its input");
        let logged_in = client.wait_with_output().expect("contactpoint ends");
        assert!(logged_in.status.success(), "{}", String::from_utf8_lossy(&logged_in.stderr));
        let signed = self.client(&["sign", "--accept", "1"]);
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
    }

    /// Runs the organisations' client as the school, to its end.
    pub(crate) fn client(&self, arguments: &[&str]) -> Output {
        self.client_begun(arguments).wait_with_output().expect("contactpoint ends")
    }

    /// The same, not waited for.
    pub(crate) fn client_begun(&self, arguments: &[&str]) -> Child {
        let session_file = self.rig.folder().join("steward.session");
        let mut command = Command::new(&self.rig.programs.client);
        command.arg("--profile").arg(self.rig.profile("school", &self.school.certificate)).arg("--session-file").arg(session_file);
        command.arg("--json").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("contactpoint runs")
    }
}

async fn turns(rig: &Rig, organisation: &Organisation, name: &str, role: &str) -> Vec<Person> {
    let logins: Vec<String> = (0..TURNS).map(|at| format!("{name}.{at}")).collect();
    let roles = [role];
    let people: Vec<(&str, &[&str])> = logins.iter().map(|login| (login.as_str(), roles.as_slice())).collect();
    rig.enrol_people(organisation, &people).await
}

impl Session {
    /// POST with a JSON body.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Result<Answer, ConnectionError> {
        call(&mut self.connection, request(Method::POST, path, Some(&self.token), Some(body))).await
    }

    /// POST of whole CSV records.
    pub(crate) async fn post_records(&mut self, path: &str, records: String) -> Result<Answer, ConnectionError> {
        let request =
            http::Request::post(path).header("authorization", format!("Bearer {}", self.token)).header("content-type", "text/csv");
        call(&mut self.connection, request.body(http_body_util::Full::from(records)).expect("a path without blanks")).await
    }

    /// GET.
    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        call(&mut self.connection, request(Method::GET, path, Some(&self.token), None)).await.expect("an answer").expect_status(200)
    }
}

/// The body of a search that only this child answers to.
pub(crate) fn search_for(pupil: &Pupil) -> Value {
    json!({"family_name": pupil.family, "given_name": pupil.given, "date_of_birth": pupil.date_of_birth(), "reason": "coordination"})
}
