//! Children's records and the tokens they are found by.

use crate::codec::StoredRecord;
use crate::error::StoreError;
use crate::sealed::{SealKeys, SealedRow, CHILD};
use contactpoint_domain::{ChildNumber, ChildRecord, OrganisationId};
use contactpoint_matching::{join_keys, search_keys, JoinKey, SearchKey};
use rusqlite::{params, Connection};

/// A record together with the row it was opened from; what a change of it starts from.
pub struct Held {
    pub(crate) sealed: SealedRow,
    /// The record.
    pub record: ChildRecord,
}

/// A token of the join index: a child number, an identifier, or an identity.
pub(crate) type JoinToken = [u8; 16];

/// A token of the scoped index: which scope, and what within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeToken {
    pub(crate) scope: [u8; 8],
    pub(crate) key: [u8; 8],
}

pub(crate) fn open(row: SealedRow, keys: &SealKeys) -> Result<Held, StoreError> {
    let plain = row.open(CHILD, keys)?;
    let stored: StoredRecord<'_> = postcard::from_bytes(&plain).map_err(|_| StoreError::Form { table: CHILD.name, row: row.row })?;
    Ok(Held { record: stored.open()?, sealed: row })
}

pub(crate) fn number_token(keys: &SealKeys, number: &ChildNumber) -> JoinToken {
    keys.tokens.token("number", &[number.as_str().as_bytes()])
}

/// The token under which looks at a child are indexed.
pub(crate) fn looked_token(keys: &SealKeys, number: &ChildNumber) -> JoinToken {
    keys.tokens.token("looked", &[number.as_str().as_bytes()])
}

pub(crate) fn join_token(keys: &SealKeys, key: &JoinKey) -> JoinToken {
    match key {
        JoinKey::Nhs(number) => keys.tokens.token("nhs", &[number.as_bytes()]),
        JoinKey::Pupil(number) => keys.tokens.token("upn", &[number.as_bytes()]),
        JoinKey::Identity { given, family, born, postcode } => {
            keys.tokens.token("identity", &[given.as_bytes(), family.as_bytes(), &born.to_be_bytes(), postcode.as_bytes()])
        }
        JoinKey::Sent { source, name, born, line } => {
            keys.tokens.token("sent", &[&source.to_be_bytes(), name.as_bytes(), &born.to_be_bytes(), line.as_bytes()])
        }
    }
}

pub(crate) fn scope_token(keys: &SealKeys, scope: OrganisationId, key: &SearchKey) -> ScopeToken {
    let id = scope.0.to_be_bytes();
    let token = match key {
        SearchKey::Born { family, year } => keys.tokens.token("born", &[&id, family.as_bytes(), &year.to_be_bytes()]),
        SearchKey::Lives { family, postcode } => keys.tokens.token("lives", &[&id, family.as_bytes(), postcode.as_bytes()]),
    };
    ScopeToken { scope: first_half(&keys.tokens.token("scope", &[&id])), key: first_half(&token) }
}

fn first_half(token: &[u8; 16]) -> [u8; 8] {
    let mut half = [0; 8];
    half.copy_from_slice(&token[..8]);
    half
}

/// The organisations whose people may find a record by searching: its sources and its authority (rule D1).
pub(crate) fn scopes(record: &ChildRecord) -> Vec<OrganisationId> {
    let mut scopes: Vec<_> = record.statements.iter().map(|statement| statement.provenance.source).chain([record.authority]).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// Every token of the join index that a record stands under, beside its number's; sorted, each once.
pub(crate) fn all_join_tokens(keys: &SealKeys, record: &ChildRecord) -> Vec<JoinToken> {
    let mut tokens: Vec<_> = record.statements.iter().flat_map(join_keys).map(|key| join_token(keys, &key)).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Every token of the scoped index that a record stands under; sorted, each once.
pub(crate) fn all_scope_tokens(keys: &SealKeys, record: &ChildRecord) -> Vec<ScopeToken> {
    let searchable = search_keys(record);
    let scopes = scopes(record);
    let mut tokens: Vec<_> = scopes.iter().flat_map(|scope| searchable.iter().map(|key| scope_token(keys, *scope, key))).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// What is in `new` and not in `old`; both sorted.
pub(crate) fn added<'a, T: Ord>(old: &'a [T], new: &'a [T]) -> impl Iterator<Item = &'a T> {
    new.iter().filter(move |token| old.binary_search(token).is_err())
}

pub(crate) fn insert_join(connection: &Connection, token: &JoinToken, row: i64) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT INTO child_join (token, row) VALUES (?1, ?2)")?.execute(params![token.as_slice(), row])?;
    Ok(())
}

pub(crate) fn remove_join(connection: &Connection, token: &JoinToken, row: i64) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM child_join WHERE token = ?1 AND row = ?2")?.execute(params![token.as_slice(), row])?;
    Ok(())
}

pub(crate) fn insert_scope(connection: &Connection, token: &ScopeToken, row: i64) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached("INSERT INTO child_scope (scope, token, row) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![token.scope.as_slice(), token.key.as_slice(), row])?;
    Ok(())
}

pub(crate) fn remove_scope(connection: &Connection, token: &ScopeToken, row: i64) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM child_scope WHERE scope = ?1 AND token = ?2 AND row = ?3")?;
    delete.execute(params![token.scope.as_slice(), token.key.as_slice(), row])?;
    Ok(())
}
