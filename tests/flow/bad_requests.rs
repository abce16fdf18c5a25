//! HTTP that is none, or too much, or too slow; addresses and methods that do not exist; and HTTP/2 beside HTTP/1.1.

use crate::answers::{assert_is_problem, examined};
use crate::borough::{borough, programs, searched, settings};
use crate::children::AMELIA;
use crate::office::{identity, Desk, Office, USUAL};
use crate::wire::{dribbled_to, http2, rest_of, said_to, tcp, tls, Raw};
use contactpoint_support::{request, Enrolment, Rig};
use http::Method;
use http_body_util::{BodyExt, Full};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// Sends bytes as an enrolled organisation; nothing of them may come back.
async fn said(desk: &Desk, bytes: &[u8]) -> Raw {
    let raw = said_to(&desk.server, &desk.tls, bytes).await;
    assert!(!raw.echoes("SENTINEL"), "{}", raw.head);
    raw
}

/// And the directory serves on.
async fn assert_serves_on(desk: &Desk) {
    drop(desk.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(200));
}

#[tokio::test]
async fn bytes_that_are_no_http_get_a_bare_refusal_and_the_connection_closes() {
    // bad input: malformed HTTP - a clear typed error each time, no panic
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    for bytes in [
        &b"\x00\x01\x02\x03 SENTINEL \r\n\r\n"[..],
        b"SENTINEL\r\n\r\n",
        b"GET /openapi.json HTTP/9.9\r\nhost: SENTINEL\r\n\r\n",
        b"GET /openapi.json SENTINEL/1.1\r\nhost: d\r\n\r\n",
        b"GET  /SENTINEL  HTTP/1.1\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nSENTINEL\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nhost: d\r\nx-SENTINEL: a\x00b\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nhost : SENTINEL\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nhost: d\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nSENTINEL",
        b"POST /v1/session HTTP/1.1\r\nhost: d\r\ncontent-length: -1\r\n\r\nSENTINEL",
        b"POST /v1/session HTTP/1.1\r\nhost: d\r\ntransfer-encoding: SENTINEL\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nSENTINEL",
    ] {
        let raw = said(teacher, bytes).await;
        assert!([0, 400].contains(&raw.status), "{} to {}", raw.status, String::from_utf8_lossy(bytes));
    }
    assert_serves_on(teacher).await;
}

#[tokio::test]
async fn a_chunked_body_that_is_none_is_malformed() {
    // bad input: malformed HTTP
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    for chunks in ["ZZ\r\nSENTINEL\r\n0\r\n\r\n", "fffffffffffffffff\r\nSENTINEL", "3\r\nSENTINEL\r\n0\r\n\r\n"] {
        let head = "POST /v1/session HTTP/1.1\r\nhost: d\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let raw = said(teacher, format!("{head}{chunks}").as_bytes()).await;
        assert_eq!(raw.status, 400, "{chunks}");
    }
    assert_serves_on(teacher).await;
}

#[tokio::test]
async fn one_request_hidden_in_another_is_never_answered() {
    // bad input: malformed HTTP; a length and a chunked body together are how requests are smuggled (RFC 9112, 6.1)
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let hidden = "0\r\n\r\nGET /openapi.json HTTP/1.1\r\nhost: d\r\nconnection: close\r\n\r\n";
    let head = "POST /v1/session HTTP/1.1\r\nhost: d\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let bytes = format!("{head}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n{hidden}", hidden.len());
    let raw = said(teacher, bytes.as_bytes()).await;
    assert_eq!(raw.status, 400);
    assert!(!raw.echoes("openapi") && !raw.echoes("HTTP/1.1 200"));
}

#[tokio::test]
async fn addresses_headers_and_header_fields_have_an_end() {
    // B1: limits on header size; docs/problems.md: 414, 431
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let long = "SENTINEL".repeat(100);
    for (bytes, status, code) in [
        (format!("GET /{long} HTTP/1.1\r\nhost: d\r\nconnection: close\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET /openapi.json?{long} HTTP/1.1\r\nhost: d\r\nconnection: close\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET /openapi.json HTTP/1.1\r\nhost: d\r\nconnection: close\r\nx: {}\r\n\r\n", long.repeat(25)), 431, "headers_too_large"),
    ] {
        let raw = said(teacher, bytes.as_bytes()).await;
        assert_eq!((raw.status, raw.code().as_str()), (status, code));
        assert_is_problem(&raw.body, status);
    }
    let endless = format!("GET /openapi.json HTTP/1.1\r\nhost: d\r\nx: {}\r\n\r\n", "SENTINEL".repeat(40_000));
    assert_eq!(said(teacher, endless.as_bytes()).await.status, 431);
    let long_line = format!("GET /{} HTTP/1.1\r\nhost: d\r\n\r\n", "SENTINEL".repeat(20_000));
    assert_eq!(said(teacher, long_line.as_bytes()).await.status, 431);
    let many: String = (0..500).map(|n| format!("x-{n}: SENTINEL\r\n")).collect();
    let raw = said(teacher, format!("GET /openapi.json HTTP/1.1\r\nhost: d\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(raw.status, 431);
    assert_serves_on(teacher).await;
}

#[tokio::test]
async fn an_address_has_one_spelling_and_a_method_of_its_own() {
    // docs/problems.md: no_such_route, method_not_allowed
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    for path in [
        "/",
        "/v1",
        "/v1/children",
        "/v1/children/search/",
        "//v1/children/search",
        "/v1/%63hildren/search",
        "/V1/children/search",
        "/v1/../v1/children/search",
        "/v1/organisations",
        "/v1/status",
        "/metrics",
        "/.well-known/security.txt",
        "/log/tile/..",
        "/log/tile/../../store.db",
        "/v1/feeds/x",
        "/v1/feeds/-1",
        "/v1/feeds/99999999999999999999/report",
        "/log/receipt/00",
        "/log/receipt/+0",
        "/log/receipt/18446744073709551616",
    ] {
        let answer = teacher.get(path).await;
        assert!(answer.status == 404, "{path}: {}", answer.status);
    }
    for (method, path, allow) in [
        (Method::GET, "/v1/children/search", "POST"),
        (Method::PUT, "/v1/session", "POST, DELETE"),
        (Method::HEAD, "/openapi.json", "GET"),
        (Method::OPTIONS, "/v1/children/view", "POST"),
        (Method::TRACE, "/log/checkpoint", "GET"),
        (Method::PATCH, "/v1/feeds/1", "GET"),
    ] {
        let answer =
            contactpoint_support::call(&mut teacher.connection(), request(method.clone(), path, Some(&teacher.token), None)).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.headers["allow"].to_str().unwrap()), (405, allow), "{method} {path}");
        if method != Method::HEAD {
            assert_eq!(examined(answer).code(), "method_not_allowed");
        }
    }
    let answer = teacher.get("/openapi.json?name=Thornbury").await.expect_status(400);
    assert_eq!(answer.code(), "malformed_request", "no personal data in an address: nothing is asked in one");
}

