//! `contactpointctl status`: what the running daemon says of its keys, its store and its log. No child, no name.
//!
//! Exit status 0 where both work and 69 where one does not, so that a watch can ask. Needs no session: who may open the socket may know.

use crate::command::Said;
use crate::control::Socket;
use crate::error::OperatorError;
use http::Method;
use serde_json::Value;

/// Exit status of a daemon that cannot work now (sysexits(3), EX_UNAVAILABLE).
const UNAVAILABLE: u8 = 69;

/// Arguments of the question.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Said, OperatorError> {
    let answer = arguments.socket.ask(Method::GET, "/v1/status", None, None)?;
    let works = |part: &str| answer.get(part).and_then(Value::as_bool) == Some(true);
    let status = if works("store") && works("keys") { 0 } else { UNAVAILABLE };
    Ok(Said { text: format!("{answer:#}"), status })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::tests::{answering, socket};
    use tempfile::TempDir;

    #[test]
    fn a_daemon_whose_store_or_keys_do_not_work_exits_69() {
        // architecture, keys: liveness is a real key operation
        let directory = TempDir::new().unwrap();
        for (answer, status) in [
            ("{\"store\":true,\"keys\":true,\"entries\":2}", 0),
            ("{\"store\":true,\"keys\":false,\"entries\":2}", UNAVAILABLE),
            ("{\"store\":false,\"keys\":true,\"entries\":2}", UNAVAILABLE),
            ("{}", UNAVAILABLE),
        ] {
            let heard = answering(&directory, "200 OK", answer);
            let said = run(&Arguments { socket: socket(&directory) }).unwrap();
            heard.join().unwrap();
            assert_eq!(said.status, status, "{answer}");
        }
    }
}
