//! `log verify`: a fetched log against the verifier key, offline (rule F2). The mathematics is `contactpoint_audit`'s.

use crate::error::ClientError;
use crate::terminal::{say, say_json};
use contactpoint_audit::{verify, VerifierKey};
use serde_json::json;
use std::path::Path;

/// Verifies the folder; `key` is the verifier key or the name of a file that holds it.
pub(crate) fn verify(directory: &Path, key: &str, as_json: bool) -> Result<(), ClientError> {
    let key = verifier_key(key)?;
    let verified = verify::directory(directory, &key).map_err(|fault| ClientError::Verification(fault.to_string()))?;
    let root = data_encoding::HEXLOWER.encode(&verified.root);
    if as_json {
        say_json(&json!({"verified": true, "origin": verified.checkpoint.origin, "size": verified.size, "root": root}));
    } else {
        let (origin, size) = (verified.checkpoint.origin, verified.size);
        say(&format!("Verified: {origin}, {size} entries, root {root}."));
        say(&format!("Consistent with its signed checkpoint: {}.", verify::unharmed(size)));
    }
    Ok(())
}

/// A key given as such, or the file that holds it; of a log with two keys the first, which its checkpoints all bear.
pub(crate) fn verifier_key(text: &str) -> Result<VerifierKey, ClientError> {
    let path = Path::new(text);
    let text = if path.is_file() { std::fs::read_to_string(path).map_err(ClientError::file(path))? } else { text.to_owned() };
    let keys = VerifierKey::parse_each(&text).map_err(|fault| ClientError::VerifierKey(fault.to_string()))?;
    keys.into_iter().next().ok_or_else(|| ClientError::VerifierKey("it is empty".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_key_nor_a_file_is_wrong_usage() {
        let error = verify(Path::new("."), "no-such-file", false).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
