//! Two changes of one person's rights at the same moment (rules C3, C4).

use crate::borough::{borough, searched, Borough};
use crate::children::AMELIA;
use crate::office::{Desk, Office};
use contactpoint_support::{Answer, Enrolment};
use serde_json::{json, Value};

async fn opened(borough: &Borough, name: &str, people: &[&[&str]]) -> Office {
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    Office::opened(&borough.rig, &enrolment, people).await
}

/// Changes an account, by the administrator.
async fn amended(office: &Office, person: u64, change: Value) -> Answer {
    office.administrator.post(&format!("/v1/people/{person}"), change).await
}

/// What a search of theirs comes to.
async fn knock(desk: &Desk) -> String {
    desk.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.code()
}

#[tokio::test]
async fn of_two_changes_of_one_person_s_roles_at_the_same_moment_exactly_one_is_in_force() {
    // C4: roles that would let one person both act and judge the act cannot be combined; an attack: race two merges of one person's rights
    let borough = borough().await;
    let office = opened(borough, "Merged School", &[&["practitioner"]]).await;
    let desk = office.practitioner();
    let id = desk.person.id;
    let became = |roles: &'static [&'static str]| amended(&office, id, json!({ "roles": roles }));
    for _ in 0..10 {
        let (here, there) = tokio::join!(became(&["practitioner"]), became(&["data-steward"]));
        drop((here.expect_status(200), there.expect_status(200)));
        let standing = amended(&office, id, json!({})).await.expect_status(200).json();
        let expected = match standing["roles"].to_string().as_str() {
            "[\"practitioner\"]" => "",
            "[\"data-steward\"]" => "forbidden",
            other => panic!("neither of the two: {other}"),
        };
        assert_eq!(knock(desk).await, expected);
    }
}

#[tokio::test]
async fn nobody_is_supervised_by_somebody_who_stops_being_a_supervisor_at_that_moment() {
    // C3: every person has a supervisor - one who can judge
    let borough = borough().await;
    let office = opened(borough, "Demoted School", &[&["practitioner"], &["supervisor"]]).await;
    let [desk, above] = [&office.people()[0], &office.people()[1]];
    let (person, supervisor) = (desk.person.id, above.person.id);
    let first = office.organisation.supervisor.id;
    for _ in 0..10 {
        let demoted = amended(&office, supervisor, json!({"roles": ["practitioner"]}));
        let (demoted, named) = tokio::join!(demoted, amended(&office, person, json!({ "supervisor": supervisor })));
        drop(demoted.expect_status(200));
        match named.status.as_u16() {
            // named first, demoted then: nobody supervises the person, who is told so
            200 => assert_eq!(knock(desk).await, "no_supervisor"),
            // demoted first
            422 => assert_eq!((named.code().as_str(), knock(desk).await.as_str()), ("supervisor_forbidden", "")),
            other => panic!("{other}: {}", String::from_utf8_lossy(&named.body)),
        }
        drop(amended(&office, supervisor, json!({"roles": ["supervisor"]})).await.expect_status(200));
        drop(amended(&office, person, json!({ "supervisor": first })).await.expect_status(200));
    }
}
