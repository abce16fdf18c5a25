//! `contactpointctl verify-log`: holds a copy of the log against the public key alone (rule F2). Offline; any machine will do.

use crate::error::OperatorError;
use contactpoint_audit::{verify, VerifierKey};
use std::path::{Path, PathBuf};

/// Arguments of the verdict.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory with `checkpoint` and `tile/`, as `contactpoint` fetched it
    directory: PathBuf,
    /// The log's verifier key (name+id+key), or a file that holds it
    #[arg(long)]
    key: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    let verified = verify::directory(&arguments.directory, &key(&arguments.key)?)?;
    let root: String = verified.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let (origin, size) = (verified.checkpoint.origin, verified.size);
    if arguments.json {
        return Ok(serde_json::json!({ "origin": origin, "size": size, "root": root, "verified": true }).to_string());
    }
    Ok(format!("{origin}\n  entries  {size}\n  root     {root}\n  verdict  nothing altered, removed or reordered"))
}

/// A key given as such, or the file that holds it.
fn key(text: &str) -> Result<VerifierKey, OperatorError> {
    let path = Path::new(text);
    if !path.is_file() {
        return Ok(VerifierKey::parse(text)?);
    }
    let held = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    Ok(VerifierKey::parse(held.trim())?)
}
