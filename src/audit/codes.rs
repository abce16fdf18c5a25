//! The closed lists an entry is made of. Numbers are what is stored and never change their meaning; codes are what answers and reports
//! say. A number or a code that is not of the list is refused.

use contactpoint_domain::InvalidValue;

/// Declares a closed list: an enum whose members are written, parsed and numbered in one place.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal / $number:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $code)] $variant = $number),+ }

        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code as written in answers and reports.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// The number as stored; stable for ever.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }
            /// The member stored under a number.
            #[must_use]
            pub const fn of_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
        impl TryFrom<&str> for $name {
            type Error = InvalidValue;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                match text { $($code => Ok(Self::$variant),)+ _ => Err(InvalidValue { what: $what, why: "is not a code of the list" }) }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

coded!(
    /// What somebody did or tried to do.
    Operation, "operation" {
        /// Log in.
        LogIn = "log-in" / 1,
        /// Log out.
        LogOut = "log-out" / 2,
        /// Search for children (rule D3).
        Search = "search" / 3,
        /// View one child (rules D1, D2).
        View = "view" / 4,
        /// Ask who saw a child (rule F3).
        WhoSaw = "who-saw" / 5,
        /// Feed records.
        Feed = "feed" / 6,
        /// Enrol an organisation (rule B2).
        EnrolOrganisation = "enrol-organisation" / 7,
        /// Enrol another certificate of an organisation.
        EnrolCertificate = "enrol-certificate" / 8,
        /// Enrol a person (rule C1).
        EnrolPerson = "enrol-person" / 9,
        /// The daemon started.
        Start = "start" / 10,
        /// The daemon stopped in order.
        Stop = "stop" / 11,
        /// Take a certificate of an organisation off the record.
        RemoveCertificate = "remove-certificate" / 12,
        /// Vouch for an organisation (rule B2).
        Sponsor = "sponsor" / 13,
        /// Accredit an organisation for something, or take it back (rule B2).
        Accredit = "accredit" / 14,
        /// Suspend an organisation (rule B4).
        SuspendOrganisation = "suspend-organisation" / 15,
        /// Let a suspended organisation in again.
        ResumeOrganisation = "resume-organisation" / 16,
        /// Accept the statement of responsibilities for an organisation (rule B3).
        AcceptResponsibilities = "accept-responsibilities" / 17,
        /// Sign the user agreement (rules C1, J5).
        AcceptAgreement = "accept-agreement" / 18,
        /// Change a person's checks, roles or supervisor (rules C1, C3, C4).
        AmendPerson = "amend-person" / 19,
        /// Suspend a person.
        SuspendPerson = "suspend-person" / 20,
        /// Let a suspended person in again.
        ResumePerson = "resume-person" / 21,
        /// Close an account for good.
        ClosePerson = "close-person" / 22,
        /// Lock an account (rule C5).
        LockPerson = "lock-person" / 23,
        /// Unlock an account (rule C5).
        UnlockPerson = "unlock-person" / 24,
        /// Prove the second factor anew for a sensitive act (rule C2).
        Confirm = "confirm" / 25,
        /// Break the glass to one child outside the scope (rule D4).
        BreakGlass = "break-glass" / 26,
        /// Leave the child that the glass was broken to (rule D4).
        LeaveGlass = "leave-glass" / 27,
        /// Override the shield of one child (rule E5).
        OverrideShield = "override-shield" / 28,
        /// Shield a child (rule E1).
        Shield = "shield" / 29,
        /// Lift a shield (rule E1).
        Unshield = "unshield" / 30,
        /// Name the only people who may know of a record, or let everybody know again (rule D8).
        SetAudience = "set-audience" / 31,
        /// Read the alerts that wait for one (rule D5).
        ReadAlerts = "read-alerts" / 32,
        /// Judge or settle an alert (rule D5).
        JudgeAlert = "judge-alert" / 33,
        /// Draw a sample of judged alerts (rule D5).
        SampleAlerts = "sample-alerts" / 34,
        /// Say what an auditor finds of a judgement (rule D5).
        ReviewAlert = "review-alert" / 35,
        /// Read the statistics of alerts and judgements (rule D5).
        AlertStatistics = "alert-statistics" / 36,
        /// Say which child a quarantined record is of (rule E4).
        SettleRecord = "settle-record" / 37,
        /// Say that the work with a child ended (rule D1).
        EndInvolvement = "end-involvement" / 38,
        /// Ask the authority to broker contact (rule E6).
        AskContact = "ask-contact" / 39,
        /// Begin the reset of a person's factors (rule C5).
        BeginReset = "begin-reset" / 40,
        /// Complete a reset as its second person (rule C5).
        CompleteReset = "complete-reset" / 41,
        /// Raise an alert about a look, without the looker's doing (rules D6 to D8).
        RaiseAlert = "raise-alert" / 42,
        /// Hold new records of an area back for its authority, or no longer (rule E4).
        HoldNew = "hold-new" / 50,
        /// Make a subject-access statement (rule F3).
        MakeStatement = "make-statement" / 51,
        /// Ask for evidence of what a person did (rule F5).
        RequestEvidence = "request-evidence" / 52,
        /// Approve as a second auditor what another asked for (rule F5).
        ApproveEvidence = "approve-evidence" / 53,
        /// Fetch approved evidence (rule F5).
        FetchEvidence = "fetch-evidence" / 54,
        /// Read the tasks of review that wait for one (rule F4).
        ReadReviews = "read-reviews" / 60,
        /// Say what came of a task of review (rule F4).
        SettleReview = "settle-review" / 61,
        /// Read how reviews stand (rule F4).
        ReviewReport = "review-report" / 62,
        /// A period of the plan of reviews has ended (rule F4).
        EndPeriod = "end-period" / 63,
        /// Tasks of review were drawn (rule F4).
        DrawReviews = "draw-reviews" / 64,
        /// The detection rules were run over the log (rule F4).
        DetectReviews = "detect-reviews" / 65,
        /// Begin the next epoch of the entry key (rule F2).
        NewEntryEpoch = "new-entry-epoch" / 80,
        /// Order, as one of two officers, that an epoch of the entry key is destroyed (rules F2, G2).
        DestroyEntryEpoch = "destroy-entry-epoch" / 81,
        /// The HSM has the key of an entry epoch no more (rule F2).
        EntryEpochGone = "entry-epoch-gone" / 82,
        /// Order, as one of two officers, that children's records are destroyed (rules I2, G2).
        DestroyRecords = "destroy-records" / 83,
        /// Destroy a child's record (rule I2).
        DestroyRecord = "destroy-record" / 84,
        /// The HSM has the key no more under which destroyed records were (rule I2).
        RecordEpochGone = "record-epoch-gone" / 85,
    }
);

impl Operation {
    /// A look at children or an attempt at one: what is reviewed, and what has facts beside each child (rule F4).
    #[must_use]
    pub const fn is_look(self) -> bool {
        matches!(self, Self::Search | Self::View | Self::BreakGlass | Self::OverrideShield | Self::AskContact)
    }
}

coded!(
    /// A field of a child's record that was shown (rule A1 lists them).
    Field, "field" {
        /// Child number.
        Number = "child-number" / 1,
        /// Current name.
        Name = "name" / 2,
        /// Former names.
        FormerNames = "former-names" / 3,
        /// Date of birth.
        DateOfBirth = "date-of-birth" / 4,
        /// Gender.
        Gender = "gender" / 5,
        /// Address, or that none is known.
        Address = "address" / 6,
        /// Parents and carers.
        Carers = "carers" / 7,
        /// Education setting.
        School = "school" / 8,
        /// General practice.
        Surgery = "surgery" / 9,
        /// Other services and practitioners.
        Services = "services" / 10,
        /// NHS number (rule A5).
        NhsNumber = "nhs-number" / 11,
        /// Unique pupil number (rule A5).
        UniquePupilNumber = "unique-pupil-number" / 12,
    }
);

coded!(
    /// Why somebody was refused. Finer than what the caller is told (rules C6, J3).
    RefusalCode, "refusal" {
        /// The child is outside the caller's scope (rule D1).
        OutsideScope = "outside-scope" / 1,
        /// The caller's role may not do this (rule C4).
        RoleForbids = "role-forbids" / 2,
        /// The organisation is not accredited for this (rule B2).
        CapabilityMissing = "capability-missing" / 3,
        /// The organisation is suspended (rule B4).
        OrganisationSuspended = "organisation-suspended" / 4,
        /// The person is suspended (rule C1).
        PersonSuspended = "person-suspended" / 5,
        /// The stated reason does not allow this (rule D2).
        ReasonForbids = "reason-forbids" / 6,
        /// Password or code is wrong (rule C2).
        BadCredentials = "bad-credentials" / 7,
        /// Tried again before the delay was over (rule C6).
        Delayed = "delayed" / 8,
        /// The code was used before (rule C2).
        CodeReplayed = "code-replayed" / 9,
        /// No such account (rule C6: the caller is not told).
        UnknownAccount = "unknown-account" / 10,
        /// The account is of another organisation than the certificate (rule C2).
        OtherOrganisation = "other-organisation" / 11,
        /// The search states too little (rule D3).
        SearchTooWide = "search-too-wide" / 12,
        /// A value was not of its type (rule A3).
        InvalidValue = "invalid-value" / 13,
        /// The feed was continued at another record than the next one (rule H5).
        FeedOutOfStep = "feed-out-of-step" / 14,
        /// What was to be enrolled exists already.
        AlreadyExists = "already-exists" / 15,
        /// No session, or a session begun on another certificate (rule C2).
        NotAuthenticated = "not-authenticated" / 16,
        /// The session had ended (rule C2).
        SessionEnded = "session-ended" / 17,
        /// No organisation is enrolled with this certificate (rule B1).
        OrganisationNotEnrolled = "organisation-not-enrolled" / 18,
        /// The look failed for a fault of ours: a damaged row, a record in an unknown form. Nothing was shown.
        Fault = "fault" / 19,
        /// Nobody vouches for the organisation (rule B2).
        NotSponsored = "not-sponsored" / 20,
        /// The organisation is accredited for nothing, or no longer (rule B2).
        NotAccredited = "not-accredited" / 21,
        /// The organisation's accreditation for this has expired (rule B2).
        AccreditationExpired = "accreditation-expired" / 22,
        /// The statement of responsibilities in force is not accepted (rule B3).
        ResponsibilitiesPending = "responsibilities-pending" / 23,
        /// The vetting check has lapsed (rule C1).
        VettingLapsed = "vetting-lapsed" / 24,
        /// There is no registration with the barring scheme (rule C1).
        BarringLapsed = "barring-lapsed" / 25,
        /// The training has lapsed (rule C1).
        TrainingLapsed = "training-lapsed" / 26,
        /// The agreement in force is not signed (rules C1, J5).
        AgreementPending = "agreement-pending" / 27,
        /// There is no supervisor (rule C3).
        NoSupervisor = "no-supervisor" / 28,
        /// Tried on one's own account (rules C1, C4).
        OwnAccount = "own-account" / 29,
        /// Sponsor and accrediting officer would be one (rule B2).
        SamePerson = "same-person" / 30,
        /// The roles cannot be held together (rule C4).
        RolesClash = "roles-clash" / 31,
        /// The supervisor would be the person, or supervised by them (rule C3).
        SupervisorForbidden = "supervisor-forbidden" / 32,
        /// The account is locked (rule C5).
        PersonLocked = "person-locked" / 33,
        /// The account is closed.
        PersonClosed = "person-closed" / 34,
        /// The term of an accreditation is over before it begins, or too long (rule B2).
        TermForbidden = "term-forbidden" / 35,
        /// Another version of the text is in force (rules B3, J5).
        OtherText = "other-text" / 36,
        /// Only named people may know of the record (rule D8). To the caller this is "no such child".
        NotOfAudience = "not-of-audience" / 37,
        /// The day's ceiling of records seen is reached (rule D6).
        OverBudget = "over-budget" / 38,
        /// An alert about an earlier break-glass of the person is overdue (rule D5).
        AlertsOverdue = "alerts-overdue" / 39,
        /// Nobody judges their own act (rules C4, D5).
        OwnAct = "own-act" / 40,
        /// The second factor was not proved anew (rule C2).
        NotConfirmed = "not-confirmed" / 41,
        /// The caller at the helpdesk's telephone was not verified by the scripted questions (rule C5).
        NotVerified = "not-verified" / 42,
        /// The disposition is none for this alert, or the alert has one already.
        AlreadyJudged = "already-judged" / 43,
        /// Somebody vouches for the organisation already (rule B2).
        AlreadySponsored = "already-sponsored" / 44,
        /// Nobody else has approved the evidence yet (rule F5).
        NotApproved = "not-approved" / 55,
        /// The time in which evidence may be approved or fetched is over.
        EvidenceExpired = "evidence-expired" / 56,
        /// What is approved is not what was asked for.
        OtherRequest = "other-request" / 57,
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_lists_are_stable() {
        // F1: who, organisation, role, reason, operation, child, fields shown, outcome - readable as long as the log is kept
        assert_eq!(
            Operation::ALL.iter().map(|o| o.number()).collect::<Vec<_>>(),
            (1..=42).chain(50..=54).chain(60..=65).chain(80..=85).collect::<Vec<u8>>()
        );
        assert_eq!(Field::ALL.iter().map(|f| f.number()).collect::<Vec<_>>(), (1..=12).collect::<Vec<u8>>());
        assert_eq!(RefusalCode::ALL.iter().map(|r| r.number()).collect::<Vec<_>>(), (1..=44).chain(55..=57).collect::<Vec<u8>>());
        assert_eq!((Operation::View.number(), Field::Carers.number(), RefusalCode::UnknownAccount.number()), (4, 7, 10));
        assert_eq!((Operation::Stop.number(), Operation::Sponsor.number(), Operation::UnlockPerson.number()), (11, 13, 24));
        assert_eq!((RefusalCode::Fault.number(), RefusalCode::NotSponsored.number(), RefusalCode::OtherText.number()), (19, 20, 36));
    }

    #[test]
    fn codes_and_numbers_lead_back_and_nothing_else_does() {
        for refusal in RefusalCode::ALL {
            assert_eq!(RefusalCode::of_number(refusal.number()), Some(*refusal));
            assert_eq!(RefusalCode::try_from(refusal.code()), Ok(*refusal));
        }
        assert_eq!(Field::of_number(0), None);
        assert_eq!(Operation::of_number(200), None);
        assert!(Operation::try_from("View").is_err());
    }
}
