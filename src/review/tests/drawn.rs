//! The shipped plan over the synthetic year: what it draws of whose looks, and what that is for a supervisor.
//! `cargo test -p contactpoint-review --test drawn -- --nocapture --test-threads 1` prints the tables of docs/review.md.

#![expect(clippy::unwrap_used, reason = "what cannot be made fails the test")]

#[expect(dead_code, reason = "a draw asks for no facts")]
mod played;

use contactpoint_domain::{Day, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_review::{Drawable, Every, Plan, Seed, Task};
use played::year;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const SHIPPED: &str = include_str!("../../../config/review-plan.toml");
/// Of the years by which the detection rules are measured.
static YEARS: LazyLock<[(u64, Case); 3]> = LazyLock::new(|| [2, 3, 4].map(|seed| (seed, Case::of(seed, 2000))));
/// Those whom one supervisor has, who are of one organisation: nothing in the year says it.
const UNDER_ONE: usize = 10;
const WEEKS: f64 = 365.0 / 7.0;
/// So many tasks a supervisor may get, of a week of the year on the whole and at one period's end: about one and a half times what was measured.
const MOST_A_WEEK: f64 = 8.0;
const MOST_AT_ONCE: usize = 50;

/// A look, in whose period it is, and whose it is.
struct Looked {
    drawable: Drawable,
    at: Day,
    person: PersonId,
}

/// A year of looks as the daemon draws them.
struct Case {
    looks: Vec<Looked>,
    holidays: Vec<Day>,
    /// Of each period by its kind and last day, the seed: of a made-up checkpoint that is as large as the log was when the period was over.
    seeds: BTreeMap<(Every, Day), Seed>,
}

impl Case {
    fn of(seed: u64, people: u64) -> Self {
        let mut year = year(seed, people);
        let (mut looks, mut ends) = (Vec::new(), BTreeMap::new());
        for played in (&mut year).filter(|played| played.entry.operation.is_look()) {
            let (at, organisation, role) = (played.entry.at.day(), played.entry.organisation.unwrap(), played.entry.role.unwrap());
            let drawable = Drawable { index: played.index, day: at, organisation, kind: played.kind, role };
            looks.push(Looked { drawable, at, person: played.entry.person.unwrap() });
            // the year ends within a quarter, which is drawn all the same
            ends.extend(Every::ALL.map(|every| ((every, every.end(at)), played.index + 1)));
        }
        let checkpoint = |size: u64| Seed::of_checkpoint(&format!("contactpoint.example/log\n{size}\nyear {seed}\n"));
        let seeds = ends.into_iter().map(|(period, size)| (period, checkpoint(size))).collect();
        Self { looks, holidays: year.holidays(), seeds }
    }

    /// The task that a look becomes, in the draws of each kind of period, as the daemon asks: a look is of the last day of its period.
    fn tasks(&self, plan: &Plan, look: &Looked) -> Vec<Task> {
        let of = |every: Every| {
            let day = every.end(look.at);
            let task = plan.task(&self.seeds[&(every, day)], &self.holidays, &Drawable { day, ..look.drawable });
            task.filter(|task| task.every == every)
        };
        Every::ALL.into_iter().filter_map(of).collect()
    }

    /// Every task of the year with its look.
    fn drawn<'a>(&'a self, plan: &Plan, looks: impl Iterator<Item = &'a Looked>) -> Vec<(&'a Looked, Task)> {
        looks.flat_map(|look| self.tasks(plan, look).into_iter().map(move |task| (look, task))).collect()
    }

    /// The supervisor of everybody who looked: one for so many of an organisation, in the order of their numbers.
    fn supervisors(&self) -> BTreeMap<PersonId, (OrganisationKind, OrganisationId, usize)> {
        let mut bodies: BTreeMap<_, BTreeSet<PersonId>> = BTreeMap::new();
        for Looked { drawable, person, .. } in &self.looks {
            bodies.entry((drawable.kind, drawable.organisation)).or_default().insert(*person);
        }
        let of_body = |((kind, body), people): ((_, _), BTreeSet<PersonId>)| {
            people.into_iter().enumerate().map(move |(at, person)| (person, (kind, body, at / UNDER_ONE)))
        };
        bodies.into_iter().flat_map(of_body).collect()
    }
}

