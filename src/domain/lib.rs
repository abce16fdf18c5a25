//! The words of the directory, as types that cannot hold a wrong value.
//!
//! For: every value that rule A1 lets a record hold, the organisations and people that rules B and C name, and the numbers that
//! rules A4 and A5 define, each parsed once at the door. Leaves to others: who may see what (`policy`), how a record is
//! stored (`store`), what time it is (nobody here reads a clock). Does not promise: that a value is true, only that it is well formed.
//!
//! No personal value prints itself: `Debug` shows the type's name and nothing of its content (rules G1, J3).

pub mod alert;
mod checked;
pub mod child;
pub mod contact;
pub mod date;
pub mod day;
pub mod evidence;
pub mod facts;
pub mod helpdesk;
pub mod name;
pub mod number;
pub mod organisation;
pub mod person;
pub mod purpose;
pub mod review;
pub mod role;
pub mod texts;

pub use alert::{Addressee, Alert, AlertId, AlertKind, Disposition, Finding, Judgement, NewAlert, SampleReview, JUDGED_WITHIN_DAYS};
pub use checked::InvalidValue;
pub use child::{
    Audience, Carer, ChildRecord, Gender, HeldFor, Involvement, Provenance, Quarantine, Relationship, SensitiveBasis, Shield, ShieldReason,
    Statement,
};
pub use contact::{Address, AddressLine, EmailAddress, PhoneNumber, Postcode};
pub use date::{DateOfBirth, Instant};
pub use day::{Day, Month};
pub use evidence::{EvidenceAsked, EvidenceCase, EvidenceId, EVIDENCE_DAYS};
pub use facts::{Areas, Facts, Kin, Place, Tie};
pub use helpdesk::{Factor, PendingReset, Verified};
pub use name::{FamilyName, GivenName, Name};
pub use number::{ChildNumber, NhsNumber, UniquePupilNumber};
pub use organisation::{
    Acceptance, Accreditation, Capability, Organisation, OrganisationId, OrganisationKind, OrganisationName, Sponsorship, Stage,
};
pub use person::{AccountState, Checks, Lapsed, LoginName, PersonId};
pub use purpose::Purpose;
pub use review::{Ending, NewReview, Review, ReviewId, ReviewOutcome, Reviewed, RuleName};
pub use role::Role;
pub use texts::Texts;
