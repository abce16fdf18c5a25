//! What a look may read: children, beside organisations and accounts.

use crate::children::{self, Held};
use crate::error::StoreError;
use crate::feeds::{self, Feed, FeedFault, FeedId};
use crate::index::Index;
use crate::looked;
use crate::registry::Registry;
use crate::sealed::SealedRow;
use crate::veil::unveiled;
use contactpoint_audit::Entry;
use contactpoint_domain::{ChildNumber, ChildRecord, Instant, Organisation, OrganisationId, Statement};
use contactpoint_matching::{guard_keys, join_keys, may_be_of, search_keys, JoinKey, SearchKey};
use contactpoint_sealing::SealError;
use rusqlite::OptionalExtension;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Rows that each search and each glass opens at least of what may be hidden, whether there is any: one record there and none cost the same
/// (rules D8, E2). A third one of the same key would tell.
const HIDDEN_AT_LEAST: usize = 2;

/// Guarded records that are opened at most for one statement of a feed.
const GUARDED_AT_MOST: usize = 64;

/// One logged look at a child, as the log tells it.
pub struct Look {
    /// Its index in the log.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
}

/// A reader of everything. Handed only to closures whose result leaves with an audit entry.
pub struct Snapshot<'a> {
    pub(crate) registry: Registry<'a>,
    pub(crate) index: &'a Index,
}

impl<'a> std::ops::Deref for Snapshot<'a> {
    type Target = Registry<'a>;
    fn deref(&self) -> &Registry<'a> {
        &self.registry
    }
}

