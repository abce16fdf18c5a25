//! `contactpointctl inspect` over a real daemon in a cage that the test builds (unshare, setpriv), and over the same with one bar lowered:
//! each turns its own verdict and no other. What only the unit, SELinux or the package can show is in tests/appliance/inspect.sh, and what
//! cannot be lowered on a real daemon is lowered in its text: src/inspect/weakened. Needs root, as the verb does.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a part of the rig that fails fails the test")]

#[path = "inspect/caged.rs"]
mod caged;

use caged::{Caged, Seen, CAGE};
use contactpoint_inspect::door::Door;
use contactpoint_inspect::{tls, Evidence, System, Target};
use rcgen::{generate_simple_self_signed, CertifiedKey};
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::CryptoProvider;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// What does not hold in the cage of this test, whatever is done: it is no unit, no package, no SELinux, and SoftHSM is no HSM.
const NOT_IN_A_TEST: &[&str] = &[
    "process.context: ",
    "process.user: the user contactpoint",
    "process.environment: ",
    "process.namespaces: another user namespace",
    "process.mounts: ",
    "process.seccomp: as many filters",
    "process.limits: no limit above",
    "process.limits: a umask",
    "process.limits: the control group",
    "process.descriptors: it listens where",
    "unit.",
    "files.configuration: the PIN",
    "files.package: ",
    "media.",
    "hsm.keys: an HSM; SoftHSM",
    "version.sbom: ",
];

fn beyond(seen: &Seen) -> BTreeSet<String> {
    seen.not_holding().into_iter().filter(|name| !NOT_IN_A_TEST.iter().any(|known| name.starts_with(known))).collect()
}

/// What turned that should not have, or should have and did not, when a bar was lowered; `None` where all is as expected.
fn fault(what: &str, before: &Seen, after: &Seen, expected: &[&str]) -> Option<String> {
    let turned: Vec<String> = after.not_holding().difference(&before.not_holding()).cloned().collect();
    let all_named = turned.iter().all(|name| expected.iter().any(|expected| name.starts_with(expected)));
    let all_turned = expected.iter().all(|expected| turned.iter().any(|name| name.starts_with(expected)));
    (!all_named || !all_turned).then(|| format!("{what}: expected {expected:?}, turned {turned:#?}"))
}

