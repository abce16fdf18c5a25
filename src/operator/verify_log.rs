//! `contactpointctl verify-log`: holds a copy of the log against the public key alone (rule F2). Offline; any machine will do.

use crate::error::OperatorError;
use contactpoint_audit::verify::{self, Verified};
use contactpoint_audit::{Accepted, Checkpoint, LogPolicy, VerifierKey};
use std::path::{Path, PathBuf};

/// Arguments of the verdict.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory with `checkpoint` and `tile/`, as `contactpoint` fetched it
    directory: PathBuf,
    /// The log's verifier key (name+id+key), or a file that holds it; may be left out where the policy lists the log
    #[arg(long, required_unless_present = "policy")]
    key: Option<String>,
    /// An earlier signed checkpoint of this log that you trust: only what came after it is read
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// A policy (C2SP tlog-policy): the checkpoint must bear the cosignatures of its quorum
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    let given = arguments.key.as_deref().map(key).transpose()?;
    let policy = arguments.policy.as_deref().map(policy).transpose()?;
    let note = verify::note(&arguments.directory)?;
    // the key that was given must have signed, whichever logs the policy lists
    let opened = given.as_ref().map(|key| Checkpoint::open(&note, key)).transpose()?;
    let accepted = policy.map(|policy| policy.accept(&note, given.as_ref())).transpose()?;
    let key = given.as_ref().or(accepted.as_ref().map(|accepted| &accepted.log));
    let since = match (&arguments.since, key) {
        (Some(path), Some(key)) => Some(trusted(path, key)?),
        (Some(_) | None, _) => None,
    };
    let checkpoint = opened.or_else(|| accepted.as_ref().map(|accepted| accepted.checkpoint.clone())).ok_or_else(no_key)?;
    let verified = verify::against(&arguments.directory, checkpoint, since.as_ref())?;
    Ok(if arguments.json { json(&verified, accepted.as_ref()) } else { told(&verified, accepted.as_ref()) })
}

fn no_key() -> OperatorError {
    OperatorError::Argument { what: "--key", why: "or --policy says whose log it is".to_owned() }
}

fn policy(path: &Path) -> Result<LogPolicy, OperatorError> {
    let file = std::fs::read(path).map_err(OperatorError::file(path))?;
    LogPolicy::parse(&file).map_err(|error| OperatorError::Argument { what: "--policy", why: format!("{}, {error}", path.display()) })
}

/// The checkpoint to go on from. It is the caller who trusts it; the signature shows that it is of this log, and whole.
fn trusted(path: &Path, key: &VerifierKey) -> Result<Checkpoint, OperatorError> {
    let note = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    Checkpoint::open(&note, key).map_err(|fault| OperatorError::Argument { what: "--since", why: format!("{}: {fault}", path.display()) })
}

