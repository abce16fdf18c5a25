//! The door as strangers see it: the TLS scanner sslyze (PyPI), Python's ssl module and a rustls client of our own look at the running daemon.
//!
//! Each claim is one look of the scanner, and each is shown to be one that the judge can refuse: a server that speaks TLS 1.2 and hands out
//! tickets stands beside the daemon, and what nobody can serve any more (Heartbleed, ROBOT) is put into the report by hand.
//! Leaves to others: who is let in with which certificate (tests/flow). sslyze 6.3 knows no post-quantum group: rustls asks for those.
//! `log`, `real_log` and `real_witness` are the log as strangers verify it.

mod log;
mod real_log;
mod real_witness;

use contactpoint_support::{ClientCertificate, Enrolment, Programs, Rig};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const OLD: [&str; 5] = ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2"];
/// RFC 8446, B.4: the three of TLS 1.3 that are not for small devices.
const SUITES: [&str; 3] = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
/// What the scanner knows of the groups that the door takes.
const CURVES: [&str; 2] = ["X25519", "secp256r1"];

/// A finding that must stand at a place of the report: the place (RFC 6901, below a look's result), the value, and the rule of it in words.
const FINDINGS: &[(&str, &str, &str)] = &[
    ("tls_compression/supports_compression", "false", "no compression (CRIME)"),
    ("tls_1_3_early_data/supports_early_data", "false", "no early data: it can be replayed"),
    ("openssl_ccs_injection/is_vulnerable_to_ccs_injection", "false", "no CCS injection"),
    ("heartbleed/is_vulnerable_to_heartbleed", "false", "no Heartbleed"),
    ("robot/robot_result", "\"NOT_VULNERABLE_RSA_NOT_SUPPORTED\"", "no RSA key exchange, so no ROBOT"),
    ("session_renegotiation/is_vulnerable_to_client_renegotiation_dos", "false", "no renegotiation by the client"),
    ("session_renegotiation/client_renegotiations_success_count", "0", "no renegotiation by the client, tried"),
    ("session_resumption/session_id_resumption_result", "\"SERVER_IS_TLS_1_3_ONLY\"", "no session ids"),
    ("session_resumption/tls_ticket_resumption_result", "\"SERVER_IS_TLS_1_3_ONLY\"", "no tickets of TLS 1.2"),
];

#[tokio::test(flavor = "multi_thread")]
async fn strangers_find_tls_1_3_alone_no_resumption_and_a_certificate_asked_of_everybody() {
    // B1: every connection is mutual TLS; J1: HTTPS as strangers see it
    let rig = Rig::started(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), None);
    let school = rig.enrol(&Enrolment { name: "Strange School", kind: "school", authority: None, capabilities: &["query"] }).await;
    let address = rig.sockets.address();
    let without = scanned(address, None);
    assert_eq!(without.pointer("/sslyze/connectivity_result/client_auth_requirement"), Some(&json!("REQUIRED")));
    assert_eq!(without["alert"], "TLSV13_ALERT_CERTIFICATE_REQUIRED", "nothing is answered to whoever shows none");
    assert_eq!(faults(&without), ["tls_1_3_early_data: not looked at"], "a scanner without a certificate cannot ask for early data");

    let shown = Identity::put_in(rig.folder(), &school.certificate);
    let within = scanned(address, Some(&shown));
    assert_eq!((faults(&within), &within["alert"]), (Vec::new(), &Value::Null));
    assert_each_finding_is_judged(&within);

    let taken = |group| handshake_with(&rig, &school.certificate, group);
    for group in [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1] {
        assert!(taken(group).await, "{:?}", group.name());
    }
    for group in [kx_group::SECP384R1, kx_group::MLKEM768, kx_group::SECP256R1MLKEM768] {
        assert!(!taken(group).await, "{:?}", group.name());
    }
}

#[test]
fn the_same_judge_finds_fault_with_a_server_as_many_are() {
    // evidence that cannot fail is none
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certificate = contactpoint_support::Authority::named("Weak").client("localhost");
    let weak = Weak::started(&Identity::put_in(folder.path(), &certificate));
    let found = scanned(weak.address, None);
    assert_eq!(found.pointer("/sslyze/connectivity_result/client_auth_requirement"), Some(&json!("DISABLED")));
    assert_eq!(found["alert"], Value::Null);
    let faults = faults(&found);
    for fault in ["tls_1_2 is accepted", "curves", "no session ids", "no tickets of TLS 1.2", "a ticket of TLS 1.3", "a resumed session"] {
        assert!(faults.iter().any(|found| found.contains(fault)), "{fault}: {faults:?}");
    }
}

