//! The operations, one file each: search, view, who saw, feed, enrol, connect an organisation, amend a person.
//!
//! For: carrying out what `policy` permits, each as one transaction whose entry says what was done or refused (rules F1, F3), and the
//! types of requests and answers. A refusal is written before it is answered, like everything else. Leaves to others: who calls
//! (`identity`), who may (`policy`), durability (`store`), HTTP (`edge`). Does not promise that a joined record is one child beyond what
//! `matching` says.

mod alert_audit;
mod alert_statistics;
mod alerts;
mod break_glass;
mod budgets;
mod connect;
mod contact;
mod cursor;
mod detecting;
mod enrol;
mod entries;
mod evidence;
mod feed;
mod grants;
mod helpdesk;
mod organisations;
mod people;
mod quarantine;
mod refused;
mod review_report;
mod reviewing;
mod reviews;
mod sample;
mod search;
mod sensitive;
mod shielding;
mod statements;
mod view;
mod watch;
mod who_saw;

pub use alert_audit::{FlagsRequest, ReviewRequest, SampleAnswer, SampleRequest, SampleSize, MOST_SAMPLED};
pub use alert_statistics::{AlertCounts, ByAuthority, ByPair, ByRole, ByTurns, ByUser, SettledCounts, StatisticsAnswer, StatisticsRequest};
pub use alerts::{Actor, ActorOrganisation, AlertAnswer, JudgeRequest, JudgedAnswer, QueueAnswer, QueueRequest, MOST_ALERTS};
pub use break_glass::{BreakGlassRequest, GlassAnswer, LeaveAnswer, OverrideRequest};
pub use connect::{Accept, Accredit, AccreditationShown, CertificateGiven, FreshCode, OrganisationStanding};
pub use contact::{AskContact, ContactAsked};
pub use contactpoint_policy::Ceilings;
pub use cursor::Cursor;
pub use enrol::{EnrolOrganisation, EnrolPerson, EnrolledOrganisation, EnrolledPerson, NewHead};
pub use evidence::{EvidencePart, EvidenceRequest, EvidenceStanding, FetchedEvidence};
pub use feed::{BeginFeed, FeedBegun, FeedReport, FinishFeed, LinesTaken, RejectedLine, MOST_RECORDS};
pub use helpdesk::{BeginReset, CompleteReset, ResetBegun, ResetDone};
pub use people::{AmendPerson, ChecksMade, PersonStanding, SetState};
pub use refused::Refused;
pub use review_report::{ByBody, ByRule, DetectionShown, EndedPeriodShown, ReviewCounts, ReviewReport};
pub use reviewing::Reviewing;
pub use reviews::{ReviewAnswer, ReviewedAnswer, ReviewedLook, ReviewsAnswer, ReviewsRequest, SettleReviewRequest, MOST_REVIEWS};
pub use sample::Months;
pub use search::{SearchAnswer, SearchRequest, MOST_HITS};
pub use shielding::{
    AudienceWanted, EndInvolvement, HoldNew, InvolvementEnded, SetAudience, SettleRecord, ShieldChild, ShieldStanding, ShieldTerms,
    UnshieldChild,
};
pub use statements::{SealedDocument, SealedFor, StatementRequest, MOST_STATED};
pub use view::{ViewAnswer, ViewRequest};
pub use who_saw::{ErasedAnswer, LookAnswer, Looker, LookerOrganisation, WhoSawAnswer, WhoSawRequest, MOST_LOOKS};

use contactpoint_audit::{Entry, Outcome, RefusalCode};
use contactpoint_domain::{Areas, Day, Instant};
use contactpoint_intake::Layout;
pub use contactpoint_policy::Visible;
use contactpoint_review::Rules;
use contactpoint_store::{Committed, OpenError, Receipts, Snapshot, Store, StoreError, Transaction, Witnesses};
use organisations::Organisations;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every operation gives back: an answer or a refusal, either of them in the log.
pub type Answered<T> = Result<Committed<Result<T, Refused>>, StoreError>;

