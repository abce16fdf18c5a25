//! The interface's description as others read it: what the running daemon gives at `/openapi.json`, held against the specification by a
//! validator that nobody here wrote (PyPI openapi-spec-validator). Leaves to others: that it lists every route (src/edge).

use contactpoint_support::{call, request, Enrolment, Programs, Rig};
use http::Method;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[tokio::test]
async fn the_running_daemons_description_is_valid_openapi_3_1() {
    // architecture, interfaces: OpenAPI 3.1 at /openapi.json
    let rig = Rig::started(Programs::beside(env!("CARGO_BIN_EXE_contactpointd")), None);
    let school = rig.enrol(&Enrolment { name: "Reading School", kind: "school", authority: None, capabilities: &["query"] }).await;
    let asked = request(Method::GET, "/openapi.json", None, None);
    let answer = call(&mut rig.connection(&school.certificate), asked).await.expect("an answer").expect_status(200);
    assert_eq!(verdict(&answer.body), (Some(0), String::new()));

    // and the validator does find faults
    let without = String::from_utf8_lossy(&answer.body).replace("\"description\":", "\"x-description\":");
    let (status, said) = verdict(without.as_bytes());
    assert!(status == Some(1) && said.contains("description"), "{status:?} {said}");
}

/// The validator's exit status and what it said.
fn verdict(description: &[u8]) -> (Option<i32>, String) {
    let output = validated(description);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_ne!(
        output.status.code(),
        Some(3),
        "The validator could not be had: it is the package openapi-spec-validator, which this test installs from PyPI when it first runs. Is \
         PyPI within reach, and is python3-venv there (`make deps`)? validate.py said:\n{said}"
    );
    (output.status.code(), said)
}

fn validated(description: &[u8]) -> Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("openapi");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/description/validate.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut validator = command.spawn().expect("python3 runs: run `make deps`");
    // where it ends before it has read everything, its status says why
    drop(validator.stdin.take().expect("its input").write_all(description));
    validator.wait_with_output().expect("python3 ends")
}
