//! What `contactpointctl` does, one verb a file; and how the appliance is opened, for the daemon as well.
//!
//! For: the key ceremony, the TLS certificate request, checking settings and logs, and the officer's verbs over the control socket.
//! Leaves to others: whether an officer may do what they ask (the daemon: `identity`, `policy`). Does not promise, and has no verb for, a
//! way to child data: no query, no dump, no export (rules B5, G1, G5).

mod alerts;
mod ceremony;
mod certificate_request;
mod check_config;
mod command;
mod control;
pub mod custody;
mod desk;
mod enrol_organisation;
pub mod erasing;
#[cfg(test)]
mod erasing_tests;
mod error;
mod fresh_code;
mod helpdesk;
mod inspect;
pub mod layouts;
mod let_in;
mod manual;
pub mod officers;
mod people;
pub mod review_files;
#[cfg(test)]
mod rig;
mod session_file;
mod show;
mod signing_in;
pub mod state_lock;
mod status;
pub mod token_head;
mod verifier_key;
mod verify_evidence;
mod verify_log;
pub mod witnesses;

pub use ceremony::{hold, Enrolled, Founder, Founders, Held};
pub use command::run;
pub use error::OperatorError;
pub use verify_log::{OpenServed, Served};
