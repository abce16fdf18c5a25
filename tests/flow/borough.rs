//! The borough that most tests share, set up once over the real ways: organisations by the officer, people by administrators, children
//! by feeds.
//!
//! It lives in a static, which nothing drops, so a shell waits beside it for the end of this process and then takes daemon and folder away.

use crate::children::{self, sheet};
use crate::office::{Desk, Office, USUAL};
use contactpoint_support::{Enrolment, Programs, Rig};
use serde_json::{json, Value};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tokio::sync::OnceCell;

/// The programs under test.
pub(crate) fn programs() -> Programs {
    Programs::beside(env!("CARGO_BIN_EXE_contactpointd"))
}

/// The shipped settings with some values changed, each key given once in the file.
pub(crate) fn settings(changes: &[(&str, &str)]) -> String {
    let mut text = include_str!("../../config/contactpointd.toml").to_owned();
    for (key, value) in changes {
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some((found, _)) if found == *key => format!("{key} = {value}\n"),
            _ => format!("{line}\n"),
        });
        text = lines.collect();
        assert!(text.contains(&format!("\n{key} = {value}\n")), "no such key: {key}");
    }
    text
}

/// A borough and its neighbours.
pub(crate) struct Borough {
    pub(crate) rig: Rig,
    pub(crate) council: Office,
    /// A council elsewhere.
    pub(crate) neighbour: Office,
    /// Amelia's school.
    pub(crate) oak: Office,
    /// The other school.
    pub(crate) river: Office,
    /// Amelia's surgery.
    pub(crate) mill: Office,
    /// The other surgery.
    pub(crate) bridge: Office,
    pub(crate) yot: Office,
    /// It may look, and may not feed.
    pub(crate) police: Office,
    pub(crate) auditor: Office,
    _end: Child,
}

static BOROUGH: OnceCell<Borough> = OnceCell::const_new();

/// The borough, set up by whoever asks first.
pub(crate) async fn borough() -> &'static Borough {
    BOROUGH.get_or_init(Borough::founded).await
}

impl Borough {
    async fn founded() -> Self {
        let rig = started_talkative();
        let end = ended_with_this_process(&rig);
        let both: &[&str] = &["query", "feed"];
        let of = |name, kind, authority, capabilities| Enrolment { name, kind, authority, capabilities };
        let council = Office::opened(&rig, &of("Sandford Council", "council", None, both), USUAL).await;
        let area = Some(council.organisation.id);
        let borough = Self {
            neighbour: Office::opened(&rig, &of("Fenwick Council", "council", None, both), USUAL).await,
            oak: Office::opened(&rig, &of("Oak Lane School", "school", area, both), USUAL).await,
            river: Office::opened(&rig, &of("River Road Academy", "school", area, both), USUAL).await,
            mill: Office::opened(&rig, &of("Mill Surgery", "surgery", area, both), USUAL).await,
            bridge: Office::opened(&rig, &of("Bridge Practice", "surgery", area, both), USUAL).await,
            yot: Office::opened(&rig, &of("Sandford Youth Offending Team", "youth-offending-team", area, both), USUAL).await,
            police: Office::opened(&rig, &of("Sandford Police", "police", area, &["query"]), USUAL).await,
            auditor: Office::opened(&rig, &of("Directory Audit Office", "auditor", None, &["audit"]), &[&["auditor"]]).await,
            council,
            rig,
            _end: end,
        };
        borough.take_in_children().await;
        borough
    }

    /// Each supplier feeds what it knows; the order decides whose word is the newest.
    async fn take_in_children(&self) {
        self.feed(&self.oak, "school-roll", &children::oak_lane_roll()).await;
        self.feed(&self.river, "school-roll", &children::river_road_roll()).await;
        self.feed(&self.mill, "surgery-list", &children::mill_surgery_list()).await;
        self.feed(&self.bridge, "surgery-list", &children::bridge_practice_list()).await;
        self.feed(&self.council, "council-services", &children::council_services()).await;
        self.feed(&self.yot, "youth-offending", &children::youth_offending()).await;
    }

    async fn feed(&self, office: &Office, layout: &str, rows: &[children::Row]) {
        let steward = office.steward();
        let report = contactpoint_support::feed(&mut steward.connection(), &steward.token, layout, &sheet(layout, rows)).await;
        assert_eq!(report["rejected_count"], 0, "{report}");
        assert_eq!(report["complete"], true);
    }

    /// One more organisation of the borough, for a test of its own.
    pub(crate) async fn open(&self, name: &str, kind: &str, capabilities: &[&str]) -> Office {
        let authority = Some(self.council.organisation.id);
        Office::opened(&self.rig, &Enrolment { name, kind, authority, capabilities }, USUAL).await
    }

    /// The number of a child of Oak Lane School or, where it is not there, of River Road Academy.
    pub(crate) async fn number_of(&self, family: &str, born: &str) -> String {
        for school in [&self.oak, &self.river] {
            if let Some(number) = first_number(school.practitioner(), family, born).await {
                return number;
            }
        }
        panic!("no child of this name is on a roll")
    }
}

/// The child number of the only hit; `None` where there is none.
pub(crate) async fn first_number(desk: &Desk, family: &str, born: &str) -> Option<String> {
    let answer = desk.post("/v1/children/search", searched(family, born)).await.expect_status(200).json();
    let hits = answer["hits"].as_array().unwrap();
    assert!(hits.len() <= 1, "{answer}");
    hits.first().map(|hit| hit["child_number"].as_str().unwrap().to_owned())
}

/// A search by name and date of birth.
pub(crate) fn searched(family: &str, born: &str) -> Value {
    json!({"family_name": family, "date_of_birth": born, "reason": "coordination"})
}

/// A view, for everyday reasons.
pub(crate) fn viewed(number: &str) -> Value {
    json!({"child_number": number, "reason": "coordination"})
}

/// With every request in its log (DEBUG_INVOCATION, as systemd sets it), so that the test of what it says has the most to look at.
fn started_talkative() -> Rig {
    let programs = programs();
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("talkative-{}", std::process::id()));
    std::fs::write(&script, format!("#!/bin/sh\nDEBUG_INVOCATION=1 exec '{}'\n", programs.daemon.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let rig = Rig::started(Programs { daemon: script.clone(), ..programs }, None);
    std::fs::remove_file(script).unwrap();
    rig
}

/// Ends the daemon and removes its folder once this process is gone, however it went.
fn ended_with_this_process(rig: &Rig) -> Child {
    Command::new("sh")
        .args(["-c", "trap '' INT TERM; cat > /dev/null; kill -9 \"$0\"; rm -rf \"$1\""])
        .arg(rig.daemon().id().to_string())
        .arg(rig.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
