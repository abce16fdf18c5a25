//! Bodies that are no request: JSON that is none, members nobody knows or twice, values of another sort, the wrong sort of body, oversize,
//! request ids used again. Each is refused by its code, nothing of it comes back, nothing of it is done.

use crate::borough::{borough, viewed};
use crate::children::AMELIA;
use crate::office::Desk;
use contactpoint_support::Answer;
use http::Request;
use http_body_util::Full;
use serde_json::json;

const SENTINEL: &str = "SENTINEL-of-93-bytes";
const VIEW: &str = "/v1/children/view";

/// Sends these bytes as a JSON body.
async fn sent(desk: &Desk, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
    sent_as(desk, path, "application/json", body).await
}

async fn sent_as(desk: &Desk, path: &str, media: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let request = Request::post(path).header("authorization", format!("Bearer {}", desk.token)).header("content-type", media);
    desk.send(request.body(Full::new(body.into())).unwrap()).await
}

fn assert_refused(answer: &Answer, status: u16, code: &str, sent: &str) {
    let said = String::from_utf8_lossy(&answer.body);
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{sent}");
    assert!(!said.contains("SENTINEL") && !said.contains("line ") && !said.contains("column"), "{sent}: {said}");
}

#[tokio::test]
async fn what_is_no_json_of_the_documented_shape_is_malformed() {
    // bad input: malformed JSON, duplicate members; J3: errors to a caller are terse
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let good = viewed(&number).to_string();
    let bodies = [
        String::new(),
        SENTINEL.to_owned(),
        format!("\"{SENTINEL}\""),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}{good}"),
        format!("{good} {SENTINEL}"),
        format!("\u{feff}{good}"),
        format!(r#"{{"child_number":"{number}","reason":"concern","reason":"audit"}}"#),
        format!(r#"{{"child_number":"{number}","child\u005fnumber":"{number}","reason":"concern"}}"#),
        format!(r#"{{"child_number":"{number}","reason":{{"{SENTINEL}":1,"{SENTINEL}":2}}}}"#),
        format!(r#"{{"child_number":{number},"reason":"concern"}}"#),
        format!(r#"{{"child_number":["{number}"],"reason":"concern"}}"#),
        r#"{"child_number":null,"reason":"concern"}"#.to_owned(),
        format!(r#"{{"child_number":"{number}"}}"#),
        format!(r#"{{"child_number":"{number}","reason":"concern",}}"#),
        format!(r#"{{"child_number":"{number}","reason":"conc{}ern"}}"#, '\u{0}'),
        format!(r#"{{"child_number":"{number}","reason":"\ud800"}}"#),
        good.replace('"', "'"),
        "[".repeat(16_000),
        format!("{}1{}", r#"{"a":"#.repeat(500), "}".repeat(500)),
        format!(r#"{{"child_number":"{number}","reason":1e999}}"#),
    ];
    for body in bodies {
        assert_refused(&sent(teacher, VIEW, body.clone()).await, 400, "malformed_request", &body);
    }
    let mut latin = good.clone().into_bytes();
    latin[5] = 0xe9;
    assert_refused(&sent(teacher, VIEW, latin).await, 400, "malformed_request", "not UTF-8");
    assert_eq!(sent(teacher, VIEW, good).await.status, 200);
}

#[tokio::test]
async fn a_member_that_nobody_knows_is_refused_and_never_dropped_in_silence() {
    // A3: unknown JSON members are refused, never dropped in silence
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let (teacher, steward, administrator) = (borough.oak.practitioner(), borough.oak.steward(), &borough.oak.administrator);
    let digest = "0".repeat(64);
    for (desk, path, mut body) in [
        (teacher, VIEW, viewed(&number)),
        (teacher, "/v1/children/search", json!({"family_name": "Thornbury", "date_of_birth": AMELIA.1, "reason": "concern"})),
        (&borough.auditor.people()[0], "/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        (steward, "/v1/feeds", json!({"layout": "school-roll", "digest": digest, "header": "x"})),
        (administrator, "/v1/people", json!({"login": "xyz-1", "given_name": "A", "family_name": "B", "roles": ["practitioner"]})),
        (teacher, "/v1/session", json!({"login": "xyz-1", "password": "x", "code": "123456"})),
    ] {
        body["SENTINEL_note"] = json!("SENTINEL");
        assert_refused(&sent(desk, path, body.to_string()).await, 400, "unknown_member", path);
    }
}

#[tokio::test]
async fn values_that_are_none_of_their_sort_are_invalid_and_not_repeated() {
    // A3: every value is a typed name, date, code, number; A4: a child number has a check digit
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let long = "9".repeat(5000);
    for number in ["4182736450", "41827364", "SENTINEL-9", "", "\\u0000", "４１８２７３６４５５", &long] {
        let body = format!(r#"{{"child_number":"{number}","reason":"concern"}}"#);
        assert_refused(&sent(teacher, VIEW, body).await, 422, "invalid_value", number);
    }
    for (member, value) in [
        ("date_of_birth", "2014-02-30"),
        ("date_of_birth", "09/03/2014"),
        ("date_of_birth", "1850-01-01"),
        ("postcode", "SENTINEL"),
        ("postcode", "'; DROP TABLE child; --"),
        ("family_name", "<script>SENTINEL</script>"),
        ("family_name", ""),
        ("given_name", "a;b"),
    ] {
        let mut body = json!({"family_name": "Thornbury", "date_of_birth": AMELIA.1, "postcode": "ZZ99 1AA", "reason": "concern"});
        body[member] = json!(value);
        assert_refused(&sent(teacher, "/v1/children/search", body.to_string()).await, 422, "invalid_value", value);
    }
}

#[tokio::test]
async fn a_body_of_another_sort_is_not_read() {
    // the edge: errors are problem+json with a code from a closed list
    let borough = borough().await;
    let (teacher, steward) = (borough.oak.practitioner(), borough.oak.steward());
    for media in
        ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=latin1"]
    {
        assert_refused(&sent_as(teacher, VIEW, media, "{}").await, 415, "unsupported_media_type", media);
    }
    let lines = sent_as(steward, "/v1/feeds/1/lines?first_line=2", "application/json", "{}").await;
    assert_refused(&lines, 415, "unsupported_media_type", "lines as JSON");
    let packed = Request::post(VIEW)
        .header("authorization", format!("Bearer {}", teacher.token))
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    let packed = teacher.send(packed.body(Full::new(bytes::Bytes::from_static(b"\x1f\x8b"))).unwrap()).await;
    assert_refused(&packed, 415, "unsupported_media_type", "compressed");
}

#[tokio::test]
async fn a_body_larger_than_its_route_takes_is_refused() {
    // bad input: oversize
    let borough = borough().await;
    let (teacher, steward) = (borough.oak.practitioner(), borough.oak.steward());
    let padded = |length: usize| format!("{}{}", viewed("0000000000"), " ".repeat(length));
    assert_refused(&sent(teacher, VIEW, padded(16 * 1024)).await, 413, "body_too_large", "17 KiB");
    assert_eq!(sent(teacher, VIEW, padded(15 * 1024)).await.code(), "invalid_value", "15 KiB are read");
    assert_refused(&sent(teacher, "/v1/session", padded(5000)).await, 413, "body_too_large", "a log-in of 5 KB");
    let lines = vec![b'x'; (1 << 20) + 1];
    assert_refused(&steward.send_lines(1, 2, lines).await, 413, "body_too_large", "lines of 1 MiB and 1");
}

#[tokio::test]
async fn a_request_id_may_repeat_its_request_and_no_other() {
    // architecture, interfaces: X-Request-ID makes a retry the same request; bad input: replayed request ids
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let teacher = borough.oak.practitioner();
    let with_id = |id: &str, path: &str, body: serde_json::Value| {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", teacher.token))
            .header("content-type", "application/json")
            .header("x-request-id", id);
        teacher.send(request.body(Full::new(bytes::Bytes::from(body.to_string()))).unwrap())
    };
    let id = "0b4a7d10-3f2e-4a53-9d8e-1f2f3a4b5c6d";
    drop(with_id(id, VIEW, viewed(&number)).await.expect_status(200));
    drop(with_id(id, VIEW, viewed(&number)).await.expect_status(200));
    let other_body = with_id(id, VIEW, json!({"child_number": number, "reason": "missing"})).await;
    assert_refused(&other_body, 409, "request_id_reused", "another body");
    let other_path = with_id(id, "/v1/children/search", viewed(&number)).await;
    assert_refused(&other_path, 409, "request_id_reused", "another address");
    for wrong in ["a b", "SENTINEL_", &"a".repeat(65), "é"] {
        assert_refused(&with_id(wrong, VIEW, viewed(&number)).await, 400, "malformed_request", wrong);
    }
}
