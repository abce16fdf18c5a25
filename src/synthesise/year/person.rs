//! People who look: their jobs, when they work, and how much they look.

use super::calendar::Calendar;
use crate::random::Random;
use contactpoint_domain::{OrganisationKind, PersonId, Purpose, Role};

const HOUR: u32 = 3600;

/// What somebody does for a living.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// Cares for pupils at a school.
    Pastoral,
    /// At a surgery.
    Surgery,
    /// Has cases of social care.
    SocialWorker,
    /// Takes the calls that reach a council.
    FrontDoor,
    /// Takes them at night and at weekends.
    Emergency,
    /// Shields children of a council.
    Officer,
    /// At a youth offending team.
    YouthWorker,
    /// Police: protects children; some are on call.
    Protection,
    /// Police: goes where something happens, in shifts.
    Response,
    /// At a voluntary service.
    Volunteer,
}

/// How often somebody looks, and at whom.
pub(crate) struct Habits {
    /// Of a thousand people of an area.
    pub(crate) share: u64,
    pub(crate) kind: OrganisationKind,
    /// Children looked up on a working day, in hundredths, before the person's own factor.
    pub(crate) per_day: u64,
    /// Seconds of the day.
    pub(crate) hours: (u32, u32),
    /// Own cases, others of the organisation, others of its area, of a thousand; the rest is anybody.
    pub(crate) of: (u64, u64, u64),
    pub(crate) cases: u64,
    /// Of a thousand looks that find a child out of scope: so many break the glass.
    pub(crate) urgent: u64,
    pub(crate) reasons: &'static [Purpose],
}

impl Job {
    pub(crate) const ALL: [Self; 10] = [
        Self::Pastoral,
        Self::Surgery,
        Self::FrontDoor,
        Self::Emergency,
        Self::Officer,
        Self::YouthWorker,
        Self::Protection,
        Self::Response,
        Self::Volunteer,
        Self::SocialWorker,
    ];

    pub(crate) fn habits(self) -> Habits {
        use OrganisationKind::{Council, Police, School, Surgery, Voluntary, YouthOffendingTeam};
        use Purpose::{Assessment, Concern, Coordination, Missing, Section47, Transfer};
        // shares, volumes and hours (in half hours), then whom, cases, urgent, reasons: as in docs/synthetic-people.md
        match self {
            Self::Pastoral => of(School, (290, 50, 16, 33), (600, 370, 0), (25, 60), &[Coordination, Concern, Assessment, Transfer]),
            Self::Surgery => of(Surgery, (120, 70, 16, 37), (200, 780, 0), (60, 200), &[Coordination, Concern]),
            Self::SocialWorker => of(Council, (243, 100, 17, 35), (750, 120, 128), (18, 300), &[Coordination, Assessment, Section47]),
            Self::FrontDoor => of(Council, (36, 600, 17, 35), (0, 350, 630), (0, 300), &[Concern, Section47, Coordination]),
            Self::Emergency => of(Council, (18, 250, 34, 48), (0, 450, 520), (0, 600), &[Concern, Section47, Missing]),
            Self::Officer => of(Council, (3, 40, 17, 34), (300, 500, 200), (10, 0), &[Assessment, Concern]),
            Self::YouthWorker => of(YouthOffendingTeam, (36, 90, 18, 36), (850, 140, 0), (12, 60), &[Coordination, Assessment]),
            Self::Protection => of(Police, (74, 130, 16, 36), (450, 250, 0), (20, 700), &[Section47, Concern, Missing]),
            Self::Response => of(Police, (106, 40, 0, 48), (0, 350, 0), (0, 850), &[Concern, Missing, Section47]),
            Self::Volunteer => of(Voluntary, (72, 40, 18, 34), (700, 290, 0), (10, 20), &[Coordination, Concern]),
        }
    }
}

/// One job's line: share, looks a day, first and last half hour; whom; cases and urgent.
fn of(
    kind: OrganisationKind,
    (share, per_day, from, to): (u64, u64, u32, u32),
    of: (u64, u64, u64),
    (cases, urgent): (u64, u64),
    reasons: &'static [Purpose],
) -> Habits {
    Habits { share, kind, per_day, hours: (from * HOUR / 2, to * HOUR / 2), of, cases, urgent, reasons }
}

