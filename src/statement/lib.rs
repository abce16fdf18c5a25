//! Documents that leave the directory and verify by themselves: who saw a child (a subject-access statement, rule F3), and evidence of what a person
//! did (rule F5). docs/log-format.md has their form.
//!
//! For: writing one, to be signed, and verifying one with the log's public key and nothing else. Both say in words what is in the log, and carry a
//! proof for each entry (C2SP tlog-proof) below one signed checkpoint. That these are all the entries only the directory can say: that is what its
//! signature over the whole is for. Evidence carries the leaves and their keys too, so that its words can be read again out of what the log
//! committed to; a statement does not, for an entry names other children, and why somebody was refused can tell that a child is shielded (rules
//! D8, E5). Leaves to others: who may have one (`policy`), gathering entries (`store`), sealing it for its recipient (`sealing`).
//!
//! Pure: no clock, no socket, no file.

mod error;
mod evidence;
mod form;
mod how_to_check;
mod subject_access;
mod verify;
mod words;

#[cfg(test)]
mod tests;

pub use error::{DocumentFault, EntryFault};
pub use evidence::{Evidence, Names, Opened};
pub use form::{Kind, Unsigned};
pub use subject_access::{Did, Look, SubjectAccess};
pub use verify::{verify, Verified};
