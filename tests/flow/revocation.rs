//! Revoked certificates: at the handshake, on connections that are open, and what becomes of a directory without a list that holds
//! (rules B1, B4).

use crate::answers::examined;
use crate::borough::{borough, programs};
use crate::children::AMELIA;
use crate::office::{identity, Office, USUAL};
use crate::wire::{http2, until, PATIENCE};
use bytes::Bytes;
use contactpoint_client::{Connection, ConnectionError};
use contactpoint_support::pki::Holds;
use contactpoint_support::{call, request, Answer, Enrolment, Rig};
use http::{Method, Request};
use http_body_util::Full;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_revoked_certificate_ends_open_connections_at_their_next_request_and_opens_none() {
    // B4: suspension takes effect on the next request, also on connections that are open; a trap: an open connection outlives a new list
    let borough = borough().await;
    let office = borough.open("Closing School", "school", &["query"]).await;
    let desk = office.practitioner();
    let mut open = desk.connection();
    let look = || request(Method::POST, "/v1/children/search", Some(&desk.token), Some(&crate::borough::searched(AMELIA.0, AMELIA.1)));
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    let mut open_http2 = http2(&desk.server, &identity(&borough.rig, &desk.certificate)).await;
    let checkpoint =
        || http::Request::get("https://directory/log/checkpoint").body(http_body_util::Full::<bytes::Bytes>::default()).unwrap();
    assert_eq!(open_http2.send_request(checkpoint()).await.unwrap().status(), 200);

    borough.rig.revoke(&desk.certificate);
    borough.rig.daemon().signal(Signal::SIGHUP);
    let refused = first_that_is_not_answered(&mut open, look).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "certificate_revoked"));
    assert_eq!(open_http2.send_request(checkpoint()).await.unwrap().status(), 403);
    let again = call(&mut desk.connection(), look()).await;
    assert!(matches!(again, Err(ConnectionError::TlsRefused(_))), "{again:?}");
    assert!(matches!(call(&mut open, look()).await, Err(ConnectionError::TlsRefused(_))), "the refused connection was closed");
    drop(borough.oak.practitioner().post("/v1/children/search", crate::borough::searched(AMELIA.0, AMELIA.1)).await.expect_status(200));
}

/// Asks over and over on the same connection; the first answer that is none of 200.
async fn first_that_is_not_answered(open: &mut Connection, ask: impl Fn() -> Request<Full<Bytes>>) -> Answer {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let answer = examined(call(open, ask()).await.expect("the open connection is answered"));
        if answer.status != 200 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is answered for ever");
}