/// Somebody who looks.
pub(crate) struct Person {
    pub(crate) id: PersonId,
    pub(crate) organisation: usize,
    pub(crate) area: u64,
    pub(crate) role: Role,
    pub(crate) job: Job,
    /// A new job from a day on.
    pub(crate) moves: Option<(i32, Job)>,
    /// Family name and home, as the world numbers them.
    pub(crate) family: u32,
    pub(crate) home: u32,
    /// How much they look, in thousandths of what is usual: few look a lot.
    pub(crate) activity: u64,
    /// Weekdays on which they do not work, as bits.
    pub(crate) off: u32,
    /// First day, and the one after the last.
    pub(crate) employed: (i32, i32),
    /// Place in rotas.
    pub(crate) rota: i32,
    pub(crate) is_on_call: bool,
    /// The day on which an agreement turns out to have lapsed.
    pub(crate) lapses: Option<i32>,
    pub(crate) cases: Vec<usize>,
}

impl Person {
    pub(crate) fn job_on(&self, day: i32) -> Job {
        self.moves.filter(|(from, _)| *from <= day).map_or(self.job, |(_, job)| job)
    }

    /// When they are at work on a day: seconds of it, from and to.
    pub(crate) fn at_work(&self, calendar: &Calendar, day: i32) -> Vec<(u32, u32)> {
        let job = self.job_on(day);
        if !(self.employed.0..self.employed.1).contains(&day) {
            return Vec::new();
        }
        let hours = job.habits().hours;
        match job {
            Job::Emergency => self.nights(calendar, day),
            Job::Response => self.shift(day),
            Job::Pastoral if !calendar.is_term(day) => Vec::new(),
            Job::Surgery if self.is_on_call && calendar.weekday(day) == 5 && (day / 7 + self.rota) % 3 == 0 => vec![(9 * HOUR, 13 * HOUR)],
            Job::Pastoral
            | Job::Surgery
            | Job::SocialWorker
            | Job::FrontDoor
            | Job::Officer
            | Job::YouthWorker
            | Job::Protection
            | Job::Volunteer => {
                let is_off = calendar.is_free(day) || self.off & (1 << calendar.weekday(day)) != 0;
                if is_off {
                    Vec::new()
                } else {
                    vec![hours]
                }
            }
        }
    }

    /// One night in three, from half past five to half past eight; by day too at weekends and on holidays.
    fn nights(&self, calendar: &Calendar, day: i32) -> Vec<(u32, u32)> {
        let mut pieces = Vec::new();
        if (day + self.rota) % 3 == 1 {
            pieces.push((0, 17 * HOUR / 2));
        }
        if (day + self.rota) % 3 == 0 {
            pieces.push((if calendar.is_free(day) { 17 * HOUR / 2 } else { 35 * HOUR / 2 }, 24 * HOUR));
        }
        pieces
    }

    /// Two early, two late, two nights, two days off.
    fn shift(&self, day: i32) -> Vec<(u32, u32)> {
        match (day + self.rota).rem_euclid(8) {
            0 | 1 => vec![(7 * HOUR, 15 * HOUR)],
            2 | 3 => vec![(15 * HOUR, 23 * HOUR)],
            4 => vec![(22 * HOUR, 24 * HOUR)],
            5 => vec![(0, 7 * HOUR), (22 * HOUR, 24 * HOUR)],
            6 => vec![(0, 7 * HOUR)],
            _ => Vec::new(),
        }
    }

    /// The week in six in which somebody who protects children is called at night.
    pub(crate) fn is_called_on(&self, day: i32) -> bool {
        self.is_on_call && self.job == Job::Protection && (day / 7 + self.rota).rem_euclid(6) == 0
    }
}

/// A second while somebody is at work, where they are.
pub(crate) fn some_second(pieces: &[(u32, u32)], random: &mut Random) -> Option<u32> {
    if pieces.is_empty() {
        return None;
    }
    let (from, to) = *random.any(pieces);
    Some(from + random.below((to - from).into()) as u32)
}
