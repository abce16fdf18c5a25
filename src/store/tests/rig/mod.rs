//! A store in a temporary directory, with keys that are bytes: what the HSM unwraps is given here.

#![expect(clippy::unwrap_used, reason = "a test's rig fails by panicking")]

use contactpoint_audit::{Entry, Operation, Outcome, SignError, Signer, VerifierKey};
use contactpoint_domain::{
    Address, Carer, ChildNumber, ChildRecord, DateOfBirth, Gender, Instant, Involvement, Name, OrganisationId, OrganisationKind, PersonId,
    Provenance, Relationship, Statement,
};
use contactpoint_hardening::{HardeningError, LockedBytes};
use contactpoint_sealing::{EntryEpoch, EntrySealers, RecordSealer, RecordSealers, TokenKey};
use contactpoint_store::{NewOrganisation, OpenError, Options, Store, StoreKeys};
use ed25519_dalek::Signer as _;
use std::path::Path;
use std::sync::Arc;

pub(crate) const ORIGIN: &str = "contactpoint.example/test";

pub(crate) struct FileSigner(ed25519_dalek::SigningKey, VerifierKey);

impl FileSigner {
    pub(crate) fn new() -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let verifier = VerifierKey::ed25519(ORIGIN, key.verifying_key().as_bytes()).unwrap();
        Self(key, verifier)
    }
}

impl Signer for FileSigner {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

fn locked(byte: u8) -> LockedBytes<32> {
    LockedBytes::filled_by::<HardeningError>(|bytes| {
        bytes.fill(byte);
        Ok(())
    })
    .unwrap()
}

/// The page key of every test store.
pub(crate) const PAGE_KEY: u8 = 1;

#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn keys(page: u8) -> StoreKeys {
    StoreKeys {
        page: locked(page),
        records: RecordSealer::new(1, locked(2)).unwrap().into(),
        tokens: TokenKey::new(locked(3)),
        entries: EntrySealers::new(EntryEpoch::new(1, locked(4)), []),
    }
}

/// Keys of these epochs, the one in use last: as the HSM unwraps them where it has no other.
#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn keys_of(entries: &[u8], records: &[u8]) -> StoreKeys {
    let entry_epoch = |epoch: &u8| EntryEpoch::new(u32::from(*epoch), locked(4 + 10 * (epoch - 1)));
    let sealer = |epoch: &u8| RecordSealer::new(u32::from(*epoch), locked(2 + 10 * (epoch - 1))).unwrap();
    let (in_use, former) = entries.split_last().unwrap();
    let entries = EntrySealers::new(entry_epoch(in_use), former.iter().map(entry_epoch));
    let (in_use, former) = records.split_last().unwrap();
    StoreKeys {
        page: locked(PAGE_KEY),
        records: RecordSealers::new(sealer(in_use), former.last().map(sealer)),
        tokens: TokenKey::new(locked(3)),
        entries,
    }
}

#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn open_with(directory: &Path, keys: StoreKeys) -> Result<Store, OpenError> {
    Store::open(directory, keys, options(), Arc::new(FileSigner::new()))?.begin_unlocked()
}

pub(crate) fn options() -> Options {
    Options { page_cache_mib: 8, readers: 2, group_commit_max: 64 }
}

#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn create(directory: &Path) -> Store {
    Store::create(directory, keys(PAGE_KEY), options(), Arc::new(FileSigner::new())).unwrap().begin_unlocked().unwrap()
}

#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn open(directory: &Path) -> Result<Store, OpenError> {
    Store::open(directory, keys(PAGE_KEY), options(), Arc::new(FileSigner::new()))?.begin_unlocked()
}

/// A connection as a thief of file and page key would have it.
#[allow(dead_code, reason = "not every test binary steals the file")]
pub(crate) fn raw(directory: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(directory.join("store.db")).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{}'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;", "01".repeat(32))).unwrap();
    connection
}

pub(crate) fn entry(operation: Operation, children: Vec<ChildNumber>) -> Entry {
    Entry {
        at: Instant::of_millis(1_700_000_000_000),
        person: Some(PersonId(1)),
        organisation: Some(OrganisationId(1)),
        role: None,
        operation,
        reason: None,
        children,
        shown: Vec::new(),
        outcome: Outcome::Answered,
        changes: Vec::new(),
        on_behalf_of: None,
        facts: Vec::new(),
    }
}

#[allow(dead_code, reason = "not every test binary needs it")]
pub(crate) fn school() -> NewOrganisation {
    NewOrganisation {
        name: "Quillhaven Primary School".try_into().unwrap(),
        kind: OrganisationKind::School,
        authority: None,
        telephone: Some("01632 960001".try_into().unwrap()),
        email: Some("office@quillhaven.example".try_into().unwrap()),
        postcode: Some("ZZ9 9ZZ".try_into().unwrap()),
    }
}

#[allow(dead_code, reason = "not every test binary needs it")]
/// A child that no other `n` shares a name, date or number with.
pub(crate) fn child(n: u32) -> ChildRecord {
    let letters: String = n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    let name = |given: String, family: String| Name { given: given.try_into().unwrap(), family: family.try_into().unwrap() };
    let statement = Statement {
        provenance: Provenance { source: OrganisationId(1), author: PersonId(1), at: Instant::of_millis(1_700_000_000_000) },
        name: name(format!("Tamsin {letters}"), format!("Wintergreen-{letters}")),
        former_names: vec![name("Tamsin".into(), format!("Oldmeadow-{letters}"))],
        date_of_birth: DateOfBirth::of(2010 + (n % 10) as i16, 1 + (n % 12) as i8, 1 + (n % 28) as i8).unwrap(),
        gender: Gender::Female,
        address: Some(Address {
            lines: vec![format!("{n} Larkspur Crescent").try_into().unwrap()],
            postcode: Some("ZZ99 3WZ".try_into().unwrap()),
        }),
        nhs_number: None,
        unique_pupil_number: None,
        carers: vec![Carer {
            name: name("Ottoline".into(), "Wintergreen".into()),
            relationship: Relationship::Mother,
            telephone: Some("07700 900123".try_into().unwrap()),
            email: Some("ottoline@wintergreen.example".try_into().unwrap()),
        }],
        involvement: Involvement::default(),
    };
    ChildRecord::new(ChildNumber::with_body(100_000_000 + n), OrganisationId(1), statement)
}
