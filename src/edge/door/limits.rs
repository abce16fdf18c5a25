use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const SHORT: Duration = Duration::from_millis(300);

/// What comes back for bytes sent over TLS, until the daemon closes.
async fn sent(rig: &Rig, bytes: &[u8]) -> String {
    let mut stream = rig.tls(b"http/1.1").await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn connections_are_limited_in_all() {
    // the edge: limits on connections in all
    let rig = Rig::open(Limits { connections: 2, ..limits() }).await;
    let (mut one, mut two) = (rig.http1().await, rig.http1().await);
    // an answer says that the connection has its place: a client's side of the handshake ends before ours
    for sender in [&mut one, &mut two] {
        assert_eq!(sender.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    }
    let own = rig.clients.issue(1, &[]);
    assert!(rig.knock(rig.client(Some(&own), &[], &[&rustls::version::TLS13])).await.is_err());
    drop(one);
    tokio::time::sleep(SHORT).await;
    assert_eq!(rig.http1().await.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn connections_of_one_organisation_are_limited_and_told_when_to_come_back() {
    // the edge: limits on connections per organisation, 429 with Retry-After
    let rig = Rig::open(Limits { connections_per_organisation: 1, ..limits() }).await;
    let mut first = rig.http1().await;
    assert_eq!(first.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    for response in [
        rig.http1().await.send_request(get("/log/checkpoint")).await.unwrap(),
        rig.http2().await.send_request(get("https://localhost/log/checkpoint")).await.unwrap(),
    ] {
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(code(response).await, "too_many_requests");
    }
    assert_eq!(first.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_too_large_or_of_the_wrong_kind_is_refused_as_a_problem() {
    // bad input: oversize; errors are problem+json with a code from a closed list
    let rig = Rig::open(Limits { json_bytes: 64, ..limits() }).await;
    let large = "x".repeat(20_000);
    let with_header = Request::get("/log/checkpoint").header("host", "localhost").header("x-large", &large).body(Full::default()).unwrap();
    let other_media =
        Request::post("/v1/session").header("host", "localhost").header("content-type", "text/xml").body(Full::default()).unwrap();
    for (request, status, expected) in [
        (get("/nowhere"), 404, "no_such_route"),
        (get("/log/checkpoint?all=1"), 400, "malformed_request"),
        (get("/v1/session"), 405, "method_not_allowed"),
        (get(&format!("/{}", "a".repeat(600))), 414, "uri_too_long"),
        (with_header, 431, "headers_too_large"),
        (other_media, 415, "unsupported_media_type"),
        (post("/v1/session", &large), 413, "body_too_large"),
        (post("/v1/session", "[1,2"), 400, "malformed_request"),
        (post("/v1/session", "[1,2,300]"), 422, "invalid_value"),
    ] {
        let response = rig.http1().await.send_request(request).await.unwrap();
        assert_eq!(response.status(), status, "{expected}");
        assert_eq!(code(response).await, expected);
    }
    let read = rig.http1().await.send_request(post("/v1/session", "[1,2,3]")).await.unwrap();
    assert_eq!(read.status(), 200);
    let allowed = rig.http1().await.send_request(get("/v1/session")).await.unwrap();
    assert_eq!(allowed.headers()["allow"], "POST, DELETE");
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_off_at_the_limit() {
    // bad input: oversize
    let rig = Rig::open(limits()).await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let head = "POST /v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = sent(&rig, format!("{head}{chunk}{chunk}{chunk}").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
}

#[tokio::test]
async fn slow_senders_are_told_or_cut_off() {
    // bad input: slow senders
    let rig = Rig::open(Limits { headers: SHORT, body: SHORT, idle: Duration::from_secs(1), ..limits() }).await;
    let began = std::time::Instant::now();
    let body =
        sent(&rig, b"POST /v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[1").await;
    assert!(body.starts_with("HTTP/1.1 408") && body.contains("request_timeout"), "{body}");
    let head = sent(&rig, b"GET /log/checkpoint HTTP/1.1\r\nhost: local").await;
    assert!(!head.contains("200"), "{head}");
    let idle = sent(&rig, b"GET /log/checkpoint HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200") && idle.ends_with("head"), "{idle}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_handshake_that_does_not_come_to_its_end_is_cut_off() {
    // the edge: limits on time (slow senders)
    let rig = Rig::open(Limits { handshake: SHORT, ..limits() }).await;
    let mut stream = rig.tcp().await;
    stream.write_all(&[0x16, 3, 1]).await.unwrap();
    let closed = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok());
}

#[tokio::test]
async fn bytes_that_are_no_http_get_a_bare_refusal() {
    // bad input: malformed HTTP; J3: nothing that helps an attacker
    let rig = Rig::open(limits()).await;
    for bytes in [
        &b"\x00\x01\x02\x03\r\n\r\n"[..],
        b"GET /log/checkpoint HTTP/9.9\r\n\r\n",
        b"GET /log/checkpoint HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST /v1/session HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = sent(&rig, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert!(answer.is_empty() || answer.ends_with("\r\n\r\n") || answer.contains("application/problem+json"), "{answer}");
    }
    let huge = format!("GET /log/checkpoint HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(100_000));
    assert!(sent(&rig, huge.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn the_control_socket_serves_the_daemons_own_user_its_own_routes() {
    // B1: contactpointctl speaks to the daemon over a Unix socket (peer credentials)
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let listener = UnixListener::bind(&path).unwrap();
    let _rig = Rig::with(limits(), file_key, Some(listener)).await;
    let mut sender = speak(UnixStream::connect(&path).await.unwrap()).await;
    let status = sender.send_request(get("/v1/status")).await.unwrap();
    assert_eq!(code(status).await, "unavailable");
    let child = sender.send_request(post("/v1/children/view", "{}")).await.unwrap();
    assert_eq!(code(child).await, "no_such_route");
}

#[tokio::test]
async fn a_client_that_resets_its_requests_rapidly_delays_nobody_else() {
    // the edge: HTTP/2 with limits; CVE-2023-44487
    let rig = Rig::open(limits()).await;
    let mut rapid = rig.http2().await;
    for _ in 0..2000 {
        if rapid.ready().await.is_err() {
            break;
        }
        // dropped at once, which resets the stream
        drop(tokio::time::timeout(Duration::ZERO, rapid.send_request(get("https://localhost/log/tile/1000"))).await);
    }
    let began = std::time::Instant::now();
    assert_eq!(rig.http1().await.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_large_body_that_is_refused_does_not_cost_its_sender_the_answer() {
    // bad input: oversize - a clear typed error each time
    let rig = Rig::open(limits()).await;
    let megabyte = "x".repeat(1 << 20);
    for (path, status) in [("/v1/session", 413), ("/v1/children/view", 503)] {
        for _ in 0..10 {
            let response = rig.http1().await.send_request(post(path, &megabyte)).await.unwrap();
            assert_eq!(response.status(), status);
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_malformed_and_the_connection_closes() {
    // bad input: malformed HTTP
    let rig = Rig::open(limits()).await;
    let head = "POST /v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let began = std::time::Instant::now();
    for chunks in ["ZZ\r\nxx\r\n0\r\n\r\n", "3\r\nmore than that\r\n0\r\n\r\n"] {
        let answer = sent(&rig, format!("{head}{chunks}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("malformed_request"), "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
