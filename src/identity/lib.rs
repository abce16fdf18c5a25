//! Organisation certificate and person's session become a `Caller` (rules B1, B4, C2, C6).
//!
//! Holds the log-in (password and code, growing delay), the code asked for anew, the sessions, the clock, and the making of new credentials. Leaves to others:
//! whether the certificate chains and is not revoked (`edge`), what a caller may do (`policy`), where accounts are kept (`store`).
//! Does not promise: sessions that outlive the process; they are in memory on purpose.

mod again;
mod caller;
mod certificates;
pub mod clock;
mod code;
mod confirm;
mod delay;
pub mod enrol;
mod error;
mod identity;
mod log_in;
mod password;
mod queue;
mod refusal;
mod request;
mod session;

pub use caller::{Caller, Channel, Qualifications};
pub use clock::{Clock, Now};
pub use code::STEP_SECONDS;
pub use confirm::Confirmed;
pub use enrol::{credentials, NewFactor, NewPerson, OneTimeSecrets};
pub use error::IdentityError;
pub use identity::Identity;
pub use password::Pepper;
pub use refusal::{IdentityRefusal, LoginRefused, TurnedAway};
pub use request::RequestSeen;
pub use session::{SessionId, SessionTicket};

#[cfg(all(feature = "dangerous-callers", not(debug_assertions)))]
compile_error!("the feature dangerous-callers makes callers that nobody proved; a release build refuses it");
