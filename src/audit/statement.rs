//! Statements: texts that the log's own key signs and that are no heads (rules F3, F5).
//!
//! For: a signature over what only the directory can say - that these are all the looks - by the one key that strangers already have. It is a
//! signed note under a name of its own, `<log>/statements`. Nobody can take one for a head, nor a head for one, for the signed bytes differ in
//! their first line: a statement's is [`STATEMENT`], which has blanks in it, and a head's is the log's name, which can have none. The name in the
//! signature line says the same to whoever looks there; with Ed25519 the key id differs too. Leaves to others: what a statement says.

use crate::error::{Fault, KeyFault, SignError};
use crate::note::{self, Algorithm, Signer, VerifierKey};

/// The first line of every statement.
pub const STATEMENT: &str = "contactpoint statement 1";

/// The key of a log under the name of its statements.
pub fn statement_key(log: &VerifierKey) -> Result<VerifierKey, KeyFault> {
    let name = format!("{}/statements", log.name());
    match log.algorithm() {
        Algorithm::Ed25519 => VerifierKey::ed25519(&name, log.public().try_into().map_err(|_| KeyFault::NotAKey)?),
        Algorithm::EcdsaP256 => VerifierKey::ecdsa_p256(&name, log.public()),
    }
}

/// The whole signed note. Refused where the first line is not [`STATEMENT`]: the log's key signs nothing else in this way.
pub fn sign_statement(text: &str, signer: &dyn Signer) -> Result<String, SignError> {
    let log = signer.verifier_key();
    let other = |_| SignError::OtherOrigin { origin: first_line(text).to_owned(), key: log.to_string() };
    let key = statement_key(log).map_err(other)?;
    if first_line(text) != STATEMENT {
        return Err(SignError::OtherOrigin { origin: first_line(text).to_owned(), key: key.to_string() });
    }
    note::sign(text, &Renamed { signer, key })
}

/// The text of a statement that this log's key signed.
pub fn open_statement<'a>(note: &'a str, log: &VerifierKey) -> Result<&'a str, Fault> {
    let no_statement = Fault::Note { why: "a statement's first line is \"contactpoint statement 1\"" };
    let key = statement_key(log).map_err(|_| no_statement.clone())?;
    let text = note::open(note, &key)?;
    if first_line(text) == STATEMENT {
        Ok(text)
    } else {
        Err(no_statement)
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The same private key under the name of its statements.
struct Renamed<'a> {
    signer: &'a dyn Signer,
    key: VerifierKey,
}

impl Signer for Renamed<'_> {
    fn verifier_key(&self) -> &VerifierKey {
        &self.key
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signer.sign(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{signer, InMemory};
    use crate::Checkpoint;

    #[test]
    fn a_statement_opens_as_it_was_signed_and_under_its_logs_key_alone() {
        // F5: evidence of misuse can be handed over as a signed bundle that verifies by itself
        let text = "contactpoint statement 1\nkind subject-access\n";
        let note = sign_statement(text, &signer()).unwrap();
        assert!(note.contains("\n\n\u{2014} directory.example/log/statements "), "{note}");
        assert_eq!(open_statement(&note, signer().verifier_key()), Ok(text));
        let other = InMemory::new("directory.example/log", 2);
        assert!(matches!(open_statement(&note, other.verifier_key()), Err(Fault::NotSigned { .. })));
        let altered = note.replace("subject", "Subject");
        assert!(matches!(open_statement(&altered, signer().verifier_key()), Err(Fault::WrongSignature { .. })));
    }

    #[test]
    fn a_statement_is_no_head_and_a_head_is_no_statement_whatever_name_is_written_below() {
        // F2: heads are signed in the HSM, and nothing else that could be taken for one is
        let log = signer().verifier_key().clone();
        let statements = statement_key(&log).unwrap();
        assert_ne!(statements.id(), log.id());
        let note = sign_statement("contactpoint statement 1\n7\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n", &signer()).unwrap();
        assert!(Checkpoint::open(&note, &log).is_err());
        assert!(Checkpoint::open(&note, &statements).is_err(), "its first line is no log's name");
        let head = Checkpoint { origin: log.name().to_owned(), size: 7, root: [7; 32] }.signed(&signer()).unwrap();
        assert!(open_statement(&head, &log).is_err());
        assert!(matches!(sign_statement("directory.example/log\n7\n", &signer()), Err(SignError::OtherOrigin { .. })));
        assert!(VerifierKey::ed25519(STATEMENT, log.public().try_into().unwrap()).is_err(), "no log can have that name");
    }
}