#[tokio::test]
async fn a_list_that_runs_out_while_running_stops_every_answer_and_a_new_one_brings_them_back() {
    // B1: revocation list required (absent or expired = refuse to start, or 503 when it expires while running)
    let mut rig = Rig::prepared(programs(), None);
    rig.start();
    let enrolment = Enrolment { name: "Only School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    let mut open = desk.connection();
    let checkpoint = || request(Method::GET, "/log/checkpoint", None, None);
    drop(call(&mut open, checkpoint()).await.unwrap().expect_status(200));

    rig.place.put_tls("clients.crl.pem", &rig.clients.revocation_list(&[], Holds::For(Duration::from_secs(6))));
    rig.daemon().signal(Signal::SIGHUP);
    let expired = first_that_is_not_answered(&mut open, checkpoint).await;
    assert_eq!((expired.status.as_u16(), expired.code().as_str()), (503, "revocation_list_expired"));
    assert_eq!(
        desk.post("/v1/children/search", crate::borough::searched("Nobody", "2014-01-01")).await.expect_status(503).code(),
        "revocation_list_expired"
    );
    assert_eq!(desk.get("/openapi.json").await.code(), "revocation_list_expired");

    for wrong in [rig.clients.revocation_list(&[], Holds::NoLonger), rig.strangers.revocation_list(&[], Holds::Long), "no list".to_owned()]
    {
        rig.place.put_tls("clients.crl.pem", &wrong);
        rig.daemon().signal(Signal::SIGHUP);
    }
    drop(desk.get("/log/checkpoint").await.expect_status(503));
    rig.place.put_tls("clients.crl.pem", &rig.clients.revocation_list(&[], Holds::Long));
    rig.daemon().signal(Signal::SIGHUP);
    until("answers under the new list", || async { (desk.get("/log/checkpoint").await.status == 200).then_some(()) }).await;
    drop(desk.post("/v1/children/search", crate::borough::searched("Nobody", "2014-01-01")).await.expect_status(200));
}

#[tokio::test]
async fn a_list_older_than_the_one_in_use_is_not_taken() {
    // B1: a revoked certificate does not come back because somebody puts an old list in its place
    let rig = Rig::started(programs(), None);
    let enrolment = |name| Enrolment { name, kind: "school", authority: None, capabilities: &["query"] };
    let revoked = Office::opened(&rig, &enrolment("Closed School"), USUAL).await;
    let other = Office::opened(&rig, &enrolment("Open School"), USUAL).await;
    let old = rig.clients.revocation_list(&[], Holds::Long);
    rig.revoke(&revoked.organisation.certificate);
    rig.daemon().signal(Signal::SIGHUP);
    let desk = revoked.practitioner();
    let checkpoint = || request(Method::GET, "/log/checkpoint", None, None);
    until("the revocation", || async { call(&mut desk.connection(), checkpoint()).await.is_err().then_some(()) }).await;

    let told = "older than the one in use";
    assert!(!rig.daemon().log().contains(told));
    rig.place.put_tls("clients.crl.pem", &old);
    rig.daemon().signal(Signal::SIGHUP);
    until("a word on the old list", || async { rig.daemon().log().contains(told).then_some(()) }).await;
    assert!(call(&mut desk.connection(), checkpoint()).await.is_err());
    drop(other.practitioner().get("/log/checkpoint").await.expect_status(200));
}

#[tokio::test]
async fn without_a_list_that_holds_the_directory_does_not_start_and_says_why() {
    // B1: absent or expired = refuse to start; a trap: no CRL configured = everything accepted
    let mut rig = Rig::prepared(programs(), None);
    let file = rig.place.configuration().join("tls/clients.crl.pem");
    let cases: [(&str, Option<String>, &str); 6] = [
        ("absent", None, "cannot be read"),
        ("expired", Some(rig.clients.revocation_list(&[], Holds::NoLonger)), "has expired"),
        ("somebody else's", Some(rig.strangers.revocation_list(&[], Holds::Long)), "not signed by any of the client authorities"),
        ("empty", Some(String::new()), "is not a PEM file"),
        ("no list", Some(rig.clients.pem()), "is not a PEM file"),
        ("cut off", Some(rig.clients.revocation_list(&[], Holds::Long)[..200].to_owned()), "PEM"),
    ];
    for (case, list, sentence) in cases {
        match list {
            Some(list) => rig.place.put_tls("clients.crl.pem", &list),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let fault = rig.try_start().expect_err(case);
        assert_eq!(fault.status.and_then(|status| status.code()), Some(78), "{case}: {}", fault.log);
        let last = fault.log.lines().last().unwrap_or("");
        assert!(last.contains(sentence), "{case}: {last}");
    }
    rig.place.put_tls("clients.crl.pem", &rig.clients.revocation_list(&[], Holds::Long));
    rig.start();
}

#[tokio::test]
async fn an_authority_without_a_list_of_its_own_keeps_the_directory_from_starting() {
    // B1: no request is read from a revoked one, so every authority must say whom it revoked
    let mut rig = Rig::prepared(programs(), None);
    rig.place.put_tls("clients-ca.pem", &(rig.clients.pem() + &rig.strangers.pem()));
    let fault = rig.try_start().expect_err("one list for two authorities");
    assert!(fault.log.contains("has no list of revoked certificates"), "{}", fault.log);
    let both = rig.clients.revocation_list(&[], Holds::Long) + &rig.strangers.revocation_list(&[], Holds::Long);
    rig.place.put_tls("clients.crl.pem", &both);
    rig.start();
}

#[tokio::test]
async fn a_server_certificate_for_another_key_than_the_hsms_does_not_start() {
    // G2: the key is in the HSM
    let mut rig = Rig::prepared(programs(), None);
    rig.place.put_tls("server.pem", &rig.servers.client("127.0.0.1").certificate);
    let fault = rig.try_start().expect_err("another key");
    assert_eq!(fault.status.and_then(|status| status.code()), Some(78));
    assert!(fault.log.contains("is not for the TLS key in the HSM"), "{}", fault.log);
}
