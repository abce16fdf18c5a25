//! What a directory's own settings change of the rules: what is shown of a shielded child, and which days are no working days (rules D5, E2).

use crate::borough::{first_number, programs, settings, viewed};
use crate::children::sheet;
use crate::office::{Desk, Office, USUAL};
use crate::ward::{pupil, shielding};
use contactpoint_domain::Day;
use contactpoint_support::{day, Enrolment, Rig};
use serde_json::json;

#[tokio::test]
async fn a_directory_shows_what_its_settings_say_and_counts_the_days_that_they_leave() {
    // E2: the regulations would also show gender and the carer's name: a setting; D5: within five working days
    let today: Day = day(0).parse().unwrap();
    let holiday = today.plus_working_days(2, &[]);
    let own = settings(&[("also_shows", "[\"carer-names\"]"), ("holidays", &format!("[\"{holiday}\"]"))]);
    let rig = Rig::started(programs(), Some(&own));
    let council = Enrolment { name: "Carer Council", kind: "council", authority: None, capabilities: &["query", "shield"] };
    let council = Office::opened(&rig, &council, &[&["shielding-officer"]]).await;
    let school =
        Enrolment { name: "Carer School", kind: "school", authority: Some(council.organisation.id), capabilities: &["query", "feed"] };
    let school = Office::opened(&rig, &school, USUAL).await;
    let roll = [pupil(&[
        ("Legal Surname", "Hollingbury"),
        ("Legal Forename", "Petronella"),
        ("DOB", "04/03/2015"),
        ("Gender", "F"),
        ("Address Line 1", "1 Clean Street"),
        ("Postcode", "ZZ99 4DD"),
        ("Contact 1 Surname", "Hollingbury"),
        ("Contact 1 Forename", "Casimir"),
        ("Contact 1 Relationship", "Father"),
        ("Contact 1 Telephone", "01632 960777"),
    ])];
    let (teacher, steward) = (school.practitioner(), school.steward());
    let report = contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &sheet("school-roll", &roll)).await;
    assert_eq!(report["created"], 1, "{report}");
    let number = first_number(teacher, "Hollingbury", "2015-03-04").await.unwrap();

    // the glass can be broken to a child in scope, too; its alert has its last day
    let above = Desk::of(&rig, &school.organisation.certificate, &school.organisation.supervisor).await;
    let code = teacher.person.authenticator.code().await;
    let broken = teacher.post("/v1/break-glass", json!({"child_number": number, "reason": "missing", "code": code})).await;
    drop(broken.expect_status(200));
    let queue = above.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let due: Day = queue["alerts"][0]["due"].as_str().unwrap().parse().unwrap();
    assert_eq!(due, today.plus_working_days(5, &[holiday]));
    assert_eq!(due, today.plus_working_days(6, &[]), "a day later than without");
    drop(teacher.post("/v1/break-glass/leave", json!({})).await.expect_status(200));

    drop(council.people()[0].post("/v1/children/shield", shielding(&number)).await.expect_status(200));
    let mut view = teacher.post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
    view.as_object_mut().unwrap().remove("entry");
    assert_eq!(
        view,
        json!({
            "child_number": number,
            "name": {"given": "Petronella", "family": "Hollingbury"},
            "date_of_birth": "2015-03-04",
            "shielded": true,
            "carer_names": [{"given": "Casimir", "family": "Hollingbury"}],
        }),
        "the carer's name, and no gender, telephone or address"
    );
}
