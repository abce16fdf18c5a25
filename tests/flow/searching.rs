//! Searching: not too wide, not too many, not beyond the own scope, and never without a reason (rules D2, D3, C4).

use crate::borough::{borough, searched, viewed};
use crate::children::{AMELIA, JUST_ENOUGH, TOO_MANY};
use serde_json::{json, Value};

const SEARCH: &str = "/v1/children/search";

#[tokio::test]
async fn a_search_that_says_too_little_is_refused() {
    // D3: it needs at least a family name or child number with date of birth or postcode
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for said in [
        json!({"reason": "concern"}),
        json!({"family_name": "Thornbury", "reason": "concern"}),
        json!({"child_number": number, "reason": "concern"}),
        json!({"date_of_birth": AMELIA.1, "reason": "concern"}),
        json!({"postcode": "ZZ99 1AA", "reason": "concern"}),
        json!({"given_name": "Amelia", "date_of_birth": AMELIA.1, "postcode": "ZZ99 1AA", "reason": "concern"}),
        json!({"family_name": "Thornbury", "given_name": "Amelia", "reason": "concern"}),
    ] {
        let answer = borough.oak.practitioner().post(SEARCH, said.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "search_too_wide"), "{said}");
    }
}

#[tokio::test]
async fn whoever_says_enough_finds_the_child_in_each_of_the_allowed_ways() {
    // D3: family name or child number with date of birth or postcode
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for said in [
        json!({"family_name": "Thornbury", "date_of_birth": AMELIA.1, "reason": "concern"}),
        json!({"family_name": "THORNBURY", "postcode": "zz991aa", "reason": "concern"}),
        json!({"family_name": "Okafor", "date_of_birth": AMELIA.1, "reason": "concern"}),
        json!({"family_name": "Thornbury", "given_name": "rose", "date_of_birth": AMELIA.1, "reason": "concern"}),
        json!({"child_number": number, "date_of_birth": AMELIA.1, "reason": "concern"}),
        json!({"child_number": number, "postcode": "ZZ99 1AA", "reason": "concern"}),
    ] {
        let answer = borough.oak.practitioner().post(SEARCH, said.clone()).await.expect_status(200).json();
        assert_eq!(answer["hits"][0]["child_number"], json!(number), "{said}");
    }
}

#[tokio::test]
async fn whatever_is_said_besides_must_be_true_of_the_child_as_well() {
    // D3: a family name or child number with date of birth or postcode; none of them is said for nothing
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let (family, born, postcode) = (AMELIA.0, AMELIA.1, "ZZ99 1AA");
    let hits = |said: Value| async move {
        let answer = borough.oak.practitioner().post(SEARCH, said).await.expect_status(200).json();
        answer["hits"].as_array().unwrap().len()
    };
    let said = json!({"child_number": number, "family_name": family, "date_of_birth": born, "postcode": postcode, "reason": "concern"});
    assert_eq!(hits(said).await, 1);
    for (wrong, said) in [
        ("a day of the same year", json!({"family_name": family, "date_of_birth": "2014-03-10", "reason": "concern"})),
        ("a day beside a number", json!({"child_number": number, "date_of_birth": "2014-03-10", "reason": "concern"})),
        ("a name beside a number", json!({"child_number": number, "family_name": "Wetherall", "date_of_birth": born, "reason": "concern"})),
        (
            "a day beside number and postcode",
            json!({"child_number": number, "date_of_birth": "2014-03-10", "postcode": postcode, "reason": "concern"}),
        ),
        (
            "a day beside a postcode",
            json!({"family_name": family, "date_of_birth": "2014-03-10", "postcode": postcode, "reason": "concern"}),
        ),
        ("a postcode beside a day", json!({"family_name": family, "date_of_birth": born, "postcode": "ZZ99 1AD", "reason": "concern"})),
        (
            "a postcode beside number and day",
            json!({"child_number": number, "date_of_birth": born, "postcode": "ZZ99 1AD", "reason": "concern"}),
        ),
    ] {
        assert_eq!(hits(said).await, 0, "{wrong}");
    }
}

