//! The rule book, the component-definition and an inspection's results as accreditors' tools read them: OSCAL 1.2, judged by compliance-trestle
//! (PyPI), which nobody here wrote. Leaves to others: what is true of a running system (src/inspect), and that the committed documents are
//! the catalogue's (tests/controls.rs).

use contactpoint_assurance::{catalogue, Evidence, Facts, Observation, Report, Verdict};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

/// The validator installs itself when it first runs; two at once would step on each other.
static INSTALLING: Mutex<()> = Mutex::new(());

#[test]
fn the_rule_book_and_the_component_definition_are_valid_oscal_and_broken_ones_are_not() {
    // J1: in a machine-readable controls catalogue; J1: a component-definition (validated with compliance-trestle)
    let catalogue = catalogue().expect("the embedded catalogue");
    let book = parsed(&catalogue.oscal_rule_book().expect("the rule book"));
    let definition = parsed(&catalogue.oscal_component_definition().expect("the component-definition"));
    accepted("catalog", &book);
    accepted("component-definition", &definition);
    refused_without("catalog", &book, "/catalog/metadata", "version");
    refused_without("catalog", &book, "/catalog/groups/0/controls/0", "title");
    let implementation = "/component-definition/components/0/control-implementations/0";
    refused_without("component-definition", &definition, implementation, "source");
    refused_without("component-definition", &definition, &format!("{implementation}/implemented-requirements/0"), "control-id");
}

#[test]
fn an_inspections_results_are_valid_oscal_and_broken_ones_are_not() {
    // J1: `inspect` reports the running system's evidence for each; J1: OSCAL 1.2 assessment-results
    let results = parsed(&inspection().oscal().expect("the results"));
    accepted("assessment-results", &results);
    let result = "/assessment-results/results/0";
    refused_without("assessment-results", &results, "/assessment-results", "import-ap");
    refused_without("assessment-results", &results, &format!("{result}/findings/0"), "target");
    refused_without("assessment-results", &results, &format!("{result}/observations/0"), "methods");
}

#[test]
fn what_the_documents_refer_to_is_there() {
    // J1: rules, requirements and findings are one chain; trestle does not follow it from one document to another
    let catalogue = catalogue().expect("the embedded catalogue");
    let book = parsed(&catalogue.oscal_rule_book().expect("the rule book"));
    let definition = parsed(&catalogue.oscal_component_definition().expect("the component-definition"));
    let results = parsed(&inspection().oscal().expect("the results"));
    let ids = values(&book, "id");
    let ours = &definition["component-definition"]["components"][0]["control-implementations"][0];
    assert_eq!(values(ours, "control-id").difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(values(ours, "control-id").len(), catalogue.rules().len());
    assert_eq!(values(&results, "target-id").difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(values(&results, "control-id").len(), catalogue.rules().len());
    let uuids = values(&results, "uuid");
    assert!(values(&results, "observation-uuid").is_subset(&uuids) && values(&results, "actor-uuid").is_subset(&uuids));
    let subject = &results["assessment-results"]["results"][0]["local-definitions"]["components"][0];
    assert_eq!(definition["component-definition"]["components"][0]["uuid"], subject["uuid"]);
}

/// An inspection with each verdict, evidence of several lines, none at all, and letters that formats stumble over.
fn inspection() -> Report {
    let status = "Name:\tcontactpointd\nNoNewPrivs:\t1\nSeccomp:\t0\n";
    let observations = vec![
        Observation::new("process.seccomp", Verdict::Fails, "Seccomp: 2", vec![Evidence::new("/proc/812/status", status)]),
        Observation::new(
            "hsm.keys",
            Verdict::Holds,
            "not extractable",
            vec![Evidence::new("GET /v1/evidence", "{\"label\": \"Schl\u{fc}ssel\"}")],
        ),
        Observation::new("process.context", Verdict::Unseen, "contactpointd_t", vec![]),
        Observation::new("files.state", Verdict::Holds, "0700", vec![Evidence::new("/var/lib/contactpoint", "")]),
    ];
    let at = "2026-11-21T09:00:00.25Z".parse().expect("a moment");
    let facts = Facts { at, host: "appliance.example".to_owned(), version: "0.2.0".to_owned() };
    Report::new(catalogue().expect("the embedded catalogue"), facts, observations).expect("a report")
}

fn accepted(kind: &str, document: &Value) {
    let (status, said) = verdict(kind, document);
    assert_eq!(status, Some(0), "{said}");
}

/// Without the member `name` at `place` the document is not valid, and the validator says what is missing.
fn refused_without(kind: &str, document: &Value, place: &str, name: &str) {
    let mut broken = document.clone();
    let part = broken.pointer_mut(place).and_then(Value::as_object_mut).expect("the place");
    assert!(part.remove(name).is_some(), "{place} has no {name}");
    let (status, said) = verdict(kind, &broken);
    assert!(status == Some(1) && said.contains(name), "{place} without {name}: {status:?} {said}");
}

fn parsed(document: &str) -> Value {
    serde_json::from_str(document).expect("JSON")
}

/// Every text that stands under the member `name`, however deep.
fn values(document: &Value, name: &str) -> BTreeSet<String> {
    match document {
        Value::Object(members) => {
            let here = members.get(name).and_then(Value::as_str).map(str::to_owned);
            members.values().flat_map(|member| values(member, name)).chain(here).collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| values(item, name)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// The validator's exit status and what it said.
fn verdict(kind: &str, document: &Value) -> (Option<i32>, String) {
    let output = validated(kind, document);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_ne!(
        output.status.code(),
        Some(3),
        "The validator could not be had: it is the package compliance-trestle, which this test installs from PyPI when it first runs. Is PyPI \
         within reach, and is python3-venv there (`make deps`)? validate.py said:\n{said}"
    );
    (output.status.code(), said)
}

fn validated(kind: &str, document: &Value) -> Output {
    let _alone = INSTALLING.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("oscal");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/oscal/validate.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(folder).arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut validator = command.spawn().expect("python3 runs: run `make deps`");
    // where it ends before it has read everything, its status says why
    drop(validator.stdin.take().expect("its input").write_all(document.to_string().as_bytes()));
    validator.wait_with_output().expect("python3 ends")
}