#[test]
fn every_bar_holds_in_the_cage_and_each_one_lowered_turns_its_own_verdict() {
    // J1: inspect reports the running system's evidence for each rule; it can fail
    let mut caged = Caged::prepared();
    caged.start(CAGE);
    let good = caged.inspect(&[]);
    assert_eq!(beyond(&good), BTreeSet::new(), "{}", good.text());
    let mut faults = with_files_loosened(&caged, &good);
    faults.extend(in_a_weaker_cage(&mut caged, &good));
    faults.extend(with_wider_settings(&mut caged, &good));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn with_files_loosened(caged: &Caged, good: &Seen) -> Vec<String> {
    let place = &caged.rig.place;
    let loosened: [(&str, PathBuf, u32, &str); 4] = [
        ("a world-readable state directory", place.state(), 0o755, "files.state"),
        ("a store that the group reads", place.state().join("store.db"), 0o640, "files.state"),
        ("settings that anybody writes", place.configuration().join("contactpointd.toml"), 0o666, "files.configuration: all"),
        ("a control socket for anybody", caged.rig.sockets.control_path().to_owned(), 0o666, "files.configuration: root's"),
    ];
    let mut faults = Vec::new();
    for (what, path, mode, expected) in loosened {
        let before = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        faults.extend(fault(what, good, &caged.inspect(&[]), &[expected]));
        std::fs::set_permissions(&path, before).unwrap();
    }
    let key = place.state().join("log-verifier-key.txt");
    let good_key = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n").unwrap();
    faults.extend(fault("a head that is not signed by the ceremony's key", good, &caged.inspect(&[]), &["log.head"]));
    std::fs::write(&key, good_key).unwrap();
    faults
}

/// What is left out of the cage, or put into it, and what turns.
const WEAKER: &[(&str, &str, &str, &[&str])] = &[
    ("the machine's network", "--net", "", &["process.namespaces: another net", "process.namespaces: no network interface"]),
    ("the machine's mounts", "--mount", "", &["process.namespaces: another mnt"]),
    ("the machine's IPC", "--ipc", "", &["process.namespaces: another ipc"]),
    ("the machine's name", "--uts", "", &["process.namespaces: another uts"]),
    ("a bounding set", "--bounding-set=-all", "", &["process.capabilities"]),
    ("root's group", "--regid=65534 --clear-groups", "--regid=0 --groups=65534", &["process.user", "files.configuration: all"]),
    ("a device held open", "exec unshare", "exec 9</dev/zero; exec unshare", &["process.descriptors: no block device"]),
    ("a foreign file held open", "exec unshare", "exec 9>>\"$FOLDER/foreign\"; exec unshare", &["process.descriptors: files open"]),
    ("a line out", "exec unshare", "exec 9<>/dev/tcp/127.0.0.1/$OUTSIDE; exec unshare", &["process.descriptors: one listening"]),
    ("a standard error to a file", "2>/dev/null", "", &["process.descriptors: 0 is", "process.descriptors: files open"]),
    ("a library slipped in", "exec unshare", "export LD_PRELOAD=\"$FOLDER/slipped.so\"; exec unshare", &["process.memory: code only"]),
];

fn in_a_weaker_cage(caged: &mut Caged, good: &Seen) -> Vec<String> {
    let mut faults = Vec::new();
    for (what, part, instead, expected) in WEAKER {
        assert!(CAGE.contains(part), "{part}");
        caged.start(&CAGE.replace(part, instead));
        faults.extend(fault(what, good, &caged.inspect(&[]), expected));
    }
    caged.start(CAGE);
    faults.extend(fault("the whole cage again", good, &caged.inspect(&[]), &[]));
    faults
}

fn with_wider_settings(caged: &mut Caged, good: &Seen) -> Vec<String> {
    let settings = caged.rig.place.configuration().join("contactpointd.toml");
    let shipped = std::fs::read_to_string(&settings).unwrap();
    let with = |seconds: u32| -> String {
        let line =
            |line: &str| if line.starts_with("header_seconds") { format!("header_seconds = {seconds}\n") } else { format!("{line}\n") };
        shipped.lines().map(line).collect()
    };
    let mut faults = Vec::new();
    for (seconds, expected) in [(60, &["settings.off_default"][..]), (5, &[])] {
        std::fs::write(&settings, with(seconds)).unwrap();
        caged.start(CAGE);
        faults.extend(fault(&format!("header_seconds = {seconds}"), good, &caged.inspect(&[]), expected));
    }
    faults
}

#[test]
fn the_exit_status_is_the_worst_verdict_and_unseen_is_not_holding() {
    // J1: `inspect` reports the running system's evidence for each
    let mut caged = Caged::prepared();
    caged.start(CAGE);
    // B1 holds in the cage; F1's checks hold, and it is open all the same; F4 is not built; A4 has its tests alone
    assert_eq!(caged.inspect(&["--rule", "B1"]).status, 0);
    assert_eq!(caged.inspect(&["--rule", "F1", "--rule", "B1"]).status, 1);
    assert_eq!(caged.inspect(&["--rule", "F4"]).status, 1);
    assert_eq!(caged.inspect(&["--rule", "A4"]).status, 3);
    assert_eq!(caged.inspect(&["--rule", "G2"]).status, 1);
    assert_eq!(caged.inspect(&[]).status, 1);
    let (status, said) = caged.inspect_as_nobody(&["--rule", "B1"]);
    assert_eq!(status, 3, "{said}");
    assert!(said.contains("not run as root"), "{said}");
    // a daemon that is not there holds nothing
    caged.kill();
    let dead = caged.inspect(&["--rule", "B1"]);
    assert_eq!(dead.status, 3, "{}", dead.text());
}

#[test]
fn text_json_and_oscal_tell_the_same_and_colour_is_for_terminals() {
    // J1: machine-readable
    let mut caged = Caged::prepared();
    caged.start(CAGE);
    let text = caged.run(&["--rule", "F1", "--format", "text"]);
    assert!(text.contains("F1") && text.contains("journal_mode") && !text.contains('\u{1b}'), "{text}");
    let oscal: serde_json::Value = serde_json::from_str(&caged.run(&["--format", "oscal"])).unwrap();
    assert!(oscal["assessment-results"]["metadata"]["oscal-version"].as_str().unwrap().starts_with("1.2"), "{oscal}");
}

#[test]
fn every_check_of_the_catalogue_is_looked_at_and_every_look_is_of_one() {
    // J1: rule -> code -> test -> evidence
    let target = Target {
        pid: Some(std::process::id()),
        state: "/nonexistent".into(),
        configuration: "/nonexistent".into(),
        control_socket: "/nonexistent".into(),
        version: "0".to_owned(),
        defaults: String::new(),
        now: 0,
    };
    let observations = System::read(target, Evidence::of(Err("no daemon".to_owned()))).observations();
    let looked_at: BTreeSet<String> = observations.iter().map(|observation| observation.check.to_string()).collect();
    let catalogue = contactpoint_assurance::catalogue().unwrap();
    let named: BTreeSet<String> = catalogue.checks().iter().map(|check| check.id.to_string()).collect();
    assert_eq!(looked_at, named);
    // the looks at one check are told apart by what they expect
    let names: BTreeSet<String> = observations.iter().map(|o| format!("{}: {}", o.check, o.expected)).collect();
    assert_eq!(names.len(), observations.len());
}

// --- a door that is weaker than the daemon can be made ---------------------------------------------------------------------------

/// Serves handshakes for ever with TLS 1.2, tickets, P-384 and no wish for a certificate.
fn a_weak_door() -> SocketAddr {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = CryptoProvider { kx_groups: vec![kx_group::SECP384R1, kx_group::SECP256R1], ..default_provider() };
    let builder = ServerConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]).unwrap();
    let config = Arc::new(builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || serve(config, stream));
        }
    });
    address
}

fn serve(config: Arc<ServerConfig>, mut stream: TcpStream) {
    let mut tls = ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut tls, &mut stream);
    let _ = tls.flush();
    let _ = tls.read(&mut [0; 1]);
}

#[test]
fn a_door_without_its_bars_is_told_for_each_of_them() {
    // B1: every connection is mutual TLS
    let door = Door::knocked_at(a_weak_door());
    let failing: BTreeSet<String> = tls::as_a_stranger(&door, 1_800_000_000)
        .iter()
        .filter(|look| look.verdict == contactpoint_assurance::Verdict::Fails)
        .map(|look| look.check.to_string())
        .collect();
    let bars = ["door.versions", "door.client_certificate", "door.groups", "door.resumption"];
    assert_eq!(failing, bars.iter().map(|bar| (*bar).to_owned()).collect::<BTreeSet<_>>(), "{door:#?}");
    // and in a hundred years its certificate as well
    let later = tls::certificate(&door, 100_000_000_000);
    assert_eq!(later.verdict, contactpoint_assurance::Verdict::Fails);
}
