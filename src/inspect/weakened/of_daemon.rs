//! The daemon's own word, the log's head, and the door as it was found by knocking.

use super::{nothing, one_change_turns, text};
use crate::daemon::{self, Evidence};
use crate::door::Door;
use crate::{package, tls, Reading};
use contactpoint_assurance::{Observation, Verdict};
use serde_json::{json, Value};

/// 2026-11-21.
const NOW: u64 = 1_795_219_200;
const DEFAULTS: &str = "[session]\nidle_seconds = 900\n[limits]\nconnections_total = 1024\n";

fn key(label: &str) -> Value {
    json!({"label": label, "sensitive": true, "always_sensitive": true, "extractable": false, "never_extractable": true, "local": true})
}

fn evidence() -> Value {
    let keys = ["store", "audit", "tls", "pepper"].map(|name| key(&format!("contactpoint-{name}")));
    let list = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(include_str!("../../../config/syscalls.conf")));
    json!({
        "version": "0.2.0",
        "hsm": {"module": "/opt/nfast/toolkits/pkcs11/libcknfast.so", "token": "contactpoint", "keys": keys},
        "store": {"cipher_version": "4.6.1 community", "cipher_status": true, "page_size": 4096, "hmac_algorithm": "HMAC_SHA256", "hmac": true, "journal_mode": "wal", "synchronous": 2},
        "log": {"origin": "contactpoint.example/log", "size": 2},
        "tls": {"listening": "0.0.0.0:8443", "certificate_expires": NOW + 90 * 86_400, "revocation_list_expires": NOW + 7 * 86_400},
        "settings": {"effective": "[session]\nidle_seconds = 600\n[hsm]\nwrites = [\"/x\"]\nport = 9004\n", "off_default": ["session.idle_seconds", "hsm.writes"]},
        "locks": {
            "landlock": {"abi": 7, "status": "fully enforced", "reads": [], "writes": ["/var/lib/contactpoint"], "tcp": true, "scopes": true},
            "landlock_tried": "open(\"/\"): EACCES",
            "seccomp": {"lines": 80, "list_sha256": list, "otherwise": "kill_process"},
            "threads": 1,
        },
    })
}

/// `look` holds over the evidence, and each of `bad` (a place in it and what stands there instead) turns it.
fn one_word_turns(look: impl Fn(&Evidence) -> Observation, bad: &[(&str, Value)]) {
    let holding = look(&Evidence::of(Ok(evidence())));
    assert_eq!(holding.verdict, Verdict::Holds, "{holding:?}");
    for (place, instead) in bad {
        let mut weakened = evidence();
        *weakened.pointer_mut(place).unwrap() = instead.clone();
        let weakened = look(&Evidence::of(Ok(weakened)));
        let expected = if instead.is_null() { Verdict::Unseen } else { Verdict::Fails };
        assert_eq!(weakened.verdict, expected, "{place}: {weakened:?}");
    }
    assert_eq!(look(&Evidence::of(Err("contactpointd does not answer".to_owned()))).verdict, Verdict::Unseen);
}

#[test]
fn each_attribute_of_each_key_turns_the_verdict() {
    // G2: master keys are not extractable
    for at in 0..4 {
        for (name, value) in
            [("sensitive", false), ("always_sensitive", false), ("extractable", true), ("never_extractable", false), ("local", false)]
        {
            one_word_turns(daemon::keys, &[(&format!("/hsm/keys/{at}/{name}"), json!(value))]);
        }
        one_word_turns(daemon::keys, &[(&format!("/hsm/keys/{at}/label"), json!("other"))]);
    }
    one_word_turns(daemon::keys, &[("/hsm/keys", json!([])), ("/hsm/keys", Value::Null)]);
    one_word_turns(daemon::hardware, &[("/hsm/module", json!("/usr/lib/softhsm/libsofthsm2.so"))]);
}

#[test]
fn the_keys_that_the_settings_ask_for_must_be_there() {
    // G2: master keys are in the HSM; F2: heads are signed there, by the keys that the settings name
    for (signatures, added, verdict) in [
        ("both", vec![], Verdict::Fails),
        ("ecdsa", vec![], Verdict::Fails),
        ("something", vec!["audit-p256"], Verdict::Holds),
        ("both", vec!["audit-p256"], Verdict::Holds),
        ("ed25519", vec![], Verdict::Holds),
    ] {
        let mut told = evidence();
        told["settings"]["effective"] = json!(format!("[log]\nsignatures = \"{signatures}\"\n"));
        let keys = told["hsm"]["keys"].as_array_mut().unwrap();
        keys.extend(added.iter().map(|name| key(&format!("contactpoint-{name}"))));
        assert_eq!(daemon::keys(&Evidence::of(Ok(told))).verdict, verdict, "{signatures}");
    }
}

#[test]
fn a_store_that_is_weaker_is_told() {
    // G3; F1: durable before any answer leaves
    one_word_turns(
        daemon::cipher,
        &[
            ("/store/hmac", json!(false)),
            ("/store/cipher_status", json!(false)),
            ("/store/hmac_algorithm", json!("HMAC_SHA1")),
            ("/store/page_size", json!(1024)),
            ("/store/cipher_version", json!("3.4.1")),
            ("/store/cipher_version", Value::Null),
        ],
    );
    one_word_turns(daemon::durability, &[("/store/journal_mode", json!("memory")), ("/store/synchronous", json!(1))]);
    one_change_turns(
        daemon::store_file,
        "8f3c19a0e4577b2d11c09e3ab6f2d845",
        &[("8f3c19a0e4577b2d11c09e3ab6f2d845", "53514c69746520666f726d6174203300")],
    );
}

