//! One look-up, all the way through: who sees what of which child, and what the log keeps of it (rules A1, A5, D1, F1, F3).

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::{borough, searched, viewed};
use crate::children::{AMELIA, IDRIS, MARGIT};
use contactpoint_domain::ChildNumber;
use serde_json::{json, Value};

#[tokio::test]
async fn a_teacher_finds_a_pupil_and_sees_who_else_works_with_her() {
    // A1: a child's record holds only: child number; names; date of birth; gender; address; carers; education; GP; other services
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let found = teacher.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(200).json();
    let number = found["hits"][0]["child_number"].clone();
    let name = json!({"given": "Amelia Rose", "family": "Thornbury"});
    let hit = json!({"child_number": number, "name": name, "date_of_birth": "2014-03-09", "gender": "female"});
    assert_eq!(found, json!({"hits": [hit], "entry": found["entry"]}));

    let seen = teacher.post("/v1/children/view", viewed(number.as_str().unwrap())).await.expect_status(200).json();
    assert!(seen["entry"].as_u64() > found["entry"].as_u64());
    assert_eq!(seen, expected_of_amelia(&number, &seen["entry"]));
}

const YOT_MAILBOX: &str = "duty@sandford-youth-offending-team.example";

/// As a school sees her.
fn expected_of_amelia(number: &Value, entry: &Value) -> Value {
    let contact = |name: &str, kind: &str, email: &str, practitioner: Value, common_assessment: bool, lead_professional: bool| {
        json!({"organisation": name, "kind": kind, "telephone": "01632960000", "email": email, "practitioner": practitioner,
            "common_assessment": common_assessment, "lead_professional": lead_professional})
    };
    let tutor = json!({"name": {"given": "Ruth", "family": "Bexley"}, "email": "r.bexley@oak-lane.example"});
    let doctor = json!({"name": {"given": "Moira", "family": "Dalgleish"}, "telephone": "01632960111"});
    let officer = json!({"name": {"given": "Stephen", "family": "Quayle"}, "telephone": "01632960131"});
    let worker = json!({"name": {"given": "Nadia", "family": "Iqbal"}, "telephone": "01632960121", "email": "n.iqbal@sandford.example"});
    json!({
        "child_number": number,
        "name": {"given": "Amelia Rose", "family": "Thornbury"},
        "former_names": [{"given": "Amelia Rose", "family": "Okafor"}],
        "date_of_birth": "2014-03-09",
        "gender": "female",
        "address": {"known": "last-known", "lines": ["12 Lantern Row", "Sandford"], "postcode": "ZZ99 1AA"},
        "carers": [
            {"name": {"given": "Piotr", "family": "Thornbury"}, "relationship": "father", "telephone": "01632960102"},
            {"name": {"given": "Helene", "family": "Thornbury"}, "relationship": "mother", "telephone": "01632960101",
                "email": "helene.thornbury@mail.example"},
        ],
        "school": contact("Oak Lane School", "school", "duty@oak-lane-school.example", tutor, false, false),
        "surgery": contact("Mill Surgery", "surgery", "duty@mill-surgery.example", doctor, false, false),
        "services": [
            contact("Sandford Youth Offending Team", "youth-offending-team", YOT_MAILBOX, officer, false, false),
            contact("Sandford Council", "council", "duty@sandford-council.example", worker, true, true),
        ],
        "unique_pupil_number": "W820990000001",
        "entry": entry,
    })
}

#[tokio::test]
async fn each_body_is_shown_the_identifiers_of_its_own_functions_only() {
    // A5: identifiers of other systems are shown only to staff of a body whose functions use that identifier
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for (office, nhs, pupil) in
        [(&borough.oak, false, true), (&borough.mill, true, false), (&borough.council, true, true), (&borough.yot, false, false)]
    {
        let seen = office.practitioner().post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
        assert_eq!(seen["nhs_number"], if nhs { json!("9990000018") } else { Value::Null });
        assert_eq!(seen["unique_pupil_number"], if pupil { json!("W820990000001") } else { Value::Null });
    }
}

#[tokio::test]
async fn a_child_of_others_and_a_child_that_is_not_there_cannot_be_told_apart() {
    // D1: a GP sees the practice's list, a teacher the school's roll; a trap: "forbidden" and "not found" differed
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let nobody = ChildNumber::with_body(123_456_789);
    for office in [&borough.bridge, &borough.river, &borough.police, &borough.neighbour] {
        let of_others = office.practitioner().post("/v1/children/view", viewed(&number)).await.expect_status(404);
        let of_nobody = office.practitioner().post("/v1/children/view", viewed(nobody.as_str())).await;
        assert_eq!(of_others.code(), "not_found_or_not_yours");
        assert_cannot_be_told_apart(&of_others, &of_nobody);
    }
}

