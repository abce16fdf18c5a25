//! The facts of an entry, veiled in its leaf (rule F4): whoever is handed an entry's key, as with evidence, reads the entry and not these.
//!
//! For: a byte for each child of a look, known or not, so that the leaf's length tells nothing of it, xored with tokens of what the entry says.
//! Leaves to others: what the bytes mean (`domain`). Does not promise that nobody alters them by itself: the leaf's seal does.

use crate::sealed::SealKeys;
use contactpoint_audit::Entry;
use contactpoint_domain::{ChildNumber, Facts};
use std::borrow::Cow;

/// The entry as it goes into its leaf.
pub(crate) fn veiled<'a>(keys: &SealKeys, entry: &'a Entry) -> Cow<'a, Entry> {
    if !entry.operation.is_look() && entry.facts.is_empty() {
        return Cow::Borrowed(entry);
    }
    let mut facts = entry.facts.clone();
    facts.resize(entry.children.len(), Facts::UNKNOWN);
    let facts = facts.iter().zip(mask(keys, entry)).map(|(fact, mask)| fact ^ mask).collect();
    Cow::Owned(Entry { facts, ..entry.clone() })
}

/// The entry as it was before. Where nothing was known of any child there is nothing.
pub(crate) fn unveiled(keys: &SealKeys, entry: Entry) -> Entry {
    if entry.facts.is_empty() {
        return entry;
    }
    let mut facts: Vec<u8> = entry.facts.iter().zip(mask(keys, &entry)).map(|(fact, mask)| fact ^ mask).collect();
    if facts.iter().all(|fact| *fact == Facts::UNKNOWN) {
        facts.clear();
    }
    Entry { facts, ..entry }
}

/// Bytes that only this store can make, other ones for each entry.
fn mask(keys: &SealKeys, entry: &Entry) -> Vec<u8> {
    let person = entry.person.map_or(0, |person| person.0).to_be_bytes();
    let children: Vec<u8> = entry.children.iter().map(ChildNumber::body).flat_map(u32::to_be_bytes).collect();
    let about = [&entry.at.millis().to_be_bytes()[..], &person, &[entry.operation.number()], &children].concat();
    let blocks = u32::try_from(entry.children.len().div_ceil(16)).unwrap_or(u32::MAX);
    (0..blocks).flat_map(|block| keys.tokens.token("facts", &[&about, &block.to_be_bytes()])).collect()
}
