//! A misuse that goes on, as the daemon runs the rules: from nothing each night over the looks of sixty days, of which what is found of the last two days counts,
//! and what was told is known by its task alone (rules F4, D7).

#![expect(clippy::unwrap_used, reason = "what cannot be made fails the test")]

use contactpoint_domain::{ChildNumber, Ending, Instant, Kin, OrganisationKind, PersonId, Place, Role, Tie};
use contactpoint_review::{findings, Child, Finding, Look, Peers, Rules, Seen, Told, Watch};

/// The first day that is looked on.
const START: i32 = 20_000;
/// Days of looks that the daemon goes through each night.
const WINDOW: i32 = 60;

fn look(index: u64, day: i32, person: u32, seen: Seen, kind: OrganisationKind) -> Look {
    let at = Instant::of_millis(u64::try_from(START + day).unwrap() * 86_400_000 + 43_200_000);
    let peers = Peers { kind, role: Role::Practitioner };
    Look { index, at, person: PersonId(person), peers, ended: Ending::Shown, children: vec![seen] }
}

/// Looks of one person at one child every so many days, for a year.
fn every(days: usize, seen: Seen, kind: OrganisationKind) -> Vec<Look> {
    (0u64..).zip((0..365).step_by(days)).map(|(index, day)| look(index, day, 5, seen, kind)).collect()
}

fn namesake(child: u32) -> Seen {
    Seen { child: Child::from(&ChildNumber::with_body(child)), relation: Tie::None, kin: Kin::Name, place: Place::Own }
}

fn far(child: u32) -> Seen {
    Seen { kin: Kin::None, place: Place::Far, ..namesake(child) }
}

fn rules() -> Rules {
    Rules::parse(include_str!("../../../config/detection.toml")).unwrap()
}

/// What becomes a task over a year of nights.
fn nightly(looks: &[Look]) -> Vec<Finding> {
    let (rules, mut told) = (rules(), Told::default());
    let mut tasks = Vec::new();
    for night in START..START + 365 {
        let mut watch = Watch::new(&rules, &[]);
        let within = looks.iter().filter(|look| (night - WINDOW..=night).contains(&rules.day_of(look.at)));
        let mut found: Vec<Finding> = within.flat_map(|look| watch.take(look)).collect();
        found.extend(watch.finish());
        tasks.extend(found.into_iter().filter(|finding| finding.day > night - 2 && told.is_news(finding)));
    }
    tasks
}

/// The days on which a rule told something, from the first day on.
fn days(found: &[Finding], rule: &str) -> Vec<i32> {
    found.iter().filter(|finding| finding.rule.as_str() == rule).map(|finding| finding.day - START).collect()
}

/// The longest time without a word, up to the year's end.
fn longest_silence(days: &[i32]) -> i32 {
    let ends = days.iter().copied().skip(1).chain([365]);
    days.iter().zip(ends).map(|(one, next)| next - one).max().unwrap_or(365)
}

#[test]
fn a_misuse_that_goes_on_is_told_of_every_within_days_to_the_end_of_the_year() {
    // D7, F4: whoever looks week after week is asked about it month after month, whatever day the window begins on
    let of_namesake = every(7, namesake(7), OrganisationKind::Council);
    let own = days(&nightly(&of_namesake), "own-family");
    assert_eq!(own.first(), Some(&7), "on the second day");
    assert!(longest_silence(&own) <= 30 + 7, "{own:?}");
    assert!(own.len() <= 2 + 365 / 30, "and no oftener, but once for having doubled: {own:?}");
    let of_far = every(6, far(7), OrganisationKind::Police);
    let police = days(&nightly(&of_far), "police-far");
    assert_eq!(police.first(), Some(&12), "on the third day");
    assert!(longest_silence(&police) <= 60 + 6, "{police:?}");
    assert!(police.len() <= 3 + 365 / 60, "{police:?}");
    let of_many: Vec<Look> =
        (0u64..365).map(|at| look(at, i32::try_from(at).unwrap(), 5 + (at % 14) as u32, far(9), OrganisationKind::Council)).collect();
    let many = days(&nightly(&of_many), "child-by-many");
    assert!(many.first() == Some(&11) && longest_silence(&many) <= 14, "{many:?}");
}

#[test]
fn nights_tell_what_a_run_over_the_whole_year_tells() {
    // F4: what is found follows from the log and the rules, and not from the night on which somebody asks
    for looks in [every(7, namesake(7), OrganisationKind::Council), every(6, far(7), OrganisationKind::Police)] {
        assert_eq!(nightly(&looks), findings(&rules(), &[], looks.iter().cloned()));
    }
}

#[test]
fn the_same_is_told_again_within_the_days_where_it_has_doubled_and_for_no_less() {
    // D8, F4: whoever was asked about three days of looks and goes on every day is not let be for two months
    let daily = every(1, far(7), OrganisationKind::Police);
    let police = days(&nightly(&daily), "police-far");
    assert_eq!(&police[..6], [2, 5, 11, 23, 47, 107], "three days, six, twelve, two dozen, four, and then each sixty days");
}

#[test]
fn a_task_of_one_namesake_is_none_of_another_and_a_child_at_home_is_told_each_day() {
    // D7: whoever has a child of their own on the roll, or was asked about one child, hides behind it nothing that they do besides
    let at_home = Seen { kin: Kin::Home, relation: Tie::Involved, ..namesake(1) };
    let seen = [(1, at_home), (2, namesake(2)), (3, namesake(2)), (4, namesake(3)), (5, namesake(3)), (6, at_home), (7, at_home)];
    let looks: Vec<Look> = (0u64..).zip(seen).map(|(index, (day, seen))| look(index, day, 5, seen, OrganisationKind::School)).collect();
    assert_eq!(days(&nightly(&looks), "own-family"), [1, 3, 5, 6, 7]);
}
