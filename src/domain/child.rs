//! A child's record: rule A1's content, each value with its provenance (rule A6), one statement a source.

use crate::checked::coded;
use crate::{
    Address, ChildNumber, DateOfBirth, EmailAddress, Instant, Name, NhsNumber, OrganisationId, PersonId, PhoneNumber, UniquePupilNumber,
};

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
}

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
    /// The latest statement of each source, oldest first; never empty. Superseded ones are in the store's history.
    pub statements: Vec<Statement>,
}

impl ChildRecord {
    /// The statements, newest first: the order in which values are chosen for showing.
    pub fn newest_first(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().rev()
    }

    /// The statement of one source, if it made one.
    #[must_use]
    pub fn said_by(&self, source: OrganisationId) -> Option<&Statement> {
        self.statements.iter().find(|statement| statement.provenance.source == source)
    }

    /// Puts a statement in the place of its source's former one, which is handed back for the history.
    /// A lead professional takes over from any other (rule A2: at most one at a time).
    pub fn accept(&mut self, statement: Statement) -> Option<Statement> {
        let source = statement.provenance.source;
        if statement.involvement.lead_professional {
            for other in &mut self.statements {
                other.involvement.lead_professional = false;
            }
        }
        let former = self.statements.iter().position(|held| held.provenance.source == source).map(|at| self.statements.remove(at));
        self.statements.push(statement);
        former
    }
}
