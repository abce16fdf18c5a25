//! The rig of the tests: a SoftHSM token, a key ceremony, test certificates, and the real daemon on handed-over sockets.
//!
//! For: tests that go all the way through; every part is real and is used as an operator or an organisation would. Leaves to others: what
//! is tested. Waits for the daemon's own word (sd_notify(3)), never for a time. Panics where a part fails, for it is used in tests alone.

// A rig that does not stand up is a failed test: it says what broke, there and then.
#![expect(clippy::expect_used, clippy::panic, reason = "used in tests alone; a part that fails fails the test")]

pub mod call;
mod clock;
pub mod codes;
pub mod daemon;
pub mod moved_clock;
pub mod people;
pub mod pki;
pub mod place;
pub mod rig;
mod seats;
pub mod sockets;
pub mod token;

pub use call::{call, call_control, request, Answer};
pub use codes::Authenticator;
pub use daemon::{Daemon, DidNotStart};
pub use moved_clock::MovedClock;
pub use people::{checks, day, new_person, today, Enrolment, Organisation, Person};
pub use pki::{Authority, ClientCertificate, Holds};
pub use rig::{feed, Programs, Rig};