#[tokio::test]
async fn social_care_sees_every_child_of_its_area_and_none_of_another() {
    // D1: social care sees the authority's area
    let borough = borough().await;
    let number = borough.number_of(IDRIS.0, IDRIS.1).await;
    let seen = borough.council.practitioner().post("/v1/children/view", viewed(&number)).await.expect_status(200).json();
    assert_eq!((&seen["name"]["given"], &seen["address"]["known"]), (&json!("Idris"), &json!("current")));
    assert_eq!((&seen["carers"], &seen["former_names"], &seen["services"]), (&json!([]), &json!([]), &json!([])));
    let elsewhere = borough.neighbour.practitioner().post("/v1/children/view", viewed(&number)).await;
    assert_eq!(elsewhere.expect_status(404).code(), "not_found_or_not_yours");
}

#[tokio::test]
async fn an_auditor_gets_every_look_with_the_one_that_was_only_in_a_list_and_the_refused_one() {
    // F3: "Who saw this child?" is one query, including those who only had it in a list, refused and break-glass
    let borough = borough().await;
    let (teacher, stranger) = (borough.oak.practitioner(), borough.bridge.practitioner());
    let found = teacher.post("/v1/children/search", searched(MARGIT.0, MARGIT.1)).await.expect_status(200).json();
    let number = found["hits"][0]["child_number"].as_str().unwrap().to_owned();
    let concern = json!({"child_number": number, "reason": "concern"});
    let seen = teacher.post("/v1/children/view", concern.clone()).await.expect_status(200).json();
    drop(stranger.post("/v1/children/view", concern).await.expect_status(404));

    let auditor = borough.auditor.people()[0].clone();
    let question = json!({"child_number": number, "reason": "audit"});
    let answer = auditor.post("/v1/audit/who-saw", question.clone()).await.expect_status(200).json();
    let looks = answer["looks"].as_array().unwrap();
    let told: Vec<(&str, &str, &str)> =
        looks.iter().map(|look| (text(look, "operation"), text(look, "outcome"), text(look, "reason"))).collect();
    // the last is the council's feed, which brought her into its scope
    let seen_by = [("view", "outside-scope", "concern"), ("view", "answered", "concern"), ("search", "answered", "coordination")];
    assert_eq!(told[..3], seen_by);
    assert!(told[3..].iter().all(|joined| *joined == ("feed", "answered", "")), "{told:?}");
    assert_eq!(looks[2]["entry"], found["entry"]);
    assert_eq!(looks[1]["entry"], seen["entry"]);
    assert!(looks[0]["entry"].as_u64() > seen["entry"].as_u64() && answer["entry"].as_u64() > looks[0]["entry"].as_u64());
    assert_eq!(looks[0]["shown"], json!([]));
    assert_eq!(looks[2]["shown"], json!(["child-number", "name", "date-of-birth", "gender"]));
    assert!(looks[1]["shown"].as_array().unwrap().contains(&json!("address")));
    assert_eq!(looks[0]["organisation"], json!({"id": borough.bridge.organisation.id, "name": "Bridge Practice"}));
    let name = json!({"given": "Robin", "family": "Tester"});
    assert_eq!(looks[1]["person"], json!({"id": teacher.person.id, "name": name}));
    assert_eq!(looks[1]["role"], "practitioner");
    let later = auditor.post("/v1/audit/who-saw", question).await.expect_status(200).json();
    assert_eq!((&later["looks"][0]["operation"], &later["looks"][0]["entry"]), (&json!("who-saw"), &answer["entry"]));
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or("")
}

#[tokio::test]
async fn an_auditor_sees_no_child_and_nobody_else_may_ask_who_looked() {
    // C4: an auditor sees no record; F3: one query for the auditor
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let auditor = borough.auditor.people()[0].clone();
    let answer = auditor.post("/v1/children/view", viewed(&number)).await.expect_status(403);
    assert_eq!(answer.code(), "forbidden");
    assert_eq!(auditor.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(403).code(), "forbidden");
    for desk in [borough.oak.practitioner(), borough.council.practitioner(), borough.council.steward(), &borough.council.administrator] {
        let question = json!({"child_number": number, "reason": "audit"});
        assert_eq!(desk.post("/v1/audit/who-saw", question).await.expect_status(403).code(), "forbidden");
    }
    let for_another_reason = json!({"child_number": number, "reason": "concern"});
    assert_eq!(auditor.post("/v1/audit/who-saw", for_another_reason).await.expect_status(403).code(), "forbidden");
}

#[tokio::test]
async fn a_search_for_a_number_is_listed_for_the_child_also_where_it_found_nothing() {
    // F1: every attempt is written; F3: those who were refused are listed too
    let borough = borough().await;
    let number = borough.number_of(IDRIS.0, IDRIS.1).await;
    let stranger = borough.mill.practitioner();
    let asked = json!({"child_number": number, "date_of_birth": IDRIS.1, "reason": "missing"});
    let found = stranger.post("/v1/children/search", asked).await.expect_status(200).json();
    assert_eq!(found["hits"], json!([]));
    let auditor = borough.auditor.people()[0].clone();
    let answer = auditor.post("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})).await.expect_status(200).json();
    let look = answer["looks"].as_array().unwrap().iter().find(|look| look["entry"] == found["entry"]).unwrap();
    assert_eq!((text(look, "operation"), &look["organisation"]["name"], &look["shown"]), ("search", &json!("Mill Surgery"), &json!([])));
}
