//! What each route does: ask identity for the caller, read the body, hand both to the operation, answer what was committed.
//!
//! For: a few lines a route, in one shape. Leaves to others: every decision (`identity`, `policy`) and every look (`directory`, `store`).

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod children;
pub(crate) mod contact;
pub(crate) mod control;
pub(crate) mod feeds;
pub(crate) mod glass;
pub(crate) mod helpdesk;
pub(crate) mod organisations;
pub(crate) mod people;
pub(crate) mod reviews;
pub(crate) mod session;
pub(crate) mod shielding;
pub(crate) mod statements;
pub(crate) mod tiles;
pub(crate) mod witnesses;

use crate::answer::{Answer, Public};
use crate::call::Call;
use crate::document;
use crate::evidence::Standing;
use crate::exchange::Desk;
use crate::pace::Pace;
use crate::problem::Problem;
use crate::revocation::Revocation;
use crate::route::Route;
use bytes::Bytes;
use contactpoint_directory::{Directory, Refused};
use contactpoint_domain::OrganisationId;
use contactpoint_identity::{Channel, Identity, Now};
use contactpoint_keys::Custody;
use contactpoint_store::{Committed, Receipts, Store, Witnesses};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What handlers work with.
pub(crate) struct Handlers {
    pub(crate) identity: Arc<Identity>,
    pub(crate) directory: Directory,
    pub(crate) store: Store,
    pub(crate) receipts: Receipts,
    /// Where a policy asks for some.
    pub(crate) witnesses: Option<Arc<Witnesses>>,
    /// Nothing is answered while their quorum is late.
    pub(crate) answers_wait: bool,
    pub(crate) custody: Arc<Custody>,
    pub(crate) revocation: Arc<Revocation>,
    pub(crate) document: Bytes,
    pub(crate) standing: Standing,
    /// Of those who fetch the log.
    pub(crate) pace: Pace,
}

/// What every handler gives.
pub(crate) type Handled = Result<Answer, Problem>;

impl Desk for Handlers {
    fn now(&self) -> Now {
        self.identity.now()
    }

    fn organisation(&self, channel: &Channel) -> Option<OrganisationId> {
        self.identity.organisation(channel).ok().map(|organisation| organisation.id)
    }

    async fn answer(&self, call: Call<'_>) -> Answer {
        if let Err(late) = self.refuse_unwitnessed(call.found.route, call.now.wall) {
            return Answer::problem(late);
        }
        let handled = match call.found.route {
            Route::View => children::view(self, call).await,
            Route::Search => children::search(self, call).await,
            Route::AskContact => contact::ask(self, call).await,
            Route::FeedLines => feeds::lines(self, call).await,
            Route::LogIn => session::log_in(self, call).await,
            Route::LogOut => session::log_out(self, call).await,
            Route::WhoSaw => audit::who_saw(self, call).await,
            Route::OpenFeed => feeds::begin(self, call).await,
            Route::FeedReport => feeds::report(self, call).await,
            Route::FinishFeed => feeds::finish(self, call).await,
            Route::EnrolPerson => people::enrol(self, call).await,
            Route::AmendPerson => people::amend(self, call).await,
            Route::SetPersonState => people::set_state(self, call).await,
            Route::BeginReset => helpdesk::begin_reset(self, call).await,
            Route::CompleteReset => helpdesk::complete_reset(self, call).await,
            Route::AcceptAgreement => people::sign(self, call).await,
            Route::AcceptResponsibilities => organisations::accept(self, call).await,
            Route::Sponsor => organisations::sponsor(self, call).await,
            Route::Shield => shielding::shield(self, call).await,
            Route::Unshield => shielding::unshield(self, call).await,
            Route::SetAudience => shielding::audience(self, call).await,
            Route::SettleRecord => shielding::settle(self, call).await,
            Route::EndInvolvement => shielding::end_involvement(self, call).await,
            Route::HoldNew => shielding::hold_new(self, call).await,
            Route::Texts => organisations::texts_in_force(self, call).await,
            Route::Accredit => organisations::accredit(self, call).await,
            Route::AddCertificate => organisations::add_certificate(self, call).await,
            Route::RemoveCertificate => organisations::remove_certificate(self, call).await,
            Route::SuspendOrganisation => organisations::suspend(self, call).await,
            Route::ResumeOrganisation => organisations::resume(self, call).await,
            Route::BreakGlass => glass::break_glass(self, call).await,
            Route::LeaveGlass => glass::leave(self, call).await,
            Route::OverrideShield => glass::override_shield(self, call).await,
            Route::Alerts => alerts::queue(self, call).await,
            Route::JudgeAlert => alerts::judge(self, call).await,
            Route::SampleAlerts => alerts::sample(self, call).await,
            Route::ReviewAlert => alerts::review(self, call).await,
            Route::AlertStatistics => alerts::statistics(self, call).await,
            Route::Flags => alerts::flags(self, call).await,
            Route::Reviews => reviews::queue(self, call).await,
            Route::SettleReview => reviews::settle(self, call).await,
            Route::ReviewReport => reviews::report(self, call).await,
            Route::MakeStatement => statements::statement(self, call).await,
            Route::RequestEvidence => statements::request(self, call).await,
            Route::ApproveEvidence => statements::approve(self, call).await,
            Route::FetchEvidence => statements::fetch(self, call).await,
            Route::Checkpoint => tiles::checkpoint(self, call).await,
            Route::AskedCheckpoint => witnesses::asked(self, call).await,
            Route::CosignedCheckpoint => witnesses::cosigned(self, call).await,
            Route::Cosign => witnesses::bring(self, call).await,
            Route::Tile => tiles::tile(self, call).await,
            Route::Receipt => tiles::receipt(self, call).await,
            Route::Document => document::document(self, call).await,
            Route::EnrolOrganisation => organisations::enrol(self, call).await,
            Route::Status => control::status(self, call).await,
            Route::Evidence => control::evidence(self, call).await,
        };
        handled.unwrap_or_else(Answer::problem)
    }
}

impl Handlers {
    /// The interface's description; the same for everybody.
    pub(crate) fn description(&self) -> Answer {
        Answer::public(Public::Document(self.document.clone()))
    }
}

/// An answer with the index of its entry in the log, by which it can be found there.
#[derive(Serialize, ToSchema)]
pub(crate) struct Entered<T> {
    #[serde(flatten)]
    answer: T,
    /// Index of the look's entry in the log (RFC 6962 leaf index).
    entry: u64,
}

/// Puts the index of its entry into an answer.
fn entered<T>(committed: Committed<Result<T, Refused>>) -> Committed<Result<Entered<T>, Refused>> {
    let entry = committed.entry_index();
    committed.map(|result| result.map(|answer| Entered { answer, entry }))
}
