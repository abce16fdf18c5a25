//! What `contactpoint` does: the connecting organisation's client, over mutual TLS, one verb a file.
//!
//! For: logging in, looking up, feeding, enrolling the organisation's own people, fetching and verifying the public log, checking that
//! what was answered is in it, and being a witness of it.
//! Leaves to others: every decision (the directory makes them), the layout of feed files (`contactpoint_intake`), the
//! mathematics of the log (`contactpoint_audit`). No record is ever written to a file (rule G8): answers go to the terminal only, and what
//! `log fetch` keeps is sealed, and of an answer only its entry's number and hash are kept. Does not promise: that a terminal, a shell or a pipe keeps to that as well.
//!
//! The library part is [`Connection`], which the tests and the benches speak through as well.

mod administer;
mod alerts;
pub mod api;
pub mod arguments;
mod clock;
pub mod connection;
mod enrol;
pub mod error;
#[cfg(test)]
mod fake_directory;
mod feed;
mod feed_records;
mod feed_report;
#[cfg(test)]
mod feed_tests;
mod glass;
mod helpdesk;
mod log_fetch;
#[cfg(test)]
mod log_fetch_tests;
mod log_folder;
mod log_growth;
pub mod log_source;
#[cfg(test)]
mod log_source_tests;
mod log_verify;
mod lookup;
mod manual;
mod person_arguments;
pub mod problem;
pub mod profile;
mod receipt_folder;
mod receipts;
#[cfg(test)]
mod receipts_tests;
mod reviews;
mod session;
pub mod shielding;
mod sign_in;
mod statements;
pub mod terminal;
pub mod tls;
mod view;
mod witness;
mod witness_arguments;
mod witness_folder;
#[cfg(test)]
mod witness_tests;

pub use api::Api;
pub use arguments::Arguments;
pub use connection::{Connection, ConnectionError, ServerAddress};
pub use error::ClientError;
pub use problem::Problem;
pub use profile::Profile;

use arguments::{LogVerb, Verb, WitnessVerb};
use clap::Parser;

/// Reads the command line and the environment, does what they ask, says what went wrong; the number is the process's exit code:
/// 0 done, 1 refused by the directory (or a feed with rejected lines), 2 usage, 3 no connection or TLS refused, 4 verification failed,
/// 5 the log contradicts what it showed before.
#[must_use]
pub fn run_from_command_line() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            let _ = told.print();
            return if told.use_stderr() { 2 } else { 0 };
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => {
            terminal::complain("the system gives no timer or network to this process");
            return 3;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => 0,
        Err(error) => {
            terminal::complain(&format!("contactpoint: {error}"));
            error.exit_code()
        }
    }
}

/// Does what one command line asks, and checks what earlier ones were answered.
pub async fn run(arguments: Arguments) -> Result<(), ClientError> {
    let done = carry_out(&arguments).await;
    if matches!(arguments.verb, Verb::Receipts | Verb::Log { .. } | Verb::Witness { .. } | Verb::Manual(_) | Verb::Completions(_)) {
        return done;
    }
    match (done, receipts::check_beside(&arguments.place).await) {
        (done, Ok(())) => done,
        (Ok(()), Err(found)) => Err(found),
        (Err(error), Err(found)) => {
            terminal::complain(&format!("contactpoint: {error}"));
            Err(found)
        }
    }
}

async fn carry_out(arguments: &Arguments) -> Result<(), ClientError> {
    let place = &arguments.place;
    match &arguments.verb {
        Verb::LogIn(wanted) => sign_in::log_in(place, wanted).await,
        Verb::LogOut => sign_in::log_out(place).await,
        Verb::Search(wanted) => lookup::search(place, wanted).await,
        Verb::View(wanted) => lookup::view(place, wanted).await,
        Verb::AskContact(wanted) => lookup::ask_contact(place, wanted).await,
        Verb::WhoSaw(wanted) => lookup::who_saw(place, wanted).await,
        Verb::BreakGlass(wanted) => glass::break_glass(place, wanted).await,
        Verb::Leave => glass::leave(place).await,
        Verb::OverrideShield(wanted) => glass::override_shield(place, wanted).await,
        Verb::Alerts(wanted) => alerts::queue(place, wanted).await,
        Verb::Judge(wanted) => alerts::judge(place, wanted).await,
        Verb::Sample(wanted) => alerts::sample(place, wanted).await,
        Verb::Review(wanted) => alerts::review(place, wanted).await,
        Verb::Statistics(wanted) => alerts::statistics(place, wanted).await,
        Verb::Reviews(wanted) => reviews::queue(place, wanted).await,
        Verb::ReviewLook(wanted) => reviews::settle(place, wanted).await,
        Verb::ReviewReport(wanted) => reviews::report(place, wanted).await,
        Verb::Flags(wanted) => alerts::flags(place, wanted).await,
        Verb::Statement(wanted) => statements::statement(place, wanted).await,
        Verb::Evidence { verb } => statements::evidence(place, verb).await,
        Verb::Feed(wanted) => feed::feed(place, wanted).await,
        Verb::EnrolPerson(wanted) => enrol::person(place, wanted).await,
        Verb::AmendPerson(wanted) => administer::amend(place, wanted).await,
        Verb::SetPersonState(wanted) => administer::set_state(place, wanted).await,
        Verb::Reset(wanted) => helpdesk::begin(place, wanted).await,
        Verb::CompleteReset(wanted) => helpdesk::complete(place, wanted).await,
        Verb::Sign(wanted) => administer::accept(place, administer::Text::Agreement, wanted).await,
        Verb::AcceptResponsibilities(wanted) => administer::accept(place, administer::Text::Responsibilities, wanted).await,
        Verb::Sponsor(wanted) => administer::sponsor(place, wanted).await,
        Verb::Shield(wanted) => shielding::shield(place, wanted).await,
        Verb::Unshield(wanted) => shielding::unshield(place, wanted).await,
        Verb::Audience(wanted) => shielding::audience(place, wanted).await,
        Verb::Settle(wanted) => shielding::settle(place, wanted).await,
        Verb::HoldNew(wanted) => shielding::hold_new(place, wanted).await,
        Verb::EndInvolvement(wanted) => shielding::end_involvement(place, wanted).await,
        Verb::Receipts => receipts::receipts(place).await,
        Verb::Log { verb: LogVerb::Fetch { directory, key } } => log_fetch::fetch(place, directory, key.as_deref()).await,
        Verb::Log { verb: LogVerb::Verify { directory, key } } => log_verify::verify(directory, key, place.json),
        Verb::Witness { verb: WitnessVerb::Init { folder, name } } => witness::init(place, folder, name),
        Verb::Witness { verb: WitnessVerb::Run(wanted) } => witness::run(place, wanted).await,
        Verb::Manual(wanted) => terminal::say_text(&manual::page(wanted)?),
        Verb::Completions(wanted) => terminal::say_text(&manual::completions(wanted)),
    }
}