#[tokio::test]
async fn a_preflight_request_changes_nothing_for_anybody() {
    // B1; a trap: one registry's certificate check was switched off for everyone by one preflight request
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let preflight = http::Request::options("/v1/children/search")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let answer = teacher.send(preflight.body(Full::default()).unwrap()).await.expect_status(405);
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    let stranger = borough.rig.connection_without_certificate();
    let refused = contactpoint_support::call(&mut { stranger }, request(Method::GET, "/log/checkpoint", None, None)).await;
    assert!(refused.is_err());
    drop(teacher.send(request(Method::POST, "/v1/children/search", None, Some(&searched(AMELIA.0, AMELIA.1)))).await.expect_status(401));
}

#[tokio::test]
async fn a_header_that_decides_may_be_there_once() {
    // bad input: malformed HTTP
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let body = searched(AMELIA.0, AMELIA.1).to_string();
    for doubled in ["authorization: Bearer SENTINEL", "content-type: text/plain", "x-request-id: 1\r\nx-request-id: 2"] {
        let head = format!(
            "POST /v1/children/search HTTP/1.1\r\nhost: d\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n{doubled}\r\n\r\n{body}",
            teacher.token,
            body.len()
        );
        let raw = said(teacher, head.as_bytes()).await;
        assert_eq!((raw.status, raw.code().as_str()), (400, "malformed_request"), "{doubled}");
    }
}

#[tokio::test]
async fn http_2_is_the_same_directory() {
    // B1: HTTP/1.1 and 2
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let mut sender = http2(&teacher.server, &identity(&borough.rig, &teacher.certificate)).await;
    let search = |token: &str, body: String| {
        let request = http::Request::post("https://directory/v1/children/search").header("content-type", "application/json");
        request.header("authorization", format!("Bearer {token}")).body(Full::new(bytes::Bytes::from(body))).unwrap()
    };
    let good = sender.send_request(search(&teacher.token, searched(AMELIA.0, AMELIA.1).to_string())).await.unwrap();
    assert_eq!((good.status().as_u16(), good.headers()["cache-control"].as_bytes()), (200, &b"no-store"[..]));
    let found: serde_json::Value = serde_json::from_slice(&good.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(found["hits"].as_array().unwrap().len(), 1);
    for (token, body, status) in
        [("x", "{}".to_owned(), 401), (&teacher.token, "{".to_owned(), 400), (&teacher.token, " ".repeat(20_000), 413)]
    {
        sender.ready().await.unwrap();
        let refused = sender.send_request(search(token, body)).await.unwrap();
        assert_eq!(refused.status(), status);
        let body = refused.into_body().collect().await.unwrap().to_bytes();
        assert_is_problem(&body, status);
    }
}

#[tokio::test]
async fn slow_senders_are_cut_off_and_others_are_served_meanwhile() {
    // B1: limits on time (slow senders); bad input: slow senders
    let limits = [("handshake_seconds", "1"), ("header_seconds", "1"), ("body_seconds", "1")];
    let rig = Rig::started(programs(), Some(&settings(&limits)));
    let enrolment = Enrolment { name: "Slow School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    // twice the limit, the last words, and a busy machine
    let soon = Duration::from_secs(10);

    let slow_header = async {
        let mut stream = tls(&desk.server, &desk.tls).await.unwrap();
        let (raw, listened) = dribbled_to(&mut stream, b"GET /openapi.json HTTP/1.1\r\nhost: d\r\nx: ").await;
        assert!(raw.status == 0 && listened < soon, "{} after {listened:?}", raw.status);
    };
    let slow_body = async {
        let mut stream = tls(&desk.server, &desk.tls).await.unwrap();
        let head = b"POST /v1/session HTTP/1.1\r\nhost: d\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
        let (raw, listened) = dribbled_to(&mut stream, head).await;
        assert_eq!((raw.status, raw.code().as_str()), (408, "request_timeout"));
        assert!(listened < soon, "{listened:?}");
    };
    let slow_handshake = async {
        let begun = Instant::now();
        let mut stream = tcp(&desk.server).await.unwrap();
        stream.write_all(&[0x16, 3, 1]).await.unwrap();
        assert!(rest_of(&mut stream).await.is_empty() && begun.elapsed() < soon);
    };
    let others = async {
        for _ in 0..5 {
            drop(desk.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.expect_status(200));
        }
    };
    tokio::join!(slow_header, slow_body, slow_handshake, others);
}
