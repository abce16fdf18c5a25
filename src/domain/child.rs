//! A child's record: rule A1's content, each value with its provenance (rule A6), one statement a source.

use crate::checked::coded;
use crate::{
    Address, ChildNumber, DateOfBirth, Day, EmailAddress, Instant, Name, NhsNumber, OrganisationId, PersonId, PhoneNumber,
    UniquePupilNumber,
};
use std::borrow::Cow;

coded!(
    /// Gender as rule A1 has it.
    Gender, "gender" {
        /// Female.
        Female = "female" / 1,
        /// Male.
        Male = "male" / 2,
        /// Not stated by the source.
        Unspecified = "unspecified" / 3,
    }
);

coded!(
    /// What a carer is to the child.
    Relationship, "relationship" {
        /// Mother.
        Mother = "mother" / 1,
        /// Father.
        Father = "father" / 2,
        /// Any parent, where the source does not say which.
        Parent = "parent" / 3,
        /// Step-parent.
        StepParent = "step-parent" / 4,
        /// Grandparent.
        Grandparent = "grandparent" / 5,
        /// Foster carer.
        FosterCarer = "foster-carer" / 6,
        /// Legal guardian.
        Guardian = "guardian" / 7,
        /// Another carer.
        Carer = "carer" / 8,
    }
);

/// A parent or carer: name, relationship, contact details (rule A1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carer {
    /// Their name.
    pub name: Name,
    /// What they are to the child.
    pub relationship: Relationship,
    /// Telephone.
    pub telephone: Option<PhoneNumber>,
    /// E-mail.
    pub email: Option<EmailAddress>,
}

/// How the stating organisation works with the child (rules A1, A2). Which service it is, is the organisation's kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Involvement {
    /// The practitioner to reach, where one is named.
    pub practitioner: Option<Name>,
    /// Their telephone; else the organisation's own is shown.
    pub telephone: Option<PhoneNumber>,
    /// Their e-mail.
    pub email: Option<EmailAddress>,
    /// Holds a common assessment (rule A2).
    pub common_assessment: bool,
    /// Is the lead professional (rule A2); at most one of a record.
    pub lead_professional: bool,
    /// When the work with the child ended: from then on it is in nobody's scope through this source (rule D1).
    pub ended: Option<Instant>,
    /// Why a sensitive service may be recorded (rule E8); `None` for every other service.
    pub basis: Option<SensitiveBasis>,
}

coded!(
    /// On what basis a sensitive service is recorded (rule E8).
    SensitiveBasis, "basis" {
        /// The child, or who speaks for it, consented.
        Consent = "consent" / 1,
        /// A safeguarding decision, recorded by the service.
        Safeguarding = "safeguarding" / 2,
        /// None was stated: the service said it before it was accredited as a sensitive one. No feed may state this.
        Unstated = "unstated" / 3,
    }
);

coded!(
    /// Why a child is shielded (rule E1).
    ShieldReason, "shield reason" {
        /// Somebody may harm the child or its carers if they learn where they are.
        RiskOfHarm = "risk-of-harm" / 1,
        /// The family fled from violence at home.
        DomesticViolence = "domestic-violence" / 2,
        /// Placed for adoption or adopted.
        Adoption = "adoption" / 3,
        /// A protected witness, or the child of one.
        WitnessProtection = "witness-protection" / 4,
        /// A court's order.
        CourtOrder = "court-order" / 5,
    }
);

/// A shield over a child (rules E1 to E5). It belongs to the child, not to a source's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shield {
    /// Why.
    pub reason: ShieldReason,
    /// By when the authority decides anew. A shield does not fall by itself.
    pub review: Day,
    /// The shielding officer who decided.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// The only people who may know that there is a record of this child (rule D8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Who.
    pub people: Vec<PersonId>,
    /// The shielding officer who decided.
    pub by: PersonId,
    /// When.
    pub at: Instant,
}

/// Since when, and why, a record waits for its authority's shielding officer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantine {
    /// Since when.
    pub since: Instant,
    /// Why.
    pub why: HeldFor,
}

coded!(
    /// Why a record is held back.
    HeldFor, "reason of being held" {
        /// A feed brought it, and it may be of a child who is guarded (rule E4): only its own source knows of it, and does not notice.
        Likeness = "likeness" / 1,
        /// It was on record when a child whom it may be of was hidden (rule E4): each source knows what it said itself, and it stays its authority's.
        Beside = "beside" / 2,
        /// Its authority sees each new record before any practitioner does (rule E1).
        FirstLook = "first-look" / 3,
    }
);

/// Where a value comes from (rule A6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// The organisation that said it.
    pub source: OrganisationId,
    /// The person under whose session it was said.
    pub author: PersonId,
    /// When the directory took it in.
    pub at: Instant,
}

/// What one organisation says of a child. Not serialisable on purpose: what may be shown is made by `policy` (rule E7).
///
/// ```compile_fail
/// fn leak(statement: &contactpoint_domain::Statement) -> String {
///     serde_json::to_string(statement).unwrap()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Who says so, and when.
    pub provenance: Provenance,
    /// Current name.
    pub name: Name,
    /// Former names, newest first.
    pub former_names: Vec<Name>,
    /// Date of birth.
    pub date_of_birth: DateOfBirth,
    /// Gender.
    pub gender: Gender,
    /// Current or last known address; `None` is "no known address".
    pub address: Option<Address>,
    /// NHS number (rule A5).
    pub nhs_number: Option<NhsNumber>,
    /// Unique pupil number (rule A5).
    pub unique_pupil_number: Option<UniquePupilNumber>,
    /// Parents and carers.
    pub carers: Vec<Carer>,
    /// How the source works with the child.
    pub involvement: Involvement,
}

