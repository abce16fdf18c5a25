//! `contactpointctl enrol-organisation`: enrols an organisation, its certificates and its first two people (rule B2).
//!
//! The input is what the daemon's route takes, passed on as it stands; the daemon alone parses it. The answer holds their
//! one-time secrets and is shown once.

use crate::control::Socket;
use crate::error::OperatorError;
use crate::session_file::SessionFile;
use http::Method;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Arguments of the enrolment.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// JSON file: name, kind, authority, telephone, email, postcode, certificates (PEM), administrator, supervisor; - is the standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) socket: Socket,
    #[command(flatten)]
    pub(crate) session: SessionFile,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    let token = arguments.session.token()?;
    let body = content(&arguments.file).map_err(OperatorError::file(&arguments.file))?;
    let answer = arguments.socket.ask(Method::POST, "/v1/organisations", Some(&token), Some(body))?;
    Ok(format!("{answer:#}"))
}

fn content(file: &Path) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}
