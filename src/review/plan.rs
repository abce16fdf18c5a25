//! The plan of what is reviewed in any case: which share of whose looks, how often, and by when; and the draw by it.

use crate::digest;
use crate::draw::Seed;
use crate::rules::refusal;
use contactpoint_domain::{Day, OrganisationId, OrganisationKind, Role};
use contactpoint_settings::Within;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Not TOML, an unknown key, a wrong type or a number out of range. Mend the line.
    #[error("line {line}: {why}")]
    Refused {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A line that is never reached, since the one before it is about everybody.
    #[error("the line after number {0} is never asked: that one is about everybody")]
    NeverAsked(usize),
    /// A line without a reason.
    #[error("line number {0} of the plan does not say why")]
    WithoutReason(usize),
}

/// The whole file: config/review-plan.toml explains each key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[serde(default)]
    line: Vec<Line>,
    /// Of the file's text.
    #[serde(skip)]
    digest: [u8; 16],
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    why: String,
    /// Missing: of any.
    organisations: Option<BTreeSet<OrganisationId>>,
    kinds: Option<BTreeSet<OrganisationKind>>,
    roles: Option<BTreeSet<Role>>,
    per_mille: Within<0, 1000>,
    every: Every,
    working_days: Within<1, 60>,
}

/// How often a review is made of what came since the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// From Monday to Sunday.
    Week = 1,
    /// Of the calendar.
    Month = 2,
    /// From January, April, July and October on.
    Quarter = 3,
}

/// What of a look decides whether it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawable {
    /// The index of its entry in the log.
    pub index: u64,
    /// Its day.
    pub day: Day,
    /// The looker's organisation.
    pub organisation: OrganisationId,
    /// Its kind.
    pub kind: OrganisationKind,
    /// The role acted in.
    pub role: Role,
}

/// A look that is to be reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task {
    /// The index of its entry in the log.
    pub index: u64,
    /// The last day of its review.
    pub due: Day,
    /// Of which kind of period it is drawn.
    pub every: Every,
}

impl Every {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Week, Self::Month, Self::Quarter];

    /// As it is stored; stable for ever.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of period stored under a number.
    #[must_use]
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|every| every.number() == number)
    }

    /// As the plan writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// The last day of the newest period that is over on this day.
    #[must_use]
    pub fn last_ended(self, today: Day) -> Day {
        let before = (1..=92).filter_map(|days| Day::of_number(today.number() - days).ok());
        before.into_iter().find(|day| self.end(*day) == *day).unwrap_or(today)
    }

    /// The last day of the week, month or quarter that a day is of. A week ends with Sunday.
    #[must_use]
    pub fn end(self, day: Day) -> Day {
        let month_later = |months: i32| {
            let text = day.to_string();
            let (year, month) =
                (text.get(..4).and_then(|year| year.parse().ok()), text.get(5..7).and_then(|month| month.parse::<i32>().ok()));
            let (Some(year), Some(month)): (Option<i16>, _) = (year, month) else { return day };
            let last = (month - 1) / months * months + months;
            let last = Day::of(year, i8::try_from(last).unwrap_or(12), 1).unwrap_or(day);
            contactpoint_domain::Month::of(last).last()
        };
        match self {
            // 1970-01-01 was a Thursday
            Self::Week => Day::of_number(day.number() + 6 - (day.number() + 3).rem_euclid(7)).unwrap_or(day),
            Self::Month => month_later(1),
            Self::Quarter => month_later(3),
        }
    }
}

impl Line {
    fn is_about(&self, look: &Drawable) -> bool {
        self.organisations.as_ref().is_none_or(|some| some.contains(&look.organisation))
            && self.kinds.as_ref().is_none_or(|some| some.contains(&look.kind))
            && self.roles.as_ref().is_none_or(|some| some.contains(&look.role))
    }

    fn is_about_everybody(&self) -> bool {
        self.organisations.is_none() && self.kinds.is_none() && self.roles.is_none()
    }
}

