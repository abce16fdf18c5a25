//! What the start-up list in `main` calls and is not part of the argument: telling of failures, logging, and the upkeep while running.

pub(crate) mod failure;
pub(crate) mod journal;
pub(crate) mod upkeep;

use contactpoint_intake::Layout;
use failure::Failure;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The first layout that is made for test data.
pub(crate) fn test_layout(layouts: &BTreeMap<String, Layout>) -> Option<&str> {
    layouts.iter().find(|(_, layout)| layout.is_for_test_data()).map(|(name, _)| name.as_str())
}

/// A test system is reached from its own machine alone, and a real one takes no layout that is made for test data (rule G7).
pub(crate) fn refuse_mixing(for_tests: bool, listening: SocketAddr, test_layout: Option<&str>) -> Result<(), Failure> {
    match test_layout {
        _ if for_tests && !listening.ip().is_loopback() => Err(Failure::TestSystemInTheOpen(listening)),
        Some(name) if !for_tests => Err(Failure::TestLayout(name.to_owned())),
        _ => Ok(()),
    }
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
    fn a_test_system_is_reached_from_its_own_machine_alone_and_a_real_one_takes_no_test_layout() {
        // G7: test systems hold synthetic data only, and refuse a non-loopback address
        let at = |address: &str| address.parse::<SocketAddr>().unwrap();
        for open in ["0.0.0.0:8443", "[::]:8443", "192.0.2.7:8443", "[2001:db8::1]:8443"] {
            assert!(matches!(refuse_mixing(true, at(open), None), Err(Failure::TestSystemInTheOpen(_))), "{open}");
            assert!(refuse_mixing(false, at(open), None).is_ok(), "{open}");
        }
        for own in ["127.0.0.1:8443", "[::1]:8443"] {
            assert!(refuse_mixing(true, at(own), Some("febrl")).is_ok(), "{own}");
            assert!(matches!(refuse_mixing(false, at(own), Some("febrl")), Err(Failure::TestLayout(_))), "{own}");
        }
    }
}
