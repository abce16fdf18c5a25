//! Erasure as the two officers do it: the shipped programs, the HSM, and what is left for those who kept a copy or a receipt (rules F2, G2, I2).

use crate::borough::{first_number, programs, viewed};
use crate::office::{Desk, Office, USUAL};
use crate::ward::{fed, pupil};
use crate::wire::until;
use contactpoint_audit::{verify, Logged, Receipt};
use contactpoint_support::{request, Answer, Enrolment, Rig};
use http::Method;
use serde_json::{json, Value};
use std::fs;
use std::path::Path;
use std::process::Output;

/// A directory with a school, two children on its roll and an auditor.
struct Small {
    rig: Rig,
    school: Office,
    auditor: Office,
    /// The children's numbers.
    numbers: [String; 2],
}

fn said(output: &Output) -> String {
    format!("{} {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap().flatten() {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn entry_of(answer: &Answer) -> Logged {
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    Logged::read(&header("log-index"), &header("log-leaf")).unwrap()
}

async fn receipt(desk: &Desk, entry: &Logged) -> Receipt {
    let path = format!("/log/receipt/{}", entry.index);
    let answer = until("a head over the entry", || async {
        let answer = desk.send(request(Method::GET, &path, None, None)).await;
        (answer.status == 200).then_some(answer)
    });
    Receipt::parse(std::str::from_utf8(&answer.await.body).unwrap()).unwrap()
}

impl Small {
    async fn opened() -> Self {
        let rig = Rig::started(programs(), None);
        let of = |name, kind, capabilities| Enrolment { name, kind, authority: None, capabilities };
        let council = Office::opened(&rig, &of("Erasmus Council", "council", &["query"]), USUAL).await;
        let school = Enrolment { authority: Some(council.organisation.id), ..of("Erasmus School", "school", &["query", "feed"]) };
        let school = Office::opened(&rig, &school, USUAL).await;
        let auditor = Office::opened(&rig, &of("Erasmus Audit Office", "auditor", &["audit"]), &[&["auditor"]]).await;
        let row = |family: &str| pupil(&[("Legal Surname", family), ("Legal Forename", "Iona"), ("DOB", "04/02/2015")]);
        drop(fed(&school, "school-roll", &[row("Ashgrove"), row("Carrow")]).await);
        let mut numbers = [String::new(), String::new()];
        for (number, family) in numbers.iter_mut().zip(["Ashgrove", "Carrow"]) {
            *number = first_number(school.practitioner(), family, "2015-02-04").await.unwrap();
        }
        Self { rig, school, auditor, numbers }
    }

    /// A desk after a restart, in a session of its own.
    async fn again(&self, office: &Office) -> Desk {
        Desk::of(&self.rig, &office.organisation.certificate, &office.people()[0].person).await
    }

    async fn who_saw(&self, desk: &Desk) -> Value {
        let asked = json!({"child_number": self.numbers[0], "reason": "audit"});
        desk.post("/v1/audit/who-saw", asked).await.expect_status(200).json()
    }

    async fn status(&self) -> Value {
        self.rig.control(request(Method::GET, "/v1/status", None, None)).await.expect_status(200).json()
    }

    /// A copy of the state in the place of the real one; why the daemon does not start on it.
    fn refusal_of(&mut self, copy: &Path) -> (Option<i32>, String) {
        let (state, aside) = (self.rig.place.state(), self.rig.folder().join("aside"));
        fs::rename(&state, &aside).unwrap();
        copied(copy, &state);
        let fault = self.rig.try_start().expect_err("it does not start");
        fs::remove_dir_all(&state).unwrap();
        fs::rename(&aside, &state).unwrap();
        (fault.status.and_then(|status| status.code()), fault.log.lines().last().unwrap_or_default().to_owned())
    }

    /// Fetches the log as an organisation does, and verifies it without any key but the public one.
    fn verified(&self) -> u64 {
        let folder = self.rig.folder().join("fetched");
        let profile = self.rig.profile("auditor", &self.auditor.organisation.certificate);
        let mut client = std::process::Command::new(&self.rig.programs.client);
        let fetched = client.env_clear().arg("--profile").arg(profile).args(["log", "fetch"]).arg(&folder).output().unwrap();
        assert!(fetched.status.success(), "{}", said(&fetched));
        let told = self.rig.operator(&["verify-log", folder.to_str().unwrap(), "--key", &self.rig.verifier_key.to_string()]);
        assert!(told.status.success(), "{}", said(&told));
        verify::directory(&folder, &self.rig.verifier_key).unwrap().size
    }
}

#[tokio::test]
async fn two_officers_erase_an_epoch_of_the_log_and_a_childs_record_and_every_proof_stays() {
    // F2: destroying an epoch's key leaves the tree and every proof valid; I2: destroyed, by destroying its key; G2: two officers
    let mut small = Small::opened().await;
    let key = small.rig.verifier_key.clone();
    let looked = entry_of(&small.school.practitioner().post("/v1/children/view", viewed(&small.numbers[0])).await.expect_status(200));
    let old_receipt = receipt(small.school.practitioner(), &looked).await;
    assert!(small.verified() > looked.index);

    // while the daemon runs, nobody else opens its state
    let refused = small.rig.operator(&["new-entry-epoch", "--factors-stdin"]);
    assert_eq!(refused.status.code(), Some(69), "{}", said(&refused));
    assert!(said(&refused).contains("stop it first"), "{}", said(&refused));
    assert!(small.rig.stop().success());
    let begun = small.rig.two_officers(&["new-entry-epoch"]).await;
    assert!(begun.status.success(), "{}", said(&begun));
    small.rig.start();
    let auditor = small.again(&small.auditor).await;
    let before = small.who_saw(&auditor).await;
    assert!(before["looks"].as_array().unwrap().iter().any(|look| look["entry"] == looked.index) && before.get("erased").is_none());
    assert_eq!(small.status().await["entry_epochs"], json!([2, 1]));
    assert!(small.rig.stop().success());
    let copy = small.rig.folder().join("copy");
    copied(&small.rig.place.state(), &copy);

    let destroyed = small.rig.two_officers(&["destroy-entry-epoch", "1"]).await;
    assert!(destroyed.status.success(), "{}", said(&destroyed));
    let records = small.rig.two_officers(&["destroy-records", &small.numbers[0]]).await;
    assert!(records.status.success(), "{}", said(&records));
    assert!(!said(&records).contains(&small.numbers[0]));
    let (status, told) = small.refusal_of(&copy);
    assert_eq!(status, Some(78), "{told}");
    assert!(
        told.contains("contactpoint-records-1 is not on the token") || told.contains("contactpoint-entries-1 is not on the token"),
        "{told}"
    );
    // with the newest keys beside it: it is an older store
    fs::copy(small.rig.place.state().join("data-keys.toml"), copy.join("data-keys.toml")).unwrap();
    let (status, told) = small.refusal_of(&copy);
    assert_eq!(status, Some(80), "{told}");

    small.rig.start();
    let auditor = small.again(&small.auditor).await;
    let after = small.who_saw(&auditor).await;
    let erased = &after["erased"][0];
    assert!(erased["first"] == 0 && erased["last"].as_u64().unwrap() >= looked.index, "{after}");
    assert!(after["looks"].as_array().unwrap().iter().all(|look| look["entry"].as_u64() > erased["last"].as_u64()), "{after}");
    let status = small.status().await;
    assert_eq!((&status["entry_epochs"], &status["record_epochs"]), (&json!([2]), &json!([2])));
    let teacher = small.again(&small.school).await;
    drop(teacher.post("/v1/children/view", viewed(&small.numbers[1])).await.expect_status(200));
    assert_eq!(teacher.post("/v1/children/view", viewed(&small.numbers[0])).await.status, 404);
    // what whoever was answered kept, and a receipt of today for the same erased entry
    old_receipt.verify(&looked, &key).unwrap();
    receipt(&teacher, &looked).await.verify(&looked, &key).unwrap();
    assert!(small.verified() > erased["last"].as_u64().unwrap());
}
