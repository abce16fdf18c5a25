//! Keys and PIN at the start: what is missing, wrong or replaced keeps the daemon down, with a sentence on what to do (rules G2, G3).

use crate::answers::examined;
use crate::borough::programs;
use crate::office::{Office, USUAL};
use contactpoint_support::token::{LABEL, MODULE, PIN};
use contactpoint_support::{call, request, Enrolment, Rig};
use http::Method;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The daemon's last sentence and its exit status, where it does not start.
fn refusal(rig: &mut Rig) -> (Option<i32>, String) {
    let fault = rig.try_start().expect_err("it does not start");
    assert!(!fault.log.contains(PIN), "no PIN in a log");
    assert!(!fault.log.contains("panicked"), "{}", fault.log);
    (fault.status.and_then(|status| status.code()), fault.log.lines().last().unwrap_or("").to_owned())
}

fn pin_file(rig: &Rig) -> PathBuf {
    rig.place.credentials().join("hsm-pin")
}

/// Puts another PIN in the credential's place.
fn put_pin(rig: &Rig, pin: &str, mode: u32) {
    let path = pin_file(rig);
    drop(fs::remove_file(&path));
    fs::write(&path, pin).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// OpenSC's tool, as an operator of the HSM would use it.
fn pkcs11_tool(rig: &Rig, arguments: &[&str]) -> Output {
    let mut command = Command::new("pkcs11-tool");
    command.env("SOFTHSM2_CONF", rig.token.configuration()).args(["--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN]);
    let output = command.args(arguments).output().expect("pkcs11-tool: run `make deps`");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn what_no_setting_names_is_out_of_reach_once_the_daemon_is_locked_down() {
    // G5: Landlock. SoftHSM's own tokens, which nobody allowed it to read after the start; the same with them named starts.
    let mut rig = Rig::prepared(programs(), None);
    let file = rig.place.configuration().join("contactpointd.toml");
    let named = fs::read_to_string(&file).unwrap();
    let mut settings: toml::Table = named.parse().unwrap();
    let tokens = settings["hsm"]["writes"].clone();
    settings["hsm"]["writes"] = toml::Value::Array(Vec::new());
    fs::write(&file, settings.to_string()).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("once the process is locked down") && said.contains("[hsm] reads"), "{said}");
    // as settings of 0.3 have it: enough to sign, and not to keep a head on the token
    settings["hsm"]["reads"] = tokens;
    fs::write(&file, settings.to_string()).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("did not take the log's head") && said.contains("[hsm] writes"), "{said}");
    fs::write(&file, named).unwrap();
    rig.start();
}

#[test]
fn a_layout_for_test_data_keeps_a_real_system_from_starting_and_a_test_system_takes_it() {
    // G7: test systems hold synthetic data only, and refuse a non-loopback address (which src/daemon tries)
    let mut rig = Rig::prepared(programs(), None);
    let layout = include_str!("../interop/febrl/febrl.toml");
    fs::write(rig.place.configuration().join("layouts/febrl.toml"), layout).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("the layout febrl is made for test data"), "{said}");
    let file = rig.place.configuration().join("contactpointd.toml");
    let settings = fs::read_to_string(&file).unwrap().replace("for_tests = false", "for_tests = true");
    fs::write(&file, settings).unwrap();
    rig.start();
}

#[test]
fn without_the_pins_credential_it_does_not_start_and_says_what_to_do() {
    // keys: PIN from the systemd credential directory; missing = exit 78 with a sentence on what to do
    let mut rig = Rig::prepared(programs(), None);
    fs::remove_file(pin_file(&rig)).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("there is no HSM PIN at") && said.contains("systemd-creds encrypt"), "{said}");
    for (pin, mode, sentence) in [
        ("", 0o400, "does not hold an HSM PIN"),
        ("12\n34", 0o400, "does not hold an HSM PIN"),
        (PIN, 0o444, "can be read or written by everybody"),
    ] {
        put_pin(&rig, pin, mode);
        let (status, said) = refusal(&mut rig);
        assert_eq!(status, Some(78));
        assert!(said.contains(sentence), "{said}");
    }
    put_pin(&rig, &format!("{PIN}\n"), 0o400);
    rig.start();
}

