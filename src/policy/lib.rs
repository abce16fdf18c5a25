//! Who may do what to which child: a Caller, a request and the relation found in the store become a Permit or a Refusal.
//!
//! For: rules B2 to B4, C1, C3, C4, D1 to D8, E1 to E6 and F3 as pure functions without socket, file or clock, and the one type of what may be shown
//! of a child (rules A1, A5, E7). A permit has private fields and is made here alone, so an operation that takes one cannot be reached
//! without a decision. What decides is written down in docs/access.md, which is made of the tables here. Leaves to others: who the caller
//! is (`identity`), carrying it out (`directory`).

mod admission;
mod alerts;
mod budget;
mod evidence;
mod facts;
mod flags;
mod gate;
mod glass;
mod helpdesk;
mod look;
mod organisations;
mod people;
mod permit;
mod refusal;
mod relation;
mod reviews;
mod shielding;
mod shown;

pub use admission::{admit, Row, TABLE};
pub use alerts::{
    audit_alerts, comes_in, judge, judges, read_alerts, read_flags, review_alert, reviews, waits_for, AlertAudit, AuditAlertsPermit,
    Concern, JudgePermit, ReadAlertsPermit, Receiver, ReviewPermit,
};
pub use budget::{one_more_contact, Ceilings, CONTACTS};
pub use evidence::{
    approve_evidence, fetch_evidence, request_evidence, statement, ApproveEvidencePermit, FetchEvidencePermit, RequestEvidencePermit,
    StatementPermit,
};
pub use facts::{facts, search_facts};
pub use flags::{alert, contact_wanted, flags, misses_to_tell, search_flags, About, MISSES, MISSES_MINUTES};
pub use gate::{Gate, Moment};
pub use glass::{
    break_glass, leave_glass, override_shield, reached_through_glass, Asked, BreakGlassPermit, LeavePermit, OverridePermit, BREAKING,
    GLASS_MINUTES,
};
pub use helpdesk::{begin_reset, complete_reset, BeginResetPermit, CompleteResetPermit};
pub use look::{breadth, Breadth, Grant, Line, Looking, State, LOOKS};
pub use organisations::{
    accept_responsibilities, accredit, certificates, enrol_organisation, resume_organisation, sponsor, suspend_organisation,
    AcceptResponsibilitiesPermit, AccreditPermit, CertificateChange, EnrolOrganisationPermit, SponsorPermit, SuspendOrganisationPermit,
    LONGEST_ACCREDITATION_YEARS,
};
pub use people::{
    accept_agreement, account_act, account_state, amend_person, enrol_person, supervisor, AcceptAgreementPermit, AccountStatePermit,
    AmendPersonPermit, Candidate, EnrolPersonPermit, Subject, LONGEST_CHAIN,
};
pub use permit::{basis, feed, search, view, who_saw, BasisFault, By, FeedPermit, SearchPermit, Sight, ViewPermit, WhoSawPermit};
pub use refusal::Refusal;
pub use relation::Relation;
pub use reviews::{
    read_reviews, review_report, review_waits_for, settle_review, settles_reviews, ReadReviewsPermit, ReviewReportPermit,
    SettleReviewPermit,
};
pub use shielding::{
    ask_contact, end_involvement, hold_new, set_audience, settle, shield, unshield, AskContactPermit, AudiencePermit, EndInvolvementPermit,
    HoldNewPermit, Keepers, SettlePermit, ShieldPermit, UnshieldPermit, LONGEST_SHIELD_YEARS,
};
pub use shown::{AddressKnown, AddressView, CarerView, ChildHit, ChildView, Contact, ContactPerson, Visible};
