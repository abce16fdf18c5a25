//! Alerts as the store keeps them: with their entry or not at all, sealed, found by who has to look and when.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::Operation;
use contactpoint_domain::{
    Addressee, Alert, AlertId, AlertKind, Day, Disposition, Instant, Judgement, NewAlert, OrganisationId, PersonId, Purpose,
};
use contactpoint_store::{Sample, Store, StoreError};
use rig::{child, create, entry, open, raw};

const AT: Instant = Instant::of_millis(1_795_000_000_000);
const SUPERVISOR: PersonId = PersonId(9);

fn new_alert(to: Addressee, due: &str) -> NewAlert {
    let (kind, person, organisation) = (AlertKind::BreakGlass, PersonId(1), OrganisationId(1));
    let (child, reason) = (Some(child(1).number), Some(Purpose::Missing));
    NewAlert { kind, person, organisation, child, reason, at: AT, to: Some(to), due: due.parse().unwrap() }
}

async fn raised(store: &Store, new: NewAlert) -> Alert {
    store.change(move |tx| Ok((tx.raise_alert(&new)?, entry(Operation::BreakGlass, Vec::new())))).await.unwrap().into_inner()
}

async fn waiting(store: &Store, supervisor: PersonId) -> Vec<Alert> {
    let read = store
        .look(move |snapshot| Ok((snapshot.alerts_for_supervisor(supervisor, AlertId(0), 50)?, entry(Operation::ReadAlerts, Vec::new()))));
    read.await.unwrap().into_inner()
}

#[tokio::test]
async fn an_alert_and_its_entry_are_both_there_or_neither_is_also_after_a_crash() {
    // D4: the supervisor is alerted in the same transaction; F1
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let kept = raised(&store, new_alert(Addressee::Supervisor(SUPERVISOR), "2026-11-27")).await;
    let before = store.log_size();
    // the change fails after the alert was raised: the fault may come from anything behind it, the entry's own writing included
    let failing = new_alert(Addressee::Supervisor(SUPERVISOR), "2026-11-27");
    let failed = store.change(move |tx| -> Result<((), _), StoreError> {
        tx.raise_alert(&failing)?;
        Err(StoreError::Unknown("a fault behind the alert"))
    });
    assert!(failed.await.is_err());
    assert_eq!((waiting(&store, SUPERVISOR).await.len(), store.log_size()), (1, before + 1), "the look alone is in the log");
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(waiting(&store, SUPERVISOR).await, [kept]);
}

#[tokio::test]
async fn a_judged_alert_waits_for_nobody_and_is_found_by_the_day_of_its_judgement() {
    // D5: judge each alert; dispositions are sampled
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mine = raised(&store, new_alert(Addressee::Supervisor(SUPERVISOR), "2026-11-27")).await;
    let late = raised(&store, new_alert(Addressee::Supervisor(PersonId(10)), "2026-11-20")).await;
    let settled = raised(&store, new_alert(Addressee::Authority(OrganisationId(3)), "2026-11-20")).await;
    let today: Day = "2026-11-27".parse().unwrap();
    let asked = store.look(move |snapshot| {
        let overdue = |to| snapshot.alerts_overdue(to, None, today, AlertId(0), 50);
        let found = (overdue(Addressee::Supervisor(PersonId(10)))?, overdue(Addressee::Authority(OrganisationId(3)))?);
        Ok((found, entry(Operation::ReadAlerts, Vec::new())))
    });
    assert_eq!(asked.await.unwrap().into_inner(), (vec![late.clone()], vec![settled.clone()]), "not what is due today");
    for (alert, disposition) in [(mine.clone(), Disposition::Justified), (settled, Disposition::Settled)] {
        let judged = Alert { judgement: Some(Judgement { disposition, by: SUPERVISOR, at: AT }), ..alert };
        let put = store.change(move |tx| Ok((tx.put_alert(&judged)?, entry(Operation::JudgeAlert, Vec::new()))));
        put.await.unwrap().into_inner();
    }
    assert!(waiting(&store, SUPERVISOR).await.is_empty());
    let day = AT.day();
    let judged = store.look(move |snapshot| {
        let found = (snapshot.judged_by_supervisors(day, day)?, snapshot.overdue_acts_of(PersonId(1), today)?);
        Ok((found, entry(Operation::SampleAlerts, Vec::new())))
    });
    assert_eq!(judged.await.unwrap().into_inner(), (vec![mine.id], vec![late]), "a supervisor's judgement alone is sampled");
}