/// What is not as it must be, each as a sentence; a look that was not taken is a fault as well.
fn faults(found: &Value) -> Vec<String> {
    let looks = &found["sslyze"]["scan_result"];
    let mut faults = Vec::new();
    for version in OLD {
        let result = &looks[format!("{version}_cipher_suites")]["result"];
        if result["is_tls_version_supported"] != false || result["rejected_cipher_suites"].as_array().is_none_or(Vec::is_empty) {
            faults.push(format!("{version} is accepted, or was not tried"));
        }
    }
    let names = |list: &Value, pointer: &str| {
        let names = list.as_array().into_iter().flatten().filter_map(|item| item.pointer(pointer)?.as_str().map(str::to_owned));
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    };
    let suites = names(&looks["tls_1_3_cipher_suites"]["result"]["accepted_cipher_suites"], "/cipher_suite/name");
    if suites != SUITES {
        faults.push(format!("cipher suites {suites:?}"));
    }
    let curves = names(&looks["elliptic_curves"]["result"]["supported_curves"], "/name");
    if curves != CURVES {
        faults.push(format!("curves {curves:?}"));
    }
    for (place, wanted, claim) in FINDINGS {
        let (look, member) = place.split_once('/').unwrap_or((place, ""));
        match (looks[look]["status"].as_str(), looks[look]["result"][member].to_string()) {
            (Some("COMPLETED"), value) if value == *wanted => {}
            (Some("COMPLETED"), value) => faults.push(format!("{claim}: {value}")),
            _ => faults.push(format!("{look}: not looked at")),
        }
    }
    let asked = [("ticket", "a ticket of TLS 1.3"), ("resumed", "a resumed session")];
    faults.extend(asked.iter().filter(|(member, _)| found[*member] != false).map(|(_, fault)| (*fault).to_owned()));
    faults
}

/// A good report made bad in one place has one fault, whichever place it is.
fn assert_each_finding_is_judged(good: &Value) {
    let mut places: Vec<(String, Value)> = FINDINGS
        .iter()
        .map(|(place, ..)| (format!("/sslyze/scan_result/{}", place.replacen('/', "/result/", 1)), json!("another")))
        .collect();
    places.extend(OLD.map(|version| (format!("/sslyze/scan_result/{version}_cipher_suites/result/is_tls_version_supported"), json!(true))));
    places.extend(["/ticket", "/resumed"].map(|place| (place.to_owned(), json!(true))));
    for (place, value) in places {
        let mut bad = good.clone();
        *bad.pointer_mut(&place).expect("each finding is in the report") = value;
        assert_eq!(faults(&bad).len(), 1, "{place}: {:?}", faults(&bad));
    }
}

/// Certificate and key as files.
struct Identity {
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    fn put_in(folder: &Path, of: &ClientCertificate) -> Self {
        let identity = Self { certificate: folder.join("stranger.pem"), key: folder.join("stranger.key") };
        std::fs::write(&identity.certificate, &of.certificate).expect("a file of our own");
        std::fs::write(&identity.key, &of.key).expect("a file of our own");
        identity
    }
}

/// What scan.py finds at an address.
fn scanned(address: SocketAddr, shown: Option<&Identity>) -> Value {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("strangers");
    let mut command = Command::new("python3");
    command.arg(script("scan.py")).arg(folder).arg(address.ip().to_string()).arg(address.port().to_string());
    command.args(shown.iter().flat_map(|identity| [&identity.certificate, &identity.key]));
    let ended = command.output().expect("python3 runs: run `make deps`");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.success(),
        "{}: the scanner is the package sslyze, which this test installs from PyPI when it first runs. Is PyPI within reach, and is python3-venv \
         there (`make deps`)? scan.py said:\n{said}",
        ended.status
    );
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/strangers").join(name)
}

/// The server that deserves fault; it ends with this value.
struct Weak {
    address: SocketAddr,
    server: Child,
}

impl Weak {
    fn started(identity: &Identity) -> Self {
        let mut command = Command::new("python3");
        command.arg(script("weak.py")).arg(&identity.certificate).arg(&identity.key).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().expect("python3 runs: run `make deps`");
        let mut port = String::new();
        BufReader::new(server.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
        Self { address: SocketAddr::from(([127, 0, 0, 1], port.trim().parse().expect("a port"))), server }
    }
}

impl Drop for Weak {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Whether the door takes a client that offers this group and no other.
async fn handshake_with(rig: &Rig, shown: &ClientCertificate, group: &'static dyn SupportedKxGroup) -> bool {
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate(&rig.servers.pem())).expect("an authority");
    let provider = CryptoProvider { kx_groups: vec![group], ..default_provider() };
    let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[&rustls::version::TLS13]);
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).expect("a key");
    let config = config.expect("TLS 1.3").with_root_certificates(roots).with_client_auth_cert(vec![certificate(&shown.certificate)], key);
    let stream = tokio::net::TcpStream::connect(rig.sockets.address()).await.expect("the door listens");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.expect("a configuration")));
    let made = connector.connect(ServerName::from(rig.sockets.address().ip()), stream).await;
    made.is_ok_and(|stream| stream.get_ref().1.negotiated_key_exchange_group().is_some_and(|taken| taken.name() == group.name()))
}
