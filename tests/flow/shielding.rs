//! Shields, audiences, quarantine, the end of work with a child: who decides, and what everybody else sees then (rules D1, D8, E1 to E4).

use crate::answers::assert_cannot_be_told_apart;
use crate::borough::{borough, first_number, searched, viewed};
use crate::office::{Desk, Office};
use crate::ward::{counts, fed, pupil, shielding, ward, Ward};
use contactpoint_domain::ChildNumber;
use contactpoint_support::{call, day, request, Enrolment};
use http::Method;
use serde_json::{json, Value};

const SHIELD: &str = "/v1/children/shield";
const AUDIENCE: &str = "/v1/children/audience";
const VIEW: &str = "/v1/children/view";
const SEARCH: &str = "/v1/children/search";

async fn number_of(office: &Office, family: &str, born: &str) -> String {
    first_number(office.practitioner(), family, born).await.unwrap_or_else(|| panic!("{family} is not found"))
}

async fn seen(desk: &Desk, number: &str) -> Value {
    let mut seen = desk.post(VIEW, viewed(number)).await.expect_status(200).json();
    assert!(seen["entry"].take().is_u64());
    seen
}

async fn unshielded(desk: &Desk, number: &str) {
    let body = json!({"child_number": number, "code": desk.person.authenticator.code().await});
    drop(desk.post("/v1/children/unshield", body).await.expect_status(200));
}

#[tokio::test]
async fn only_a_shielding_officer_of_the_childs_own_authority_shields_it() {
    // E1: the owning local authority's shielding officer decides, with a coded reason and a review date
    let ward = ward().await;
    drop(
        fed(&ward.school, "school-roll", &[pupil(&[("Legal Surname", "Ashgrove"), ("Legal Forename", "Iona"), ("DOB", "04/02/2015")])])
            .await,
    );
    let number = number_of(&ward.school, "Ashgrove", "2015-02-04").await;
    for desk in [ward.school.practitioner(), ward.school.steward(), &ward.council.administrator, ward.council.practitioner()] {
        assert_eq!(desk.post(SHIELD, shielding(&number)).await.expect_status(403).code(), "forbidden");
    }
    let elsewhere = Enrolment { name: "Farley Council", kind: "council", authority: None, capabilities: &["query", "shield"] };
    let elsewhere = Office::opened(&borough().await.rig, &elsewhere, &[&["shielding-officer"]]).await;
    let of_others = elsewhere.practitioner().post(SHIELD, shielding(&number)).await;
    let of_nobody = elsewhere.practitioner().post(SHIELD, shielding(ChildNumber::with_body(123_456_789).as_str())).await;
    assert_eq!(of_others.code(), "not_found_or_not_yours");
    assert_cannot_be_told_apart(&of_others, &of_nobody);

    for (review, status, code) in
        [(day(0), 422, "term_forbidden"), (day(400), 422, "term_forbidden"), ("soon".to_owned(), 422, "invalid_value")]
    {
        let asked = json!({"child_number": number, "reason": "adoption", "review": review});
        assert_eq!(ward.officer(0).post(SHIELD, asked).await.expect_status(status).code(), code);
    }
    let whim = json!({"child_number": number, "reason": "because", "review": day(180)});
    assert_eq!(ward.officer(0).post(SHIELD, whim).await.expect_status(422).code(), "invalid_value");
    assert_eq!(seen(ward.school.practitioner(), &number).await["shielded"], Value::Null, "nobody has shielded the child so far");

    let answer = ward.shield(&number).await.expect_status(200).json();
    let expected =
        json!({"child_number": number, "shielded": true, "reason": "domestic-violence", "review": day(180), "entry": answer["entry"]});
    assert_eq!(answer, expected);
    // C2: sensitive acts ask for the token again
    let guessed = json!({"child_number": number, "code": "000000"});
    assert_eq!(ward.officer(3).post("/v1/children/unshield", guessed).await.expect_status(403).code(), "not_confirmed");
    assert_eq!(seen(ward.school.practitioner(), &number).await["shielded"], true);
}

