//! The interface's description, by its examples: each is a request that the directory reads, and none reads a member more (rule A3).

use crate::borough::borough;
use contactpoint_support::Answer;
use http::Request;
use http_body_util::Full;
use serde_json::{json, Value};

/// What a body is refused with before anybody asks who may send it.
const OF_BODIES: [&str; 4] = ["malformed_request", "unknown_member", "invalid_value", "unsupported_media_type"];

/// A request's example: of its body, or of the type that its body is.
fn example<'a>(description: &'a Value, content: &'a Value) -> &'a Value {
    if !content["example"].is_null() {
        return &content["example"];
    }
    let named = content["schema"]["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    named.and_then(|pointer| description.pointer(pointer)).map_or(&Value::Null, |schema| &schema["example"])
}

#[tokio::test]
async fn each_example_of_the_description_is_a_request_that_is_read_and_with_one_more_member_is_not() {
    // A3: unknown JSON members are refused; A4: an example's child number has its check digit
    let borough = borough().await;
    // a steward of an organisation that does not feed: hardly anything that is asked is done, and every body is read first
    let idle = borough.open("Reading School", "school", &["query"]).await;
    let desk = idle.steward();
    let description = desk.get("/openapi.json").await.expect_status(200).json();
    let mut read = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let content = &methods["post"]["requestBody"]["content"]["application/json"];
        if content.is_null() {
            continue;
        }
        let body = example(&description, content);
        let send = |body: Value| {
            let request = Request::post(path.replace("{id}", "1"))
                .header("authorization", format!("Bearer {}", desk.token))
                .header("content-type", "application/json");
            desk.send(request.body(Full::new(bytes::Bytes::from(body.to_string()))).unwrap())
        };
        let mut longer = body.clone();
        longer["note"] = json!("a note");
        let refused: Answer = send(longer).await;
        assert_eq!(refused.code(), "unknown_member", "{path}");
        let answer = send(body.clone()).await;
        assert!(!OF_BODIES.contains(&answer.code().as_str()), "{path}: {}", String::from_utf8_lossy(&answer.body));
        read += 1;
    }
    assert!(read >= 12, "{read}");
}