/// A line of the plan as it stands in the file, read here by other means than the plan's own: kinds, roles, share and period.
struct Written {
    kinds: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    share: f64,
    every: Every,
}

fn written() -> Vec<Written> {
    let file: toml::Table = SHIPPED.parse().unwrap();
    let texts = |line: &toml::Value, key: &str| {
        let all = line.get(key)?.as_array().unwrap();
        Some(all.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
    };
    let line = |line: &toml::Value| {
        assert!(line.get("organisations").is_none(), "the plan that is shipped knows nobody's organisations");
        let every = line["every"].as_str().unwrap();
        Written {
            kinds: texts(line, "kinds"),
            roles: texts(line, "roles"),
            share: line["per_mille"].as_integer().unwrap() as f64 / 1000.0,
            every: Every::ALL.into_iter().find(|one| one.code() == every).unwrap(),
        }
    };
    file["line"].as_array().unwrap().iter().map(line).collect()
}

/// The line that looks of some kind of body and role are drawn by.
fn line_of(lines: &[Written], kind: OrganisationKind, role: Role) -> usize {
    let has = |some: &Option<Vec<String>>, code: &str| some.as_ref().is_none_or(|some| some.iter().any(|one| one == code));
    lines.iter().position(|line| has(&line.kinds, kind.code()) && has(&line.roles, role.code())).unwrap()
}

/// So many of so many may be drawn: four standard deviations from the share, which a fair draw leaves once in sixteen thousand times.
fn assert_fair(drawn: usize, looks: usize, share: f64, what: &str) {
    let (mean, deviation) = (looks as f64 * share, (looks as f64 * share * (1.0 - share)).sqrt());
    assert!(
        (drawn as f64 - mean).abs() <= 4.0 * deviation,
        "{what}: {drawn} of {looks}, where {mean:.0} and {deviation:.1} more or fewer are fair"
    );
}

/// Looks, and what was drawn of them.
fn counted<K: Ord>(case: &Case, drawn: &[(&Looked, Task)], key: impl Fn(&Looked) -> K) -> BTreeMap<K, (usize, usize)> {
    let mut counts: BTreeMap<K, (usize, usize)> = BTreeMap::new();
    case.looks.iter().for_each(|look| counts.entry(key(look)).or_default().0 += 1);
    drawn.iter().for_each(|(look, _)| counts.entry(key(look)).or_default().1 += 1);
    counts
}

#[test]
fn each_body_and_role_of_a_year_is_drawn_by_the_share_of_its_line_in_every_period() {
    // F4: regular review, of the share and as often as the plan says for the organisation and the role
    let (plan, lines) = (Plan::parse(SHIPPED).unwrap(), written());
    for (seed, case) in &*YEARS {
        let drawn = case.drawn(&plan, case.looks.iter());
        let of_body = counted(case, &drawn, |look| (look.drawable.kind, look.drawable.role));
        println!("| seed {seed}: body, role | looks | drawn | of 1,000 | the plan's | every |\n| --- | --- | --- | --- | --- | --- |");
        for ((kind, role), (looks, drawn)) in &of_body {
            let Written { share, every, .. } = &lines[line_of(&lines, *kind, *role)];
            let (kind, role, found) = (kind.code(), role.code(), *drawn as f64 * 1000.0 / *looks as f64);
            println!("| {kind}, {role} | {looks} | {drawn} | {found:.1} | {} | {} |", share * 1000.0, every.code());
            assert_fair(*drawn, *looks, *share, &format!("seed {seed}: {kind}, {role}"));
        }
        println!("| all | {} | {} | | | |\n", case.looks.len(), drawn.len());
        let reached: BTreeSet<usize> = of_body.keys().map(|(kind, role)| line_of(&lines, *kind, *role)).collect();
        assert_eq!(reached.len(), lines.len(), "each line is somebody's");
        // and no week, month or quarter is favoured
        let period_of = |look: &Looked| {
            let line = line_of(&lines, look.drawable.kind, look.drawable.role);
            (line, lines[line].every.end(look.at))
        };
        for ((line, last), (looks, drawn)) in counted(case, &drawn, period_of) {
            assert_fair(drawn, looks, lines[line].share, &format!("seed {seed}: line {line}, up to {last}"));
        }
    }
}

#[test]
fn a_task_of_the_year_is_due_on_a_working_day_after_its_period_and_of_the_kind_that_its_line_says() {
    // F4: tasks with a due date
    let (plan, lines, case) = (Plan::parse(SHIPPED).unwrap(), written(), Case::of(9, 400));
    for (look, task) in case.drawn(&plan, case.looks.iter()) {
        let Written { every, .. } = lines[line_of(&lines, look.drawable.kind, look.drawable.role)];
        assert_eq!((task.index, task.every), (look.drawable.index, every));
        let due = task.due;
        // 1970-01-01 was a Thursday
        assert!(due > every.end(look.at) && (due.number() + 3).rem_euclid(7) < 5 && !case.holidays.contains(&due), "{due}");
    }
}

#[test]
fn the_same_checkpoints_draw_the_same_of_a_year_in_any_order_and_others_draw_others() {
    // F4: a reproducible random draw, from a seed that nobody chooses
    let (plan, case) = (Plan::parse(SHIPPED).unwrap(), Case::of(9, 400));
    let tasks = |drawn: Vec<(&Looked, Task)>| drawn.into_iter().map(|(_, task)| task).collect::<BTreeSet<Task>>();
    let drawn = tasks(case.drawn(&plan, case.looks.iter()));
    assert!(drawn.len() > 100, "{}", drawn.len());
    assert_eq!(tasks(case.drawn(&plan, case.looks.iter().rev())), drawn);
    assert_eq!(tasks(Case::of(9, 400).drawn(&Plan::parse(SHIPPED).unwrap(), case.looks.iter())), drawn);
    let seeds = case.seeds.iter().map(|(period, seed)| (*period, Seed::of_checkpoint(&format!("another than {seed:?}")))).collect();
    let other = Case { seeds, ..Case::of(9, 400) };
    let of_others = tasks(other.drawn(&plan, other.looks.iter()));
    let both = of_others.intersection(&drawn).count();
    assert!(both * 5 < drawn.len(), "{both} of {}: a tenth of the officers' looks and a hundredth of most", drawn.len());
}

#[test]
fn what_the_plan_asks_of_a_supervisor_is_no_more_than_can_be_done_with_care() {
    // F4; the numbers are those of docs/review.md, and a plan that asks for more should say so there
    let plan = Plan::parse(SHIPPED).unwrap();
    for (seed, case) in &*YEARS {
        let supervisors = case.supervisors();
        // what a supervisor gets is told at once, when a period is over
        let mut at_once: BTreeMap<_, BTreeMap<Day, usize>> = supervisors.values().map(|one| (*one, BTreeMap::new())).collect();
        for (look, task) in case.drawn(&plan, case.looks.iter()) {
            let of_supervisor = at_once.get_mut(&supervisors[&look.person]).unwrap();
            *of_supervisor.entry(task.every.end(look.at)).or_default() += 1;
        }
        println!("| seed {seed}: kind | people | supervisors | tasks a week, mean | of the busiest | most at once |\n| --- | --- | --- | --- | --- | --- |");
        for kind in at_once.keys().map(|(kind, ..)| *kind).collect::<BTreeSet<_>>() {
            let of_kind: Vec<&BTreeMap<Day, usize>> = at_once.iter().filter(|((one, ..), _)| *one == kind).map(|(_, days)| days).collect();
            let of_year: Vec<usize> = of_kind.iter().map(|days| days.values().sum()).collect();
            let people = supervisors.values().filter(|(one, ..)| *one == kind).count();
            let mean = of_year.iter().sum::<usize>() as f64 / of_year.len() as f64 / WEEKS;
            let busiest = of_year.iter().max().copied().unwrap_or_default() as f64 / WEEKS;
            let most = of_kind.iter().flat_map(|days| days.values()).max().copied().unwrap_or_default();
            println!("| {} | {people} | {} | {mean:.2} | {busiest:.2} | {most} |", kind.code(), of_year.len());
            assert!(busiest <= MOST_A_WEEK && most <= MOST_AT_ONCE, "seed {seed}: {}: {busiest} a week, {most} at once", kind.code());
        }
        println!();
    }
}