#[tokio::test]
async fn of_a_shielded_child_a_teacher_sees_name_date_of_birth_number_and_that_it_is_shielded() {
    // E2: name, date of birth and child number and the fact that the record is shielded - nothing else
    let ward = ward().await;
    let said = [
        ("UPN", "J820990000040"),
        ("Legal Surname", "Bellweather"),
        ("Legal Forename", "Tamar"),
        ("Former Surname", "Crossley"),
        ("DOB", "17/08/2013"),
        ("Gender", "F"),
        ("Address Line 1", "9 Hawser Quay"),
        ("Postcode", "ZZ99 4AA"),
        ("NHS Number", "9990000409"),
        ("Contact 1 Surname", "Bellweather"),
        ("Contact 1 Forename", "Odile"),
        ("Contact 1 Relationship", "Mother"),
    ];
    drop(fed(&ward.school, "school-roll", &[pupil(&said)]).await);
    let (teacher, worker, officer) = (ward.school.practitioner(), ward.council.practitioner(), ward.officer(1));
    let number = number_of(&ward.school, "Bellweather", "2013-08-17").await;
    let open = seen(teacher, &number).await;
    assert_eq!(open["address"]["postcode"], "ZZ99 4AA");
    drop(ward.shield(&number).await.expect_status(200));

    let narrow = json!({"child_number": number, "name": {"given": "Tamar", "family": "Bellweather"}, "date_of_birth": "2013-08-17", "shielded": true});
    for desk in [teacher, worker] {
        let mut shown = narrow.clone();
        shown["entry"] = Value::Null;
        assert_eq!(seen(desk, &number).await, shown);
        let found = desk.post(SEARCH, searched("Bellweather", "2013-08-17")).await.expect_status(200).json();
        assert_eq!(found["hits"], json!([narrow]));
    }
    let whole = seen(officer, &number).await;
    assert_eq!((&whole["shielded"], &whole["carers"][0]["name"]["given"]), (&json!(true), &json!("Odile")));
    assert_eq!((&whole["nhs_number"], &whole["former_names"][0]["family"]), (&json!("9990000409"), &json!("Crossley")));

    // E3: a query that uses any hidden field of a shielded record does not find it
    for said in [
        json!({"family_name": "Bellweather", "postcode": "ZZ99 4AA", "reason": "concern"}),
        json!({"family_name": "Bellweather", "date_of_birth": "2013-08-17", "postcode": "ZZ99 4AA", "reason": "concern"}),
        json!({"family_name": "Crossley", "date_of_birth": "2013-08-17", "reason": "concern"}),
        json!({"child_number": number, "postcode": "ZZ99 4AA", "reason": "concern"}),
    ] {
        for desk in [teacher, worker, officer] {
            assert_eq!(desk.post(SEARCH, said.clone()).await.expect_status(200).json()["hits"], json!([]), "{said}");
        }
    }
    unshielded(officer, &number).await;
    assert_eq!(seen(teacher, &number).await, open);
}

