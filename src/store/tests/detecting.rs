//! The detection rules as the daemon runs them: each night once, over crashes and wrong clocks too, on facts that nobody else can read (rule F4).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod rig;

use contactpoint_audit::{Entry, Field, Operation, Outcome, RefusalCode};
use contactpoint_directory::Reviewing;
use contactpoint_domain::{Checks, ChildNumber, Facts, Instant, Kin, Name, OrganisationId, PersonId, Place, Review, ReviewId, Role, Tie};
use contactpoint_review::{Plan, Rules};
use contactpoint_store::{NewAccount, Receipts, Snapshot, Store};
use rig::{create, entry, keys, keys_of, open, open_with, raw, school, PAGE_KEY};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// 2026-11-18, noon.
const NOON: Instant = Instant::of_millis(1_795_003_200_000);
const SUPERVISOR: PersonId = PersonId(1);
const LOOKER: PersonId = PersonId(2);

const AT_HOME: Facts = Facts { tie: Tie::Involved, kin: Kin::Home, place: Place::Own };

const RULES: &str = "time_zone = \"GMT0\"\nworking_days = 3\n\
    [[rule]]\nname = \"own-family\"\nwhy = \"w\"\nfind.own-family = { days_by_name = 2, within_days = 30 }\n\
    [[rule]]\nname = \"child-by-many\"\nwhy = \"w\"\nfind.child-by-many = { people = 2, within_days = 14 }\n";

fn reviewing(store: &Store) -> Reviewing {
    let plan = Plan::parse("[[line]]\nwhy = \"w\"\nper_mille = 0\nevery = \"quarter\"\nworking_days = 5\n").unwrap();
    Reviewing::over(store.clone(), plan, &[]).detecting(Some(Rules::parse(RULES).unwrap()))
}

fn account(login: &str, supervisor: Option<PersonId>) -> NewAccount {
    NewAccount {
        organisation: OrganisationId(1),
        login: login.try_into().unwrap(),
        name: Name { given: "Robin".try_into().unwrap(), family: "Okafor".try_into().unwrap() },
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
        assert_eq!((supervisor.id, looker.id), (SUPERVISOR, LOOKER));
        Ok(((), Entry { at: NOON, ..entry(Operation::EnrolPerson, Vec::new()) }))
    });
    made.await.unwrap().into_inner();
    store
}

fn hours_on(hours: u64) -> Instant {
    Instant::of_millis(NOON.millis() + hours * HOUR)
}

fn a_view(at: Instant, person: PersonId, facts: Option<Facts>) -> Entry {
    Entry {
        at,
        person: Some(person),
        role: Some(Role::Practitioner),
        shown: vec![Field::Name],
        facts: facts.iter().map(|facts| facts.number()).collect(),
        ..entry(Operation::View, vec![ChildNumber::with_body(7)])
    }
}

async fn write(store: &Store, entry: Entry) -> u64 {
    store.look(|_| Ok(((), entry))).await.unwrap().entry_index()
}

async fn night(reviewing: &Reviewing, now: Instant) {
    while reviewing.go_on(now).await.unwrap() {}
}

/// The tasks of the supervisor, and of the auditors.
async fn waiting(store: &Store) -> (Vec<Review>, Vec<Review>) {
    let read = |snapshot: &Snapshot<'_>| {
        let today = "2026-11-01".parse().unwrap();
        let (first, most) = (ReviewId(0), 50);
        let all = (snapshot.reviews_for(SUPERVISOR, first, most)?, snapshot.reviews_for_auditors(today, first, most)?);
        Ok((all, entry(Operation::ReadReviews, Vec::new())))
    };
    store.look(read).await.unwrap().into_inner()
}

