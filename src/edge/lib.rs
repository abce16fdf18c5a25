//! The door: TLS, HTTP and limits; a request in, an answer out.
//!
//! For: letting nobody in but enrolled organisations (rule B1), reading requests strictly and within limits, and letting nothing out but
//! what was recorded (rule F1: [`Answer`]) or is public. The flow within: `serve` accepts, `tls` decides the handshake, `connection` keeps
//! HTTP within limits, `exchange` holds each request against the revocation list and finds its route, `handlers` ask identity for the
//! caller and directory for the operation. Leaves to others: who may see what (`policy`), what is stored and recorded (`store`).
//! Does not promise: to withstand a flood that fills the line; that is the network's part.

mod activity;
mod answer;
#[cfg(test)]
mod authority;
mod call;
mod certificate;
mod connection;
mod custody_key;
mod document;
#[cfg(test)]
mod door;
mod edge;
mod evidence;
mod examples;
mod exchange;
mod handlers;
pub mod json;
mod limits;
mod pace;
mod places;
mod problem;
mod refusals;
mod reload;
mod revocation;
mod route;
mod serve;
mod stop;
mod texts;
mod tls;

pub use answer::{Answer, Health, Public, Success, WitnessHealth, WitnessesHealth};
pub use certificate::{PeerCertificate, UnreadableCertificate};
pub use custody_key::CustodyKey;
pub use edge::{Edge, EdgeFault, Parts};
pub use evidence::Evidence;
pub use limits::Limits;
pub use problem::{Problem, ProblemCode};
pub use revocation::{Authorities, Distrust, Revocation, RevocationFault};
pub use tls::{read_chain, server_config, Door, IsEnrolled, TlsFault};