#[tokio::test]
async fn a_record_for_named_people_is_there_for_them_alone() {
    // D8: refuses all but named users; the attempt fails like a search with no hit
    let ward = ward().await;
    drop(
        fed(&ward.school, "school-roll", &[pupil(&[("Legal Surname", "Carrow"), ("Legal Forename", "Lys"), ("DOB", "30/01/2012")])]).await,
    );
    let number = number_of(&ward.school, "Carrow", "2012-01-30").await;
    let (teacher, worker, officer) = (ward.school.practitioner(), ward.council.practitioner(), ward.officer(2));
    let asked = |audience: Value, code: String| json!({"child_number": number, "audience": audience, "code": code});
    // whoever is named or not: an officer who decides on it is among them, and to open it takes a word of its own
    for (people, status, code) in [
        (json!({"people": [4_000_000, officer.person.id]}), 422, "invalid_value"),
        (json!({"people": [worker.person.id]}), 422, "invalid_value"),
        (Value::Null, 400, "malformed_request"),
    ] {
        let answer = officer.post(AUDIENCE, asked(people, officer.person.authenticator.code().await)).await;
        assert_eq!(answer.expect_status(status).code(), code);
    }
    let (officer, keeper) = (ward.officer(4), ward.officer(1));
    let named = asked(json!({"people": [worker.person.id, keeper.person.id]}), officer.person.authenticator.code().await);
    let answer = officer.post(AUDIENCE, named).await.expect_status(200).json();
    let mut people = vec![worker.person.id, keeper.person.id];
    people.sort_unstable();
    assert_eq!((&answer["people"], &answer["shielded"]), (&json!(people), &json!(false)));

    assert_eq!(seen(worker, &number).await["name"]["given"], "Lys");
    let not_there = ChildNumber::with_body(123_456_789).as_str().to_owned();
    for desk in [teacher, officer] {
        let hidden = desk.post(VIEW, viewed(&number)).await;
        assert_eq!(hidden.code(), "not_found_or_not_yours");
        assert_cannot_be_told_apart(&hidden, &desk.post(VIEW, viewed(&not_there)).await);
        for said in [searched("Carrow", "2012-01-30"), json!({"child_number": number, "date_of_birth": "2012-01-30", "reason": "concern"})]
        {
            assert_eq!(desk.post(SEARCH, said).await.expect_status(200).json()["hits"], json!([]));
        }
    }
    assert_eq!(first_number(worker, "Carrow", "2012-01-30").await.as_deref(), Some(number.as_str()), "who is named finds it");

    // whoever is not named decides nothing about it, in whatever office, and is told what they are told of nobody
    let everybody = |number: &str, code: String| json!({"child_number": number, "audience": "everybody", "code": code});
    let decided = [
        (officer, SHIELD, shielding(&number), shielding(&not_there)),
        (ward.school.steward(), "/v1/involvements/end", json!({"child_number": number}), json!({"child_number": not_there})),
    ];
    for (desk, path, asked, of_nobody) in decided {
        let hidden = desk.post(path, asked).await.expect_status(404);
        assert_cannot_be_told_apart(&hidden, &desk.post(path, of_nobody).await);
    }
    let hidden = officer.post(AUDIENCE, everybody(&number, officer.person.authenticator.code().await)).await.expect_status(404);
    let of_nobody = officer.post(AUDIENCE, everybody(&not_there, officer.person.authenticator.code().await)).await;
    assert_cannot_be_told_apart(&hidden, &of_nobody);
    // D7: any look-up of a small-audience record is flagged for review
    let supervisor = Desk::of(&borough().await.rig, &ward.school.organisation.certificate, &ward.school.organisation.supervisor).await;
    let flagged = supervisor.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let by_steward = |alert: &&Value| alert["person"]["id"] == ward.school.steward().person.id && alert["kind"] == "small-audience";
    let flagged: Vec<&Value> = flagged["alerts"].as_array().unwrap().iter().filter(by_steward).collect();
    assert_eq!(flagged.iter().map(|alert| &alert["child_number"]).collect::<Vec<_>>(), [&json!(number)]);

    let cleared = everybody(&number, keeper.person.authenticator.code().await);
    drop(keeper.post(AUDIENCE, cleared).await.expect_status(200));
    assert_eq!(seen(teacher, &number).await["name"]["given"], "Lys");
}