fn root(verified: &Verified) -> String {
    verified.root.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn json(verified: &Verified, accepted: Option<&Accepted>) -> String {
    let cosigned = accepted.map(|accepted| {
        let one = |(witness, at): &(String, u64)| serde_json::json!({ "witness": witness, "at": at });
        accepted.cosigned.iter().map(one).collect::<Vec<_>>()
    });
    let Verified { checkpoint, size, skipped, .. } = verified;
    let (origin, root) = (&checkpoint.origin, root(verified));
    serde_json::json!({ "origin": origin, "size": size, "skipped": skipped, "root": root, "cosigned": cosigned, "verified": true })
        .to_string()
}

fn told(verified: &Verified, accepted: Option<&Accepted>) -> String {
    let Verified { checkpoint, size, skipped, .. } = verified;
    let mut told = format!("{}\n  entries  {size}\n  root     {}", checkpoint.origin, root(verified));
    if *skipped > 0 {
        told += &format!("\n  skipped  {skipped}, which are those of the trusted checkpoint");
    }
    for (witness, at) in accepted.iter().flat_map(|accepted| &accepted.cosigned) {
        told += &format!("\n  witness  {witness}, {}", time(*at));
    }
    if accepted.is_some() {
        told += "\n  policy   met";
    }
    told + &format!("\n  verdict  consistent with its signed checkpoint: {}", verify::unharmed(*size))
}

/// A cosignature's time, as its witness's clock had it; seconds where no calendar goes so far.
fn time(at: u64) -> String {
    let moment = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    moment.map_or_else(|| at.to_string(), |moment| moment.to_string())
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
    use contactpoint_audit::{tiles, SignError, SignedCheckpoint, Signer, WitnessKey};

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
        Arguments { directory, key: Some(held.verifier_key.to_string()), since: None, policy: None, json: false }
    }

    #[test]
    fn an_untouched_log_verifies_with_the_public_key_alone() {
        // F2: anyone with the public key can verify
        let site = Site::new("verify");
        let arguments = fetched(&site);
        let told = run(&arguments).unwrap();
        assert!(told.contains("entries  3") && told.contains("consistent with its signed checkpoint"));
        assert!(told.ends_with("nothing altered, removed or reordered up to entry 2"));
        let by_file = Arguments { key: Some(site.path("state/log-verifier-key.txt").display().to_string()), json: true, ..arguments };
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
        arguments.key = Some(other.to_string());
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 1);
        arguments.key = Some("not a key".to_owned());
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
        arguments.key = Some("/nonexistent/key.txt".to_owned());
        let error = run(&arguments).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        assert!(error.to_string().starts_with("/nonexistent/key.txt: "), "{error}");
    }

    #[test]
    fn a_trusted_checkpoint_says_where_to_go_on_and_must_be_of_this_log() {
        // F2: nothing was altered, removed or reordered since somebody last looked
        let site = Site::new("verify-since");
        let mut arguments = fetched(&site);
        arguments.since = Some(arguments.directory.join("checkpoint"));
        let told = run(&arguments).unwrap();
        assert!(told.contains("  skipped  3, which are those of the trusted checkpoint\n"), "{told}");
        let forged = site.path("forged");
        let note = std::fs::read_to_string(arguments.directory.join("checkpoint")).unwrap();
        std::fs::write(&forged, note.replacen("\n3\n", "\n2\n", 1)).unwrap();
        arguments.since = Some(forged);
        let error = run(&arguments).unwrap_err();
        assert!(error.exit_status() == 64 && error.to_string().starts_with("--since "), "{error}");
        arguments.since = Some(site.path("nowhere"));
        assert_eq!(run(&arguments).unwrap_err().exit_status(), 64);
    }

    #[test]
    fn a_policy_asks_for_its_quorum_and_may_stand_for_the_key() {
        // F2: independent witnesses may cosign; the log's key is the HSM's, the witness's a file's
        let site = Site::new("verify-policy");
        let mut arguments = fetched(&site);
        let log: VerifierKey = arguments.key.clone().unwrap().parse().unwrap();
        let witness = Witness::new();
        let file = site.path("policy");
        let policy = format!("log {log}\nwitness W {}\nquorum W\n", WitnessKey::of(&witness).unwrap());
        std::fs::write(&file, &policy).unwrap();
        arguments.policy = Some(file.clone());
        let refused = run(&arguments).unwrap_err();
        assert_eq!(refused.exit_status(), 1);
        assert!(refused.to_string().contains("the quorum W is not met: the checkpoint is cosigned by none of the policy's witnesses"));

        let place = arguments.directory.join("checkpoint");
        let note = std::fs::read_to_string(&place).unwrap();
        let line = SignedCheckpoint::open(&note, &log).unwrap().cosign(1_679_315_147, &witness).unwrap();
        std::fs::write(&place, format!("{note}{line}")).unwrap();
        for key in [arguments.key.clone(), None] {
            arguments.key = key;
            let told = run(&arguments).unwrap();
            assert!(told.contains("  witness  W, 2023-03-20T12:25:47Z\n  policy   met\n"), "{told}");
        }
        let json: serde_json::Value = serde_json::from_str(&run(&Arguments { json: true, ..arguments }).unwrap()).unwrap();
        assert_eq!(json["cosigned"], serde_json::json!([{ "witness": "W", "at": 1_679_315_147 }]));

        let alone = |policy: &str, key: Option<&VerifierKey>| {
            std::fs::write(&file, policy).unwrap();
            let directory = place.parent().unwrap().to_owned();
            let key = key.map(ToString::to_string);
            run(&Arguments { directory, key, since: None, policy: Some(file.clone()), json: false }).unwrap_err()
        };
        assert_eq!(alone("quorum none\n", None).exit_status(), 1, "nobody says whose log it is");
        let other = Witness::new().0.verifying_key().to_bytes();
        let other = VerifierKey::ed25519(log.name(), &other).unwrap();
        assert_eq!(alone(&policy, Some(&other)).exit_status(), 1, "the key that was given did not sign");
        let error = alone("log a\n", None);
        assert!(error.exit_status() == 64 && error.to_string().contains("line 1: "), "{error}");
    }

    /// A witness with a key in memory.
    struct Witness(ed25519_dalek::SigningKey, VerifierKey);

    impl Witness {
        fn new() -> Self {
            let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
            let public = VerifierKey::ed25519("witness.example/w", key.verifying_key().as_bytes()).unwrap();
            Self(key, public)
        }
    }

    impl Signer for Witness {
        fn verifier_key(&self) -> &VerifierKey {
            &self.1
        }
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
        }
    }
}