#[tokio::test]
async fn more_than_twenty_matches_show_no_hit_and_no_count() {
    // D3: at most 20 hits, then "too many matches" with no hits and no count
    let teacher = borough().await.oak.practitioner();
    let crowd = |(family, postcode): (&str, &str)| json!({"family_name": family, "postcode": postcode, "reason": "concern"});
    let just_enough = teacher.post(SEARCH, crowd(JUST_ENOUGH)).await.expect_status(200).json();
    assert_eq!(just_enough["hits"].as_array().unwrap().len(), 20);

    let answer = teacher.post(SEARCH, crowd(TOO_MANY)).await.expect_status(422);
    let title = answer.json()["title"].clone();
    let nothing_more =
        json!({"type": "urn:contactpoint:problem:too_many_matches", "title": title, "status": 422, "code": "too_many_matches"});
    assert_eq!(answer.json(), nothing_more);
    assert!(!title.as_str().unwrap().contains(|c: char| c.is_ascii_digit()));
    let narrowed = json!({"family_name": TOO_MANY.0, "given_name": "Bela", "postcode": TOO_MANY.1, "reason": "concern"});
    assert_eq!(teacher.post(SEARCH, narrowed).await.expect_status(200).json()["hits"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_child_of_another_school_is_not_found_by_any_search() {
    // D3: a search without break-glass covers the caller's own scope only
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for office in [&borough.river, &borough.bridge, &borough.police, &borough.neighbour] {
        for said in [
            searched(AMELIA.0, AMELIA.1),
            json!({"family_name": AMELIA.0, "postcode": "ZZ99 1AA", "reason": "concern"}),
            json!({"child_number": number, "date_of_birth": AMELIA.1, "reason": "concern"}),
            json!({"family_name": TOO_MANY.0, "postcode": TOO_MANY.1, "reason": "concern"}),
            searched("Nobody", "2014-03-09"),
        ] {
            let answer = office.practitioner().post(SEARCH, said).await.expect_status(200).json();
            assert_eq!(answer, json!({"hits": [], "entry": answer["entry"]}));
        }
    }
}

#[tokio::test]
async fn wildcards_are_refused_and_the_start_of_a_name_finds_nobody() {
    // D3: no wildcards
    let teacher = borough().await.oak.practitioner();
    for pattern in ["Th*", "%", "Thornbur_", "Thornbur?", "*", "[T]hornbury", "Thornbury OR", "\"", "Thorn\u{0}"] {
        let answer = teacher.post(SEARCH, searched(pattern, AMELIA.1)).await;
        // words that are letters alone are a name like any other, and nobody's
        let found: Value = answer.json();
        assert!(answer.code() == "invalid_value" || found["hits"] == json!([]), "{pattern}: {found}");
    }
    for pattern in ["%", "*", "Th*", "Thornbur_"] {
        assert_eq!(teacher.post(SEARCH, searched(pattern, AMELIA.1)).await.expect_status(422).code(), "invalid_value");
    }
    let parts = [
        searched("Thor", AMELIA.1),
        json!({"family_name": "Thornbury", "given_name": "Amel", "date_of_birth": AMELIA.1, "reason": "concern"}),
    ];
    for said in parts {
        assert_eq!(teacher.post(SEARCH, said).await.expect_status(200).json()["hits"], json!([]));
    }
    let half = json!({"family_name": "Thornbury", "postcode": "ZZ99", "reason": "concern"});
    assert_eq!(teacher.post(SEARCH, half).await.expect_status(422).code(), "invalid_value");
}

#[tokio::test]
async fn every_look_states_a_reason_of_the_list_that_is_one_for_looking() {
    // D2: every view states a coded reason
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let teacher = borough.oak.practitioner();
    let with = |reason: Option<&str>| {
        let mut search = json!({"family_name": AMELIA.0, "date_of_birth": AMELIA.1});
        let mut view = json!({"child_number": number});
        if let Some(reason) = reason {
            search["reason"] = json!(reason);
            view["reason"] = json!(reason);
        }
        [(SEARCH, search), ("/v1/children/view", view)]
    };
    for (reason, status, code) in [
        (None, 400, "malformed_request"),
        (Some(""), 422, "invalid_value"),
        (Some("curiosity"), 422, "invalid_value"),
        (Some("Concern"), 422, "invalid_value"),
        (Some("audit"), 403, "forbidden"),
        (Some("subject-access"), 403, "forbidden"),
    ] {
        for (path, body) in with(reason) {
            let answer = teacher.post(path, body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{reason:?} {path}");
        }
    }
    for reason in ["coordination", "concern", "assessment", "section-47", "missing", "transfer"] {
        for (path, body) in with(Some(reason)) {
            drop(teacher.post(path, body).await.expect_status(200));
        }
    }
}

#[tokio::test]
async fn only_practitioners_of_an_organisation_that_may_query_look_at_children() {
    // C4: an administrator sees no child, a data steward feeds; B2: accreditation is per capability
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let feeder = borough.open("Feeding Only School", "school", &["feed"]).await;
    for (desk, code) in [
        (borough.oak.steward(), "forbidden"),
        (&borough.oak.administrator, "forbidden"),
        (&borough.council.administrator, "forbidden"),
        (feeder.practitioner(), "capability_missing"),
    ] {
        for (path, body) in [(SEARCH, searched(AMELIA.0, AMELIA.1)), ("/v1/children/view", viewed(&number))] {
            assert_eq!(desk.post(path, body).await.expect_status(403).code(), code);
        }
    }
}
