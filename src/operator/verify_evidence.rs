//! `contactpointctl verify-evidence`: holds a statement or evidence against the log's public key alone (rules F3, F5). Offline; any machine will do.

use crate::error::OperatorError;
use crate::verify_log::{keys, policy, time};
use contactpoint_sealing::Identity;
use contactpoint_statement::{verify, Verified};
use std::path::{Path, PathBuf};

/// Arguments of the verdict.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The document, as it was handed over (sealed by age) or already opened
    file: PathBuf,
    /// The log's verifier key (name+id+key), or a file that holds it: from the accreditor, not from the document
    #[arg(long)]
    key: String,
    /// The file with the recipient's identity of age, as age-keygen writes it
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// A policy (C2SP tlog-policy): the checkpoint must bear the cosignatures of its quorum
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Print the document too, once it is found good
    #[arg(long)]
    show: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "show")]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    let keys = keys(&arguments.key)?;
    let policy = arguments.policy.as_deref().map(policy).transpose()?;
    let file = std::fs::read(&arguments.file).map_err(OperatorError::file(&arguments.file))?;
    let clear = match &arguments.identity {
        Some(path) => identity(path)?.open(&file).map_err(|fault| OperatorError::Evidence(fault.to_string()))?,
        None => file,
    };
    let text = String::from_utf8(clear).map_err(|_| {
        let hint = "it is no text: where it is still sealed, give --identity";
        OperatorError::Evidence(hint.to_owned())
    })?;
    // of a log with two keys the first one signs documents; which that is, the file of both need not tell
    let mut verdicts = keys.iter().map(|key| verify(&text, key, policy.as_ref()).map_err(Box::new)).collect::<Vec<_>>();
    let good = verdicts.iter().position(Result::is_ok).unwrap_or_default();
    let verified = verdicts.swap_remove(good).map_err(|fault| OperatorError::Evidence(fault.to_string()))?;
    let told = if arguments.json { json(&verified) } else { told(&verified) };
    Ok(if arguments.show { format!("{text}\n{told}") } else { told })
}

fn identity(path: &Path) -> Result<Identity, OperatorError> {
    let text = std::fs::read_to_string(path).map_err(OperatorError::file(path))?;
    text.parse().map_err(|fault| OperatorError::Argument { what: "--identity", why: format!("{}: {fault}", path.display()) })
}

fn json(verified: &Verified) -> String {
    let Verified { kind, about, made, is_part, entries, uncommitted, checkpoint, accepted } = verified;
    let cosigned = accepted.as_ref().map(|accepted| {
        let one = |(witness, at): &(String, u64)| serde_json::json!({ "witness": witness, "at": at });
        accepted.cosigned.iter().map(one).collect::<Vec<_>>()
    });
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    serde_json::json!({ "kind": kind.code(), "about": about, "made": made, "part": is_part, "entries": entries, "uncommitted": uncommitted, "origin": origin,
        "size": size, "cosigned": cosigned, "verified": true })
    .to_string()
}

fn told(verified: &Verified) -> String {
    let Verified { kind, about, made, is_part, entries, uncommitted, checkpoint, accepted } = verified;
    let mut told = format!("{}\n  kind     {}\n  about    {about}\n  made     {made}", checkpoint.origin, kind.code());
    told += &format!("\n  entries  {entries}, of the first {} of the log", checkpoint.size);
    if *is_part {
        told += "\n  part     of what there is: which, and where the rest stands, is said in the document (--show)";
    }
    if *uncommitted > 0 {
        told += &format!("\n  of these {uncommitted} are of a format whose leaves do not commit to their key: that they say nothing else is the directory's word");
    }
    for (witness, at) in accepted.iter().flat_map(|accepted| &accepted.cosigned) {
        told += &format!("\n  witness  {witness}, {}", time(*at));
    }
    if accepted.is_some() {
        told += "\n  policy   met";
    }
    told + "\n  verdict  signed by the log's key; each entry is in the log as it stands here"
}
