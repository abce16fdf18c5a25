//! The subject-access statement (rule F3): when, which organisation, in which role, why, and whether the child was listed, viewed, refused or reached
//! by a broken glass.
//!
//! It names no practitioner, no field that was shown and no reason of a refusal: fewer fields, a refusal that others do not meet, or an
//! override would tell that the child is shielded or for named people alone (rules D8, E2, E5).

use crate::form::{Body, Head, Kind, Leaf, Proof, Unsigned};
use crate::words::{not_known, plain, when};
use contactpoint_audit::{Hash, Operation, Outcome};
use contactpoint_domain::{ChildNumber, Instant, Purpose, Role};
use std::ops::{Range, RangeInclusive};

/// What somebody did about the child, as the statement tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// The child stood in a list of search results.
    Listed,
    /// The record was viewed.
    Viewed,
    /// Somebody tried, and was shown nothing.
    Refused,
    /// The glass was broken: outside the usual scope, for a stated reason.
    BrokenGlass,
    /// A source that works with the child sent its record, or said that its work ended.
    Supplied,
    /// Somebody asked the authority to put them in touch.
    AskedContact,
    /// The use of the directory was looked into.
    Checked,
}

impl Did {
    /// What an entry comes to; `None` where it is no look: a decision of the authority, which would tell what was decided.
    #[must_use]
    pub fn of(operation: Operation, outcome: Outcome) -> Option<Self> {
        let did = match operation {
            Operation::Search => Self::Listed,
            Operation::View => Self::Viewed,
            Operation::BreakGlass | Operation::OverrideShield => Self::BrokenGlass,
            Operation::Feed | Operation::EndInvolvement => Self::Supplied,
            Operation::AskContact => Self::AskedContact,
            Operation::Shield | Operation::Unshield | Operation::SetAudience | Operation::SettleRecord | Operation::HoldNew => return None,
            // an end of what is listed already, and the end of the record itself
            Operation::LeaveGlass | Operation::DestroyRecords | Operation::DestroyRecord => return None,
            Operation::WhoSaw
            | Operation::ReadAlerts
            | Operation::JudgeAlert
            | Operation::SampleAlerts
            | Operation::ReviewAlert
            | Operation::AlertStatistics
            | Operation::RaiseAlert
            | Operation::MakeStatement
            | Operation::RequestEvidence
            | Operation::ApproveEvidence
            | Operation::FetchEvidence
            | Operation::ReadReviews
            | Operation::SettleReview
            | Operation::ReviewReport => Self::Checked,
            // these name no child
            Operation::LogIn
            | Operation::LogOut
            | Operation::EnrolOrganisation
            | Operation::EnrolCertificate
            | Operation::EnrolPerson
            | Operation::Start
            | Operation::Stop
            | Operation::RemoveCertificate
            | Operation::Sponsor
            | Operation::Accredit
            | Operation::SuspendOrganisation
            | Operation::ResumeOrganisation
            | Operation::AcceptResponsibilities
            | Operation::AcceptAgreement
            | Operation::AmendPerson
            | Operation::SuspendPerson
            | Operation::ResumePerson
            | Operation::ClosePerson
            | Operation::LockPerson
            | Operation::UnlockPerson
            | Operation::Confirm
            | Operation::BeginReset
            | Operation::CompleteReset
            | Operation::EndPeriod
            | Operation::DrawReviews
            | Operation::DetectReviews
            | Operation::NewEntryEpoch
            | Operation::DestroyEntryEpoch
            | Operation::EntryEpochGone
            | Operation::RecordEpochGone => return None,
        };
        Some(if outcome == Outcome::Answered { did } else { Self::Refused })
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Listed => "listed: the child stood in a list of search results",
            Self::Viewed => "viewed: the child's record was shown",
            Self::Refused => "refused: somebody tried, and was shown nothing",
            Self::BrokenGlass => "broken glass: reached outside the usual scope, for the stated reason; their supervisor was told",
            Self::Supplied => "supplied: a service that works with the child sent its record of it",
            Self::AskedContact => "asked to be put in touch: the child's authority was asked, and nothing was shown",
            Self::Checked => "checked: the use of the directory was looked into; nothing of the record was shown",
        }
    }
}

