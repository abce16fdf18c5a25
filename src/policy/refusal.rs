//! Why not: a closed list. The log gets the reason; the caller gets what `edge` makes of it.

use contactpoint_audit::RefusalCode;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $sentence:literal),+ $(,)?) => {
        /// A refusal and its reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        #[must_use]
        pub enum Refusal { $($(#[$doc])* #[error($sentence)] $name),+ }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        impl From<Refusal> for RefusalCode {
            fn from(refusal: Refusal) -> Self {
                match refusal { $(Refusal::$name => Self::$name),+ }
            }
        }
    };
}

refusals! {
    /// The child is outside the caller's scope (rule D1). To the caller this is "no such child".
    OutsideScope = "the child is outside the caller's scope",
    /// None of the caller's roles may do this (rule C4).
    RoleForbids = "the caller's role may not do this",
    /// The organisation is not accredited for this (rule B2).
    CapabilityMissing = "the organisation is not accredited for this",
    /// The organisation's accreditation for this has expired (rule B2).
    AccreditationExpired = "the organisation's accreditation for this has expired",
    /// The stated reason is none for this (rule D2).
    ReasonForbids = "the stated reason is none for this",
    /// The search asks for too much of the register (rule D3).
    SearchTooWide = "a search needs a family name or a child number, with a date of birth or a postcode",
    /// The organisation was suspended (rule B4).
    OrganisationSuspended = "the organisation is suspended",
    /// Nobody vouches for the organisation (rule B2).
    NotSponsored = "the organisation has no sponsor",
    /// The organisation is accredited for nothing, or no longer (rule B2).
    NotAccredited = "the organisation is not accredited",
    /// The organisation has not accepted the statement of responsibilities in force (rule B3).
    ResponsibilitiesPending = "the organisation has not accepted the statement of responsibilities in force",
    /// The person's vetting check has lapsed (rule C1).
    VettingLapsed = "the vetting check has lapsed",
    /// The person is not registered with the barring scheme (rule C1).
    BarringLapsed = "there is no registration with the barring scheme",
    /// The person's training has lapsed (rule C1).
    TrainingLapsed = "the training has lapsed",
    /// The person has not signed the agreement in force within a year (rules C1, J5).
    AgreementPending = "the user agreement in force is not signed",
    /// Nobody supervises the person (rule C3).
    NoSupervisor = "there is no supervisor",
    /// A person may not do this to themselves (rules C1, C4).
    OwnAccount = "nobody does this to their own account",
    /// The sponsor may not accredit, nor the accrediting officer sponsor (rule B2).
    SamePerson = "two different people are needed",
    /// Somebody who is in office vouches for the organisation already (rule B2).
    AlreadySponsored = "somebody vouches for the organisation already",
    /// These roles cannot be held by one person, or not in this organisation (rule C4).
    RolesClash = "these roles cannot be held together here",
    /// An accreditation ends after today and within three years (rule B2).
    TermForbidden = "an accreditation ends after today and within three years, and a shield is reviewed within one",
    /// Another version of the text is in force than the one accepted (rules B3, J5).
    OtherText = "another version of the text is in force",
    /// This supervisor cannot be theirs (rule C3).
    SupervisorForbidden = "this person cannot be their supervisor",
    /// Only named people may know of the record (rule D8). To the caller this is "no such child".
    NotOfAudience = "only named people may know of the record",
    /// The day's ceiling of records seen (rule D6), or of requests for contact, leaves no room for this.
    OverBudget = "the day's ceiling of records seen, or of requests for contact, leaves no room for this",
    /// An alert about an earlier break-glass of the caller is overdue (rule D5).
    AlertsOverdue = "an alert about an earlier break-glass waits to be judged, for longer than it may",
    /// Nobody judges their own act, nor that of whoever supervises them (rules C3, C4, D5).
    OwnAct = "nobody judges their own act, nor that of whoever supervises them",
    /// The second factor was not proved anew (rule C2).
    NotConfirmed = "the code is not good",
    /// Too few of the scripted questions were answered (rule C5).
    NotVerified = "the caller was not verified by the scripted questions",
    /// The disposition is none for this alert, or the alert has one already (rule D5).
    AlreadyJudged = "the alert is judged, or is none to be judged so",
    /// Nobody else has approved the evidence (rule F5).
    NotApproved = "no second auditor has approved this",
    /// The days in which evidence may be approved and fetched are over (rule F5).
    EvidenceExpired = "the days in which this may be approved or fetched are over",
    /// Something else is approved than what was asked for (rule F5).
    OtherRequest = "this is not what was asked for",
}
