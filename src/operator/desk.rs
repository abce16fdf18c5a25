//! Where a verb of the data centre's people speaks: one request over the control socket, in the session of whoever is logged in.
//!
//! The daemon decides, and its answer is printed as it came. Leaves to others: who may ask what (the daemon).

use crate::control::Socket;
use crate::error::OperatorError;
use crate::session_file::SessionFile;
use http::Method;
use serde_json::Value;

/// Whose session, over which socket.
#[derive(Debug, clap::Args)]
pub(crate) struct Desk {
    #[command(flatten)]
    socket: Socket,
    #[command(flatten)]
    session: SessionFile,
}

impl Desk {
    /// Asks in the session; the answer, to be printed.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<String, OperatorError> {
        let token = self.session.token()?;
        let answer = self.socket.ask(Method::POST, path, Some(&token), Some(body.to_string().into_bytes()))?;
        Ok(format!("{answer:#}"))
    }

    /// What everybody may read, logged in or not.
    pub(crate) fn read(&self, path: &str) -> Result<Value, OperatorError> {
        self.socket.ask(Method::GET, path, None, None)
    }
}
