//! Tasks of review as the daemon makes them: drawn once of what the seed draws, over crashes too, and settled once (rule F4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Entry, Operation, Outcome};
use contactpoint_directory::Reviewing;
use contactpoint_domain::{
    AccountState, Checks, Day, Instant, NewReview, OrganisationId, PersonId, Review, ReviewId, ReviewOutcome, Reviewed, Role,
};
use contactpoint_review::{Plan, Seed};
use contactpoint_store::{NewAccount, Origin, Store, StoreError};
use rig::{create, entry, open, raw, school};

/// A Wednesday: 2026-11-18T12:00:00Z.
const WEDNESDAY: Instant = Instant::of_millis(1_795_003_200_000);
/// Ten minutes and half an hour into the Monday after it.
const JUST_MONDAY: Instant = Instant::of_millis(1_795_392_600_000);
const MONDAY: Instant = Instant::of_millis(1_795_393_800_000);
const SUPERVISOR: PersonId = PersonId(1);
const LOOKER: PersonId = PersonId(2);

fn plan(per_mille: u16) -> Plan {
    Plan::parse(&format!("[[line]]\nwhy = \"w\"\nkinds = [\"school\"]\nper_mille = {per_mille}\nevery = \"week\"\nworking_days = 5\n"))
        .unwrap()
}

fn account(login: &str, supervisor: Option<PersonId>) -> NewAccount {
    NewAccount {
        organisation: OrganisationId(1),
        login: login.try_into().unwrap(),
        name: contactpoint_domain::Name { given: "Robin".try_into().unwrap(), family: "Okafor".try_into().unwrap() },
        roles: vec![Role::Practitioner],
        password: Vec::new().into(),
        code_secret: Vec::new().into(),
        supervisor,
        checks: Checks::default(),
        home: None,
    }
}

/// A school, a supervisor and somebody who looks.
async fn peopled(directory: &std::path::Path) -> Store {
    let store = create(directory);
    let made = store.change(|transaction| {
        transaction.add_organisation(&school())?;
        let supervisor = transaction.add_account(account("head", None))?;
        let looker = transaction.add_account(account("teacher", Some(supervisor.id)))?;
        assert_eq!((supervisor.id, looker.id, looker.state), (SUPERVISOR, LOOKER, AccountState::Active));
        Ok(((), Entry { at: WEDNESDAY, ..entry(Operation::EnrolPerson, Vec::new()) }))
    });
    made.await.unwrap().into_inner();
    store
}

fn a_look(operation: Operation) -> Entry {
    Entry { at: WEDNESDAY, person: Some(LOOKER), role: Some(Role::Practitioner), ..entry(operation, Vec::new()) }
}

/// So many looks, and as many entries that are none; returns the looks' indexes.
async fn looks(store: &Store, count: usize) -> Vec<u64> {
    let mut indexes = Vec::new();
    for _ in 0..count {
        let look = store.look(|_| Ok(((), a_look(Operation::View)))).await.unwrap();
        indexes.push(look.entry_index());
        store.look(|_| Ok(((), a_look(Operation::LogIn)))).await.unwrap().into_inner();
    }
    indexes
}

async fn waiting(store: &Store) -> Vec<Review> {
    let read = |snapshot: &contactpoint_store::Snapshot<'_>| {
        let mut all = Vec::new();
        while let page @ [.., last] =
            snapshot.reviews_for(SUPERVISOR, all.last().map_or(ReviewId(0), |last: &Review| last.id), 7)?.as_slice()
        {
            let _ = last;
            all.extend(page.iter().cloned());
        }
        Ok((all, entry(Operation::ReadReviews, Vec::new())))
    };
    store.look(read).await.unwrap().into_inner()
}

fn drawn(reviews: &[Review]) -> Vec<u64> {
    let mut entries: Vec<u64> = reviews.iter().flat_map(|review| review.task.entries.clone()).collect();
    entries.sort_unstable();
    entries
}

/// Everything that is to do at this time.
async fn all_done(store: &Store, reviewing: &Reviewing, now: Instant) {
    store.checkpoint().await.unwrap();
    while reviewing.go_on(now).await.unwrap() {}
    store.checkpoint().await.unwrap();
    while reviewing.go_on(now).await.unwrap() {}
}

