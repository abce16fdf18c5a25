//! The rig: token, ceremony, certificates, sockets and the daemon, put together as an operator would, with the programs as they are shipped.

use crate::call::{call, call_control, request, Answer};
use crate::daemon::{Daemon, DidNotStart};
use crate::people::{day, new_person, Enrolment, Organisation, Person};
use crate::pki::{Authority, ClientCertificate, Holds};
use crate::place::Place;
use crate::seats::{takes_code, Seats};
use crate::sockets::Sockets;
use crate::token::Token;
use contactpoint_audit::VerifierKey;
use contactpoint_client::{tls, Connection, ServerAddress};
use http::Method;
use serde_json::{json, Value};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;

/// The programs under test. `env!("CARGO_BIN_EXE_contactpointd")` exists in the root package's tests alone, so they are handed in.
#[derive(Debug, Clone)]
pub struct Programs {
    /// contactpointd.
    pub daemon: PathBuf,
    /// contactpointctl.
    pub operator: PathBuf,
    /// contactpoint.
    pub client: PathBuf,
    /// contactpoint-synthesise.
    pub synthesise: PathBuf,
}

impl Programs {
    /// All of them, beside the daemon.
    #[must_use]
    pub fn beside(daemon: &str) -> Self {
        let other = |name: &str| Path::new(daemon).with_file_name(name);
        Self {
            daemon: PathBuf::from(daemon),
            operator: other("contactpointctl"),
            client: other("contactpoint"),
            synthesise: other("contactpoint-synthesise"),
        }
    }
}

/// A whole appliance below one temporary folder, which goes with it.
pub struct Rig {
    // first: the daemon dies before its folder
    daemon: Option<Daemon>,
    /// The programs under test.
    pub programs: Programs,
    /// The folders of the daemon.
    pub place: Place,
    /// Its HSM.
    pub token: Token,
    /// Its sockets.
    pub sockets: Sockets,
    /// The authority whose client certificates it accepts.
    pub clients: Authority,
    /// The authority of its own certificate.
    pub servers: Authority,
    /// An authority that it does not know.
    pub strangers: Authority,
    /// The log's public key.
    pub verifier_key: VerifierKey,
    /// The security officer whom the ceremony made.
    pub officer: Person,
    /// The risk owner whom the ceremony made.
    pub owner: Person,
    revoked: Mutex<Vec<u64>>,
    pub(crate) officer_session: tokio::sync::Mutex<Option<String>>,
    pub(crate) owner_session: tokio::sync::Mutex<Option<String>>,
    pub(crate) seats: Seats,
    folder: TempDir,
}

impl Rig {
    /// Everything but the daemon: token made, ceremony held, certificates in their places. With the shipped settings, or others.
    ///
    /// # Panics
    /// Where any of it fails; says what the program said.
    #[must_use]
    pub fn prepared(programs: Programs, settings: Option<&str>) -> Self {
        let folder = tempfile::Builder::new().prefix("contactpoint-rig-").tempdir().expect("a temporary folder");
        let token = Token::made_in(folder.path());
        let place = Place::below(folder.path(), settings);
        let [clients, servers, strangers] = ["Organisations", "Directory", "Strangers"].map(Authority::named);
        place.put_tls("clients-ca.pem", &clients.pem());
        place.put_tls("clients.crl.pem", &clients.revocation_list(&[], Holds::Long));
        let held: Value = serde_json::from_str(&operator(&programs, &place, &token, &["ceremony", "--json"])).expect("JSON");
        let signing_request = operator(&programs, &place, &token, &["certificate-request", "--name", "127.0.0.1"]);
        place.put_tls("server.pem", &servers.server(&signing_request, &["127.0.0.1"]));
        Self {
            daemon: None,
            sockets: Sockets::bound_in(folder.path()),
            verifier_key: VerifierKey::parse_each(held["verifier_key"].as_str().unwrap_or_default()).expect("a verifier key").remove(0),
            officer: Person::of(&held["officer"]),
            owner: Person::of(&held["owner"]),
            revoked: Mutex::new(Vec::new()),
            officer_session: tokio::sync::Mutex::new(None),
            owner_session: tokio::sync::Mutex::new(None),
            seats: Seats::default(),
            programs,
            place,
            token,
            clients,
            servers,
            strangers,
            folder,
        }
    }

