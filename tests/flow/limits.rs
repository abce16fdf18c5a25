//! How much one organisation, and all of them together, may hold open; and that nobody else suffers from it.

use crate::answers::examined;
use crate::borough::{borough, programs, searched, settings};
use crate::office::{Desk, Office, USUAL};
use crate::wire::{rest_of, tcp, until};
use contactpoint_client::Connection;
use contactpoint_support::{call, request, Answer, Enrolment, Rig};
use http::Method;

async fn served(connection: &mut Connection) -> Answer {
    examined(call(connection, request(Method::GET, "/log/checkpoint", None, None)).await.unwrap())
}

async fn looks(desk: &Desk) -> u16 {
    desk.post("/v1/children/search", searched("Nobody", "2014-01-01")).await.status.as_u16()
}

#[tokio::test]
async fn an_organisation_with_too_many_connections_is_told_to_wait_and_others_are_served() {
    // the edge: connections per organisation and in all, and 429 with Retry-After
    let rig = Rig::started(programs(), Some(&settings(&[("connections_per_organisation", "3")])));
    let enrolment = |name| Enrolment { name, kind: "school", authority: None, capabilities: &["query"] };
    let greedy = Office::opened(&rig, &enrolment("Greedy School"), USUAL).await;
    let modest = Office::opened(&rig, &enrolment("Modest School"), USUAL).await;
    let desk = greedy.practitioner();
    // connections that setting up left behind end in their own time
    let mut held = until("three connections that are served", || async {
        let mut held = [desk.connection(), desk.connection(), desk.connection()];
        for connection in &mut held {
            if served(connection).await.status != 200 {
                return None;
            }
        }
        Some(held)
    })
    .await;

    for _ in 0..3 {
        let mut one_too_many = desk.connection();
        let told = served(&mut one_too_many).await.expect_status(429);
        assert_eq!((told.code().as_str(), told.headers.contains_key("retry-after")), ("too_many_requests", true));
        assert_eq!(looks(modest.practitioner()).await, 200);
    }
    for connection in &mut held {
        assert_eq!(served(connection).await.status, 200, "those who are in stay in");
    }
    drop(held);
    until("room for the organisation again", || async { (looks(desk).await == 200).then_some(()) }).await;
}

#[tokio::test]
async fn connections_beyond_the_total_are_closed_unread_and_officers_still_get_in() {
    // the edge: connections in all; a full network does not lock the officers out
    let rig = Rig::started(programs(), Some(&settings(&[("connections_total", "8"), ("connections_per_organisation", "8")])));
    let enrolment = Enrolment { name: "Crowded School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    // strangers who only connect and say nothing
    let mut held = Vec::new();
    loop {
        held.push(tcp(&desk.server).await.unwrap());
        assert!(held.len() < 100, "there is a limit");
        if call(&mut desk.connection(), request(Method::GET, "/log/checkpoint", None, None)).await.is_err() {
            break;
        }
    }
    let mut refused = tcp(&desk.server).await.unwrap();
    assert!(rest_of(&mut refused).await.is_empty(), "closed without a word");
    assert_eq!(rig.as_officer(Method::GET, "/v1/status", None).await.status, 200);
    drop(held);
    until("room again", || async {
        let answer = call(&mut desk.connection(), request(Method::GET, "/log/checkpoint", None, None)).await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn sixty_four_look_ups_at_the_same_moment_are_all_answered_and_all_in_the_log() {
    // F1: every access is written durably before any answer leaves
    let borough = borough().await;
    let desk = borough.oak.practitioner();
    let asked: Vec<_> = (0..64)
        .map(|_| {
            let desk = desk.clone();
            tokio::spawn(async move { desk.post("/v1/children/search", searched("Nobody", "2014-01-01")).await })
        })
        .collect();
    let mut entries = Vec::new();
    for answer in asked {
        entries.push(answer.await.unwrap().expect_status(200).json()["entry"].as_u64().unwrap());
    }
    entries.sort_unstable();
    entries.dedup();
    assert_eq!(entries.len(), 64, "an entry each");
}
