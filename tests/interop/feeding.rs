//! A council that feeds files by the client, into a directory that has one layout more than the shipped ones.

use contactpoint_support::{Enrolment, Organisation, Person, Programs, Rig};
use serde::Deserialize;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The directory, and a council's steward who is logged in by the client.
pub(crate) struct Council {
    rig: Rig,
    council: Organisation,
}

/// The report of a feed, as the client prints it for machines.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) complete: bool,
    pub(crate) created: u64,
    pub(crate) joined: u64,
    pub(crate) unchanged: u64,
    pub(crate) rejected: Vec<Rejected>,
    /// As it was printed.
    #[serde(skip)]
    pub(crate) text: String,
}

/// A refused record.
#[derive(Debug, Deserialize)]
pub(crate) struct Rejected {
    pub(crate) line: u64,
    #[serde(default)]
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { created, joined, unchanged, rejected, .. } = self;
        write!(f, "{created} new children, {joined} joined, {unchanged} unchanged, {} rejected", rejected.len())
    }
}

impl Council {
    /// A running directory with this layout, and the steward logged in.
    pub(crate) async fn with_layout(name: &str, layout: &str) -> Self {
        let mut rig = Rig::prepared(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), Some("[appliance]\nfor_tests = true\n"));
        let layouts = rig.place.configuration().join("layouts");
        std::fs::write(layouts.join(format!("{name}.toml")), layout).expect("a layout of the rig's own");
        rig.start();
        let council = rig.enrol(&Enrolment { name: "Borough", kind: "council", authority: None, capabilities: &["feed"] }).await;
        let stewards = rig.enrol_people(&council, &[("steward", &["data-steward"])]).await;
        let council = Self { rig, council };
        council.log_in(&stewards[0]).await;
        council
    }

    /// A folder of the test's own.
    pub(crate) fn folder(&self) -> &Path {
        self.rig.folder()
    }

    async fn log_in(&self, steward: &Person) {
        let code = steward.authenticator.code().await;
        let arguments = ["log-in", "--login", &steward.login, "--password-stdin", "--code", &code];
        for (arguments, input) in [(&arguments[..], format!("{}\n", steward.password)), (&["sign", "--accept", "1"], String::new())] {
            let output = self.client(arguments, &input);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    /// Feeds a file; the client's exit code says whether lines were refused.
    pub(crate) fn feeds(&self, file: &Path, layout: &str) -> Report {
        let output = self.client(&["feed", "--layout", layout, file.to_str().expect("a file's name")], "");
        let said = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let mut report: Report = serde_json::from_str(&text).unwrap_or_else(|fault| panic!("no report ({fault}): {said}"));
        assert_eq!(output.status.code(), Some(i32::from(!report.rejected.is_empty())), "{said}");
        report.text = text;
        report
    }

    fn client(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(&self.rig.programs.client);
        command.arg("--profile").arg(self.rig.profile("council", &self.council.certificate));
        command.arg("--session-file").arg(self.rig.folder().join("steward.session")).arg("--json").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("contactpoint runs");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads its input");
        child.wait_with_output().expect("contactpoint ends")
    }
}