#[tokio::test]
async fn a_share_of_a_thousand_draws_every_look_of_the_week_once_for_the_looker_s_supervisor() {
    // F4: tasks with due dates made from the log
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let made = looks(&store, 40).await;
    let reviewing = Reviewing::over(store.clone(), plan(1000), &[]);
    let before = store.log_size();
    all_done(&store, &reviewing, WEDNESDAY).await;
    all_done(&store, &reviewing, JUST_MONDAY).await;
    assert_eq!((waiting(&store).await.len(), store.log_size()), (0, before + 1), "the week is not over, nor a quarter of an hour after it");
    all_done(&store, &reviewing, MONDAY).await;
    let reviews = waiting(&store).await;
    assert_eq!(drawn(&reviews), made);
    let due: Day = "2026-11-27".parse().unwrap();
    for Review { task, reviewed, .. } in &reviews {
        let NewReview { rule, person, organisation, role, .. } = task;
        assert_eq!((rule, person, organisation, role), (&None, &Some(LOOKER), &Some(OrganisationId(1)), &Some(Role::Practitioner)));
        assert_eq!((task.due, task.reviewer, *reviewed), (due, Some(SUPERVISOR), None));
    }
    // nothing is made twice, and what comes now is of the next week
    let size = store.log_size();
    looks(&store, 1).await;
    all_done(&store, &Reviewing::over(store.clone(), plan(1000), &[]), MONDAY).await;
    assert_eq!((waiting(&store).await.len(), store.log_size()), (40, size + 3));
}

#[tokio::test]
async fn what_is_drawn_is_what_the_documented_formula_draws_by_the_first_head_over_the_week_s_end() {
    // F4: a reproducible random draw
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let made = looks(&store, 300).await;
    let reviewing = Reviewing::over(store.clone(), plan(100), &[]);
    reviewing.go_on(MONDAY).await.unwrap();
    assert!(waiting(&store).await.is_empty(), "no head is signed over the end, so nobody knows the seed");
    all_done(&store, &reviewing, MONDAY).await;
    let day = "2026-11-22".parse().unwrap();
    let periods = store.registry(|registry| registry.ended_periods(day, day)).unwrap();
    let [period] = periods.as_slice() else { panic!("{periods:?}") };
    let text = period.note.as_deref().unwrap().split("\n\n").next().unwrap().to_owned() + "\n";
    let seed = Seed::of_checkpoint(&text);
    let expected: Vec<u64> = made.iter().copied().filter(|index| seed.draws(*index, 100)).collect();
    assert!((8..80).contains(&expected.len()), "{} of about 30", expected.len());
    assert_eq!(drawn(&waiting(&store).await), expected);
    assert_eq!((period.start, period.next), (0, period.entry));
}

#[tokio::test]
async fn a_period_is_drawn_by_the_plan_under_which_it_ended_and_by_no_other() {
    // F4: a reproducible random draw: once the seed is known, nobody writes a plan for it
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let made = looks(&store, 20).await;
    let ended_under = Reviewing::over(store.clone(), plan(1000), &[]);
    ended_under.go_on(MONDAY).await.unwrap();
    store.checkpoint().await.unwrap();
    let day: Day = "2026-11-22".parse().unwrap();
    let [period] = store.registry(|registry| registry.ended_periods(day, day)).unwrap().try_into().unwrap();
    let end = store.look(|snapshot| Ok((snapshot.entry_at(period.entry)?, entry(Operation::ReviewReport, Vec::new())))).await.unwrap();
    assert!(end.into_inner().unwrap().changes.iter().any(|change| change.digest == plan(1000).digest()), "the plan is in the log");
    for another in [0, 1, 999] {
        all_done(&store, &Reviewing::over(store.clone(), plan(another), &[]), MONDAY).await;
        assert_eq!(drawn(&waiting(&store).await), Vec::<u64>::new(), "{another}");
    }
    // what ends under another plan is drawn by that one meanwhile
    let later = looks(&store, 20).await;
    let another = Reviewing::over(store.clone(), plan(999), &[]);
    let next_monday = Instant::of_millis(MONDAY.millis() + 7 * 86_400_000);
    all_done(&store, &another, next_monday).await;
    let of_next = drawn(&waiting(&store).await);
    assert!(of_next.len() > 15 && of_next.iter().all(|index| later.contains(index)), "{of_next:?} of {later:?}");
    // and the former plan draws what it is for
    all_done(&store, &Reviewing::over(store.clone(), plan(1000), &[]), next_monday).await;
    assert_eq!(drawn(&waiting(&store).await), [made, of_next].concat());
}

