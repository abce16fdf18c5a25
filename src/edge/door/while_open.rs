use super::*;

#[tokio::test]
async fn a_certificate_revoked_while_its_connection_is_open_is_refused_at_the_next_request() {
    // B4: on connections that are open; the certificate's serial is looked at again on each request
    let rig = Rig::open(limits()).await;
    let (mut one, mut two) = (rig.http1().await, rig.http2().await);
    assert_eq!(one.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    assert_eq!(two.send_request(get("https://localhost/log/checkpoint")).await.unwrap().status(), 200);
    rig.put_list(&rig.clients.list(2, &[7]));
    rig.revocation.reload(rig.clock.now().wall).unwrap();
    let response = one.send_request(get("/log/checkpoint")).await.unwrap();
    assert_eq!((response.status().as_u16(), code(response).await.as_str()), (403, "certificate_revoked"));
    let response = two.send_request(get("https://localhost/log/checkpoint")).await.unwrap();
    assert_eq!((response.status().as_u16(), code(response).await.as_str()), (403, "certificate_revoked"));
    // and the connections close
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(one.send_request(get("/log/checkpoint")).await.is_err());
    assert!(two.send_request(get("https://localhost/log/checkpoint")).await.is_err());
}

#[tokio::test]
async fn a_new_list_is_found_by_itself_and_a_damaged_one_is_passed_over() {
    // B1: reloaded without restart
    let rig = Rig::open(limits()).await;
    let looking = crate::reload::keep_looking(Arc::clone(&rig.revocation), rig.clock.clone(), Duration::from_millis(50));
    let looking = tokio::spawn(looking);
    let mut open = rig.http1().await;
    assert_eq!(open.send_request(get("/log/checkpoint")).await.unwrap().status(), 200);
    rig.put_list("damaged");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(open.send_request(get("/log/checkpoint")).await.unwrap().status(), 200, "the list in use stays");
    rig.put_list(&rig.clients.list(2, &[7]));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(open.send_request(get("/log/checkpoint")).await.unwrap().status(), 403);
    looking.abort();
}

#[tokio::test]
async fn a_list_that_expires_while_running_stops_every_answer_until_a_new_one_comes() {
    // B1: 503 when it expires while running
    let rig = Rig::open(limits()).await;
    let mut open = rig.http1().await;
    let to_the_end = crate::authority::END - rig.clock.now().wall.seconds();
    rig.clock.dangerous_advance(Duration::from_secs(to_the_end));
    let response = open.send_request(get("/log/checkpoint")).await.unwrap();
    assert!(response.headers().contains_key("retry-after"), "a 503 says when to come back");
    assert_eq!((response.status().as_u16(), code(response).await.as_str()), (503, "revocation_list_expired"));
}

#[tokio::test]
async fn a_stop_lets_open_requests_finish_and_accepts_nothing_more() {
    // architecture, process: stop accepting, finish what is open
    let mut rig = Rig::open(limits()).await;
    let (mut busy, mut idle) = (rig.http1().await, rig.http1().await);
    let asked = tokio::spawn(async move { busy.send_request(get("/log/tile/400")).await.map(|response| response.status().as_u16()) });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(rig.stop().await, "everything finished in time");
    assert_eq!(asked.await.unwrap().unwrap(), 200);
    assert!(idle.send_request(get("/log/checkpoint")).await.is_err());
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_unavailable_in_bounded_time() {
    // F1; a trap: a full disk stalls everything (must answer in bounded time)
    let short = Duration::from_millis(100);
    let rig = Rig::open(Limits { body: short, answer: short, ..limits() }).await;
    let response = rig.http1().await.send_request(get("/log/tile/60000")).await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!((response.status().as_u16(), code(response).await.as_str()), (503, "unavailable"));
}

#[tokio::test]
async fn one_http_2_connection_holds_at_most_64_requests() {
    // B1: HTTP/2 with limits
    let rig = Rig::open(limits()).await;
    let mut sender = rig.http2().await;
    // the first answer tells the client of the limit
    assert_eq!(sender.send_request(get("https://localhost/log/checkpoint")).await.unwrap().status(), 200);
    // the 65th waits for a place, so all of them take twice as long as one
    let began = std::time::Instant::now();
    let asked: Vec<_> = (0..65).map(|_| tokio::spawn(sender.send_request(get("https://localhost/log/tile/300")))).collect();
    for response in asked {
        assert_eq!(response.await.unwrap().unwrap().status(), 200);
    }
    assert!(began.elapsed() >= Duration::from_millis(590), "{:?}", began.elapsed());
}
