//! What a change may write. Each write is also told to the log: table, row, version, digest.

use crate::children::{self, Held};
use crate::codec::{encode, StoredRecord};
use crate::error::StoreError;
use crate::feeds::{FeedCounts, FeedFault, FeedId, NewFeed};
use crate::index::{Pair, Turned};
use crate::overtaken::{hides_more, AsOf, Hidden};
use crate::registry::{Account, NewAccount, NewOrganisation};
use crate::sealed::{self, SealedRow, Table, ACCOUNT, CHILD, ORGANISATION};
use crate::snapshot::Snapshot;
use crate::stored_registry::{StoredAccount, StoredOrganisation};
use contactpoint_audit::Change;
use contactpoint_domain::{AccountState, ChildNumber, ChildRecord, Instant, Organisation, OrganisationId, OrganisationKind, PersonId};
use contactpoint_sealing::WrappedKey;
use rusqlite::{params, OptionalExtension};

/// A writer of everything, inside one savepoint of a group commit.
pub struct Transaction<'a> {
    pub(crate) snapshot: Snapshot<'a>,
    /// The index that its entry will have.
    pub(crate) entry: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) registry_changed: bool,
    /// Index pairs that this change brought: taken back if it fails.
    pub(crate) pairs: Vec<Pair>,
    /// Index pairs that it withdrew or let count again, likewise.
    pub(crate) turned: Turned,
    /// What was hidden before it, and the children that it hid itself.
    pub(crate) hidden_before: &'a Hidden,
    pub(crate) hidden: Vec<[u8; 16]>,
}

impl<'a> std::ops::Deref for Transaction<'a> {
    type Target = Snapshot<'a>;
    fn deref(&self) -> &Snapshot<'a> {
        &self.snapshot
    }
}

