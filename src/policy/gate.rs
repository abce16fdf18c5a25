//! The gates that every request passes before its own decision: the organisation's (rules B2, B3) and the person's (rules C1, C3).
//!
//! In one order, so that of several shut gates the same one is named each time; the refusal says which, so that an honest organisation
//! knows what to renew. Suspended organisations and people have no `Caller` at all: `identity` refuses them before a request is read.

use crate::refusal::Refusal;
use contactpoint_domain::{Day, Instant, Lapsed, Organisation, OrganisationKind, Role, Stage, Texts};
use contactpoint_identity::{Caller, Qualifications};

/// The day on which a request is decided, and the texts that are in force then: all that policy knows of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub now: Instant,
    /// Its day in UTC.
    pub today: Day,
    /// Which versions count as accepted.
    pub texts: Texts,
}

impl Moment {
    /// The moment of an instant, with the texts compiled in.
    #[must_use]
    pub fn of(now: Instant) -> Self {
        Self { now, today: now.day(), texts: Texts::IN_FORCE }
    }
}

/// A gate, in the order in which they are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// A sponsor vouches for the organisation, it is accredited for something (rule B2), and it accepted the statement in force (rule B3).
    Organisation,
    /// Vetting, barring registration, training, agreement (rule C1).
    Checks,
    /// Somebody supervises the person (rule C3).
    Supervisor,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: &'static [Self] = &[Self::Organisation, Self::Checks, Self::Supervisor];

    /// Why this gate is shut for the caller, if it is.
    pub fn shut(self, caller: &Caller, moment: Moment) -> Option<Refusal> {
        self.shut_for(caller.organisation(), caller.qualifications(), moment)
    }

    /// The same for somebody who is not asking now.
    pub(crate) fn shut_for(self, organisation: &Organisation, person: &Qualifications, moment: Moment) -> Option<Refusal> {
        match self {
            Self::Organisation => stage(organisation, moment),
            Self::Checks => person.checks.lapsed(moment.today, moment.texts).map(lapsed),
            Self::Supervisor => {
                let is_root = organisation.kind == OrganisationKind::DataCentre && person.roles.contains(&Role::RiskOwner);
                (person.supervisor.is_none() && !is_root).then_some(Refusal::NoSupervisor)
            }
        }
    }
}

fn stage(organisation: &Organisation, Moment { now: _, today, texts }: Moment) -> Option<Refusal> {
    match organisation.stage(today, texts) {
        Stage::Connected => None,
        Stage::Applied => Some(Refusal::NotSponsored),
        Stage::Sponsored => Some(Refusal::NotAccredited),
        Stage::Accredited => Some(Refusal::ResponsibilitiesPending),
        Stage::Suspended => Some(Refusal::OrganisationSuspended),
    }
}

fn lapsed(check: Lapsed) -> Refusal {
    match check {
        Lapsed::Vetting => Refusal::VettingLapsed,
        Lapsed::Barring => Refusal::BarringLapsed,
        Lapsed::Training => Refusal::TrainingLapsed,
        Lapsed::Agreement => Refusal::AgreementPending,
    }
}