impl Plan {
    /// Reads the text of a plan.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let mut plan: Self = toml::from_str(text).map_err(|error| {
            let (line, why) = refusal(&error, text);
            PlanError::Refused { line, why }
        })?;
        for (at, line) in plan.line.iter().enumerate() {
            if line.why.trim().is_empty() {
                return Err(PlanError::WithoutReason(at + 1));
            }
            if line.is_about_everybody() && at + 1 < plan.line.len() {
                return Err(PlanError::NeverAsked(at + 1));
            }
        }
        plan.digest = digest::of_text(text);
        Ok(plan)
    }

    /// Which plan it is: the first 16 bytes of SHA-256 of its file.
    #[must_use]
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Whether a look is drawn, by the first line that is about it, and by when it is to be reviewed: so many working days after the end of its
    /// week, month or quarter. Each look is drawn by itself: neither the others nor their order play a part. `seed`: of a checkpoint that was
    /// signed after the look, so that nobody knew it before.
    #[must_use]
    pub fn task(&self, seed: &Seed, holidays: &[Day], look: &Drawable) -> Option<Task> {
        let line = self.line.iter().find(|line| line.is_about(look))?;
        let due = || line.every.end(look.day).plus_working_days(u16::try_from(line.working_days.get()).unwrap_or(u16::MAX), holidays);
        seed.draws(look.index, line.per_mille.get()).then(|| Task { index: look.index, due: due(), every: line.every })
    }

    /// The largest share in thousandths of any line of this kind of period: what is not drawn by it is drawn by none. 0: there is no such line.
    #[must_use]
    pub fn largest_share(&self, every: Every) -> u64 {
        self.line.iter().filter(|line| line.every == every).map(|line| line.per_mille.get()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "[[line]]\nwhy = \"w\"\norganisations = [7]\nper_mille = 1000\nevery = \"week\"\nworking_days = 5\n\
        [[line]]\nwhy = \"w\"\nkinds = [\"police\"]\nroles = [\"practitioner\"]\nper_mille = 100\nevery = \"month\"\nworking_days = 10\n\
        [[line]]\nwhy = \"w\"\nper_mille = 10\nevery = \"quarter\"\nworking_days = 20\n";

    fn look(index: u64, organisation: u32, kind: OrganisationKind) -> Drawable {
        let day = "2026-11-18".parse().unwrap();
        Drawable { index, day, organisation: OrganisationId(organisation), kind, role: Role::Practitioner }
    }

    fn drawn(looks: impl Iterator<Item = Drawable>) -> Vec<Task> {
        let (plan, seed) = (Plan::parse(PLAN).unwrap(), Seed::of_checkpoint("head"));
        let mut drawn: Vec<Task> = looks.filter_map(|look| plan.task(&seed, &[], &look)).collect();
        drawn.sort_unstable();
        drawn
    }

    #[test]
    fn each_share_is_drawn_as_the_first_line_that_fits_says_whatever_the_order() {
        // F4: regular review is a task with a due date
        let of = |organisation, kind| move |index| look(index, organisation, kind);
        assert_eq!(drawn((0..500).map(of(7, OrganisationKind::Police))).len(), 500);
        let police = drawn((0..20_000).map(of(8, OrganisationKind::Police)));
        assert!((1830..=2170).contains(&police.len()), "{} of about 2000", police.len());
        assert_eq!(drawn((0..20_000).rev().map(of(8, OrganisationKind::Police))), police);
        let odd_ones_first = (0..20_000).filter(|index| index % 2 == 1).chain((0..20_000).filter(|index| index % 2 == 0));
        assert_eq!(drawn(odd_ones_first.map(of(8, OrganisationKind::Police))), police);
        let schools = drawn((0..20_000).map(of(8, OrganisationKind::School)));
        assert!((144..=256).contains(&schools.len()), "{} of about 200", schools.len());
    }

    #[test]
    fn a_review_is_due_so_many_working_days_after_the_week_month_or_quarter() {
        // F4: a task with a due date
        let due = |organisation, kind| drawn((0..5000).map(|index| look(index, organisation, kind)))[0].due.to_string();
        assert_eq!(due(7, OrganisationKind::Police), "2026-11-27", "the week ends on Sunday the 22nd");
        assert_eq!(due(8, OrganisationKind::Police), "2026-12-14");
        assert_eq!(due(8, OrganisationKind::School), "2027-01-28");
        let (plan, seed) = (Plan::parse(PLAN).unwrap(), Seed::of_checkpoint("head"));
        let holiday = ["2026-11-26".parse().unwrap()];
        assert_eq!(plan.task(&seed, &holiday, &look(1, 7, OrganisationKind::Police)).unwrap().due.to_string(), "2026-11-30");
    }

    #[test]
    fn a_period_is_over_from_the_day_after_its_last_one() {
        // F4: how often
        let last = |every: Every, today: &str| every.last_ended(today.parse().unwrap()).to_string();
        assert_eq!(last(Every::Week, "2026-11-22"), "2026-11-15", "a Sunday is of its week");
        assert_eq!(last(Every::Week, "2026-11-23"), "2026-11-22");
        assert_eq!((last(Every::Month, "2026-11-30"), last(Every::Month, "2026-12-01")), ("2026-10-31".into(), "2026-11-30".into()));
        assert_eq!((last(Every::Quarter, "2026-12-31"), last(Every::Quarter, "2027-01-01")), ("2026-09-30".into(), "2026-12-31".into()));
        assert_eq!(Every::ALL.map(|every| every.number()), [1, 2, 3], "numbers that are stored");
        let plan = Plan::parse(include_str!("../../config/review-plan.toml")).unwrap();
        assert_eq!(Every::ALL.map(|every| plan.largest_share(every)), [0, 100, 5]);
    }

    #[test]
    fn a_plan_is_known_by_its_file() {
        // F4; anybody can ask which it is: printf '' | sha256sum | head -c 32
        let hex = |text| Plan::parse(text).unwrap().digest().map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(hex(""), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(hex(PLAN), hex(&PLAN.replace("1000", "999")));
    }

    #[test]
    fn the_shipped_plan_is_taken_and_a_wrong_one_refused() {
        // style: unknown keys are refused; a reason on each line
        assert!(!Plan::parse(include_str!("../../config/review-plan.toml")).unwrap().line.is_empty());
        assert!(matches!(
            Plan::parse(&PLAN.replace("kinds", "sorts")),
            Err(PlanError::Refused { line: 8, .. } | PlanError::Refused { line: 9, .. })
        ));
        assert!(matches!(Plan::parse(&PLAN.replace("1000", "1001")), Err(PlanError::Refused { line: 4, .. })));
        assert!(matches!(Plan::parse(&PLAN.replace("week", "fortnight")), Err(PlanError::Refused { line: 5, .. })));
        assert_eq!(Plan::parse(&PLAN.replace("organisations = [7]\n", "")).unwrap_err(), PlanError::NeverAsked(1));
        assert_eq!(Plan::parse(&PLAN.replacen("\"w\"", "\"\"", 1)).unwrap_err(), PlanError::WithoutReason(1));
    }
}
