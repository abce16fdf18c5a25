//! What stays behind: on the daemon's standard error, in its files, on the caller's machine. Never a word of a child or a secret (rules G1,
//! G3, G8).

use crate::borough::{borough, searched, viewed};
use crate::children::{said_of_people, sheet, AMELIA, IDRIS};
use crate::office::Desk;
use crate::ward::{shielding, ward};
use contactpoint_support::{new_person, request};
use http::Method;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[tokio::test]
async fn the_daemons_log_has_no_name_date_number_or_secret_in_it() {
    // G1: no log line with a name
    let borough = borough().await;
    let (teacher, steward) = (borough.oak.practitioner(), borough.oak.steward());
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let other = borough.number_of(IDRIS.0, IDRIS.1).await;

    // all sorts of requests, good and bad, that have something to give away
    for (path, body) in [
        ("/v1/children/search", searched(AMELIA.0, AMELIA.1)),
        ("/v1/children/search", json!({"family_name": AMELIA.0, "reason": "concern"})),
        ("/v1/children/search", json!({"family_name": AMELIA.0, "postcode": "ZZ99 1AAA", "reason": "concern"})),
        ("/v1/children/view", viewed(&number)),
        ("/v1/children/view", viewed(&other)),
        ("/v1/children/view", json!({"child_number": number, "reason": "Thornbury"})),
        ("/v1/children/view", json!({"child_number": number, "Thornbury": 1, "reason": "concern"})),
        ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        ("/v1/people", json!({"login": "Thornbury", "given_name": "Amelia Rose", "family_name": "Thornbury", "roles": []})),
        ("/v1/session", json!({"login": teacher.person.login, "password": teacher.person.password, "code": "Thornbury"})),
        ("/v1/session", json!({"login": "thornbury", "password": "12 Lantern Row", "code": "Thornbury"})),
        ("/v1/feeds", json!({"layout": "Thornbury", "digest": "0".repeat(64), "header": "Thornbury,12 Lantern Row"})),
        ("/v1/feeds", json!({"layout": "school-roll", "digest": "0".repeat(64), "header": "Thornbury,12 Lantern Row"})),
        ("/Thornbury/W820990000001", json!({})),
    ] {
        for desk in [teacher, steward] {
            drop(desk.post(path, body.clone()).await);
        }
    }
    for path in ["/v1/children/Thornbury", "/log/tile/Thornbury", "/openapi.json?name=Thornbury", &format!("/v1/feeds/{number}")] {
        drop(teacher.send(request(Method::GET, path, Some(&teacher.token), None)).await);
    }
    // what breaks the glass, shields, names people and asks for others says as much, and is of people of its own: a code is good once
    let teacher_elsewhere =
        Desk::of(&borough.rig, &borough.river.organisation.certificate, &borough.river.employ("quiet", &["practitioner"]).await).await;
    let ward = ward().await;
    let officer =
        Desk::of(&borough.rig, &ward.council.organisation.certificate, &ward.council.employ("quieter", &["shielding-officer"]).await).await;
    let name = json!({"given": "Amelia Rose", "family": "Thornbury"});
    let identity = json!({"family_name": "Thornbury", "given_name": "Amelia Rose", "date_of_birth": AMELIA.1, "postcode": "ZZ99 1AA", "reason": "missing", "code": teacher_elsewhere.person.authenticator.code().await});
    let audience =
        json!({"child_number": number, "audience": {"people": [teacher.person.id]}, "code": officer.person.authenticator.code().await});
    let mut at_home = new_person(&borough.oak.organisation, "quietest", &["practitioner"]);
    at_home["given_name"] = "Amelia Rose".into();
    at_home["family_name"] = "Thornbury".into();
    at_home["home"] = json!({"lines": ["12 Lantern Row", "Upper Mere"], "postcode": "ZZ99 1AA"});
    for (desk, path, body, status) in [
        (&teacher_elsewhere, "/v1/break-glass", identity, 200),
        (&teacher_elsewhere, "/v1/children/contact", json!({"child_number": number, "reason": "concern"}), 200),
        (&teacher_elsewhere, "/v1/children/view", json!({"child_number": number, "reason": "concern", "on_behalf_of": name}), 403),
        (&officer, "/v1/children/shield", shielding(&number), 404),
        (&officer, "/v1/children/audience", audience, 404),
        (&borough.oak.administrator, "/v1/people", at_home, 201),
    ] {
        drop(desk.post(path, body).await.expect_status(status));
    }
    let half = sheet("school-roll", &[vec![("Legal Surname", "Thornbury".to_owned()), ("DOB", "Amelia Rose".to_owned())]]);
    drop(contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &half).await);

    let log = borough.rig.daemon().log();
    assert!(log.contains("/v1/children/view"), "each request is said, by its route");
    let people = [
        teacher,
        steward,
        &teacher_elsewhere,
        &officer,
        &borough.oak.administrator,
        borough.council.practitioner(),
        borough.mill.practitioner(),
    ];
    let mut secrets = said_of_people();
    secrets.extend([number, other, AMELIA.1.to_owned(), IDRIS.1.to_owned(), "2015-05-0".to_owned()]);
    secrets.extend(["thornbury", "Robin", "Tester", "Minton"].map(str::to_owned));
    secrets.extend(people.iter().flat_map(|desk| [desk.person.password.clone(), desk.token.clone(), desk.person.login.clone()]));
    secrets.extend([borough.rig.officer.password.clone(), contactpoint_support::token::PIN.to_owned()]);
    for secret in secrets {
        let found = log.lines().find(|line| line.contains(&secret));
        assert!(found.is_none(), "{secret}: {found:?}");
    }
    assert!(!log.contains("panicked"), "no panic");
}