#[test]
fn a_head_that_does_not_verify_is_told() {
    // F2: anyone with the public key can verify. The real head is in tests/inspect.rs; here it is nobody's.
    let mut told = evidence();
    told["log"]["checkpoint"] = json!("contactpoint.example/log\n2\nAAAA\n\n\u{2014} contactpoint.example/log AAAA\n");
    told["log"]["verifier_key"] = json!("other");
    let ed25519 = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(daemon::log_head(&Evidence::of(Ok(told.clone())), &text(ed25519)).verdict, Verdict::Fails);
    assert_eq!(daemon::log_head(&Evidence::of(Ok(told.clone())), &text("no key")).verdict, Verdict::Fails);
    assert_eq!(daemon::log_head(&Evidence::of(Err("no answer".to_owned())), &text(ed25519)).verdict, Verdict::Unseen);
}

#[test]
fn a_bound_that_is_wider_than_its_default_is_told_and_a_narrower_one_is_not() {
    // J1: evidence: settings off their safe default
    let look = |evidence: &Evidence| daemon::settings(evidence, DEFAULTS);
    one_word_turns(look, &[("/settings/off_default", json!(["limits.header_bytes"])), ("/settings/off_default", Value::Null)]);
    let wider = json!("[session]\nidle_seconds = 901\n[hsm]\nwrites = []\n");
    one_word_turns(look, &[("/settings/effective", wider)]);
}

#[test]
fn locks_that_are_not_whole_are_told() {
    // G5: refused by Landlock and seccomp
    one_word_turns(
        daemon::landlock,
        &[
            ("/locks/landlock/status", json!("partially enforced")),
            ("/locks/landlock/abi", json!(1)),
            ("/locks/landlock/tcp", json!(false)),
            ("/locks/landlock/scopes", json!(false)),
            ("/locks/landlock_tried", json!("open(\"/\"): 5")),
            ("/locks/landlock", Value::Null),
        ],
    );
    one_word_turns(
        daemon::seccomp,
        &[
            ("/locks/seccomp/list_sha256", json!("00")),
            ("/locks/seccomp/otherwise", json!("log")),
            ("/locks/threads", json!(2)),
            ("/locks", Value::Null),
        ],
    );
}

#[test]
fn a_revocation_list_that_runs_out_and_another_version_are_told() {
    // B1: no request is read from a revoked one
    let soon = json!(NOW + 86_400);
    one_word_turns(
        |evidence| tls::revocation_list(evidence, NOW),
        &[("/tls/revocation_list_expires", soon), ("/tls/revocation_list_expires", Value::Null)],
    );
    one_word_turns(|evidence| tls::revocation_list(evidence, NOW), &[("/tls/revocation_list_expires", json!("2026-11-20T00:00:00Z"))]);
    one_word_turns(|evidence| package::version(evidence, &text("0.2.0-1"), "0.2.0"), &[("/version", json!("0.1.0"))]);
    let told = Evidence::of(Ok(evidence()));
    assert_eq!(package::version(&told, &text("0.1.0"), "0.2.0").verdict, Verdict::Fails);
    assert_eq!(package::version(&told, &nothing(), "0.2.0").verdict, Verdict::Unseen);
    assert_eq!((told.hsm_paths("writes"), told.hsm_port()), (vec!["/x".to_owned()], Some(9004)));
}

fn handshake(group: &str, end: &str) -> Reading {
    text(&format!("version TLSv1_3\ngroup {group}\nhandshake Full\ntickets 0\nend {end}"))
}

fn door() -> Door {
    let stranger = handshake("X25519MLKEM768", "received fatal alert: CertificateRequired");
    Door {
        again: stranger.clone(),
        stranger,
        only_1_2: text("tickets 0\nend received fatal alert: ProtocolVersion"),
        only_p384: text("tickets 0\nend received fatal alert: HandshakeFailure"),
        certificate: nothing(),
    }
}

#[test]
fn a_door_that_is_wider_is_told_by_the_bar_that_is_lower() {
    // B1: every connection is mutual TLS
    let open = handshake("X25519MLKEM768", "no refusal: the server waits for a request");
    type Bar = fn(&Door) -> Observation;
    let bars: [(Bar, Door); 5] = [
        (tls::version, Door { only_1_2: text("version TLSv1_2\nend no refusal"), ..door() }),
        (tls::client_certificate, Door { stranger: open, ..door() }),
        (tls::group, Door { stranger: handshake("secp256r1", "received fatal alert: CertificateRequired"), ..door() }),
        (tls::group, Door { only_p384: handshake("secp384r1", "received fatal alert: CertificateRequired"), ..door() }),
        (tls::no_resumption, Door { again: text("handshake Resumed\ntickets 2\nend x"), ..door() }),
    ];
    for (bar, weakened) in &bars {
        assert_eq!(bar(&door()).verdict, Verdict::Holds);
        assert_eq!(bar(weakened).verdict, Verdict::Fails);
        assert_eq!(bar(&Door::not_found("nobody listens")).verdict, Verdict::Unseen);
    }
    assert_eq!(tls::certificate(&door(), NOW).verdict, Verdict::Unseen);
    assert_eq!(tls::certificate(&Door { certificate: text("no certificate"), ..door() }, NOW).verdict, Verdict::Fails);
}