    /// The same, and the daemon started.
    ///
    /// # Panics
    /// Where it does not start; shows its log.
    #[must_use]
    pub fn started(programs: Programs, settings: Option<&str>) -> Self {
        let mut rig = Self::prepared(programs, settings);
        rig.start();
        rig
    }

    /// A folder of the test's own, gone with the rig.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    // --- the daemon ---

    /// Starts it on the same sockets and the same state.
    ///
    /// # Panics
    /// Where it does not start; shows its log.
    pub fn start(&mut self) {
        if let Err(fault) = self.try_start() {
            panic!("the daemon did not start ({:?}):\n{}", fault.status, fault.log);
        }
    }

    /// Starts it, or says how it ended.
    pub fn try_start(&mut self) -> Result<(), Box<DidNotStart>> {
        let environment = self.place.environment(&self.token);
        self.daemon = Some(Daemon::start(&self.programs.daemon, &self.sockets, &environment, self.folder.path())?);
        Ok(())
    }

    /// The running daemon.
    ///
    /// # Panics
    /// Where none runs.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("a running daemon")
    }

    /// SIGKILL. Sessions are gone with it.
    pub fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill();
        }
        self.forget_sessions();
    }

    /// SIGTERM; how it ended.
    ///
    /// # Panics
    /// Where none runs or it does not end.
    pub fn stop(&mut self) -> ExitStatus {
        self.forget_sessions();
        self.daemon.take().expect("a running daemon").stop()
    }

    /// How it ended, which it does by itself.
    ///
    /// # Panics
    /// Where none runs or it does not end.
    pub fn ended(&mut self) -> ExitStatus {
        self.forget_sessions();
        self.daemon.take().expect("a running daemon").ended()
    }

    /// Everything that the rig's daemons have said, also where none runs.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("daemon.log")).unwrap_or_default()
    }

    fn forget_sessions(&mut self) {
        self.officer_session = tokio::sync::Mutex::new(None);
        self.owner_session = tokio::sync::Mutex::new(None);
        self.seats.left();
    }

    /// Runs contactpointctl in the daemon's environment.
    ///
    /// # Panics
    /// Where it cannot be run.
    #[must_use]
    pub fn operator(&self, arguments: &[&str]) -> Output {
        operator_command(&self.programs, &self.place, &self.token, arguments).output().expect("contactpointctl runs")
    }

    /// The same with what two officers type: a verb of the keys, while no daemon runs.
    ///
    /// # Panics
    /// Where it cannot be run.
    #[must_use]
    pub async fn two_officers(&self, arguments: &[&str]) -> Output {
        let codes = [self.officer.authenticator.code().await, self.owner.authenticator.code().await];
        let typed = [self.officer.password.as_str(), &self.owner.password, &codes[0], &codes[1]].join("\n");
        let mut command = operator_command(&self.programs, &self.place, &self.token, arguments);
        let mut child = command
            .arg("--factors-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("contactpointctl runs");
        // one that refuses before it reads has closed its end
        drop(child.stdin.take().map(|mut stdin| writeln!(stdin, "{typed}")));
        child.wait_with_output().expect("contactpointctl ends")
    }

    // --- certificates ---

    /// Revokes a client certificate: a new list is put in its place; the daemon takes it up by itself.
    ///
    /// # Panics
    /// Where the list cannot be written.
    pub fn revoke(&self, certificate: &ClientCertificate) {
        let mut revoked = self.revoked.lock().expect("no test thread died here");
        revoked.push(certificate.serial);
        self.place.put_tls("clients.crl.pem", &self.clients.revocation_list(&revoked, Holds::Long));
    }

    /// Where organisations connect.
    #[must_use]
    pub fn server(&self) -> ServerAddress {
        let address = self.sockets.address();
        ServerAddress { host: address.ip().to_string(), port: address.port() }
    }

    /// A connection with a certificate; opened with the first request.
    ///
    /// # Panics
    /// Where the certificate is none.
    #[must_use]
    pub fn connection(&self, certificate: &ClientCertificate) -> Connection {
        let config = tls::configuration(self.servers.pem().as_bytes(), certificate.certificate.as_bytes(), certificate.key.as_bytes());
        Connection::to(self.server(), config.expect("a TLS identity")).expect("an address")
    }

    /// A connection without any certificate.
    ///
    /// # Panics
    /// Never, with the rig's own authority.
    #[must_use]
    pub fn connection_without_certificate(&self) -> Connection {
        let config = tls::configuration_without_certificate(self.servers.pem().as_bytes());
        Connection::to(self.server(), config.expect("an authority")).expect("an address")
    }

    /// A profile file for the `contactpoint` program.
    ///
    /// # Panics
    /// Where the folder cannot be written.
    #[must_use]
    pub fn profile(&self, name: &str, certificate: &ClientCertificate) -> PathBuf {
        let folder = self.folder.path().join("profiles");
        std::fs::create_dir_all(&folder).expect("a folder below the rig's");
        let write = |ending: &str, text: &str| std::fs::write(folder.join(format!("{name}{ending}")), text).expect("a profile's file");
        write(".pem", &certificate.certificate);
        write(".key", &certificate.key);
        write(".ca.pem", &self.servers.pem());
        let server = self.server();
        write(
            ".toml",
            &format!("server = \"https://{server}\"\nauthority = \"{name}.ca.pem\"\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"\n"),
        );
        folder.join(format!("{name}.toml"))
    }

    // --- enrolment and sessions ---

    /// A call over the control socket in the security officer's session, which is opened where there is none; an act that takes a fresh code is
    /// some security officer's, and has one.
    pub async fn as_officer(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        if takes_code(path) {
            return self.as_some_officer(method, path, body).await;
        }
        let session = self.session(&self.officer_session, &self.officer).await;
        self.control(request(method, path, Some(&session), body)).await
    }

    /// The same of the risk owner, or of some.
    pub async fn as_owner(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        if takes_code(path) {
            return self.as_some_owner(method, path, body).await;
        }
        let session = self.session(&self.owner_session, &self.owner).await;
        self.control(request(method, path, Some(&session), body)).await
    }

    /// The kept session of one of the data centre's people; a new one begins with the signing of the agreement.
    pub(crate) async fn session(&self, kept: &tokio::sync::Mutex<Option<String>>, person: &Person) -> String {
        let mut kept = kept.lock().await;
        if let Some(session) = kept.as_ref() {
            return session.clone();
        }
        let credentials = person.log_in_body().await;
        let opened = self.control(request(Method::POST, "/v1/session", None, Some(&credentials))).await.expect_status(201).json();
        let session = opened["token"].as_str().expect("a token").to_owned();
        let signed = request(Method::POST, "/v1/session/agreement", Some(&session), Some(&json!({"version": 1})));
        drop(self.control(signed).await.expect_status(200));
        kept.insert(session).clone()
    }

    /// A raw call over the control socket.
    pub async fn control(&self, request: http::Request<http_body_util::Full<bytes::Bytes>>) -> Answer {
        call_control(self.sockets.control_path(), request).await
    }

    /// Enrols an organisation with a new certificate and an administrator whose log-in name is its name in lower case, and lets it in by
    /// all its gates.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn enrol(&self, enrolment: &Enrolment<'_>) -> Organisation {
        let certificate = self.clients.client(enrolment.name);
        let login = format!("admin.{}", enrolment.name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        let body = enrolment.body(&certificate, &login);
        self.let_in(certificate, &body, enrolment.capabilities).await
    }

    /// Enrols the organisation of a body; the risk owner sponsors it, the security officer accredits it to a day in a year, its administrator
    /// signs and accepts.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn let_in(&self, certificate: ClientCertificate, body: &Value, capabilities: &[&str]) -> Organisation {
        let answer = self.as_officer(Method::POST, "/v1/organisations", Some(body)).await.expect_status(201).json();
        let id = answer["id"].as_u64().expect("an organisation's number");
        drop(self.as_owner(Method::POST, &format!("/v1/organisations/{id}/sponsor"), Some(&json!({}))).await.expect_status(200));
        if !capabilities.is_empty() {
            let accredited = json!({"capabilities": capabilities, "expires": day(365)});
            let path = format!("/v1/organisations/{id}/accreditations");
            drop(self.as_officer(Method::POST, &path, Some(&accredited)).await.expect_status(200));
        }
        let administrator = Person::of(&answer["administrator"]);
        let mut connection = self.connection(&certificate);
        let session = self.log_in(&mut connection, &administrator).await;
        self.sign(&mut connection, &session).await;
        let accept = request(Method::POST, "/v1/organisation/responsibilities", Some(&session), Some(&json!({"version": 1})));
        drop(call(&mut connection, accept).await.expect("an answer").expect_status(200));
        Organisation { id, certificate, administrator, session, supervisor: Person::of(&answer["supervisor"]) }
    }

    /// Puts another certificate of an organisation on record.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn add_certificate(&self, organisation: u64, certificate: &ClientCertificate) {
        let body = json!({"certificate": certificate.certificate});
        let path = format!("/v1/organisations/{organisation}/certificates");
        drop(self.as_officer(Method::POST, &path, Some(&body)).await.expect_status(200));
    }

    /// Signs the user agreement in a session.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn sign(&self, connection: &mut Connection, session: &str) {
        let asked = request(Method::POST, "/v1/session/agreement", Some(session), Some(&json!({"version": 1})));
        drop(call(connection, asked).await.expect("an answer").expect_status(200));
    }

    /// Enrols people in an organisation, by its administrator, under its first supervisor. They have not logged in yet, nor signed.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn enrol_people(&self, organisation: &Organisation, people: &[(&str, &[&str])]) -> Vec<Person> {
        let mut connection = self.connection(&organisation.certificate);
        let mut enrolled = Vec::new();
        for (login, roles) in people {
            let body = new_person(organisation, login, roles);
            let asked = request(Method::POST, "/v1/people", Some(&organisation.session), Some(&body));
            enrolled.push(Person::of(&call(&mut connection, asked).await.expect("an answer").expect_status(201).json()));
        }
        enrolled
    }

    /// Logs a person in for the first time and signs the agreement; the session's token.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn log_in_first(&self, connection: &mut Connection, person: &Person) -> String {
        let session = self.log_in(connection, person).await;
        self.sign(connection, &session).await;
        session
    }

    /// Logs a person in; the session's token. Waits for the next thirty seconds where the person has used up the codes of these.
    ///
    /// # Panics
    /// Where the directory refuses.
    pub async fn log_in(&self, connection: &mut Connection, person: &Person) -> String {
        let asked = request(Method::POST, "/v1/session", None, Some(&person.log_in_body().await));
        let answer = call(connection, asked).await.expect("an answer").expect_status(201);
        answer.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Feeds a CSV text in one piece; the report.
    ///
    /// # Panics
    /// Where the directory refuses, or the text is longer than one piece may be.
    pub async fn feed(&self, connection: &mut Connection, token: &str, layout: &str, csv: &str) -> Value {
        feed(connection, token, layout, csv).await
    }
}

