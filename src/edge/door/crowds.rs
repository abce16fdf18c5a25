//! One who takes everything: the others are answered while it lasts.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Asks once over this connection; the status.
async fn asked(rig: &Rig, stream: TcpStream, issued: &Issued) -> u16 {
    let mut sender = speak(rig.greeted(stream, issued).await.unwrap()).await;
    sender.send_request(get("/log/checkpoint")).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn connections_that_say_nothing_shut_nobody_out() {
    // bad input: slow senders; edge: limits on connections in all
    let rig = Rig::open(Limits { connections: 40, handshake: Duration::from_secs(60), ..limits() }).await;
    let other = rig.certificate_of(2);
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(rig.tcp().await);
    }
    assert_eq!(asked(&rig, rig.tcp_from(2).await, &other).await, 200);
    // beyond an address's eight they are closed at once, not kept
    let mut last = silent.pop().unwrap();
    let read = tokio::time::timeout(Duration::from_secs(5), last.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    // from many addresses the places for handshakes run out, those of who is in do not
    let mut sender = speak(rig.greeted(rig.tcp_from(2).await, &other).await.unwrap()).await;
    assert_eq!(sender.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    for x in 3..10 {
        for _ in 0..8 {
            silent.push(rig.tcp_from(x).await);
        }
    }
    assert!(rig.greeted(rig.tcp_from(20).await, &other).await.is_err());
    assert_eq!(sender.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn one_organisations_silent_connections_shut_nobody_out() {
    // the edge: limits on connections per organisation and in all
    let rig = Rig::open(Limits { connections: 24, connections_per_organisation: 3, ..limits() }).await;
    let (greedy, other) = (rig.clients.issue(7, &[]), rig.certificate_of(2));
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.extend(rig.greeted(rig.tcp().await, &greedy).await);
    }
    assert!(silent.len() > 24, "{} handshakes came to their end", silent.len());
    assert_eq!(asked(&rig, rig.tcp().await, &other).await, 200);
    // those beyond the limit live for two seconds, the three within it stay
    let mut within = 0;
    let began = std::time::Instant::now();
    for mut stream in silent {
        let most = Duration::from_secs(5).saturating_sub(began.elapsed()).max(Duration::from_millis(20));
        within += usize::from(tokio::time::timeout(most, stream.read(&mut [0; 1])).await.is_err());
    }
    assert_eq!(within, 3);
}

/// A log-in whose body stays away; what is told without it within five seconds, or nothing.
async fn unfinished(rig: &Rig, issued: &Issued, length: &str) -> (TlsStream<TcpStream>, String) {
    let mut stream = rig.greeted(rig.tcp().await, issued).await.unwrap();
    let head = format!("POST /v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut told = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(4), stream.read(&mut told)).await;
    let told = String::from_utf8_lossy(&told[..read.map_or(0, Result::unwrap)]).into_owned();
    (stream, told)
}

#[tokio::test]
async fn bodies_that_never_come_take_no_more_memory_than_their_organisation_has() {
    // bad input: slow senders, oversize; edge: 429 with Retry-After
    let rig = Rig::open(Limits { bodies: 8192, bodies_per_organisation: 4200, body: Duration::from_secs(60), ..limits() }).await;
    let [one, two, three] = [1, 2, 3].map(|organisation| rig.certificate_of(organisation));
    let small = || post("/v1/session", "[1,2,3]");
    // a body that does not say how long it is counts as the longest
    let (held, told) = unfinished(&rig, &one, "transfer-encoding: chunked").await;
    assert_eq!(told, "");
    let (_, told) = unfinished(&rig, &one, "content-length: 1000").await;
    assert!(told.starts_with("HTTP/1.1 429") && told.contains("retry-after: 2") && told.contains("too_many_requests"), "{told}");
    // another organisation has its own share, until all of it is taken
    let mut sender = speak(rig.greeted(rig.tcp().await, &two).await.unwrap()).await;
    assert_eq!(sender.send_request(small()).await.unwrap().status(), 200);
    let (also_held, told) = unfinished(&rig, &two, "content-length: 4096").await;
    assert_eq!(told, "");
    let mut sender = speak(rig.greeted(rig.tcp().await, &three).await.unwrap()).await;
    let response = sender.send_request(small()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (503, &b"2"[..]));
    assert_eq!(code(response).await, "unavailable");
    // and what is given up is given back
    drop((held, also_held));
    tokio::time::sleep(Duration::from_millis(300)).await;
    for issued in [&one, &two, &three] {
        let mut sender = speak(rig.greeted(rig.tcp().await, issued).await.unwrap()).await;
        assert_eq!(sender.send_request(small()).await.unwrap().status(), 200);
    }
}
