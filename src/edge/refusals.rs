//! The one map outward: what each layer refuses or fails at, and the code that the caller learns. No `_ =>`: a new
//! variant forces a decision. Faults of our own are logged here, once, with the sentence that is for the operator.

use crate::problem::{Problem, ProblemCode};
use contactpoint_directory::Refused;
use contactpoint_identity::{IdentityError, IdentityRefusal, LoginRefused, TurnedAway};
use contactpoint_intake::HeaderFault;
use contactpoint_policy::Refusal;
use contactpoint_store::StoreError;

/// Seconds after which a caller may try again when a part of the directory is away.
const AWAY: u64 = 5;

impl From<IdentityRefusal> for Problem {
    fn from(refusal: IdentityRefusal) -> Self {
        match refusal {
            IdentityRefusal::NotAuthenticated => ProblemCode::NotAuthenticated,
            IdentityRefusal::SessionEnded => ProblemCode::SessionEnded,
            IdentityRefusal::OrganisationNotEnrolled => ProblemCode::OrganisationNotEnrolled,
            IdentityRefusal::OrganisationSuspended => ProblemCode::OrganisationSuspended,
            // who holds the account is told by whoever locked, suspended or closed it
            IdentityRefusal::PersonSuspended | IdentityRefusal::PersonLocked | IdentityRefusal::PersonClosed => ProblemCode::Forbidden,
            IdentityRefusal::Unavailable => return away(&refusal),
        }
        .into()
    }
}

impl From<TurnedAway> for Problem {
    fn from(TurnedAway { refusal, entry }: TurnedAway) -> Self {
        Self { entry, ..refusal.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // never distinguishable from a child that does not exist
            Refusal::OutsideScope | Refusal::NotOfAudience => ProblemCode::NotFoundOrNotYours,
            Refusal::RoleForbids | Refusal::ReasonForbids => ProblemCode::Forbidden,
            Refusal::SearchTooWide => ProblemCode::SearchTooWide,
            // a gate is named, so that an honest organisation knows what to renew (rules B2, B3, C1)
            Refusal::CapabilityMissing => ProblemCode::CapabilityMissing,
            Refusal::AccreditationExpired => ProblemCode::AccreditationExpired,
            Refusal::OrganisationSuspended => ProblemCode::OrganisationSuspended,
            Refusal::NotSponsored => ProblemCode::NotSponsored,
            Refusal::NotAccredited => ProblemCode::NotAccredited,
            Refusal::ResponsibilitiesPending => ProblemCode::ResponsibilitiesPending,
            Refusal::VettingLapsed => ProblemCode::VettingLapsed,
            Refusal::BarringLapsed => ProblemCode::BarringLapsed,
            Refusal::TrainingLapsed => ProblemCode::TrainingLapsed,
            Refusal::AgreementPending => ProblemCode::AgreementPending,
            Refusal::NoSupervisor => ProblemCode::NoSupervisor,
            Refusal::OwnAccount => ProblemCode::OwnAccount,
            Refusal::SamePerson => ProblemCode::SamePerson,
            Refusal::AlreadySponsored => ProblemCode::AlreadySponsored,
            Refusal::RolesClash => ProblemCode::RolesClash,
            Refusal::SupervisorForbidden => ProblemCode::SupervisorForbidden,
            Refusal::TermForbidden => ProblemCode::TermForbidden,
            Refusal::OtherText => ProblemCode::OtherText,
            Refusal::OverBudget => ProblemCode::OverBudget,
            Refusal::AlertsOverdue => ProblemCode::AlertsOverdue,
            Refusal::OwnAct => ProblemCode::OwnAct,
            Refusal::NotConfirmed => ProblemCode::NotConfirmed,
            Refusal::NotVerified => ProblemCode::NotVerified,
            Refusal::AlreadyJudged => ProblemCode::AlreadyJudged,
            Refusal::NotApproved => ProblemCode::NotApproved,
            Refusal::EvidenceExpired => ProblemCode::EvidenceExpired,
            Refusal::OtherRequest => ProblemCode::OtherRequest,
        }
        .into()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Policy(refusal) => return refusal.into(),
            Refused::Caller(refusal) => return refusal.into(),
            Refused::NotFoundOrNotYours | Refused::NoSuchFeed => ProblemCode::NotFoundOrNotYours,
            Refused::TooManyMatches => ProblemCode::TooManyMatches,
            Refused::Header(HeaderFault::UnknownColumn { .. }) => ProblemCode::UnknownMember,
            Refused::Header(
                HeaderFault::NotUtf8
                | HeaderFault::TooLong
                | HeaderFault::UnbalancedQuotes
                | HeaderFault::ControlCharacter
                | HeaderFault::Empty
                | HeaderFault::MissingColumns { .. }
                | HeaderFault::DoubledColumn { .. },
            ) => ProblemCode::MalformedRequest,
            Refused::FeedOutOfStep { next_line } => return Self::out_of_step(next_line.into()),
            Refused::SeedNotFixed => ProblemCode::SeedNotFixed,
            Refused::TooManyRecords => ProblemCode::BodyTooLarge,
            Refused::UnknownLayout
            | Refused::OtherHeader
            | Refused::NoSuchPlace
            | Refused::NoSuchPeriod
            | Refused::Exists(_)
            | Refused::Unknown(_) => ProblemCode::InvalidValue,
        }
        .into()
    }
}