impl Statement {
    /// True where the other says the same of the child, whoever said it and whenever.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { provenance: other.provenance, ..self.clone() } == *other
    }
}

/// A child's record as the store opens it. Not serialisable on purpose (rule E7).
///
/// ```compile_fail
/// fn leak(record: &contactpoint_domain::ChildRecord) -> String {
///     serde_json::to_string(record).unwrap()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildRecord {
    /// The directory's number (rule A4).
    pub number: ChildNumber,
    /// The one local authority it belongs to (rule A7).
    pub authority: OrganisationId,
    /// The latest statement of each source, oldest first; empty only where they were settled to be another record's (rule E4). Superseded ones are in the store's history.
    pub statements: Vec<Statement>,
    /// Set while the child is shielded (rule E1).
    pub shield: Option<Shield>,
    /// Set while only named people may know of the record (rule D8).
    pub audience: Option<Audience>,
    /// Set while it waits for its authority (rules E1, E4).
    pub quarantined: Option<Quarantine>,
}

impl ChildRecord {
    /// A record of one statement, open to whom it concerns.
    #[must_use]
    pub fn new(number: ChildNumber, authority: OrganisationId, statement: Statement) -> Self {
        Self { number, authority, statements: vec![statement], shield: None, audience: None, quarantined: None }
    }

    /// True where this source works with the child now: it said so, and has not said that the work ended (rule D1).
    #[must_use]
    pub fn works_with(&self, source: OrganisationId) -> bool {
        self.said_by(source).is_some_and(|statement| statement.involvement.ended.is_none())
    }

    /// True where a statement that may be of this child is held back for its authority, never joined or put beside it (rules D8, E4).
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.shield.is_some() || self.audience.is_some() || self.quarantined.is_some()
    }

    /// The statements, newest first: the order in which values are chosen for showing.
    pub fn newest_first(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().rev()
    }

    /// The statement of one source, if it made one.
    #[must_use]
    pub fn said_by(&self, source: OrganisationId) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.provenance.source == source)
    }

    /// The source of the one lead professional (rule A2: at most one at a time): whoever said so last, and works with the child. What others
    /// said of themselves stays as they said it, so that nobody learns from their own words what another says.
    #[must_use]
    pub fn lead(&self) -> Option<OrganisationId> {
        let mut leading = self.newest_first().filter(|said| said.involvement.lead_professional && said.involvement.ended.is_none());
        leading.next().map(|said| said.provenance.source)
    }

    /// Marks what sensitive services said without a basis, before they were accredited as such: it is hidden like the rest (rule E8). Newest
    /// first; where one statement that is not hidden is enough for what is to be shown, no other is asked about.
    ///
    /// # Errors
    /// Whatever `is_sensitive` fails with.
    pub fn mark_sensitive<E>(&mut self, is_sensitive: impl Fn(OrganisationId) -> Result<bool, E>, is_one_enough: bool) -> Result<(), E> {
        for said in self.statements.iter_mut().rev().filter(|said| said.involvement.basis.is_none()) {
            if is_sensitive(said.provenance.source)? {
                said.involvement.basis = Some(SensitiveBasis::Unstated);
            } else if is_one_enough {
                break;
            }
        }
        Ok(())
    }

    /// The record as an organisation may know it that is not the sensitive service working with the child: what that service says is left out,
    /// but for name and date of birth where nobody else says them. That it is there stays (rule E8). It is neither shown nor searched.
    #[must_use]
    pub fn as_known_to(&self, organisation: OrganisationId) -> Cow<'_, Self> {
        let is_hidden = |said: &Statement| said.involvement.basis.is_some() && said.provenance.source != organisation;
        if self.quarantined.is_some() && self.statements.len() > 1 {
            // a record that waits shows each of its sources what it said itself, and what others say only when it waits no more
            if let Some(own) = self.said_by(organisation) {
                return Cow::Owned(Self { statements: vec![own.clone()], ..self.clone() });
            }
        }
        if !self.statements.iter().any(is_hidden) {
            return Cow::Borrowed(self);
        }
        let (hidden, mut statements): (Vec<_>, Vec<_>) = self.statements.iter().cloned().partition(is_hidden);
        let known = statements.first().map(|said| (said.name.clone(), said.date_of_birth));
        let bare = |said: Statement| {
            let (name, date_of_birth) = known.clone().unwrap_or((said.name, said.date_of_birth));
            let involvement = Involvement { ended: said.involvement.ended, basis: said.involvement.basis, ..Involvement::default() };
            Statement {
                provenance: said.provenance,
                name,
                former_names: Vec::new(),
                date_of_birth,
                gender: Gender::Unspecified,
                address: None,
                nhs_number: None,
                unique_pupil_number: None,
                carers: Vec::new(),
                involvement,
            }
        };
        // before all others: the oldest word is the last that is asked
        statements.splice(0..0, hidden.into_iter().map(bare));
        Cow::Owned(Self { statements, ..self.clone() })
    }

    /// Puts a statement in the place of its source's former one, which is handed back for the history.
    pub fn accept(&mut self, statement: Statement) -> Option<Statement> {
        let source = statement.provenance.source;
        let former = self.statements.iter().position(|held| held.provenance.source == source).map(|at| self.statements.remove(at));
        self.statements.push(statement);
        former
    }
}
