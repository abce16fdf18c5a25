//! What the daemon says of itself for the accreditor, over the control socket alone: keys, store, log, door, settings - and nobody's name.

use crate::answers::examined;
use crate::borough::{borough, programs, searched, settings};
use crate::children::{said_of_people, AMELIA};
use contactpoint_support::{call, request, Rig};
use http::Method;
use serde_json::{json, Value};
use std::collections::BTreeMap;

async fn evidence(rig: &Rig) -> Value {
    examined(rig.control(request(Method::GET, "/v1/evidence", None, None)).await).expect_status(200).json()
}

#[tokio::test]
async fn the_keys_are_told_as_the_hsm_tells_them() {
    // G2: master keys live in the HSM, are not extractable
    let told = evidence(&borough().await.rig).await;
    let keys = told["hsm"]["keys"].as_array().unwrap();
    let classes: BTreeMap<&str, &str> = keys.iter().map(|key| (key["label"].as_str().unwrap(), key["class"].as_str().unwrap())).collect();
    let wanted = [
        ("contactpoint-audit", "private-key"),
        ("contactpoint-entries-1", "secret-key"),
        ("contactpoint-pepper", "secret-key"),
        ("contactpoint-records-1", "secret-key"),
        ("contactpoint-store", "secret-key"),
        ("contactpoint-tls", "private-key"),
    ];
    assert_eq!(classes, BTreeMap::from(wanted));
    for key in keys {
        for (attribute, value) in
            [("sensitive", true), ("always_sensitive", true), ("extractable", false), ("never_extractable", true), ("local", true)]
        {
            assert_eq!(key[attribute], value, "{key}");
        }
    }
    assert_eq!((&told["hsm"]["token"], &told["hsm"]["fault"]), (&json!("contactpoint"), &Value::Null));
}

#[tokio::test]
async fn without_the_hsm_the_evidence_says_so_and_claims_nothing_of_keys() {
    // G2: checked; evidence is what the HSM says now, not what it said at the start
    let rig = Rig::started(programs(), None);
    assert_eq!(evidence(&rig).await["hsm"]["keys"].as_array().unwrap().len(), 6);
    rig.token.pull_out();
    let told = evidence(&rig).await;
    rig.token.put_back();
    assert_eq!(told["hsm"]["keys"], json!([]));
    assert!(told["hsm"]["fault"].as_str().unwrap().contains("the HSM was lost"), "{}", told["hsm"]);
    assert_eq!(told["store"]["cipher_status"], true, "the other parts are told all the same");
}

#[tokio::test]
async fn the_store_is_told_as_its_engine_tells_it() {
    // G3: the store opens only with the HSM; F1: durable before any answer
    let told = &evidence(&borough().await.rig).await["store"];
    assert!(told["cipher_version"].as_str().unwrap().starts_with('4'), "{told}");
    for (setting, value) in [
        ("cipher_status", json!(true)),
        ("page_size", json!(4096)),
        ("hmac", json!(true)),
        ("hmac_algorithm", json!("HMAC_SHA256")),
        ("journal_mode", json!("wal")),
        ("synchronous", json!(2)),
        ("secure_delete", json!(true)),
        ("trusted_schema", json!(false)),
    ] {
        assert_eq!(told[setting], value, "{setting}");
    }
}

#[tokio::test]
async fn log_and_door_are_told_as_others_see_them() {
    // F2: anyone with the public key can verify; B1: mutual TLS, and a list that is in date
    let borough = borough().await;
    let told = evidence(&borough.rig).await;
    assert_eq!(told["log"]["verifier_key"], borough.rig.verifier_key.to_string());
    let origin = told["log"]["origin"].as_str().unwrap();
    assert!(told["log"]["checkpoint"].as_str().unwrap().starts_with(&format!("{origin}\n")), "{told}");
    drop(borough.oak.practitioner().post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(200));
    assert!(evidence(&borough.rig).await["log"]["size"].as_u64() > told["log"]["size"].as_u64());
    let tls = &told["tls"];
    assert_eq!(tls["listening"], borough.rig.sockets.address().to_string());
    assert_eq!(tls["groups"], json!(["X25519MLKEM768", "X25519", "secp256r1"]));
    for expiry in ["certificate_expires", "revocation_list_expires"] {
        let date = tls[expiry].as_str().unwrap();
        assert!(date.ends_with('Z') && date > "2026-11-01", "{expiry}: {date}");
    }
}

#[tokio::test]
async fn settings_off_their_default_are_named() {
    // evidence: settings off their safe default
    let changed = settings(&[("idle_seconds", "600")]);
    let rig = Rig::started(programs(), Some(&changed));
    let told = evidence(&rig).await;
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    let off: Vec<&str> = told["settings"]["off_default"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(off.contains(&"session.idle_seconds") && !off.contains(&"tls.reload_seconds"), "{off:?}");
    assert!(told["settings"]["effective"].as_str().unwrap().contains("idle_seconds = 600"));
}

#[tokio::test]
async fn the_evidence_is_a_closed_list_and_names_nobody() {
    // G1: no operator can read child data; C4: the system operator never sees any
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let told = evidence(&borough.rig).await;
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(members(&told), "hsm locks log settings store tls version");
    assert_eq!(members(&told["log"]), "checkpoint origin size verifier_key");
    assert_eq!(members(&told["hsm"]), "keys module token");
    assert_eq!(members(&told["tls"]), "certificate_expires cipher_suites groups listening revocation_list_expires");
    assert!(told["locks"]["landlock"].is_object() && told["locks"]["seccomp"].is_object(), "{}", told["locks"]);
    let people = [borough.oak.practitioner(), borough.oak.steward(), &borough.oak.administrator, borough.council.practitioner()];
    let mut secrets = said_of_people();
    secrets.extend([number, AMELIA.1.to_owned(), "Robin".to_owned(), "Tester".to_owned(), "Oak Lane".to_owned(), "Sandford".to_owned()]);
    secrets.extend(people.iter().flat_map(|desk| [desk.person.password.clone(), desk.token.clone(), desk.person.login.clone()]));
    secrets.extend([borough.rig.officer.password.clone(), contactpoint_support::token::PIN.to_owned()]);
    let text = told.to_string();
    let said: Vec<&String> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
    assert!(said.is_empty(), "{said:?}");
}

#[tokio::test]
async fn the_network_has_no_such_route() {
    // J3: a caller learns nothing of the inside
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    assert_eq!(teacher.get("/v1/evidence").await.expect_status(404).code(), "no_such_route");
    let bare = request(Method::GET, "/v1/evidence", None, None);
    assert_eq!(examined(call(&mut teacher.connection(), bare).await.unwrap()).expect_status(404).code(), "no_such_route");
    let posted = borough.rig.control(request(Method::POST, "/v1/evidence", None, Some(&json!({})))).await;
    assert_eq!(examined(posted).expect_status(405).code(), "method_not_allowed");
}