impl From<LoginRefused> for Problem {
    fn from(refused: LoginRefused) -> Self {
        match refused {
            LoginRefused::Failed { retry_after: None } => ProblemCode::LogInFailed.into(),
            LoginRefused::Failed { retry_after: Some(wait) } => Self::retry_after(ProblemCode::LogInFailed, wait.as_secs()),
            LoginRefused::Channel(refusal) => refusal.into(),
        }
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(fault) => fault.into(),
            IdentityError::Pepper(_) | IdentityError::Randomness(_) | IdentityError::Stopping => away(&error),
            IdentityError::PasswordRecord => broken(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // a name or certificate that is taken: the value is not one that can be used
            StoreError::Exists(_) => ProblemCode::InvalidValue.into(),
            StoreError::Unknown(_) => ProblemCode::NotFoundOrNotYours.into(),
            StoreError::Attempted { fault, entry } => Self::from(*fault).entered(entry),
            StoreError::Full
            | StoreError::Stopped
            | StoreError::Disk(_)
            | StoreError::Gone
            | StoreError::Overwritten
            | StoreError::OtherHead { .. }
            | StoreError::Unsigned
            | StoreError::SignerHangs { .. }
            | StoreError::Overloaded
            | StoreError::Overtaken => away(&error),
            StoreError::Damaged { .. }
            | StoreError::Form { .. }
            | StoreError::Engine(_)
            | StoreError::Seal(_)
            | StoreError::Audit(_)
            | StoreError::Value(_) => broken(&error),
        }
    }
}

fn away(error: &dyn std::error::Error) -> Problem {
    log::warn!(target: "contactpoint::edge", error:% = error; "answered as unavailable");
    Problem::retry_after(ProblemCode::Unavailable, AWAY)
}

fn broken(error: &dyn std::error::Error) -> Problem {
    log::error!(target: "contactpoint::edge", error:% = error; "answered as an internal fault");
    ProblemCode::Internal.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_failed_log_in_is_one_answer_and_tells_only_how_long_to_wait() {
        // C6: the answer never tells which factor or whether the account exists
        let failed = Problem::from(LoginRefused::Failed { retry_after: None });
        assert_eq!(failed, ProblemCode::LogInFailed.into());
        let delayed = Problem::from(LoginRefused::Failed { retry_after: Some(Duration::from_secs(8)) });
        assert_eq!(delayed, Problem::retry_after(ProblemCode::LogInFailed, 8));
    }

    #[test]
    fn a_fault_of_our_own_shows_nothing_of_itself() {
        // J3: errors to a caller are terse
        let shown = serde_json::to_string(&Problem::from(StoreError::Damaged { table: "child", row: 17 }).document()).unwrap();
        assert!(shown.contains("internal") && !shown.contains("child") && !shown.contains("17"), "{shown}");
        assert_eq!(Problem::from(StoreError::Full).code, ProblemCode::Unavailable);
    }
}
