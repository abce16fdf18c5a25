//! Which client certificates are revoked (RFC 5280, section 5), asked in the handshake and again for each request.
//!
//! For: reading the list file, refusing one that proves nothing, and answering from a set made once. A list's signature is verified
//! when it is read and not in each handshake, where webpki would repeat it (100,000 entries cost 7-16 ms a handshake). Every client
//! authority must have a list here: no list would mean that everything is accepted. Leaves to others: the chain (rustls), the clock.
//! Does not promise: to notice an older list put in place while the daemon was down, beyond the older list's own expiry.

use crate::certificate::{PeerCertificate, SerialOfIssuer};
use crate::problem::{Problem, ProblemCode};
use arc_swap::ArcSwap;
use contactpoint_domain::Instant;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

/// Larger list files are refused: 64 MiB hold more than a million entries.
const LARGEST_FILE: u64 = 64 << 20;

/// Why a list of revoked certificates, or the authorities it must come from, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RevocationFault {
    /// Absent or unreadable. Put it in place, readable for the daemon, and start again.
    #[error("{path} cannot be read ({why}): every connection is checked against it, so the daemon does not start without it")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// No PEM file of certificates or lists.
    #[error("{0} is not a PEM file of the kind it should be")]
    NotPem(PathBuf),
    /// Not a version 2 list of RFC 5280, or one with a critical extension that is not known here (a partial or delta list).
    #[error("a list of revoked certificates is damaged, or partial: install a complete one (RFC 5280, version 2)")]
    NotUnderstood,
    /// Signed by nobody in the file of client authorities.
    #[error("a list of revoked certificates is not signed by any of the client authorities")]
    NotSignedByAuthority,
    /// Two lists of one authority in one file: which of them holds is unclear.
    #[error("two lists of revoked certificates come from the same authority: keep the newer one only")]
    TwoOfOneAuthority,
    /// An authority whose revocations are not known.
    #[error("one of the client authorities has no list of revoked certificates: add it to the list file")]
    AuthorityWithoutList,
    /// Past its nextUpdate.
    #[error("the list of revoked certificates has expired: install the authority's newest")]
    Expired,
    /// Lower CRL number than the list in use.
    #[error("the list of revoked certificates is older than the one in use, which stays")]
    OlderThanHeld,
}

/// The certificate authorities that sign organisations' certificates and their lists.
#[derive(Debug, Clone)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads the PEM file; it must have at least one certificate.
    pub fn read(path: &Path) -> Result<Self, RevocationFault> {
        let pem = read_file(path)?;
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| RevocationFault::NotPem(path.to_owned()))?;
        if certificates.is_empty() || certificates.iter().any(|der| X509Certificate::from_der(der).is_err()) {
            return Err(RevocationFault::NotPem(path.to_owned()));
        }
        Ok(Self(certificates))
    }

    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    fn parsed(&self) -> impl Iterator<Item = X509Certificate<'_>> {
        self.0.iter().filter_map(|der| X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate))
    }

    fn signed(&self, list: &CertificateRevocationList<'_>) -> bool {
        self.parsed().any(|authority| {
            authority.subject().as_raw() == list.issuer().as_raw() && may_sign_lists(&authority) && signature_holds(list, &authority)
        })
    }
}

/// RFC 5280, 4.2.1.3: where key usage is stated, it must include cRLSign.
fn may_sign_lists(authority: &X509Certificate<'_>) -> bool {
    match authority.key_usage() {
        Ok(Some(usage)) => usage.value.crl_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}

fn signature_holds(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    let algorithm = list.signature_algorithm.algorithm.as_bytes();
    let names = |known: &[u8]| known.get(1).is_some_and(|length| known.get(2..2 + usize::from(*length)) == Some(algorithm));
    list.tbs_cert_list.signature == list.signature_algorithm
        && rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all
            .iter()
            .filter(|known| names(&known.signature_alg_id()))
            .any(|known| {
                let key = &authority.public_key().subject_public_key.data;
                known.verify_signature(key, list.tbs_cert_list.as_ref(), &list.signature_value.data).is_ok()
            })
}

/// The lists of one file, verified, as a set to ask.
#[derive(Debug)]
struct RevokedSet {
    revoked: HashSet<SerialOfIssuer>,
    /// CRL number (RFC 5280, 5.2.3) by SHA-256 of the issuer's name; unsigned, big-endian, no leading zeros.
    numbers: BTreeMap<[u8; 32], Vec<u8>>,
    /// The earliest nextUpdate, in seconds.
    next_update: u64,
}

impl RevokedSet {
    fn read(pem: &[u8], path: &Path, authorities: &Authorities, now: Instant) -> Result<Self, RevocationFault> {
        let mut set = Self { revoked: HashSet::new(), numbers: BTreeMap::new(), next_update: u64::MAX };
        for der in CertificateRevocationListDer::pem_slice_iter(pem) {
            let der = der.map_err(|_| RevocationFault::NotPem(path.to_owned()))?;
            set.take(&der, authorities)?;
        }
        if set.numbers.is_empty() {
            return Err(RevocationFault::NotPem(path.to_owned()));
        }
        if authorities.parsed().any(|authority| !set.covers(&Sha256::digest(authority.subject().as_raw()).into())) {
            return Err(RevocationFault::AuthorityWithoutList);
        }
        if set.has_expired(now) {
            return Err(RevocationFault::Expired);
        }
        Ok(set)
    }

    fn take(&mut self, der: &[u8], authorities: &Authorities) -> Result<(), RevocationFault> {
        let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| RevocationFault::NotUnderstood)?;
        if !authorities.signed(&list) {
            return Err(RevocationFault::NotSignedByAuthority);
        }
        let partial =
            list.extensions().iter().chain(list.iter_revoked_certificates().flat_map(|entry| entry.extensions())).any(|e| e.critical);
        let number = list.crl_number().map(|number| trimmed(&number.to_bytes_be()));
        let next_update = list.next_update().and_then(|time| u64::try_from(time.timestamp()).ok());
        let (false, true, Some(number), Some(next_update)) = (partial, rest.is_empty(), number, next_update) else {
            return Err(RevocationFault::NotUnderstood);
        };
        let issuer = list.issuer().as_raw();
        if self.numbers.insert(Sha256::digest(issuer).into(), number).is_some() {
            return Err(RevocationFault::TwoOfOneAuthority);
        }
        self.next_update = self.next_update.min(next_update);
        self.revoked.extend(list.iter_revoked_certificates().map(|entry| SerialOfIssuer::of(issuer, entry.raw_serial())));
        Ok(())
    }

    fn covers(&self, issuer: &[u8; 32]) -> bool {
        self.numbers.contains_key(issuer)
    }

    fn has_expired(&self, now: Instant) -> bool {
        now.seconds() >= self.next_update
    }

    /// Unsigned big-endian numbers without leading zeros: the longer one is the larger.
    fn is_older_than(&self, held: &Self) -> bool {
        held.numbers.iter().any(|(issuer, number)| self.numbers.get(issuer).is_some_and(|new| (new.len(), new) < (number.len(), number)))
    }
}

