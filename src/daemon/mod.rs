//! What the start-up list in `main` calls and is not part of the argument: telling of failures, logging, and the upkeep while running.

pub(crate) mod failure;
pub(crate) mod journal;
pub(crate) mod upkeep;

use contactpoint_directory::Ceilings;
use contactpoint_settings::{Budgets, Settings};
use failure::Failure;
use std::net::SocketAddr;

/// The ceilings of records seen, of the settings (rule D6).
pub(crate) fn ceilings(settings: &Settings) -> Ceilings {
    let Budgets { practitioner, shielding_officer } = &settings.budgets;
    Ceilings { practitioner: practitioner.count(), shielding_officer: shielding_officer.count() }
}

/// A test system is reached from its own machine alone (rule G7).
pub(crate) fn refuse_test_system_in_the_open(for_tests: bool, listening: SocketAddr) -> Result<(), Failure> {
    if for_tests && !listening.ip().is_loopback() {
        return Err(Failure::TestSystemInTheOpen(listening));
    }
    Ok(())
}

/// A daemon with a switch would have a second way to be configured.
pub(crate) fn refuse_arguments() -> Result<(), Failure> {
    match std::env::args_os().nth(1) {
        None => Ok(()),
        Some(_) => Err(Failure::Arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_system_is_reached_from_its_own_machine_alone() {
        // G7: test systems refuse a non-loopback address
        let at = |address: &str| address.parse::<SocketAddr>().unwrap();
        for open in ["0.0.0.0:8443", "[::]:8443", "192.0.2.7:8443", "[2001:db8::1]:8443"] {
            assert!(matches!(refuse_test_system_in_the_open(true, at(open)), Err(Failure::TestSystemInTheOpen(_))), "{open}");
            assert!(refuse_test_system_in_the_open(false, at(open)).is_ok(), "{open}");
        }
        for own in ["127.0.0.1:8443", "[::1]:8443"] {
            assert!(refuse_test_system_in_the_open(true, at(own)).is_ok(), "{own}");
        }
    }
}
