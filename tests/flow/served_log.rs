//! The log verified where it is served, by the operators' program over mutual TLS, with no copy of it (rule F2). Tampered answers and lost
//! connections are in the client's own tests, over the same connection.

use crate::borough::{borough, programs, searched, Borough};
use crate::children::IDRIS;
use crate::office::{Desk, Office, USUAL};
use crate::wire::until;
use contactpoint_support::{call, request, Enrolment, Rig};
use http::Method;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What `contactpointctl verify-log https://...` says to an inspector; nothing of an appliance is in its environment.
fn verdict(borough: &Borough, key: &str, more: &[&str]) -> Output {
    static READERS: AtomicUsize = AtomicUsize::new(0);
    let reader = format!("verifier-{}", READERS.fetch_add(1, Relaxed));
    let profile = borough.rig.profile(&reader, &borough.police.organisation.certificate);
    let mut command = Command::new(&borough.rig.programs.operator);
    command.env_clear().arg("verify-log").arg(format!("https://{}", borough.rig.server()));
    for (option, ending) in [("--certificate", "pem"), ("--client-key", "key"), ("--ca", "ca.pem")] {
        command.arg(option).arg(profile.with_extension(ending));
    }
    command.args(["--key", key, "--json"]).args(more).output().unwrap()
}

fn size_in(verdict: &Output) -> u64 {
    assert_eq!(verdict.status.code(), Some(0), "{}", String::from_utf8_lossy(&verdict.stderr));
    let told: Value = serde_json::from_slice(&verdict.stdout).unwrap();
    assert_eq!(told["verified"], true);
    told["size"].as_u64().unwrap()
}

/// A look of a teacher; its index in the log.
async fn look(borough: &Borough) -> u64 {
    let answer = borough.river.practitioner().post("/v1/children/search", searched(IDRIS.0, IDRIS.1)).await;
    answer.expect_status(200).json()["entry"].as_u64().unwrap()
}

