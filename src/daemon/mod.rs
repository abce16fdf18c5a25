//! What the start-up list in `main` calls and is not part of the argument: telling of failures, logging, and the upkeep while running.

pub(crate) mod failure;
pub(crate) mod journal;
pub(crate) mod upkeep;

use failure::Failure;

/// A daemon with a switch would have a second way to be configured.
pub(crate) fn refuse_arguments() -> Result<(), Failure> {
    match std::env::args_os().nth(1) {
        None => Ok(()),
        Some(_) => Err(Failure::Arguments),
    }
}