impl Transaction<'_> {
    /// Enrols an organisation. A council becomes its own authority.
    pub fn add_organisation(&mut self, new: &NewOrganisation) -> Result<Organisation, StoreError> {
        let row = sealed::next_row(self.connection, ORGANISATION)?;
        let id = OrganisationId(u32::try_from(row).map_err(|_| StoreError::Unknown("row"))?);
        let NewOrganisation { name, kind, authority, telephone, email, postcode } = new.clone();
        let authority = if kind == OrganisationKind::Council { Some(id) } else { authority };
        let organisation = Organisation {
            id,
            name,
            kind,
            authority,
            telephone,
            email,
            postcode,
            heads: Vec::new(),
            sponsorship: None,
            accreditations: Vec::new(),
            responsibilities: None,
            suspended: false,
            holds_new: false,
        };
        let sealed = sealed::seal_new(self.keys, ORGANISATION, row, &encode(&StoredOrganisation::of(&organisation, Vec::new()))?)?;
        let mut insert = self.connection.prepare_cached("INSERT INTO organisation (row, version, key, sealed) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![row, sealed.version, sealed.key.0, sealed.sealed])?;
        drop(insert);
        self.note(ORGANISATION, &sealed);
        self.registry_changed = true;
        Ok(organisation)
    }

    /// Puts an organisation's new state in the place of its old one.
    pub fn put_organisation(&mut self, organisation: &Organisation) -> Result<(), StoreError> {
        let former = self.sealed_row(ORGANISATION, i64::from(organisation.id.0))?.ok_or(StoreError::Unknown("organisation"))?;
        let (_, keys) = self.open_organisation_and_keys(&former)?;
        self.replace(ORGANISATION, &former, &encode(&StoredOrganisation::of(organisation, keys))?)?;
        self.registry_changed = true;
        Ok(())
    }

    /// Puts a client key on record for an organisation. `key`: SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub fn add_certificate(&mut self, organisation: OrganisationId, key: &[u8; 32]) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached("INSERT INTO certificate (spki, organisation) VALUES (?1, ?2)")?;
        let inserted = insert.execute(params![key.as_slice(), organisation.0]);
        drop(insert);
        unique(inserted, "certificate")?;
        let former = self.sealed_row(ORGANISATION, i64::from(organisation.0))?.ok_or(StoreError::Unknown("organisation"))?;
        let (organisation, mut keys) = self.open_organisation_and_keys(&former)?;
        keys.push(*key);
        self.replace(ORGANISATION, &former, &encode(&StoredOrganisation::of(&organisation, keys))?)?;
        self.registry_changed = true;
        Ok(())
    }

    /// Takes a client key of an organisation off the record.
    pub fn remove_certificate(&mut self, organisation: OrganisationId, key: &[u8; 32]) -> Result<(), StoreError> {
        let former = self.sealed_row(ORGANISATION, i64::from(organisation.0))?.ok_or(StoreError::Unknown("organisation"))?;
        let (organisation, mut keys) = self.open_organisation_and_keys(&former)?;
        keys.retain(|held| held != key);
        let mut delete = self.connection.prepare_cached("DELETE FROM certificate WHERE spki = ?1 AND organisation = ?2")?;
        if delete.execute(params![key.as_slice(), organisation.id.0])? == 0 {
            return Err(StoreError::Unknown("certificate"));
        }
        drop(delete);
        self.replace(ORGANISATION, &former, &encode(&StoredOrganisation::of(&organisation, keys))?)?;
        self.registry_changed = true;
        Ok(())
    }

    /// Makes an account.
    pub fn add_account(&mut self, new: NewAccount) -> Result<Account, StoreError> {
        let row = sealed::next_row(self.connection, ACCOUNT)?;
        let id = PersonId(u32::try_from(row).map_err(|_| StoreError::Unknown("row"))?);
        let NewAccount { organisation, login, name, roles, password, code_secret, supervisor, checks, home } = new;
        let account = Account {
            id,
            organisation,
            login,
            name,
            roles,
            password,
            code_secret,
            last_code_step: 0,
            failures: 0,
            delayed_until: Instant::default(),
            state: AccountState::Active,
            supervisor,
            checks,
            home,
            reset: None,
            resets: 0,
        };
        let sealed = sealed::seal_new(self.keys, ACCOUNT, row, &encode(&StoredAccount::of(&account))?)?;
        let token = self.login_token(&account.login);
        let mut insert =
            self.connection.prepare_cached("INSERT INTO account (row, login, version, key, sealed) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let inserted = insert.execute(params![row, token.as_slice(), sealed.version, sealed.key.0, sealed.sealed]);
        drop(insert);
        unique(inserted, "log-in name")?;
        self.note(ACCOUNT, &sealed);
        self.registry_changed = true;
        Ok(account)
    }

    /// Puts an account's new state in the place of its old one. The log-in name and the organisation stay as they are.
    pub fn put_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let former = self.sealed_row(ACCOUNT, i64::from(account.id.0))?.ok_or(StoreError::Unknown("account"))?;
        self.replace(ACCOUNT, &former, &encode(&StoredAccount::of(account))?)?;
        self.registry_changed = true;
        Ok(())
    }

    /// A child number that no record has (rule A4).
    pub fn free_child_number(&self) -> Result<ChildNumber, StoreError> {
        loop {
            let number = ChildNumber::at_random().map_err(|_| StoreError::Stopped)?;
            if !self.is_taken(&number)? {
                return Ok(number);
            }
        }
    }

    fn is_taken(&self, number: &ChildNumber) -> Result<bool, StoreError> {
        Ok(!self.index.rows(self.connection, children::number_token(self.keys, number))?.is_empty())
    }

    /// Makes a record.
    pub fn add_child(&mut self, record: &ChildRecord) -> Result<(), StoreError> {
        let row = sealed::next_row(self.connection, CHILD)?;
        let sealed = sealed::seal_new(self.keys, CHILD, row, &encode(&StoredRecord::of(record))?)?;
        let mut insert = self.connection.prepare_cached("INSERT INTO child (row, version, key, sealed) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![row, sealed.version, sealed.key.0, sealed.sealed])?;
        drop(insert);
        self.index_under(row, &[], &children::all_tokens(self.keys, record))?;
        self.note(CHILD, &sealed);
        Ok(())
    }

    /// Puts a record's new state in the place of the one held; the old one goes into the history (rule A6).
    pub fn put_child(&mut self, held: &Held, record: &ChildRecord) -> Result<(), StoreError> {
        let Held { sealed: former, record: old } = held;
        let mut keep = self.connection.prepare_cached("INSERT INTO child_history (row, version, sealed) VALUES (?1, ?2, ?3)")?;
        keep.execute(params![former.row, former.version, former.sealed])?;
        drop(keep);
        self.replace(CHILD, former, &encode(&StoredRecord::of(record))?)?;
        let (before, after) = (children::all_tokens(self.keys, old), children::all_tokens(self.keys, record));
        self.index_under(former.row, &before, &after)?;
        if old.is_guarded() || record.is_guarded() {
            let mut gone = before;
            if hides_more(old, record) {
                self.hidden.push(children::looked_token(self.keys, &record.number));
                gone.extend(self.tokens_of_history(former)?);
            }
            gone.retain(|token| after.binary_search(token).is_err());
            self.withdraw(former.row, &gone)?;
        }
        Ok(())
    }

    /// Refuses what was decided of these children before one of them was hidden: its entry must not be written (rule E2).
    ///
    /// # Errors
    /// [`StoreError::Overtaken`].
    pub fn refuse_overtaken(&self, as_of: AsOf, children: &[ChildNumber]) -> Result<(), StoreError> {
        let tokens: Vec<_> = children.iter().map(|number| children::looked_token(self.keys, number)).collect();
        if self.hidden_before.overtook(as_of, &tokens) {
            return Err(StoreError::Overtaken);
        }
        Ok(())
    }

    /// Lets a row be found under the tokens that it did not stand under before; both sorted.
    fn index_under(&mut self, row: i64, old: &[u64], new: &[u64]) -> Result<(), StoreError> {
        let added: Vec<Pair> = new.iter().filter(|token| old.binary_search(token).is_err()).map(|token| (*token, row)).collect();
        let restored = self.snapshot.index.restore(self.snapshot.connection, &added)?;
        self.turned.restored(restored);
        self.pairs.extend(self.snapshot.index.add(added));
        Ok(())
    }

    /// Lets a row be found under these tokens no more.
    pub(crate) fn withdraw(&mut self, row: i64, tokens: &[u64]) -> Result<(), StoreError> {
        let gone: Vec<Pair> = tokens.iter().map(|token| (*token, row)).collect();
        let withdrawn = self.snapshot.index.withdraw(self.snapshot.connection, &gone)?;
        self.turned.withdrawn(withdrawn);
        Ok(())
    }

    /// The tokens of everything that was ever said of a child: under some of them its row may still stand.
    pub(crate) fn tokens_of_history(&self, row: &SealedRow) -> Result<Vec<u64>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT version, sealed FROM child_history WHERE row = ?1")?;
        let former = select.query_map([row.row], |found| Ok((found.get(0)?, found.get(1)?)))?;
        let mut tokens = Vec::new();
        for former in former {
            let (version, sealed) = former?;
            let held = children::open(SealedRow { row: row.row, version, key: WrappedKey(row.key.0.clone()), sealed }, self.keys)?;
            tokens.extend(children::all_tokens(self.keys, &held.record));
        }
        Ok(tokens)
    }

    /// Begins a feed at its second line.
    pub fn begin_feed(&mut self, new: &NewFeed) -> Result<FeedId, StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO feed (organisation, layout, digest, header, next_line, created, joined, unchanged, rejected, complete)
             VALUES (?1, ?2, ?3, ?4, 2, 0, 0, 0, 0, 0)",
        )?;
        insert.execute(params![new.organisation.0, new.layout, new.digest.as_slice(), new.header])?;
        Ok(FeedId(self.connection.last_insert_rowid()))
    }

    /// Notes how far a feed has come and which lines were refused on the way.
    pub fn advance_feed(&mut self, id: FeedId, next_line: u32, counts: &FeedCounts, faults: &[FeedFault]) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE feed SET next_line = ?2, created = ?3, joined = ?4, unchanged = ?5, rejected = ?6 WHERE id = ?1")?;
        update.execute(params![id.0, next_line, counts.created, counts.joined, counts.unchanged, counts.rejected])?;
        let mut insert = self.connection.prepare_cached("INSERT INTO feed_fault (feed, line, field, reason) VALUES (?1, ?2, ?3, ?4)")?;
        for FeedFault { line, field, reason } in faults {
            insert.execute(params![id.0, line, field, reason])?;
        }
        Ok(())
    }

    /// Notes that a feed has no line left.
    pub fn finish_feed(&mut self, id: FeedId) -> Result<(), StoreError> {
        self.connection.prepare_cached("UPDATE feed SET complete = 1 WHERE id = ?1")?.execute([id.0])?;
        Ok(())
    }

    pub(crate) fn sealed_row(&self, table: Table, row: i64) -> Result<Option<SealedRow>, StoreError> {
        let mut select = self.connection.prepare_cached(&format!("SELECT row, version, key, sealed FROM {} WHERE row = ?1", table.name))?;
        Ok(select.query_row([row], SealedRow::of).optional()?)
    }

    pub(crate) fn replace(&mut self, table: Table, former: &SealedRow, plain: &[u8]) -> Result<(), StoreError> {
        let next = sealed::seal_next(self.keys, table, former, plain)?;
        sealed::replace(self.connection, table, &next)?;
        self.note(table, &next);
        Ok(())
    }

    pub(crate) fn note(&mut self, table: Table, row: &SealedRow) {
        self.changes.push(row.change(table));
    }
}

fn unique(inserted: rusqlite::Result<usize>, what: &'static str) -> Result<(), StoreError> {
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => Err(StoreError::Exists(what)),
        Err(error) => Err(error.into()),
    }
}
