//! `statement`, `evidence ...` (rules F3, F5): what comes back is sealed for somebody else, and is all that is ever stored of an answer (rule G8).
//!
//! The client writes the bytes as they came and cannot open them. Never over a file that is there, and for its owner alone.

use crate::api::Api;
use crate::arguments::Place;
use crate::error::ClientError;
use crate::glass::code;
use crate::terminal::{say, say_json};
use crate::view::text;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{header, Response};
use serde_json::{json, Value};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What a sealed document is sent as, and how it begins (age v1).
const SEALED: &str = "application/vnd.contactpoint.sealed";
const AGE: &[u8] = b"age-encryption.org/v1\n";

/// `statement`
#[derive(Debug, Args)]
pub struct StatementWanted {
    /// The child's number in the directory
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// The recipient's public key of age: age1...
    #[arg(long, value_name = "KEY")]
    pub recipient: String,
    /// The entry before which: for the older part, where a statement says that it is one
    #[arg(long, value_name = "ENTRY")]
    pub before: Option<u64>,
    /// Where the sealed statement is written; nothing may be there yet
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// The one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `evidence ...`
#[derive(Debug, Subcommand)]
pub enum EvidenceVerb {
    /// Ask for evidence of what a person did; prints the number by which another auditor approves it
    Request(EvidenceWanted),
    /// Approve what another auditor asked for, within seven days: say the same again
    Approve {
        /// The request's number
        #[arg(value_name = "ID")]
        id: u64,
        /// The same as was asked for.
        #[command(flatten)]
        wanted: EvidenceWanted,
    },
    /// Fetch what you asked for and another auditor approved, within seven days of that
    Fetch {
        /// The request's number
        #[arg(value_name = "ID")]
        id: u64,
        /// The entry from which on: for the next part, where the one before it was not the last
        #[arg(long, value_name = "ENTRY")]
        from_entry: Option<u64>,
        /// Where the sealed evidence is written; nothing may be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
}

/// What is asked for.
#[derive(Debug, Args)]
pub struct EvidenceWanted {
    /// The person's number
    #[arg(long, value_name = "NUMBER")]
    pub person: u32,
    /// The first day, YYYY-MM-DD (UTC)
    #[arg(long, value_name = "DAY")]
    pub from: String,
    /// The last day, within a year
    #[arg(long, value_name = "DAY")]
    pub to: String,
    /// The recipient's public key of age: age1...
    #[arg(long, value_name = "KEY")]
    pub recipient: String,
    /// Why: audit
    #[arg(long)]
    pub reason: String,
    /// The one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// Rule F3's statement.
pub(crate) async fn statement(place: &Place, wanted: &StatementWanted) -> Result<(), ClientError> {
    let StatementWanted { child_number, recipient, before, to, code: typed } = wanted;
    refuse_existing(to)?;
    let mut body = json!({"child_number": child_number, "recipient": recipient, "code": code(typed.as_ref())?});
    if let Some((before, body)) = before.zip(body.as_object_mut()) {
        body.insert("before".to_owned(), before.into());
    }
    let answer = Api::in_session(place)?.post_for_bytes("/v1/audit/statement", &body).await?;
    keep(place, to, &answer)
}

/// Rule F5's three steps.
pub(crate) async fn evidence(place: &Place, verb: &EvidenceVerb) -> Result<(), ClientError> {
    match verb {
        EvidenceVerb::Request(wanted) => step(place, "/v1/audit/evidence", wanted).await,
        EvidenceVerb::Approve { id, wanted } => step(place, &format!("/v1/audit/evidence/{id}/approve"), wanted).await,
        EvidenceVerb::Fetch { id, from_entry, to } => {
            refuse_existing(to)?;
            let part = json!({"from_entry": from_entry.unwrap_or(0)});
            let answer = Api::in_session(place)?.post_for_bytes(&format!("/v1/audit/evidence/{id}/fetch"), &part).await?;
            keep(place, to, &answer)
        }
    }
}

async fn step(place: &Place, path: &str, wanted: &EvidenceWanted) -> Result<(), ClientError> {
    let EvidenceWanted { person, from, to, recipient, reason, code: typed } = wanted;
    let code = code(typed.as_ref())?;
    let body = json!({"person": person, "from": from, "to": to, "recipient": recipient, "reason": reason, "code": code});
    let answer = Api::in_session(place)?.post(path, &body).await?;
    if place.json {
        say_json(&answer);
    } else {
        say(&standing(&answer));
    }
    Ok(())
}

fn standing(answer: &Value) -> String {
    let (id, until) = (text(&answer["id"]), text(&answer["until"]));
    if answer["approved"] == true {
        format!("Request {id} is approved. Whoever asked for it fetches it until {until}.")
    } else {
        format!("Request {id} waits for another auditor until {until}.")
    }
}

/// Writes the sealed bytes. What is not sealed is not written.
fn keep(place: &Place, to: &Path, answer: &Response<Bytes>) -> Result<(), ClientError> {
    let media = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media != Some(SEALED) || !answer.body().starts_with(AGE) {
        return Err(ClientError::AnswerNotUnderstood("what came is not sealed, and is not stored".to_owned()));
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(ClientError::file(to))?;
    file.write_all(answer.body()).and_then(|()| file.sync_all()).map_err(ClientError::file(to))?;
    let (bytes, next) = (answer.body().len(), next(answer));
    if place.json {
        say_json(&json!({"file": to.display().to_string(), "bytes": bytes, "next": next}));
    } else {
        say(&format!("{}: {bytes} bytes, which their recipient alone can open.", to.display()));
        if let Some(next) = next {
            say(&format!("It is a part. Fetch the next one into another file, with --from-entry {next}."));
        }
    }
    Ok(())
}

/// The entry from which on the next part is fetched, where what came is a part of evidence and not the last.
fn next(answer: &Response<Bytes>) -> Option<u64> {
    answer.headers().get("evidence-next")?.to_str().ok()?.parse().ok()
}

/// Refused before anything is asked: an answer that could not be kept would be an entry for nothing.
fn refuse_existing(path: &Path) -> Result<(), ClientError> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(ClientError::file(path)(std::io::ErrorKind::AlreadyExists.into())),
        Err(cause) => Err(ClientError::file(path)(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    fn answer(media: &str, body: &'static [u8]) -> Response<Bytes> {
        Response::builder().header(header::CONTENT_TYPE, media).body(Bytes::from_static(body)).unwrap()
    }

    fn place() -> Place {
        Place { profile: None, session_file: None, json: true }
    }

    #[test]
    fn a_part_that_is_not_the_last_says_where_the_next_begins() {
        // F5: whoever fetches evidence knows that there is more of it
        let whole = answer(SEALED, AGE);
        let mut part = answer(SEALED, AGE);
        part.headers_mut().insert("evidence-next", 84_213.into());
        assert_eq!((next(&whole), next(&part)), (None, Some(84_213)));
    }

    #[test]
    fn only_what_is_sealed_is_ever_stored_and_never_over_a_file() {
        // G8: nothing stays on the caller's machine; the client writes no record to a file
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a.age");
        for (media, body) in [("application/json", AGE), (SEALED, &b"{\"looks\": []}"[..]), ("text/plain", &b"WHO SAW THIS CHILD"[..])] {
            assert!(keep(&place(), &to, &answer(media, body)).is_err(), "{media}");
            assert!(!to.exists());
        }
        keep(&place(), &to, &answer(SEALED, b"age-encryption.org/v1\nrest")).unwrap();
        assert_eq!(std::fs::metadata(&to).unwrap().mode() & 0o777, 0o600);
        assert!(keep(&place(), &to, &answer(SEALED, b"age-encryption.org/v1\nother")).is_err());
        assert!(refuse_existing(&to).is_err());
        assert_eq!(std::fs::read(&to).unwrap(), b"age-encryption.org/v1\nrest");
    }
}