#[test]
fn a_wrong_pin_is_tried_once_and_never_again_by_itself() {
    // architecture, keys: a refused PIN is never tried again by itself; a trap: one wrong PIN sets the token's count-low flag
    let mut rig = Rig::prepared(programs(), None);
    put_pin(&rig, "999999", 0o400);
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "systemd does not start it again by itself (RestartPreventExitStatus=78)");
    assert!(said.contains("refused the PIN") && said.contains("not tried again"), "{said}");
    put_pin(&rig, PIN, 0o400);
    rig.start();
    assert_eq!(rig.daemon().log().matches("refused the PIN").count(), 1);
}

#[test]
fn a_key_that_could_leave_the_hsm_keeps_it_from_starting() {
    // G2: master keys are not extractable, and are checked for it at every start
    let mut rig = Rig::prepared(programs(), None);
    drop(pkcs11_tool(&rig, &["--delete-object", "--type", "secrkey", "--label", "contactpoint-store"]));
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78));
    assert!(said.contains("contactpoint-store is not on the token"), "{said}");
    drop(pkcs11_tool(&rig, &["--keygen", "--key-type", "aes:32", "--label", "contactpoint-store", "--extractable"]));
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78));
    assert!(said.contains("the key contactpoint-store can leave the HSM"), "{said}");
}

#[test]
fn data_keys_that_are_gone_changed_or_of_another_token_keep_it_from_starting() {
    // G3: the store opens only with the HSM
    let mut rig = Rig::prepared(programs(), None);
    let other = Rig::prepared(programs(), None);
    let path = rig.place.state().join("data-keys.toml");
    let good = fs::read_to_string(&path).unwrap();
    let foreign = fs::read_to_string(other.place.state().join("data-keys.toml")).unwrap();
    fs::write(&path, foreign).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    fs::write(&path, "").unwrap();
    assert_eq!(refusal(&mut rig).0, Some(78));
    fs::remove_file(&path).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78));
    assert!(said.contains("data-keys.toml"), "{said}");
    fs::write(&path, good).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    rig.start();
}

#[test]
fn a_store_of_another_appliance_does_not_open() {
    // G3: the store opens only with the HSM; store: opening with a wrong key says so
    let mut rig = Rig::prepared(programs(), None);
    let other = Rig::prepared(programs(), None);
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let (from, to) = (other.place.state().join(name), rig.place.state().join(name));
        drop(fs::remove_file(&to));
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78), "{said}");
    assert!(said.contains("the store does not open with this page key"), "{said}");
}

#[tokio::test]
async fn without_the_hsm_nobody_logs_in_and_the_officers_are_told() {
    // architecture, keys: losing the HSM; while it lasts the daemon answers 503; liveness is a real key operation
    let rig = Rig::started(programs(), None);
    let enrolment = Enrolment { name: "Waiting School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    // the door's handshake needs the HSM as well, so the connection is open before
    let mut open = desk.connection();
    let checkpoint = request(Method::GET, "/log/checkpoint", None, None);
    drop(call(&mut open, checkpoint).await.unwrap().expect_status(200));
    let code = desk.person.authenticator.code().await;
    rig.token.pull_out();
    let credentials = json!({"login": desk.person.login, "password": desk.person.password, "code": code});
    let answer = call(&mut open, request(Method::POST, "/v1/session", None, Some(&credentials))).await.unwrap();
    let answer = examined(answer).expect_status(503);
    assert_eq!(answer.code(), "unavailable");
    let told = rig.control(request(Method::GET, "/v1/status", None, None)).await.json();
    assert_eq!((&told["store"], &told["keys"]), (&json!(true), &json!(false)));
    rig.token.put_back();
}

#[test]
fn a_setting_that_nobody_knows_keeps_it_from_starting() {
    // unknown key = refuse to start (exit 78); a value is not repeated
    let mut rig = Rig::prepared(programs(), None);
    let wrong = crate::borough::settings(&[]).replace("[log]", "[log]\nsentinel = \"SENTINEL\"");
    fs::write(rig.place.configuration().join("contactpointd.toml"), wrong).unwrap();
    let (status, said) = refusal(&mut rig);
    assert_eq!(status, Some(78));
    assert!(said.contains("sentinel") && !said.contains("SENTINEL"), "{said}");
}
