//! Organisation certificate and person's session become a `Caller` (rules B1, B4, C2, C6).
//!
//! Holds the log-in (password and code, growing delay), the sessions, the clock, and the making of new credentials. Leaves to others:
//! whether the certificate chains and is not revoked (`edge`), what a caller may do (`policy`), where accounts are kept (`store`).
//! Does not promise: sessions that outlive the process; they are in memory on purpose.

mod caller;
pub mod clock;
mod delay;
mod refusal;
mod request;
mod session;

pub use caller::{Caller, Channel};
pub use clock::{Clock, Now};
pub use refusal::{IdentityRefusal, LoginRefused};
pub use request::RequestSeen;
pub use session::SessionTicket;
