//! `contactpointctl status`: what the running daemon says of its keys, its store and its log. No child, no name.

use crate::control::Socket;
use crate::error::OperatorError;
use crate::session_file::SessionFile;
use http::Method;

/// Arguments of the question.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
    #[command(flatten)]
    session: SessionFile,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    // the daemon decides whether it tells without a session
    let token = arguments.session.token().ok();
    let answer = arguments.socket.ask(Method::GET, "/v1/status", token.as_ref().map(|token| token.as_str()), None)?;
    Ok(format!("{answer:#}"))
}
