//! Sensitive services: fed with a basis, found by their own people, shown to others as no more than that (rule E8).

use crate::borough::{borough, first_number, viewed};
use crate::children::{sheet, Row, IDRIS};
use crate::office::{Office, USUAL};
use crate::ward::{self, pupil};
use contactpoint_support::Enrolment;
use serde_json::{json, Value};

fn row(surname: &str, forename: &str, born: &str, basis: &str) -> Row {
    [
        ("surname", surname),
        ("forenames", forename),
        ("date_of_birth", born),
        ("nhs_number", if surname == IDRIS.0 { "9990000026" } else { "" }),
        ("worker_surname", "Marlow"),
        ("worker_forename", "Junia"),
        ("worker_phone", "01632 960561"),
        ("basis", basis),
    ]
    .map(|(column, value)| (column, value.to_owned()))
    .to_vec()
}

async fn fed(office: &Office, rows: &[Row]) -> Value {
    let steward = office.steward();
    let csv = sheet("sensitive-service", rows);
    contactpoint_support::feed(&mut steward.connection(), &steward.token, "sensitive-service", &csv).await
}

#[tokio::test]
async fn a_sensitive_service_is_recorded_with_a_basis_and_shown_to_others_as_no_more_than_that() {
    // E8: recorded only with consent or a recorded safeguarding basis, and shown to others only as "a sensitive service"
    let borough = borough().await;
    let capabilities: &[&str] = &["query", "feed", "sensitive-services"];
    let authority = Some(borough.council.organisation.id);
    let clinic = Enrolment { name: "Harbour Clinic", kind: "voluntary", authority, capabilities };
    let clinic = Office::opened(&borough.rig, &clinic, USUAL).await;
    let with = row(IDRIS.0, "Idris", IDRIS.1, "consent");
    let report =
        fed(&clinic, &[with.clone(), row("Vantongeren", "Ulla", "2011-04-05", ""), row("Vantongeren", "Pim", "2011-04-05", "x")]).await;
    assert_eq!((&report["joined"], &report["rejected_count"]), (&json!(1), &json!(2)), "{report}");
    let reasons: Vec<&str> = report["rejected"].as_array().unwrap().iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["basis_missing", "invalid_code"]);

    let number = first_number(clinic.practitioner(), IDRIS.0, IDRIS.1).await.expect("in the service's own scope");
    let own = clinic.practitioner().post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
    assert_eq!(own["services"][0]["practitioner"]["name"]["family"], "Marlow");
    let school = borough.river.practitioner().post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
    assert_eq!(school["sensitive_service"], true);
    for hidden in ["Harbour", "Marlow", "960561", "voluntary", "harbour-clinic"] {
        assert!(!school.to_string().contains(hidden), "{hidden}");
    }

    let other = borough.open("Plain Charity", "voluntary", &["query", "feed"]).await;
    let report = fed(&other, &[with]).await;
    assert_eq!(report["rejected"][0]["reason"], "basis_not_expected", "{report}");
}

#[tokio::test]
async fn what_a_service_said_before_it_was_a_sensitive_one_is_hidden_from_then_on() {
    // E8: shown to others only as "a sensitive service": what makes it one is what it is, not the day on which it fed
    let borough = borough().await;
    let service = borough.open("Tidewater Project", "voluntary", &["query", "feed"]).await;
    let pupil = pupil(&[("Legal Surname", "Vellacott"), ("Legal Forename", "Oona"), ("DOB", "19/07/2012"), ("NHS Number", "9990000565")]);
    drop(ward::fed(&borough.river, "school-roll", &[pupil]).await);
    let mut known = row("Vellacott", "Oona", "2012-07-19", "");
    known.retain(|(column, _)| *column != "nhs_number");
    known.extend(
        [("nhs_number", "9990000565"), ("address", "4 Tide Row"), ("postcode", "ZZ99 8TW")].map(|(column, said)| (column, said.to_owned())),
    );
    let report = fed(&service, &[known]).await;
    assert_eq!((&report["joined"], &report["rejected_count"]), (&json!(1), &json!(0)), "{report}");
    let number = borough.number_of("Vellacott", "2012-07-19").await;
    let teacher = borough.river.practitioner();
    let seen = || async { teacher.post("/v1/children/view", viewed(&number)).await.expect_status(200).json() };
    let by_postcode = json!({"family_name": "Vellacott", "postcode": "ZZ99 8TW", "reason": "concern"});
    let found = || async { teacher.post("/v1/children/search", by_postcode.clone()).await.expect_status(200).json()["hits"].clone() };
    assert!(seen().await.to_string().contains("ZZ99 8TW") && found().await.as_array().unwrap().len() == 1);

    let accreditation = json!({"capabilities": ["sensitive-services"], "expires": contactpoint_support::day(300)});
    let path = format!("/v1/organisations/{}/accreditations", service.organisation.id);
    drop(borough.rig.as_officer(http::Method::POST, &path, Some(&accreditation)).await.expect_status(200));
    let view = seen().await;
    assert_eq!(view["sensitive_service"], true);
    for hidden in ["ZZ99 8TW", "Tidewater", "Marlow", "960561"] {
        assert!(!view.to_string().contains(hidden), "{hidden}");
    }
    assert_eq!(found().await, json!([]));
    let own = service.practitioner().post("/v1/children/search", by_postcode.clone()).await.expect_status(200).json();
    assert_eq!(own["hits"].as_array().unwrap().len(), 1, "to its own people it is what they said");
}