/// The directory over a store.
pub struct Directory {
    store: Store,
    layouts: Arc<BTreeMap<String, Layout>>,
    organisations: Organisations,
    feeds: feed::OpenFeeds,
    grants: grants::Grants,
    visible: Visible,
    budgets: budgets::Budgets,
    watch: Arc<watch::Watch>,
    cursors: cursor::Cursors,
    holidays: Arc<[Day]>,
    areas: Arc<Areas>,
    receipts: Receipts,
}

impl Directory {
    /// Over an open store, with the layouts that suppliers may use.
    #[must_use]
    pub fn new(store: Store, layouts: BTreeMap<String, Layout>) -> Self {
        Self {
            receipts: Receipts::of(store.clone()),
            store,
            layouts: Arc::new(layouts),
            organisations: Organisations::default(),
            feeds: feed::OpenFeeds::default(),
            grants: grants::Grants::default(),
            visible: Visible::default(),
            budgets: budgets::Budgets::default(),
            watch: Arc::default(),
            cursors: cursor::Cursors::fresh(),
            holidays: Arc::new([]),
            areas: Arc::default(),
        }
    }

    /// The same with these ceilings of records seen, and with what the log says was seen today (rule D6).
    pub fn limited(mut self, ceilings: Ceilings, now: Instant) -> Result<Self, OpenError> {
        self.budgets = budgets::Budgets::under(ceilings);
        self.budgets.count_again(&self.store, now)?;
        Ok(self)
    }

    /// The same, with documents below heads that these witnesses cosigned, where there are such.
    #[must_use]
    pub fn cosigned_by(self, witnesses: Option<Arc<Witnesses>>) -> Self {
        Self { receipts: self.receipts.cosigned_by(witnesses), ..self }
    }

    /// The same, where nobody works on these days either (rule D5: working days).
    #[must_use]
    pub fn closed_on(self, holidays: Vec<Day>) -> Self {
        Self { holidays: holidays.into(), ..self }
    }

    /// The same, knowing which areas adjoin from these detection rules: a fact of each look (rule F4).
    #[must_use]
    pub fn under_rules(self, rules: Option<&Rules>) -> Self {
        Self { areas: rules.map(Rules::areas).map(Arc::new).unwrap_or_default(), ..self }
    }

    /// The same, showing this of shielded children beside what rule E2 says.
    #[must_use]
    pub fn showing(self, visible: Visible) -> Self {
        Self { visible, ..self }
    }

    /// A look whose attempt is in the log also where it fails for a fault of ours, such as a damaged row (rule F1).
    async fn look<T>(
        &self,
        blank: Entry,
        look: impl FnOnce(&Snapshot<'_>, Entry) -> Result<(Result<T, Refused>, Entry), StoreError>,
    ) -> Answered<T> {
        let attempt = blank.clone();
        let looked = self.store.look(move |snapshot| look(snapshot, blank)).await;
        self.attempted(attempt, looked).await
    }

    /// The same for a change, which comes to nothing where it fails.
    async fn alter<T: Send + 'static>(
        &self,
        blank: Entry,
        change: impl FnOnce(&mut Transaction<'_>, Entry) -> Result<(Result<T, Refused>, Entry), StoreError> + Send + 'static,
    ) -> Answered<T> {
        let attempt = blank.clone();
        let changed = self.store.change(move |transaction| change(transaction, blank)).await;
        self.attempted(attempt, changed).await
    }

    async fn attempted<T>(&self, attempt: Entry, result: Answered<T>) -> Answered<T> {
        let fault = match result {
            Err(
                fault @ (StoreError::Overtaken
                | StoreError::Damaged { .. }
                | StoreError::Form { .. }
                | StoreError::Seal(_)
                | StoreError::Value(_)),
            ) => fault,
            other => return other,
        };
        let attempt = Entry { outcome: Outcome::Refused(RefusalCode::Fault), ..attempt };
        let entry = self.store.look(move |_| Ok(((), attempt))).await?.logged();
        Err(StoreError::Attempted { fault: Box::new(fault), entry })
    }
}