#[tokio::test]
async fn shielding_one_of_two_records_of_a_child_holds_the_other_for_the_authority() {
    // E4: the shield belongs to the person, not the row
    let ward = ward().await;
    let row = |given: &'static str, born: &'static str, postcode: &'static str| {
        let lives = [("Address Line 1", "3 Two Rows"), ("Postcode", postcode)];
        pupil(&[[("Legal Surname", "Eastlake"), ("Legal Forename", given), ("DOB", born)].as_slice(), &lives].concat())
    };
    drop(fed(&ward.school, "school-roll", &[row("James", "12/12/2014", "ZZ99 4FA")]).await);
    drop(fed(&ward.other, "school-roll", &[row("Jim", "12/12/2014", "ZZ99 4FB"), row("Tom", "03/01/2012", "ZZ99 4FB")]).await);
    let number = number_of(&ward.school, "Eastlake", "2014-12-12").await;
    let (twice, brother) = (number_of(&ward.other, "Eastlake", "2014-12-12").await, number_of(&ward.other, "Eastlake", "2012-01-03").await);
    let (worker, officer, source) = (ward.council.practitioner(), ward.officer(0), ward.other.practitioner());
    assert_eq!(seen(worker, &twice).await["address"]["postcode"], "ZZ99 4FB");

    let answer = ward.shield(&number).await.expect_status(200).json();
    assert!(!answer.to_string().contains(&twice), "E5: nothing lists");
    assert_eq!(worker.post(VIEW, viewed(&twice)).await.expect_status(404).code(), "not_found_or_not_yours");
    let found = worker.post(SEARCH, searched("Eastlake", "2014-12-12")).await.expect_status(200).json();
    assert_eq!(found["hits"].as_array().unwrap().iter().map(|hit| &hit["child_number"]).collect::<Vec<_>>(), [&json!(number)]);
    for (desk, number) in [(source, &twice), (officer, &twice), (worker, &brother)] {
        assert_eq!(seen(desk, number).await["address"]["postcode"], "ZZ99 4FB", "its source goes on, and a brother is nobody's affair");
    }
    let waiting = officer.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let asks = |alert: &&Value| alert["kind"] == "quarantine" && alert["child_number"] == json!(twice);
    assert_eq!(waiting["alerts"].as_array().unwrap().iter().filter(asks).count(), 1);

    // settled to be that child: one record, and the shield is over all that was said
    drop(officer.post("/v1/children/settle", json!({"child_number": twice, "child": number})).await.expect_status(200));
    assert_eq!(seen(source, &number).await["address"], Value::Null);
    // and a renewed shield asks nothing anew
    drop(ward.shield(&number).await.expect_status(200));
    assert_eq!(seen(worker, &brother).await["address"]["postcode"], "ZZ99 4FB");
}

#[tokio::test]
async fn who_saw_a_child_does_not_tell_the_auditor_that_it_is_shielded() {
    // E5: no query of any kind lists shielded children; F3: who saw this child, which a decision about it is not
    let ward = ward().await;
    let row = pupil(&[("Legal Surname", "Oxley"), ("Legal Forename", "Mina"), ("DOB", "08/08/2012")]);
    drop(fed(&ward.school, "school-roll", &[row]).await);
    let number = number_of(&ward.school, "Oxley", "2012-08-08").await;
    drop(ward.shield(&number).await.expect_status(200));
    unshielded(ward.officer(5), &number).await;
    let asked = json!({"child_number": number, "reason": "audit"});
    let looks = borough().await.auditor.people()[0].post("/v1/audit/who-saw", asked).await.expect_status(200).json();
    let told: Vec<&str> = looks["looks"].as_array().unwrap().iter().map(|look| look["operation"].as_str().unwrap()).collect();
    assert_eq!(told, ["search"], "who listed it, and no decision");
}

/// As a surgery says it: another address than the school's.
fn patient(nhs: &str, family: &str, given: &str, born: &str) -> crate::children::Row {
    pupil(&[
        ("NHS_NUMBER", nhs),
        ("FAMILY_NAME", family),
        ("GIVEN_NAMES", given),
        ("DATE_OF_BIRTH", born),
        ("ADDRESS_1", "1 New Start"),
        ("POSTCODE", "ZZ99 4DD"),
    ])
}