/// The size of the newest head, once it covers the entry.
async fn covered(borough: &Borough, entry: u64) -> u64 {
    until("a checkpoint over the entry", || async {
        let note = borough.police.practitioner().get("/log/checkpoint").await.expect_status(200);
        let size: u64 = std::str::from_utf8(&note.body).unwrap().lines().nth(1)?.parse().ok()?;
        (size > entry).then_some(size)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_log_is_verified_over_mutual_tls_while_it_grows_and_the_next_time_only_what_is_newer() {
    // F2: anyone with the public key can verify that nothing was altered, removed or reordered
    let borough = borough().await;
    let key = borough.rig.verifier_key.to_string();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("checkpoint");
    let at_least = covered(borough, look(borough).await).await;
    let first = size_in(&verdict(borough, &key, &["--keep", kept.to_str().unwrap()]));
    assert!(first >= at_least);

    // six verdicts while looks go on
    let verdicts = tokio::task::spawn_blocking({
        let key = key.clone();
        move || {
            let borough = tokio::runtime::Handle::current().block_on(crate::borough::borough());
            (0..6).map(|_| size_in(&verdict(borough, &key, &[]))).collect::<Vec<u64>>()
        }
    });
    let mut last = first;
    while !verdicts.is_finished() {
        last = look(borough).await;
    }
    let sizes = verdicts.await.unwrap();
    let size = covered(borough, last).await;
    assert!(sizes.is_sorted() && sizes[0] >= first && size > first, "{sizes:?}");

    let since = verdict(borough, &key, &["--since", kept.to_str().unwrap()]);
    assert!(size_in(&since) >= size);
    let told: Value = serde_json::from_slice(&since.stdout).unwrap();
    assert_eq!(told["skipped"], first);
    assert_eq!(names(folder.path()), ["checkpoint"], "nothing else is kept");
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_served_log_of_another_key_exits_1_a_server_that_refuses_or_is_away_69_and_a_missing_certificate_64() {
    // F2, and sysexits(3): no verdict is neither a good one nor a bad one
    let borough = borough().await;
    let other = contactpoint_audit::VerifierKey::ed25519(
        borough.rig.verifier_key.name(),
        ed25519_dalek::SigningKey::from_bytes(&[9; 32]).verifying_key().as_bytes(),
    );
    assert_eq!(verdict(borough, &other.unwrap().to_string(), &[]).status.code(), Some(1));

    let key = borough.rig.verifier_key.to_string();
    let stranger = borough.rig.profile("stranger-verifier", &borough.rig.clients.client("Stranger"));
    let asked = |server: &str, certificate: bool| {
        let mut command = Command::new(&borough.rig.programs.operator);
        command.env_clear().arg("verify-log").arg(server).args(["--key", &key]);
        if certificate {
            command.arg("--certificate").arg(stranger.with_extension("pem")).arg("--client-key").arg(stranger.with_extension("key"));
            command.arg("--ca").arg(stranger.with_extension("ca.pem"));
        }
        command.output().unwrap()
    };
    let ours = format!("https://{}", borough.rig.server());
    let refused = asked(&ours, true);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(69), "{said}");
    assert!(said.contains("checkpoint was not fetched"), "B1: nobody unknown is let in: {said}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(asked(&format!("https://{free}"), true).status.code(), Some(69));
    assert_eq!(asked(&ours, false).status.code(), Some(64));
}

/// The path of a tile that the log has, once it has a head.
async fn some_tile(desk: &Desk) -> String {
    let head = until("a head over the first entry", || async {
        let note = desk.get("/log/checkpoint").await;
        (note.status == 200).then_some(note)
    })
    .await;
    let size: u64 = std::str::from_utf8(&head.body).unwrap().lines().nth(1).unwrap().parse().unwrap();
    format!("/log/{}", contactpoint_audit::tiles::tile_path(0, 0, contactpoint_audit::tiles::width_at(size, 0, 0)))
}

/// Fetches that tile so often, one after the other; `fetched` counts.
async fn fetches(desk: &Desk, path: &str, times: u32, fetched: &AtomicUsize) {
    let mut connection = desk.connection();
    for _ in 0..times {
        let answer = call(&mut connection, request(Method::GET, path, None, None)).await.unwrap();
        assert_eq!(answer.status, 200);
        fetched.fetch_add(1, Relaxed);
    }
}

#[tokio::test]
async fn whoever_fetches_the_log_without_a_pause_has_a_burst_and_then_100_tiles_a_second_and_holds_back_nobody_else() {
    // F2: open to whoever checks it, and a check slows no answer about a child, nor another's check
    let rig = Rig::started(programs(), None);
    let enrolment = |name| Enrolment { name, kind: "school", authority: None, capabilities: &["query"] };
    let hasty = Office::opened(&rig, &enrolment("Hasty School"), USUAL).await;
    let witness = Office::opened(&rig, &enrolment("Witness House"), USUAL).await;
    let path = some_tile(hasty.practitioner()).await;
    let (begun, fetched) = (Instant::now(), AtomicUsize::new(0));
    fetches(hasty.practitioner(), &path, 800, &fetched).await;
    // 500 at once, and each of the others 10 ms after the one before: no machine is so slow that it takes less
    assert!(begun.elapsed() >= Duration::from_millis(2900), "{:?}", begun.elapsed());
    // who has fetched nothing has a share of the burst at once; by one pace for all, both would now fetch by turns
    let by_witness = AtomicUsize::new(0);
    let go_on = AtomicUsize::new(0);
    tokio::select! {
        () = fetches(hasty.practitioner(), &path, u32::MAX, &go_on) => unreachable!("it fetches until the witness is done"),
        () = fetches(witness.practitioner(), &path, 200, &by_witness) => {}
    }
    assert!(go_on.load(Relaxed) < 100, "{} of one while the other fetched 200", go_on.load(Relaxed));
}