/// Everything in the files below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            all.extend(bytes_below(&path));
        } else {
            // a file that went away meanwhile holds nothing
            all.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

fn assert_holds_none_of(bytes: &[u8], hidden: &[String]) {
    // in the three ways of writing it: in any mixture of cases, megabytes of ciphertext spell a name of five letters by chance
    for text in hidden.iter().flat_map(|text| [text.clone(), text.to_lowercase(), text.to_uppercase()]) {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}

#[tokio::test]
async fn the_running_daemons_files_hold_nothing_that_can_be_read() {
    // store: the file holds nothing readable; G1: no operator can read child data
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let files = bytes_below(&borough.rig.place.state());
    assert!(files.len() > 100_000, "the store is among them");
    let mut hidden = said_of_people();
    hidden.extend([number, AMELIA.1.to_owned(), borough.oak.practitioner().person.login.clone()]);
    hidden.extend(["Oak Lane School", "Robin"].map(str::to_owned));
    assert!(["01632960102", "9990000018", "ZZ991AA"].iter().all(|plain| hidden.iter().any(|text| text == plain)), "as they are stored");
    assert_holds_none_of(&files, &hidden);
    assert_holds_none_of(&bytes_below(&borough.rig.place.temporary()), &hidden);
}

#[tokio::test]
async fn the_client_program_leaves_no_record_on_the_callers_machine() {
    // G8: the client writes no record to a file
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let person = borough.oak.employ("tidy-teacher", &["practitioner"]).await;
    let profile = borough.rig.profile("tidy-teacher", &borough.oak.organisation.certificate);
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::new(&borough.rig.programs.client);
        command
            .env_clear()
            .envs(["HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"].map(|name| (name, home.path())))
            .current_dir(home.path());
        command.arg("--profile").arg(&profile).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes()));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let code = person.authenticator.code().await;
    run(&["log-in", "--login", &person.login, "--password-stdin", "--code", &code], &person.password);
    run(&["sign", "--accept", "1"], "");
    assert!(run(&["search", "--family-name", AMELIA.0, "--date-of-birth", AMELIA.1, "--reason", "concern"], "").contains(&number));
    assert!(run(&["view", &number, "--reason", "concern"], "").contains("Dalgleish"));
    let mut hidden = said_of_people();
    hidden.extend([number, person.password.clone(), code]);
    assert_holds_none_of(&bytes_below(home.path()), &hidden);
    run(&["log-out"], "");
    assert!(bytes_below(home.path()).is_empty(), "and after the log-out nothing at all");
}