#[tokio::test]
async fn what_may_be_of_a_shielded_child_is_held_for_its_authority_and_settled_there() {
    // E4: an incoming record that may match a shielded child is quarantined for the authority, never created unshielded beside it
    let ward = ward().await;
    let said = [("Legal Surname", "Dunmore"), ("Legal Forename", "Elsa May"), ("DOB", "21/09/2014"), ("NHS Number", "9990000417")];
    drop(fed(&ward.school, "school-roll", &[pupil(&said)]).await);
    let number = number_of(&ward.school, "Dunmore", "2014-09-21").await;
    drop(ward.shield(&number).await.expect_status(200));

    // the same number under another name, and the same first name and day without a number: each a new child, as far as the surgery can tell
    let (by_number, by_name) = (patient("9990000417", "Farrow", "Elsa", "20140922"), patient("", "Dunmoor", "Elsa", "20140921"));
    assert_eq!(counts(&fed(&ward.surgery, "surgery-list", &[by_number.clone(), by_name.clone()]).await), [2, 0, 0, 0]);
    assert_eq!(counts(&fed(&ward.surgery, "surgery-list", &[by_name.clone(), by_number.clone()]).await), [0, 0, 2, 0], "and again");
    let (doctor, worker, teacher) = (ward.surgery.practitioner(), ward.council.practitioner(), ward.school.practitioner());
    let held = [number_of(&ward.surgery, "Farrow", "2014-09-22").await, number_of(&ward.surgery, "Dunmoor", "2014-09-21").await];
    for one in &held {
        let own = seen(doctor, one).await;
        assert_eq!((&own["address"]["postcode"], &own["school"], &own["shielded"]), (&json!("ZZ99 4DD"), &Value::Null, &Value::Null));
        for desk in [worker, teacher] {
            assert_eq!(desk.post(VIEW, viewed(one)).await.expect_status(404).code(), "not_found_or_not_yours");
        }
        assert_eq!(seen(ward.officer(0), one).await["address"]["postcode"], "ZZ99 4DD", "who has to say whose it is sees it");
    }
    assert_eq!(worker.post(SEARCH, searched("Farrow", "2014-09-22")).await.expect_status(200).json()["hits"], json!([]));

    // settled to be the shielded child: the shield holds, and the surgery meets it
    let settle = |held: &str, child: Option<&str>| json!({"child_number": held, "child": child});
    for desk in [doctor, worker, ward.surgery.steward()] {
        assert_eq!(desk.post("/v1/children/settle", settle(&held[0], Some(&number))).await.expect_status(403).code(), "forbidden");
    }
    let not_held = ward.officer(0).post("/v1/children/settle", settle(&number, None)).await.expect_status(404);
    assert_eq!(not_held.code(), "not_found_or_not_yours");
    let answer = ward.officer(0).post("/v1/children/settle", settle(&held[0], Some(&number))).await.expect_status(200).json();
    assert_eq!((&answer["child_number"], &answer["shielded"]), (&json!(number), &json!(true)));
    for desk in [doctor, ward.officer(0), worker] {
        drop(desk.post(VIEW, viewed(&held[0])).await.expect_status(404));
    }
    assert_eq!(
        ward.officer(0).post("/v1/children/settle", settle(&held[0], None)).await.expect_status(404).code(),
        "not_found_or_not_yours"
    );
    let met = seen(doctor, &number).await;
    assert_eq!((&met["shielded"], &met["address"]), (&json!(true), &Value::Null));
    let whole = seen(ward.officer(0), &number).await;
    assert_eq!(
        (&whole["surgery"]["organisation"], &whole["school"]["organisation"]),
        (&json!("Wardley Surgery"), &json!("Wardley School"))
    );

    // settled to be a child of its own, and shielded before anybody else sees it
    let terms = json!({"child_number": held[1], "shield": {"reason": "court-order", "review": day(90)}});
    let answer = ward.officer(0).post("/v1/children/settle", terms).await.expect_status(200).json();
    assert_eq!((&answer["child_number"], &answer["reason"]), (&json!(held[1]), &json!("court-order")));
    let met = seen(worker, &held[1]).await;
    assert_eq!((&met["name"]["family"], &met["shielded"], &met["address"]), (&json!("Dunmoor"), &json!(true), &Value::Null));
}