/// See [`Rig::feed`]; for those who have no rig at hand.
///
/// # Panics
/// Where the directory refuses.
pub async fn feed(connection: &mut Connection, token: &str, layout: &str, csv: &str) -> Value {
    use sha2::{Digest, Sha256};
    let (header, records) = csv.split_once('\n').expect("a header");
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(csv));
    let body = json!({"layout": layout, "digest": digest, "header": header.trim_end_matches('\r')});
    let opened = call(connection, request(Method::POST, "/v1/feeds", Some(token), Some(&body))).await.expect("an answer");
    let feed = opened.expect_status(200).json()["feed"].as_u64().expect("a feed's number");
    let lines = http::Request::post(format!("/v1/feeds/{feed}/lines?first_line=2"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "text/csv")
        .body(http_body_util::Full::new(bytes::Bytes::copy_from_slice(records.as_bytes())))
        .expect("a request");
    let taken = call(connection, lines).await.expect("an answer").expect_status(200).json();
    let last = taken["next_line"].as_u64().expect("the next record's number") - 1;
    let finish = request(Method::POST, &format!("/v1/feeds/{feed}/finish"), Some(token), Some(&json!({"lines": last})));
    call(connection, finish).await.expect("an answer").expect_status(200).json()
}

fn operator_command(programs: &Programs, place: &Place, token: &Token, arguments: &[&str]) -> Command {
    let mut command = Command::new(&programs.operator);
    command.args(arguments).envs(place.environment(token));
    command
}

fn operator(programs: &Programs, place: &Place, token: &Token, arguments: &[&str]) -> String {
    let output = operator_command(programs, place, token, arguments).output().expect("contactpointctl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "contactpointctl {arguments:?} ended with {}: {said}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}