impl Snapshot<'_> {
    /// A child by number. Where there is none, the row of another is opened for nothing: a number that is on record and a number that is not
    /// cost the same (rules D1, D8).
    pub fn child(&self, number: &ChildNumber) -> Result<Option<Held>, StoreError> {
        let token = children::number_token(self.keys, number);
        for row in self.index.rows(self.connection, token)? {
            if let Some(held) = self.child_at(row)?.filter(|held| held.record.number == *number) {
                return Ok(Some(held));
            }
        }
        self.open_decoy(token)?;
        Ok(None)
    }

    /// Opens so many rows of others for nothing that, with those opened, it is as many as where something was hidden.
    fn open_decoys(&self, token: u64, opened: usize) -> Result<(), StoreError> {
        (opened..HIDDEN_AT_LEAST).try_for_each(|at| self.open_decoy(token.rotate_left(at as u32)))
    }

    fn open_decoy(&self, token: u64) -> Result<(), StoreError> {
        let mut select = self.connection.prepare_cached("SELECT coalesce(max(row), 0) FROM child")?;
        let highest: i64 = select.query_row([], |row| row.get(0))?;
        if highest > 0 {
            let row = (token % highest.unsigned_abs()).cast_signed() + 1;
            // nobody asked for this one: if it is damaged, whoever asks for it is told
            drop(self.child_at(row));
        }
        Ok(())
    }

    /// The children of one scope that stand under a search key; at most `most`, in no order that means anything.
    pub fn children_in_scope(&self, scope: OrganisationId, key: &SearchKey, most: u32) -> Result<Vec<Held>, StoreError> {
        let token = children::scope_token(self.keys, scope, key);
        let rows = self.index.rows(self.connection, token)?;
        rows.into_iter().take(most as usize).filter_map(|row| self.child_at(row).transpose()).collect()
    }

    /// The records for named people of one scope that stand under a search key (rule D8): whether the caller is one of them is for others to
    /// say. Two rows are opened whether there are any.
    pub fn for_named_people_in_scope(&self, scope: OrganisationId, key: &SearchKey) -> Result<Vec<Held>, StoreError> {
        let token = children::named_token(self.keys, scope, key);
        let rows = self.index.rows(self.connection, token)?;
        let opened = rows.len();
        let held = rows.into_iter().filter_map(|row| self.child_at(row).transpose()).collect::<Result<_, _>>()?;
        self.open_decoys(token, opened)?;
        Ok(held)
    }

    /// The children that share a join key with a statement, each once, those of the strongest key first.
    pub fn candidates_for(&self, statement: &Statement) -> Result<Vec<Held>, StoreError> {
        let mut seen = Vec::new();
        let mut found = Vec::new();
        for key in join_keys(statement) {
            for row in self.index.rows(self.connection, children::join_token(self.keys, &key))? {
                if !seen.contains(&row) {
                    seen.push(row);
                    found.extend(self.child_at(row)?);
                }
            }
        }
        Ok(found)
    }

    /// The children of whom somebody states exactly this key, wherever they are; at most a few. What a sensitive service states finds nobody
    /// (rule E8). Two rows are opened at least: one that is found and may not be shown costs no more than none (rule E2).
    pub fn children_by_key(&self, key: &JoinKey) -> Result<Vec<Held>, StoreError> {
        let token = children::join_token(self.keys, key);
        let rows = self.index.rows(self.connection, token)?;
        self.open_decoys(token, rows.len())?;
        let mut found = Vec::new();
        for row in rows {
            let Some(mut held) = self.child_at(row)? else { continue };
            held.record.mark_sensitive(|source| self.is_sensitive(source), false)?;
            // a token is cut short and may be stale: hold each record against the key itself
            let states = |said: &Statement| said.involvement.basis.is_none() && join_keys(said).contains(key);
            if held.record.statements.iter().any(states) {
                found.push(held);
            }
        }
        Ok(found)
    }

    fn is_sensitive(&self, source: OrganisationId) -> Result<bool, StoreError> {
        Ok(self.organisation(source)?.as_ref().is_some_and(Organisation::is_sensitive_service))
    }

    /// A guarded record that a statement may be of, by the strongest key first (rule E4). So many are opened at most: where more have a key in
    /// common with the statement, the first of them counts as one that it may be of. A supplier that fills a key makes the next line wait for an
    /// officer, and the writer for nobody.
    pub fn guarded_like(&self, statement: &Statement) -> Result<Option<Held>, StoreError> {
        let mut seen = BTreeSet::new();
        let mut first = None;
        for key in guard_keys(statement) {
            for row in self.index.rows(self.connection, children::guard_token(self.keys, &key))? {
                if !seen.insert(row) {
                    continue;
                }
                if seen.len() > GUARDED_AT_MOST && first.is_some() {
                    return Ok(first);
                }
                let Some(held) = self.child_at(row)?.filter(|held| held.record.is_guarded()) else { continue };
                if may_be_of(&held.record, statement) {
                    return Ok(Some(held));
                }
                first.get_or_insert(held);
            }
        }
        Ok(None)
    }

    /// The records of one authority, beside this one and without a guard, that may be of its child, as far as they have a number, an identity
    /// or the sound of the family name in common with it; each once, the oldest rows first, at most `most` (rule E4).
    pub fn others_like(&self, record: &ChildRecord, most: usize) -> Result<Vec<Held>, StoreError> {
        let mut rows = Vec::new();
        for key in record.statements.iter().flat_map(join_keys) {
            rows.extend(self.index.rows(self.connection, children::join_token(self.keys, &key))?);
        }
        // by all that is said of the child, which a shield would leave out
        let open = ChildRecord { shield: None, ..record.clone() };
        for key in search_keys(&open, record.authority) {
            rows.extend(self.index.rows(self.connection, children::scope_token(self.keys, record.authority, &key))?);
        }
        rows.sort_unstable();
        rows.dedup();
        let is_like = |other: &ChildRecord| {
            other.number != record.number
                && other.authority == record.authority
                && !other.is_guarded()
                && record.statements.iter().any(|said| may_be_of(other, said))
        };
        let held = rows.into_iter().filter_map(|row| self.child_at(row).transpose());
        held.filter(|held| held.as_ref().map_or(true, |held| is_like(&held.record))).take(most).collect()
    }

    fn child_at(&self, row: i64) -> Result<Option<Held>, StoreError> {
        self.index.count_opened();
        let mut select =
            self.connection.prepare_cached("SELECT row, version, key, sealed FROM child WHERE row = ?1 AND length(key) > 0")?;
        let row = select.query_row([row], SealedRow::of).optional()?;
        row.map(|row| children::open(row, self.keys)).transpose()
    }

    /// The newest looks at a child before an entry (of all, where none is given), newest first, at most `most` (rule F3); those at a record that was
    /// settled to be this child's are among them. Complete up to the last [`Store::index_looks_at`](crate::Store::index_looks_at) of the child, but for what was erased ([`Self::erased`]).
    pub fn looks_at(&self, number: &ChildNumber, before: Option<u64>, most: u32) -> Result<Vec<Look>, StoreError> {
        let before = before.and_then(|entry| i64::try_from(entry).ok()).unwrap_or(i64::MAX);
        let numbers = self.numbers_of(number)?;
        let mut looks = Vec::new();
        // an epoch's entries stand together in the log, and all of the newest before those of the one before it
        for epoch in self.keys.entries.epochs() {
            let left = most.saturating_sub(u32::try_from(looks.len()).unwrap_or(u32::MAX));
            if left > 0 {
                let mut of_epoch = Vec::new();
                for number in &numbers {
                    of_epoch.extend(self.looks_of(epoch, number, before, left)?);
                }
                of_epoch.sort_unstable_by_key(|look| Reverse(look.index));
                of_epoch.dedup_by_key(|look| look.index);
                of_epoch.truncate(left as usize);
                looks.extend(of_epoch);
            }
        }
        Ok(looks)
    }

    /// A child's number, and those of the records that were settled to be of that child, and of those that were settled to be of these.
    pub(crate) fn numbers_of(&self, number: &ChildNumber) -> Result<Vec<ChildNumber>, StoreError> {
        let mut numbers = vec![number.clone()];
        let mut select = self
            .connection
            .prepare_cached("SELECT l.entry, l.leaf FROM looked k JOIN leaf l ON l.entry = k.entry WHERE k.child = ?1 ORDER BY k.entry")?;
        let mut at = 0;
        while let Some(child) = numbers.get(at).cloned() {
            for epoch in self.keys.entries.epochs() {
                let token = children::settled_token_of(self.keys, epoch, &child);
                let rows = select.query_map([token.as_slice()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
                for row in rows {
                    let look = self.open_look(row?)?;
                    let held = looked::settled(&look.entry).filter(|(_, of)| **of == child).map(|(held, _)| held.clone());
                    numbers.extend(held.filter(|held| !numbers.contains(held)));
                }
            }
            at += 1;
        }
        Ok(numbers)
    }

    fn looks_of(&self, epoch: u32, number: &ChildNumber, before: i64, most: u32) -> Result<Vec<Look>, StoreError> {
        let token = children::looked_token_of(self.keys, epoch, number);
        let mut select = self.connection.prepare_cached(
            "SELECT l.entry, l.leaf FROM looked k JOIN leaf l ON l.entry = k.entry WHERE k.child = ?1 AND k.entry < ?2 ORDER BY k.entry DESC LIMIT ?3",
        )?;
        let rows = select.query_map((token.as_slice(), before, most), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let opened = rows.map(|row| self.open_look(row?));
        // a token is cut short: hold each entry against the number itself
        opened.filter(|look| look.as_ref().map_or(true, |look| look.entry.children.contains(number))).collect()
    }

    pub(crate) fn open_look(&self, (index, leaf): (i64, Vec<u8>)) -> Result<Look, StoreError> {
        let opened = match self.keys.entries.open(&leaf) {
            Err(erased @ SealError::Erased { .. }) => return Err(erased.into()),
            opened => opened.map_err(|_| StoreError::Damaged { table: "leaf", row: index })?,
        };
        Ok(Look { index: u64::try_from(index).unwrap_or_default(), entry: unveiled(self.keys, Entry::decode(&opened.plain)?) })
    }

    /// When an entry was written; `None` where there is none, or where it does not open any more.
    pub(crate) fn entry_written_at(&self, index: u64) -> Result<Option<Instant>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT entry, leaf FROM leaf WHERE entry = ?1")?;
        let row = select.query_row([index.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(row.and_then(|row| self.open_look(row).ok()).map(|look| look.entry.at))
    }

    /// The feed of a file, if it was begun: the same organisation, layout and SHA-256.
    pub fn feed_of(&self, organisation: OrganisationId, layout: &str, digest: &[u8; 32]) -> Result<Option<Feed>, StoreError> {
        let mut select = self.connection.prepare_cached(feeds::SELECT_BY_FILE)?;
        Ok(select.query_row((organisation.0, layout, digest.as_slice()), feeds::read).optional()?)
    }

    /// The refused lines of a feed in order, at most `most`.
    pub fn feed_faults(&self, id: FeedId, most: u32) -> Result<Vec<FeedFault>, StoreError> {
        let mut select =
            self.connection.prepare_cached("SELECT line, field, reason FROM feed_fault WHERE feed = ?1 ORDER BY line LIMIT ?2")?;
        let faults = select.query_map((id.0, most), |row| Ok(FeedFault { line: row.get(0)?, field: row.get(1)?, reason: row.get(2)? }))?;
        Ok(faults.collect::<Result<_, _>>()?)
    }
}
