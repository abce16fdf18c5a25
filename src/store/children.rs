//! Children's records and the tokens they are found by.

use crate::codec;
use crate::error::StoreError;
use crate::sealed::{SealKeys, SealedRow, CHILD};
use contactpoint_domain::{ChildNumber, ChildRecord, OrganisationId};
use contactpoint_matching::{guard_keys, join_keys, search_keys, GuardKey, JoinKey, SearchKey};

/// A record together with the row it was opened from; what a change of it starts from.
pub struct Held {
    pub(crate) sealed: SealedRow,
    /// The record.
    pub record: ChildRecord,
}

pub(crate) fn open(row: SealedRow, keys: &SealKeys) -> Result<Held, StoreError> {
    let plain = row.open(CHILD, keys)?;
    let record = codec::record(&plain).map_err(|fault| fault.at(CHILD.name, row.row))?;
    Ok(Held { record, sealed: row })
}

/// The token of a child number.
pub(crate) fn number_token(keys: &SealKeys, number: &ChildNumber) -> u64 {
    short(&keys.tokens.token("number", &[number.as_str().as_bytes()]))
}

/// The token under which looks at a child are indexed that are in the log from now on.
pub(crate) fn looked_token(keys: &SealKeys, number: &ChildNumber) -> [u8; 16] {
    looked_token_of(keys, keys.entries.in_use().epoch(), number)
}

/// The same of the looks whose entries were sealed under an epoch: it ends with that, so that the index does not tell what the log no longer does.
pub(crate) fn looked_token_of(keys: &SealKeys, epoch: u32, number: &ChildNumber) -> [u8; 16] {
    keys.entries.looks(epoch).unwrap_or(&keys.tokens).token("looked", &[number.as_str().as_bytes()])
}

/// The token under which the entries are indexed that settled other records to be this child's.
pub(crate) fn settled_token_of(keys: &SealKeys, epoch: u32, number: &ChildNumber) -> [u8; 16] {
    keys.entries.looks(epoch).unwrap_or(&keys.tokens).token("settled", &[number.as_str().as_bytes()])
}

/// The token of a join key.
pub(crate) fn join_token(keys: &SealKeys, key: &JoinKey) -> u64 {
    short(&match key {
        JoinKey::Nhs(number) => keys.tokens.token("nhs", &[number.as_bytes()]),
        JoinKey::Pupil(number) => keys.tokens.token("upn", &[number.as_bytes()]),
        JoinKey::Identity { given, family, born, postcode } => {
            keys.tokens.token("identity", &[given.as_bytes(), family.as_bytes(), &born.to_be_bytes(), postcode.as_bytes()])
        }
        JoinKey::Sent { source, name, born, line } => {
            keys.tokens.token("sent", &[&source.to_be_bytes(), name.as_bytes(), &born.to_be_bytes(), line.as_bytes()])
        }
    })
}

/// The token of a guard key: only guarded records stand under one.
pub(crate) fn guard_token(keys: &SealKeys, key: &GuardKey) -> u64 {
    short(&match key {
        GuardKey::Nhs(number) => keys.tokens.token("guard", &[b"nhs", number.as_bytes()]),
        GuardKey::Pupil(number) => keys.tokens.token("guard", &[b"pupil", number.as_bytes()]),
        GuardKey::Named { family, given, born } => {
            keys.tokens.token("guard", &[b"named", family.as_bytes(), given.as_bytes(), &born.to_be_bytes()])
        }
        GuardKey::Lives { given, born, postcode } => {
            keys.tokens.token("guard", &[b"lives", given.as_bytes(), &born.to_be_bytes(), postcode.as_bytes()])
        }
        GuardKey::Born { family, born } => keys.tokens.token("guard", &[b"born", family.as_bytes(), &born.to_be_bytes()]),
        GuardKey::Housed { born, postcode } => keys.tokens.token("guard", &[b"housed", &born.to_be_bytes(), postcode.as_bytes()]),
        GuardKey::Neighbour { family, given, postcode } => {
            keys.tokens.token("guard", &[b"neighbour", family.as_bytes(), given.as_bytes(), postcode.as_bytes()])
        }
    })
}

/// The token of a search key of a record for named people, within one scope: it stands under no other, so that it is not among those that
/// everybody's search counts and opens (rule D8).
pub(crate) fn named_token(keys: &SealKeys, scope: OrganisationId, key: &SearchKey) -> u64 {
    short(&keys.tokens.token("named", &[&scope_token(keys, scope, key).to_be_bytes()]))
}

/// The token of a search key within one scope. Its first 24 bits are the scope's, so that what one scope holds lies together.
pub(crate) fn scope_token(keys: &SealKeys, scope: OrganisationId, key: &SearchKey) -> u64 {
    let id = scope.0.to_be_bytes();
    let within = match key {
        SearchKey::Born { family, year } => keys.tokens.token("born", &[&id, family.as_bytes(), &year.to_be_bytes()]),
        SearchKey::Lives { family, postcode } => keys.tokens.token("lives", &[&id, family.as_bytes(), postcode.as_bytes()]),
    };
    short(&keys.tokens.token("scope", &[&id])) >> 40 << 40 | short(&within) >> 24
}

fn short(token: &[u8; 16]) -> u64 {
    token[..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The organisations whose people may find a record by searching: the sources that work with the child, and its authority (rule D1). A record in
/// quarantine is its sources' alone (rule E4).
pub(crate) fn scopes(record: &ChildRecord) -> Vec<OrganisationId> {
    let sources = record.statements.iter().map(|statement| statement.provenance.source).filter(|source| record.works_with(*source));
    let authority = Some(record.authority).filter(|_| record.quarantined.is_none());
    let mut scopes: Vec<_> = sources.chain(authority).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// Every token that a record stands under; sorted, each once.
pub(crate) fn all_tokens(keys: &SealKeys, record: &ChildRecord) -> Vec<u64> {
    let mut tokens = vec![number_token(keys, &record.number)];
    tokens.extend(record.statements.iter().flat_map(join_keys).map(|key| join_token(keys, &key)));
    for scope in scopes(record) {
        let token = if record.audience.is_some() { named_token } else { scope_token };
        tokens.extend(search_keys(record, scope).iter().map(|key| token(keys, scope, key)));
    }
    if record.is_guarded() {
        tokens.extend(record.statements.iter().flat_map(guard_keys).map(|key| guard_token(keys, &key)));
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}