#[tokio::test]
async fn what_a_rule_finds_of_a_day_is_one_task_of_the_looker_s_supervisor_over_restarts_too() {
    // F4: detection rules over the log feed regular review; a task with a due date, made once
    let dir = tempfile::tempdir().unwrap();
    let mut store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let found = [write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await, write(&store, a_view(hours_on(1), LOOKER, Some(AT_HOME))).await];
    let size = store.log_size();
    let running = reviewing(&store);
    night(&running, hours_on(12)).await;
    assert_eq!(store.log_size(), size, "the day is over, and not yet a quarter of an hour");
    night(&running, hours_on(13)).await;
    for life in 0..4 {
        let (running, size) = (reviewing(&store), store.log_size());
        night(&running, hours_on(13)).await;
        night(&running, hours_on(14)).await;
        assert_eq!(store.log_size() - size, u64::from(life == 3), "life {life}: a day is run once, and again where nothing says so");
        let (supervisor, auditors) = waiting(&store).await;
        let [Review { task, reviewed: None, .. }] = supervisor.as_slice() else { panic!("life {life}: {supervisor:?}") };
        assert_eq!((task.rule.as_ref().unwrap().as_str(), task.entries.as_slice()), ("own-family", &found[..]));
        assert_eq!((task.person, task.organisation, task.role), (Some(LOOKER), Some(OrganisationId(1)), Some(Role::Practitioner)));
        assert_eq!((task.due.to_string().as_str(), auditors.len()), ("2026-11-24", 0), "three working days after the 19th");
        if life == 2 {
            // even where the note of the day is lost, a finding becomes a task once
            store.close().await.unwrap();
            raw(dir.path()).execute_batch("DELETE FROM review_detected").unwrap();
            store = open(dir.path()).unwrap();
        } else {
            store.close().await.unwrap();
            store = open(dir.path()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_run_that_is_cut_off_after_any_piece_makes_each_task_once() {
    // F4, F1: what is half done when the process is killed
    let dir = tempfile::tempdir().unwrap();
    let mut store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    // forty people, each at home: three changes
    let lookers = store.change(|transaction| {
        let made: Vec<PersonId> = (0..40)
            .map(|at| transaction.add_account(account(&format!("teacher-{at}"), Some(SUPERVISOR))).map(|account| account.id))
            .collect::<Result<_, _>>()?;
        Ok((made, entry(Operation::EnrolPerson, Vec::new())))
    });
    for looker in lookers.await.unwrap().into_inner() {
        write(&store, a_view(NOON, looker, Some(AT_HOME))).await;
    }
    for pieces in 1..8 {
        let running = reviewing(&store);
        for _ in 0..pieces {
            running.go_on(hours_on(24)).await.unwrap();
        }
        store.close().await.unwrap();
        store = open(dir.path()).unwrap();
    }
    let people: std::collections::BTreeSet<_> = waiting(&store).await.0.iter().map(|review| review.task.person).collect();
    assert_eq!((waiting(&store).await.0.len(), people.len()), (40, 40));
}

#[tokio::test]
async fn what_was_not_known_or_was_before_the_rules_is_found_by_none() {
    // F4: entries older than facts; nobody is asked about what nobody watched
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await;
    night(&reviewing(&store), hours_on(72)).await;
    write(&store, a_view(hours_on(72), LOOKER, None)).await;
    write(&store, a_view(hours_on(73), SUPERVISOR, None)).await;
    night(&reviewing(&store), hours_on(96)).await;
    assert_eq!(waiting(&store).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_look_in_a_leaf_of_before_facts_is_read_and_found_by_none() {
    // F3, F4: entries of every age; of format 2, which had whom it was done for and nothing behind
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let whom = Name { given: "Robin".try_into().unwrap(), family: "Okafor".try_into().unwrap() };
    let old = [LOOKER, SUPERVISOR].map(|person| Entry { on_behalf_of: Some(whom.clone()), ..a_view(NOON, person, None) });
    let mut leaves = Vec::new();
    for entry in &old {
        let (bytes, index) = (entry.encode(), write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await);
        assert_eq!(bytes[0], 2);
        leaves.push((index, keys(PAGE_KEY).entries.in_use().seal(&bytes).unwrap()));
    }
    // no store that runs writes such a leaf any more, and one that starts would hold the log against its head
    for (index, leaf) in &leaves {
        let put = raw(dir.path()).execute("UPDATE leaf SET leaf = ?2 WHERE entry = ?1", (index.cast_signed(), leaf));
        assert_eq!(put.unwrap(), 1);
    }
    write(&store, a_view(hours_on(1), LOOKER, None)).await;
    store.checkpoint().await.unwrap();
    let kept = store.entries_between_for_upkeep(leaves[0].0, leaves[0].0 + 2).unwrap();
    assert_eq!(kept.into_iter().map(|look| look.entry).collect::<Vec<_>>(), old);
    night(&reviewing(&store), hours_on(24)).await;
    assert_eq!(waiting(&store).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn what_would_tell_a_supervisor_of_a_child_goes_to_the_auditors() {
    // F4, D1, D8: a task tells no more than the looker was told; E2: neither does the rule's name
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let in_vain = |refusal| Entry { outcome: Outcome::Refused(refusal), shown: Vec::new(), ..a_view(NOON, LOOKER, Some(AT_HOME)) };
    write(&store, in_vain(RefusalCode::NotOfAudience)).await;
    let stranger = Facts { tie: Tie::None, kin: Kin::None, place: Place::Unknown };
    write(&store, Entry { children: vec![ChildNumber::with_body(8)], ..a_view(NOON, LOOKER, Some(stranger)) }).await;
    write(&store, Entry { children: vec![ChildNumber::with_body(8)], ..a_view(NOON, SUPERVISOR, Some(stranger)) }).await;
    night(&reviewing(&store), hours_on(24)).await;
    let (supervisor, auditors) = waiting(&store).await;
    assert_eq!(supervisor, Vec::new());
    let mut told: Vec<_> = auditors.iter().map(|review| (review.task.rule.as_ref().unwrap().as_str(), review.task.person)).collect();
    told.sort_unstable();
    assert_eq!(told, [("child-by-many", None), ("own-family", Some(LOOKER))]);
}

#[tokio::test]
async fn missed_days_are_caught_up_and_a_clock_set_wrong_stops_the_rules_for_no_longer_than_it_is_wrong() {
    // F4; and entries of a clock that was ahead
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let running = reviewing(&store);
    night(&running, NOON).await;
    write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await;
    write(&store, a_view(hours_on(48), LOOKER, Some(AT_HOME))).await;
    night(&running, hours_on(5 * 24)).await;
    assert_eq!(waiting(&store).await.0.len(), 2, "of two days, both missed");
    // ahead by ten years, for one look and one night
    let ahead = Instant::of_millis(NOON.millis() + 3650 * DAY);
    write(&store, a_view(ahead, LOOKER, None)).await;
    night(&running, ahead).await;
    write(&store, a_view(hours_on(6 * 24), LOOKER, Some(AT_HOME))).await;
    night(&running, hours_on(7 * 24)).await;
    assert_eq!(waiting(&store).await.0.len(), 3, "found again, and what was a task is none again");
    let size = store.log_size();
    night(&running, hours_on(7 * 24 - 14)).await;
    assert_eq!(store.log_size(), size, "back over midnight: that day was run");
}

/// The daemon's next life.
async fn restarted(store: Store, directory: &std::path::Path) -> Store {
    store.close().await.unwrap();
    open(directory).unwrap()
}

/// Of each task of the supervisor the entries that it rests on, the oldest first.
async fn found(store: &Store) -> Vec<Vec<u64>> {
    let mut found: Vec<Vec<u64>> = waiting(store).await.0.into_iter().map(|review| review.task.entries).collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn looks_of_a_life_whose_clock_was_ahead_hold_back_and_mix_up_none_of_the_next_one_s() {
    // F4: each look is judged on its day, though a clock had been days ahead until a start
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let first = write(&store, a_view(hours_on(1), LOOKER, Some(AT_HOME))).await;
    // a life that is four days ahead, with more than one slice of entries
    let store = restarted(store, dir.path()).await;
    for _ in 0..600 {
        write(&store, Entry { at: hours_on(4 * 24), ..entry(Operation::LogIn, Vec::new()) }).await;
    }
    let ahead = write(&store, a_view(hours_on(4 * 24), LOOKER, Some(AT_HOME))).await;
    let store = restarted(store, dir.path()).await;
    let mut own = Vec::new();
    for day in [0, 1, 2, 5] {
        own.push(write(&store, a_view(hours_on(day * 24 + 2), LOOKER, Some(AT_HOME))).await);
    }
    night(&reviewing(&store), hours_on(6 * 24)).await;
    assert_eq!(found(&store).await, [vec![first, own[0]], vec![ahead], vec![own[1]], vec![own[2]], vec![own[3]]], "by days");
}

#[tokio::test]
async fn looks_that_a_clock_dated_before_days_that_were_run_are_found_all_the_same() {
    // F4: a clock that is set back for an hour hides nobody
    let years = 3650 * DAY;
    for back in [3 * DAY, years] {
        let dir = tempfile::tempdir().unwrap();
        let store = peopled(dir.path()).await;
        night(&reviewing(&store), NOON).await;
        let mut own = Vec::new();
        for day in 0..4 {
            own.push(vec![write(&store, a_view(hours_on(day * 24), LOOKER, Some(AT_HOME))).await]);
            night(&reviewing(&store), hours_on(day * 24 + 13)).await;
        }
        let store = restarted(store, dir.path()).await;
        let set_back = Instant::of_millis(hours_on(4 * 24).millis() - back);
        // the daemon's upkeep runs in that life as in every other
        night(&reviewing(&store), set_back).await;
        own.push(vec![write(&store, a_view(set_back, LOOKER, Some(AT_HOME))).await]);
        let store = restarted(store, dir.path()).await;
        for nights in 0..2 {
            night(&reviewing(&store), hours_on((4 + nights) * 24 + 13)).await;
            assert_eq!(found(&store).await, own, "{back} milliseconds back, night {nights}");
        }
    }
}

#[tokio::test]
async fn a_look_that_a_clock_dated_into_a_day_of_which_there_is_a_task_is_told_of_all_the_same() {
    // F4: set back by hours, into the day that was run last; a task that was judged hides nothing that came after it
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let first = write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await;
    night(&reviewing(&store), hours_on(13)).await;
    let store = restarted(store, dir.path()).await;
    let set_back = write(&store, a_view(hours_on(11), LOOKER, Some(AT_HOME))).await;
    let store = restarted(store, dir.path()).await;
    for nights in 1..4 {
        night(&reviewing(&store), hours_on(13 + nights * 24)).await;
        assert_eq!(found(&store).await, [vec![first], vec![first, set_back]], "night {nights}");
    }
}

#[tokio::test]
async fn however_wrong_the_clocks_of_fourteen_lives_are_every_look_is_told_of() {
    // F4: no look is passed over, whether a clock was ahead or behind, for hours or for months, and whether the rules were run by it
    for seed in 1..7 {
        let dir = tempfile::tempdir().unwrap();
        let mut store = peopled(dir.path()).await;
        night(&reviewing(&store), NOON).await;
        let mut state = seed;
        let mut any = |below: u64| {
            state = (state * 6_364_136_223 + 1_442_695_041) % (1 << 31);
            (state >> 8) % below
        };
        let (mut now, mut looks) = (NOON.millis(), Vec::new());
        for _ in 0..14 {
            store = restarted(store, dir.path()).await;
            let (running, days) = (reviewing(&store), [0, 0, any(6), any(41)][any(4) as usize] * DAY);
            let behind = [0, 0, any(6), any(200)][any(4) as usize] * DAY;
            for _ in 0..any(5) {
                let told = Instant::of_millis(now + days - behind);
                night(&running, told).await;
                // each by somebody else, so that none is told of by another's task
                looks.push(write(&store, a_view(told, PersonId(100 + looks.len() as u32), Some(AT_HOME))).await);
                now += any(40) * HOUR;
            }
        }
        let running = reviewing(&store);
        for day in 1..70 {
            night(&running, Instant::of_millis(now + day * DAY)).await;
        }
        let read = |snapshot: &Snapshot<'_>| {
            let today = "2026-11-01".parse().unwrap();
            Ok((snapshot.reviews_for_auditors(today, ReviewId(0), 5000)?, entry(Operation::ReadReviews, Vec::new())))
        };
        let tasks = store.look(read).await.unwrap().into_inner();
        looks.retain(|look| tasks.iter().all(|review| !review.task.entries.contains(look)));
        assert_eq!(looks, [0; 0], "clocks {seed}: told to nobody");
    }
}

#[tokio::test]
async fn entries_of_an_erased_epoch_are_passed_over() {
    // F2: what was erased is found by nobody
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    write(&store, a_view(NOON, LOOKER, Some(AT_HOME))).await;
    store.close().await.unwrap();
    let store = open_with(dir.path(), keys_of(&[2], &[1])).unwrap();
    write(&store, a_view(hours_on(24), LOOKER, Some(AT_HOME))).await;
    night(&reviewing(&store), hours_on(48)).await;
    let days: Vec<usize> = waiting(&store).await.0.iter().map(|review| review.task.entries.len()).collect();
    assert_eq!(days, [1]);
}

#[tokio::test]
async fn facts_are_the_directory_s_alone_and_whoever_is_handed_an_entry_s_key_reads_none() {
    // F4, F5: evidence opens a leaf; what is known of the looker's family is no part of it
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    let of = |hour, facts| a_view(hours_on(hour), LOOKER, facts);
    let written = [of(1, Some(AT_HOME)), of(2, Some(AT_HOME)), of(3, None)];
    for entry in &written {
        write(&store, entry.clone()).await;
    }
    store.checkpoint().await.unwrap();
    let size = store.log_size();
    let kept = store.entries_between_for_upkeep(size - 3, size).unwrap();
    assert_eq!(kept.iter().map(|look| look.entry.clone()).collect::<Vec<_>>(), written);
    let receipts = Receipts::of(store.clone());
    let proved = store.look(|snapshot| {
        let all = (size - 3..size).map(|index| snapshot.proved(&receipts, index, size).map(Option::unwrap));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        Ok((all, entry(Operation::FetchEvidence, Vec::new())))
    });
    let proved = proved.await.unwrap().into_inner();
    let bytes: Vec<u8> = proved.iter().flat_map(|proved| proved.entry.facts.clone()).collect();
    assert_eq!(bytes.len(), 3, "one for each child, known or not");
    assert!(written.iter().zip(&bytes).all(|(entry, byte)| entry.facts.first().unwrap_or(&Facts::UNKNOWN) != byte), "{bytes:?}");
    assert_ne!(bytes[0], bytes[1], "the same fact is another byte in each entry");
    assert_eq!(proved.iter().map(|proved| proved.leaf.len()).collect::<Vec<_>>(), [256; 3]);
}

/// A run of the night after some day, with the namesake looked at on it; returns how many tasks there are then.
async fn namesake_looked_at(store: &Store, day: u64) -> u64 {
    let namesake = Facts { tie: Tie::None, kin: Kin::Name, place: Place::Own };
    write(store, a_view(hours_on(day * 24), LOOKER, Some(namesake))).await;
    store.checkpoint().await.unwrap();
    // each night is of another life of the daemon, and a run twice: nothing is known but by the tasks
    for hour in [24, 25] {
        night(&reviewing(store), hours_on(day * 24 + hour)).await;
    }
    tasks(store)
}

/// How many tasks there are, without an entry of who asked.
fn tasks(store: &Store) -> u64 {
    store.registry(|registry| registry.overdue_reviews("2030-01-01".parse().unwrap())).unwrap()
}

#[tokio::test]
async fn what_was_made_a_task_is_none_again_within_the_quiet_days_and_is_one_after_them_for_as_long_as_it_goes_on() {
    // F4, D7: two days of thirty are told; the same is told again where it has doubled, and after thirty days
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let mut made = Vec::new();
    for (at, day) in (0..140).step_by(10).enumerate() {
        if namesake_looked_at(&store, day).await > made.len() as u64 {
            made.push(at * 10);
        }
    }
    assert_eq!(made, [10, 40, 70, 100, 130], "three days of thirty are no doubling of two, and the window slides for good");
}

#[tokio::test]
async fn what_has_doubled_within_the_quiet_days_is_a_task_again_and_another_child_is_one_of_its_own() {
    // F4, D7: nobody who was asked about two looks is let be with thirty, or with another child
    let dir = tempfile::tempdir().unwrap();
    let store = peopled(dir.path()).await;
    night(&reviewing(&store), NOON).await;
    let mut counts = Vec::new();
    for day in 0..6 {
        counts.push(namesake_looked_at(&store, day).await);
    }
    assert_eq!(counts, [0, 1, 1, 2, 2, 2], "on the second day and on the fourth");
    let other = Facts { tie: Tie::None, kin: Kin::Name, place: Place::Own };
    for day in [6, 7] {
        write(&store, Entry { children: vec![ChildNumber::with_body(8)], ..a_view(hours_on(day * 24), LOOKER, Some(other)) }).await;
        write(&store, a_view(hours_on(day * 24), LOOKER, Some(AT_HOME))).await;
    }
    store.checkpoint().await.unwrap();
    night(&reviewing(&store), hours_on(8 * 24)).await;
    assert_eq!(tasks(&store), 5, "the other child, and a look at home of each day");
}