fn trimmed(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// What stands against a certificate. Refusing is what everything unknown falls into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// On the list.
    Revoked,
    /// Past its own end.
    Expired,
    /// Issued by an authority that has no list.
    UnknownIssuer,
    /// The list itself has expired: nobody's standing is known.
    ListExpired,
}

/// Seconds until a caller may ask again: about how long a new list may lie in its place before it is looked for (`tls.reload_seconds`).
const NEW_LIST: u64 = 60;

impl From<Distrust> for Problem {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::Revoked | Distrust::UnknownIssuer => ProblemCode::CertificateRevoked.into(),
            Distrust::Expired => ProblemCode::CertificateExpired.into(),
            Distrust::ListExpired => Self::retry_after(ProblemCode::RevocationListExpired, NEW_LIST),
        }
    }
}

/// One state of the list's file (inode(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    inode: u64,
    changed: (i64, i64),
    size: u64,
}

/// The list in use, replaced as a whole when its file changes.
#[derive(Debug)]
pub struct Revocation {
    path: PathBuf,
    authorities: Authorities,
    held: ArcSwap<RevokedSet>,
}

impl Revocation {
    /// Reads the list file; refuses one that is absent, damaged, expired, unsigned or incomplete.
    pub fn open(path: &Path, authorities: Authorities, now: Instant) -> Result<Self, RevocationFault> {
        let set = RevokedSet::read(&read_file(path)?, path, &authorities, now)?;
        Ok(Self { path: path.to_owned(), authorities, held: ArcSwap::from_pointee(set) })
    }

    /// Reads the file again. On any fault, and where it is older than the list in use, the list in use stays.
    pub fn reload(&self, now: Instant) -> Result<(), RevocationFault> {
        let set = RevokedSet::read(&read_file(&self.path)?, &self.path, &self.authorities, now)?;
        if set.is_older_than(&self.held.load()) {
            return Err(RevocationFault::OlderThanHeld);
        }
        self.held.store(set.into());
        Ok(())
    }

    /// Number of revoked certificates on the list in use.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.held.load().revoked.len()
    }

    /// When the first of the lists in use expires (RFC 5280, nextUpdate).
    #[must_use]
    pub fn expires(&self) -> Instant {
        Instant::of_millis(0).plus_seconds(self.held.load().next_update)
    }

    /// Whether a certificate may be served at this moment: asked for each request, because an open connection outlives a new list.
    pub fn standing(&self, certificate: &PeerCertificate, now: Instant) -> Result<(), Distrust> {
        if self.held.load().has_expired(now) {
            return Err(Distrust::ListExpired);
        }
        self.standing_in_handshake(certificate)?;
        if certificate.has_expired(now) {
            return Err(Distrust::Expired);
        }
        Ok(())
    }

    /// The same without the list's own expiry, which is answered to each request instead of ending handshakes without a word.
    pub(crate) fn standing_in_handshake(&self, certificate: &PeerCertificate) -> Result<(), Distrust> {
        let held = self.held.load();
        if held.revoked.contains(certificate.serial()) {
            return Err(Distrust::Revoked);
        }
        if !held.covers(certificate.issuer()) {
            return Err(Distrust::UnknownIssuer);
        }
        Ok(())
    }

    pub(crate) fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// What tells that the file was changed or replaced, also by one whose modification time was kept; `None` while it cannot be looked at.
    pub(crate) fn file_state(&self) -> Option<FileState> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some(FileState { inode: metadata.ino(), changed: (metadata.ctime(), metadata.ctime_nsec()), size: metadata.size() })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, RevocationFault> {
    let unreadable = |why| RevocationFault::Unreadable { path: path.to_owned(), why };
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST_FILE {
        return Err(unreadable(std::io::Error::from(std::io::ErrorKind::FileTooLarge)));
    }
    std::fs::read(path).map_err(unreadable)
}

#[cfg(test)]
mod tests;
