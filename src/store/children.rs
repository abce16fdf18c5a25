//! Children's records and the tokens they are found by.

use crate::codec;
use crate::error::StoreError;
use crate::sealed::{SealKeys, SealedRow, CHILD};
use contactpoint_domain::{ChildNumber, ChildRecord, OrganisationId};
use contactpoint_matching::{join_keys, search_keys, JoinKey, SearchKey};

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

/// The token under which looks at a child are indexed.
pub(crate) fn looked_token(keys: &SealKeys, number: &ChildNumber) -> [u8; 16] {
    keys.tokens.token("looked", &[number.as_str().as_bytes()])
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

/// The organisations whose people may find a record by searching: its sources and its authority (rule D1).
pub(crate) fn scopes(record: &ChildRecord) -> Vec<OrganisationId> {
    let mut scopes: Vec<_> = record.statements.iter().map(|statement| statement.provenance.source).chain([record.authority]).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// Every token that a record stands under; sorted, each once.
pub(crate) fn all_tokens(keys: &SealKeys, record: &ChildRecord) -> Vec<u64> {
    let searchable = search_keys(record);
    let scopes = scopes(record);
    let mut tokens = vec![number_token(keys, &record.number)];
    tokens.extend(record.statements.iter().flat_map(join_keys).map(|key| join_token(keys, &key)));
    tokens.extend(scopes.iter().flat_map(|scope| searchable.iter().map(|key| scope_token(keys, *scope, key))));
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}