/// One look.
#[derive(Debug, Clone)]
pub struct Look {
    /// Its index in the log.
    pub index: u64,
    /// When.
    pub at: Instant,
    /// For which organisation.
    pub organisation: Option<String>,
    /// In which role.
    pub role: Option<Role>,
    /// What.
    pub did: Did,
    /// Why.
    pub reason: Option<Purpose>,
    /// The hash of its leaf.
    pub leaf: Hash,
    /// From there to the checkpoint.
    pub path: Vec<Hash>,
}

/// All the looks at a child below one checkpoint, or a part of them.
#[derive(Debug, Clone)]
pub struct SubjectAccess<'a> {
    /// The log's name.
    pub log: &'a str,
    /// The child.
    pub child: &'a ChildNumber,
    /// When it is made.
    pub made: Instant,
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// Those that were looked through: all of these but in a part.
    pub among: Range<u64>,
    /// Oldest first.
    pub looks: &'a [Look],
    /// Entries that were erased: whether they were looks at the child nobody knows any more.
    pub erased: &'a [RangeInclusive<u64>],
    /// The checkpoint that the paths lead to.
    pub checkpoint: &'a str,
}

impl SubjectAccess<'_> {
    /// The document, to be signed.
    #[must_use]
    pub fn written(&self) -> Unsigned {
        let Self { log, child, made, size, among, looks, erased, checkpoint } = self;
        let proof = |look: &Look| Proof { index: look.index, leaf: Leaf::Hash(look.leaf), path: look.path.clone() };
        let proofs: Vec<Proof> = looks.iter().map(proof).collect();
        let paragraphs: Vec<String> = looks.iter().map(paragraph).collect();
        let preface = preface(child, *made, (among, *size), looks.len()) + &not_known(erased, among);
        let head = Head {
            kind: Kind::SubjectAccess,
            log,
            about: format!("child {}", child.as_str()),
            made: *made,
            size: *size,
            entries: looks.len(),
        };
        Unsigned::of(&head, &Body { preface: &preface, looks: &paragraphs, proofs: &proofs, checkpoint })
    }
}

fn preface(child: &ChildNumber, made: Instant, (Range { start, end }, size): (&Range<u64>, u64), looks: usize) -> String {
    let child = child.as_str();
    let (from, older) = if *start == 0 {
        (String::new(), String::new())
    } else {
        let from = format!(" from entry {start} on and");
        (from, format!("It is a part: for what is older, ask for the statement of what comes before entry {start}.\n"))
    };
    let newer = if *end < size { format!("It is a part: what is newer, from entry {end} on, is not in it.\n") } else { String::new() };
    format!(
        "WHO SAW THIS CHILD\n\n\
         The directory holds who works with a child, and nothing of their case. This statement lists every look at the child with the number\n\
         {child}, and every attempt, that the directory's log holds{from} before entry {end}. There are {looks}, the oldest first.\n\
         {older}{newer}Made on {}.\n\n\
         The directory's signature stands above. It says that the list is whole. Each look is an entry of a log that cannot be altered\n\
         unnoticed: its proof, below, leads to the log's own signed head. Keep this file as it is; to check it, see the last part of\n\
         docs/log-format.md of the directory, or run: contactpointctl verify-evidence FILE --key KEY\n\
         Ask the accreditor, not the directory, for the key.\n\
         Times are those of the clocks in the United Kingdom, then in UTC as the log has them.\n",
        when(made)
    )
}

/// A shielding officer is told as whoever else did the same: who looks after a child's shield would tell that there is one (rule E5). They alone
/// look at children beside the practitioners.
const fn as_told(role: Role, did: Did) -> &'static str {
    match role {
        Role::ShieldingOfficer if !matches!(did, Did::Checked | Did::Supplied) => "practitioner",
        Role::Practitioner => "practitioner",
        Role::Auditor | Role::Inspector => "auditor",
        Role::Administrator
        | Role::DataSteward
        | Role::SecurityOfficer
        | Role::Supervisor
        | Role::ShieldingOfficer
        | Role::Helpdesk
        | Role::RiskOwner
        | Role::SystemOperator => "staff",
    }
}

fn paragraph(look: &Look) -> String {
    let Look { index, at, organisation, role, did, reason, leaf: _, path: _ } = look;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "not stated".to_owned());
    format!(
        "Entry {index}\n  When          {}\n  Organisation  {}\n  Role          {}\n  Reason        {}\n  What          {}\n",
        when(*at),
        or_none(organisation.clone()),
        or_none(role.map(|role| as_told(role, *did).to_owned())),
        or_none(reason.map(|reason| plain(reason.code()))),
        did.words()
    )
}