#[tokio::test]
async fn an_authority_that_asks_for_it_sees_every_new_record_first() {
    // E1: before any practitioner can see a new record if asked
    let rig = &borough().await.rig;
    let ward = Ward::opened(rig, "Holdfast").await;
    let hold = |hold: bool| json!({"hold": hold});
    let teacher = ward.school.practitioner();
    for desk in [teacher, &ward.council.administrator, ward.council.practitioner()] {
        assert_eq!(desk.post("/v1/organisation/hold-new", hold(true)).await.expect_status(403).code(), "forbidden");
    }
    let standing = ward.officer(0).post("/v1/organisation/hold-new", hold(true)).await.expect_status(200).json();
    assert_eq!(standing["holds_new"], true);
    let row = |family: &str| pupil(&[("Legal Surname", family), ("Legal Forename", "Ines"), ("DOB", "11/11/2015")]);
    assert_eq!(counts(&fed(&ward.school, "school-roll", &[row("Garside")]).await), [1, 0, 0, 0]);
    let queue = ward.officer(0).post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
    let waits = queue["alerts"].as_array().unwrap().iter().find(|alert| alert["kind"] == "quarantine").unwrap();
    let number = waits["child_number"].as_str().unwrap().to_owned();
    // not even by those who work with the child, and the same record again changes nothing of it
    assert_eq!(counts(&fed(&ward.school, "school-roll", &[row("Garside"), row("Fenwick")]).await), [1, 0, 1, 0]);
    for desk in [teacher, ward.council.practitioner()] {
        drop(desk.post(VIEW, viewed(&number)).await.expect_status(404));
        assert_eq!(first_number(desk, "Garside", "2015-11-11").await, None);
    }
    drop(ward.officer(0).post("/v1/children/settle", json!({"child_number": number})).await.expect_status(200));
    for desk in [teacher, ward.council.practitioner()] {
        assert_eq!(seen(desk, &number).await["name"]["family"], "Garside");
    }

    drop(ward.officer(0).post("/v1/organisation/hold-new", hold(false)).await.expect_status(200));
    drop(fed(&ward.school, "school-roll", &[row("Hallam")]).await);
    assert!(first_number(ward.council.practitioner(), "Hallam", "2015-11-11").await.is_some());
}

#[tokio::test]
async fn a_pupil_who_leaves_is_out_of_the_schools_scope_on_a_connection_that_is_open() {
    // D1: scope comes from relationships, worked out afresh for every request
    let ward = ward().await;
    let row = |gender: &str| {
        pupil(&[
            ("Legal Surname", "Ingleby"),
            ("Legal Forename", "Noor"),
            ("DOB", "05/05/2013"),
            ("Gender", gender),
            ("Address Line 1", "2 Way Out"),
            ("Postcode", "ZZ99 4EE"),
        ])
    };
    drop(fed(&ward.school, "school-roll", &[row("F")]).await);
    let number = number_of(&ward.school, "Ingleby", "2013-05-05").await;
    let teacher = ward.school.practitioner();
    let mut connection = teacher.connection();
    let mut looked = async || {
        let asked = request(Method::POST, VIEW, Some(&teacher.token), Some(&viewed(&number)));
        call(&mut connection, asked).await.unwrap().status.as_u16()
    };
    assert_eq!(looked().await, 200);

    let ended = json!({"child_number": number});
    for desk in [teacher, ward.other.practitioner(), &ward.school.administrator] {
        assert_eq!(desk.post("/v1/involvements/end", ended.clone()).await.expect_status(403).code(), "forbidden");
    }
    assert_eq!(ward.other.steward().post("/v1/involvements/end", ended.clone()).await.expect_status(404).code(), "not_found_or_not_yours");
    let answer = ward.school.steward().post("/v1/involvements/end", ended.clone()).await.expect_status(200).json();
    assert_eq!((&answer["child_number"], &answer["ended"]), (&json!(number), &json!(day(0))));
    assert_eq!(looked().await, 404);
    assert_eq!(teacher.post(SEARCH, searched("Ingleby", "2013-05-05")).await.expect_status(200).json()["hits"], json!([]));
    assert_eq!(seen(ward.council.practitioner(), &number).await["school"], Value::Null, "it is no contact any more");
    drop(ward.school.steward().post("/v1/involvements/end", ended).await.expect_status(404));

    // on the roll again
    assert_eq!(counts(&fed(&ward.school, "school-roll", &[row("U")]).await), [0, 1, 0, 0]);
    assert_eq!(looked().await, 200);
}