#[tokio::test]
async fn a_draw_that_is_cut_off_goes_on_with_no_task_twice_and_none_lost() {
    // F4; G3: what is half done when the process is killed
    let dir = tempfile::tempdir().unwrap();
    let mut store = peopled(dir.path()).await;
    let made = looks(&store, 50).await;
    let mut lives = 0;
    loop {
        let reviewing = Reviewing::over(store.clone(), plan(1000), &[]);
        let more = reviewing.go_on(MONDAY).await.unwrap();
        store.checkpoint().await.unwrap();
        if !more && lives > 1 {
            break;
        }
        lives += 1;
        // after each piece the process is gone, and with it all that was in memory
        store.close().await.unwrap();
        store = open(dir.path()).unwrap();
    }
    assert!(lives > 4, "{lives} pieces");
    assert_eq!(drawn(&waiting(&store).await), made);
    // even where the note of how far the draw has come is lost, an entry becomes a task once
    store.close().await.unwrap();
    raw(dir.path()).execute_batch("UPDATE review_period SET next = start").unwrap();
    let store = open(dir.path()).unwrap();
    all_done(&store, &Reviewing::over(store.clone(), plan(1000), &[]), MONDAY).await;
    assert_eq!(drawn(&waiting(&store).await), made);
}

#[tokio::test]
async fn the_log_as_it_was_before_reviews_is_of_no_period() {
    // F4: an upgrade does not draw years at once
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    looks(&store, 5).await;
    store.close().await.unwrap();
    raw(dir.path())
        .execute_batch(
            "DROP TABLE cosignature; DROP TABLE evidence; DROP TABLE review; DROP TABLE review_mark; DROP TABLE review_period; DROP TABLE review_detected; DROP TABLE probe; DROP TABLE life; DROP TABLE review_run; PRAGMA user_version = 3",
        )
        .unwrap();
    let store = open(dir.path()).unwrap();
    let late = looks(&store, 5).await;
    all_done(&store, &Reviewing::over(store.clone(), plan(1000), &[]), MONDAY).await;
    assert_eq!(drawn(&waiting(&store).await), late);
}

#[tokio::test]
async fn an_outcome_is_kept_with_its_entry_and_ends_the_waiting() {
    // F4: a recorded outcome; overdue reviews are reported
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let task = |due: &str, entry| NewReview {
        rule: None,
        entries: vec![entry],
        person: Some(LOOKER),
        organisation: Some(OrganisationId(1)),
        role: Some(Role::Practitioner),
        reviewer: Some(SUPERVISOR),
        at: WEDNESDAY,
        due: due.parse().unwrap(),
    };
    let two = [task("2026-11-27", 1), task("2026-11-20", 2)];
    let made = store.change(move |transaction| {
        let made = [transaction.add_review(&two[0], &Origin::Drawn(1))?, transaction.add_review(&two[1], &Origin::Drawn(2))?];
        assert!(transaction.add_review(&two[0], &Origin::Drawn(1))?.is_none(), "one origin is one task");
        Ok((made, entry(Operation::DrawReviews, Vec::new())))
    });
    let [later, sooner] = made.await.unwrap().into_inner().map(Option::unwrap);
    assert_eq!(waiting(&store).await, [sooner.clone(), later.clone()], "what is due first comes first");
    let overdue = |day: &str| store.registry(|registry| registry.overdue_reviews(day.parse().unwrap())).unwrap();
    assert_eq!([overdue("2026-11-20"), overdue("2026-11-21"), overdue("2026-11-28")], [0, 1, 2]);

    let reviewed = Reviewed { outcome: ReviewOutcome::NeedsEnquiry, by: SUPERVISOR, at: WEDNESDAY };
    let settled = sooner.clone();
    // the change fails behind the outcome: neither is there
    let failed = store.change(move |transaction| -> Result<((), _), StoreError> {
        transaction.settle_review(&settled, reviewed)?;
        Err(StoreError::Unknown("a fault behind the outcome"))
    });
    assert!(failed.await.is_err());
    assert_eq!(waiting(&store).await.len(), 2);
    let settled = sooner.clone();
    let done = store.change(move |transaction| {
        transaction.settle_review(&settled, reviewed)?;
        Ok(((), Entry { outcome: Outcome::Answered, ..entry(Operation::SettleReview, Vec::new()) }))
    });
    done.await.unwrap().into_inner();
    assert_eq!(waiting(&store).await, [later]);
    store.close().await.unwrap();
    let store = open(dir.path()).unwrap();
    let id = sooner.id;
    let kept = store.look(move |snapshot| Ok((snapshot.review(id)?, entry(Operation::ReadReviews, Vec::new())))).await.unwrap();
    assert_eq!(kept.into_inner(), Some(Review { reviewed: Some(reviewed), ..sooner }));
}
