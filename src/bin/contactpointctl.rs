//! contactpointctl, the operators' tool; everything is in `contactpoint-operator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    contactpoint_operator::run(std::env::args_os())
}
