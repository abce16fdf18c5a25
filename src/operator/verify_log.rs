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
    let verdict = verify::unharmed(size);
    Ok(format!("{origin}\n  entries  {size}\n  root     {root}\n  verdict  consistent with its signed checkpoint: {verdict}"))
}

/// A key given as such, or the file that holds it.
fn key(text: &str) -> Result<VerifierKey, OperatorError> {
    let path = Path::new(text);
    // no key begins with a path's first letters: its name is a host's (C2SP signed-note)
    let is_path = text.starts_with(['/', '.']);
    if !path.is_file() && !is_path {
        return Ok(VerifierKey::parse(text)?);
    }
    let held = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    Ok(VerifierKey::parse(held.trim())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::open_appliance;
    use crate::rig::Site;
    use contactpoint_audit::tiles;

    /// What the ceremony leaves in the log: the data centre and its two people.
    const ENTRIES: u16 = 3;

    /// A copy of the ceremony's log, as a client would have fetched it.
    fn fetched(site: &Site) -> Arguments {
        let held = site.hold_ceremony().unwrap();
        let store = open_appliance(&site.directories, &site.settings()).unwrap().store.begin_unlocked().unwrap();
        let directory = site.path("log");
        let bundle = tiles::bundle_path(0, ENTRIES);
        std::fs::create_dir_all(directory.join(&bundle).parent().unwrap()).unwrap();
        std::fs::write(directory.join("checkpoint"), store.log_checkpoint().unwrap()).unwrap();
        std::fs::write(directory.join(&bundle), store.log_tile(&bundle).unwrap().unwrap()).unwrap();
        Arguments { directory, key: held.verifier_key.to_string(), json: false }
    }

    #[test]
    fn an_untouched_log_verifies_with_the_public_key_alone() {
        // F2: anyone with the public key can verify
        let site = Site::new("verify");
        let arguments = fetched(&site);
        let told = run(&arguments).unwrap();
        assert!(told.contains("entries  3") && told.contains("consistent with its signed checkpoint"));
        assert!(told.ends_with("nothing altered, removed or reordered up to entry 2"));
        let by_file = Arguments { key: site.path("state/log-verifier-key.txt").display().to_string(), json: true, ..arguments };
        let json: serde_json::Value = serde_json::from_str(&run(&by_file).unwrap()).unwrap();
        assert_eq!((json["verified"].as_bool(), json["size"].as_u64()), (Some(true), Some(ENTRIES.into())));
    }

    #[test]
    fn a_copy_with_one_byte_changed_is_caught() {
        // F2: nothing was altered, removed or reordered
        let site = Site::new("verify-changed");
        let arguments = fetched(&site);
        let bundle = arguments.directory.join(tiles::bundle_path(0, ENTRIES));
        let good = std::fs::read(&bundle).unwrap();
        for at in [2, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&bundle, bad).unwrap();
            let verdict = run(&arguments).unwrap_err();
            assert!(matches!(verdict, OperatorError::LogFault(_)));
            assert_eq!(verdict.exit_status(), 1);
        }
        std::fs::remove_file(&bundle).unwrap();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
    }

    #[test]
    fn another_key_does_not_verify_and_what_is_no_key_is_a_usage_error() {
        // F2: heads are signed in the HSM
        let site = Site::new("verify-key");
        let mut arguments = fetched(&site);
        let other = Site::new("verify-key-other").hold_ceremony().unwrap().verifier_key;
        arguments.key = other.to_string();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
        arguments.key = "not a key".to_owned();
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
        arguments.key = "/nonexistent/key.txt".to_owned();
        let error = run(&arguments).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        assert!(error.to_string().starts_with("/nonexistent/key.txt: "), "{error}");
    }
}