#[tokio::test]
async fn the_seed_of_a_month_is_the_first_head_that_covers_the_entry_of_its_end_and_stays() {
    // D5: dispositions are sampled by an auditor, by a seed that nobody chooses
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let month: Day = "2026-10-01".parse().unwrap();
    let sample = |store: Store| async move {
        let asked = store.look(move |snapshot| Ok((snapshot.sample(month)?, entry(Operation::SampleAlerts, Vec::new()))));
        asked.await.unwrap().into_inner()
    };
    let end = |store: Store| async move {
        store.change(move |tx| Ok((tx.end_month(month)?, entry(Operation::SampleAlerts, Vec::new())))).await.unwrap().entry_index()
    };
    let keep = |store: Store, size| async move {
        let kept = store.change(move |tx| Ok((tx.keep_sample_size(month, size)?, entry(Operation::SampleAlerts, Vec::new()))));
        kept.await.unwrap().into_inner();
    };
    assert_eq!(sample(store.clone()).await, None);
    store.checkpoint().await.unwrap();
    let ended = end(store.clone()).await;
    let before = sample(store.clone()).await.unwrap();
    assert_eq!((before.entry, before.note), (ended, None), "the head that was there before is not the one");
    store.checkpoint().await.unwrap();
    let seed = store.log_checkpoint().unwrap();
    // later heads, a later end of the same month, other sizes, a restart
    for size in [5, 9, 2] {
        keep(store.clone(), size).await;
        store.checkpoint().await.unwrap();
    }
    assert!(end(store.clone()).await > ended);
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    assert_ne!(store.log_checkpoint().as_ref(), Some(&seed));
    assert_eq!(sample(store).await, Some(Sample { entry: ended, note: Some(seed), size: 9 }));
}

#[tokio::test]
async fn alerts_wait_in_the_order_in_which_they_were_raised_and_their_numbers_tell_nothing_of_it() {
    // D5, D7, D8: from a gap between two numbers nobody learns that there was another alert
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(raised(&store, new_alert(Addressee::Supervisor(SUPERVISOR), "2026-11-27")).await.id);
    }
    let rising = ids.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((4..36).contains(&rising), "{rising} of 39 follow a smaller one");
    assert_eq!(waiting(&store, SUPERVISOR).await.iter().map(|alert| alert.id).collect::<Vec<_>>(), ids);
    let after = ids[17];
    let rest =
        store.look(move |snapshot| Ok((snapshot.alerts_for_supervisor(SUPERVISOR, after, 50)?, entry(Operation::ReadAlerts, Vec::new()))));
    assert_eq!(rest.await.unwrap().into_inner().iter().map(|alert| alert.id).collect::<Vec<_>>(), ids[18..]);
}

#[tokio::test]
async fn an_alert_moved_to_another_s_place_does_not_open() {
    // G3: every record is sealed for its own row: moved or swapped rows are noticed
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    for _ in 0..2 {
        raised(&store, new_alert(Addressee::Supervisor(SUPERVISOR), "2026-11-27")).await;
    }
    let swapped = "UPDATE alert SET sealed = (SELECT sealed FROM alert WHERE place = 2) WHERE place = 1";
    raw(dir.path()).execute_batch(swapped).unwrap();
    store.probe().await.unwrap();
    let read =
        store.look(|snapshot| Ok((snapshot.alerts_for_supervisor(SUPERVISOR, AlertId(0), 50)?, entry(Operation::ReadAlerts, Vec::new()))));
    assert!(matches!(read.await, Err(StoreError::Damaged { table: "alert", row: _ })));
}
