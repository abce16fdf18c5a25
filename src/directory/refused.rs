//! Why an operation was not carried out: what `edge` turns into a problem.

use contactpoint_audit::{Outcome, RefusalCode};
use contactpoint_identity::IdentityRefusal;
use contactpoint_intake::HeaderFault;
use contactpoint_policy::Refusal;

/// A refusal, in the log already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Policy says no, for a reason that tells nothing of any child.
    #[error(transparent)]
    Policy(Refusal),
    /// Whoever was proved at the door may not come in any more, as the transaction finds them (rule B4).
    #[error(transparent)]
    Caller(IdentityRefusal),
    /// No such child, or none of the caller's: never told apart (rule D1).
    #[error("no such child within the caller's scope")]
    NotFoundOrNotYours,
    /// More than twenty children answer (rule D3).
    #[error("too many matches")]
    TooManyMatches,
    /// No layout of this name.
    #[error("there is no layout of this name")]
    UnknownLayout,
    /// The file's header does not fit the layout.
    #[error(transparent)]
    Header(HeaderFault),
    /// The file that was begun under this digest has another header.
    #[error("the feed of this digest was begun with another header")]
    OtherHeader,
    /// No such feed of the caller's organisation.
    #[error("no such feed")]
    NoSuchFeed,
    /// The feed goes on at another record.
    #[error("the feed goes on at record {next_line}")]
    FeedOutOfStep {
        /// The record expected next; the header is 1.
        next_line: u32,
    },
    /// More records than one request may carry.
    #[error("more than {} records in one request", crate::MOST_RECORDS)]
    TooManyRecords,
    /// What was to be enrolled exists already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// The month is not over, or the days run backwards or over more than a year.
    #[error("the month is not over, or the days run backwards or over more than a year")]
    NoSuchPeriod,
    /// The daemon has not yet noted the end of the month, or signed a head over that.
    #[error("the seed of this month's sample is not fixed yet")]
    SeedNotFixed,
    /// A cursor that is none, or was given to somebody else or for something else.
    #[error("no such place in this list")]
    NoSuchPlace,
    /// A number names nothing.
    #[error("no such {0}")]
    Unknown(&'static str),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OutsideScope | Refusal::NotOfAudience => Self::NotFoundOrNotYours,
            Refusal::RoleForbids
            | Refusal::CapabilityMissing
            | Refusal::AccreditationExpired
            | Refusal::ReasonForbids
            | Refusal::SearchTooWide
            | Refusal::OrganisationSuspended
            | Refusal::NotSponsored
            | Refusal::NotAccredited
            | Refusal::ResponsibilitiesPending
            | Refusal::VettingLapsed
            | Refusal::BarringLapsed
            | Refusal::TrainingLapsed
            | Refusal::AgreementPending
            | Refusal::NoSupervisor
            | Refusal::OwnAccount
            | Refusal::SamePerson
            | Refusal::AlreadySponsored
            | Refusal::RolesClash
            | Refusal::TermForbidden
            | Refusal::OtherText
            | Refusal::SupervisorForbidden
            | Refusal::OverBudget
            | Refusal::AlertsOverdue
            | Refusal::OwnAct
            | Refusal::NotConfirmed
            | Refusal::NotVerified
            | Refusal::AlreadyJudged
            | Refusal::NotApproved
            | Refusal::EvidenceExpired
            | Refusal::OtherRequest => Self::Policy(refusal),
        }
    }
}

impl Refused {
    /// What the log says of it.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Policy(refusal) => Outcome::Refused((*refusal).into()),
            Self::Caller(refusal) => Outcome::Refused(refusal.in_the_log().unwrap_or(RefusalCode::Fault)),
            Self::NotFoundOrNotYours | Self::NoSuchFeed | Self::Unknown(_) => Outcome::NotFound,
            Self::TooManyMatches => Outcome::TooMany,
            Self::UnknownLayout | Self::Header(_) | Self::OtherHeader | Self::TooManyRecords | Self::NoSuchPlace | Self::NoSuchPeriod => {
                Outcome::Refused(RefusalCode::InvalidValue)
            }
            Self::SeedNotFixed => Outcome::Refused(RefusalCode::InvalidValue),
            Self::FeedOutOfStep { .. } => Outcome::Refused(RefusalCode::FeedOutOfStep),
            Self::Exists(_) => Outcome::Refused(RefusalCode::AlreadyExists),
        }
    }
}
