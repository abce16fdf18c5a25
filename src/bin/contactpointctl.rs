//! contactpointctl, the operators' tool; everything is in `contactpoint-operator`, and the connection to a log that is served in
//! `contactpoint-client`.

use contactpoint_client::log_source::{LogSource, ServedLog, ServedLogError};
use contactpoint_operator::Served;
use std::process::ExitCode;

fn main() -> ExitCode {
    contactpoint_operator::run(std::env::args_os(), |served| {
        let Served { server, authority, certificate, key } = served;
        let source = LogSource::of(&ServedLog { server, authority, certificate, key });
        source.map(|source| Box::new(source) as _).map_err(|error: ServedLogError| error.to_string())
    })
}
