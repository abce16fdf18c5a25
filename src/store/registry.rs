//! Organisations, their certificates, accounts, and how far feeds have come: what is read to know who calls for what. No child is within
//! reach.

use crate::error::StoreError;
use crate::feeds::{self, Feed, FeedId};
use crate::sealed::{SealKeys, SealedRow, ACCOUNT, ORGANISATION};
use crate::stored_registry;
use contactpoint_domain::{
    AccountState, Address, Checks, EmailAddress, Instant, LoginName, Name, Organisation, OrganisationId, OrganisationKind,
    OrganisationName, PendingReset, PersonId, PhoneNumber, Postcode, Role,
};
use rusqlite::{Connection, OptionalExtension};
use zeroize::Zeroizing;

/// An organisation to be enrolled: everything but its number.
#[derive(Debug, Clone)]
pub struct NewOrganisation {
    /// Its name.
    pub name: OrganisationName,
    /// What it is.
    pub kind: OrganisationKind,
    /// The local authority it works for; a council is its own, whatever stands here.
    pub authority: Option<OrganisationId>,
    /// Switchboard.
    pub telephone: Option<PhoneNumber>,
    /// Duty mailbox.
    pub email: Option<EmailAddress>,
    /// Where it is.
    pub postcode: Option<Postcode>,
}

/// A person's account as the store opens it. Prints neither name nor secret.
#[derive(Clone)]
pub struct Account {
    /// The person's number.
    pub id: PersonId,
    /// The one organisation they belong to (rule C4).
    pub organisation: OrganisationId,
    /// Log-in name.
    pub login: LoginName,
    /// Name.
    pub name: Name,
    /// What they may be.
    pub roles: Vec<Role>,
    /// The password's record: a PHC string over the peppered password (rule C2).
    pub password: Zeroizing<Vec<u8>>,
    /// The secret of the time-based code (RFC 6238), 20 bytes.
    pub code_secret: Zeroizing<Vec<u8>>,
    /// The step of the last code accepted; no code of this step or an earlier one is accepted again.
    pub last_code_step: u64,
    /// Failed log-ins since the last good one.
    pub failures: u32,
    /// No log-in is tried before (rule C6).
    pub delayed_until: Instant,
    /// Whether it can be used; looked at again at each request.
    pub state: AccountState,
    /// Who judges what they do (rule C3); only a risk owner has nobody.
    pub supervisor: Option<PersonId>,
    /// What everybody must have (rule C1).
    pub checks: Checks,
    /// Where they live, by the vetting record (rule D7).
    pub home: Option<Address>,
    /// A factor that waits for a second person to make it anew (rule C5).
    pub reset: Option<PendingReset>,
    /// How often a factor was made anew: a session that began before the last time has ended.
    pub resets: u32,
}

/// An account to be made: everything that [`Account`] has at its birth.
pub struct NewAccount {
    /// The one organisation they belong to.
    pub organisation: OrganisationId,
    /// Log-in name, unique in the directory.
    pub login: LoginName,
    /// Name.
    pub name: Name,
    /// What they may be.
    pub roles: Vec<Role>,
    /// The password's record.
    pub password: Zeroizing<Vec<u8>>,
    /// The secret of the time-based code.
    pub code_secret: Zeroizing<Vec<u8>>,
    /// Who judges what they do.
    pub supervisor: Option<PersonId>,
    /// What everybody must have.
    pub checks: Checks,
    /// Where they live, by the vetting record.
    pub home: Option<Address>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.id.0)
    }
}
impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAccount(..)")
    }
}

/// A reader of organisations and accounts.
pub struct Registry<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) keys: &'a SealKeys,
}

impl Registry<'_> {
    /// An organisation by its number.
    pub fn organisation(&self, id: OrganisationId) -> Result<Option<Organisation>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT row, version, key, sealed FROM organisation WHERE row = ?1")?;
        let row = select.query_row([id.0], SealedRow::of).optional()?;
        row.map(|row| self.open_organisation(&row)).transpose()
    }

    /// The organisation that a client key is on record for. `key`: SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub fn organisation_by_certificate(&self, key: &[u8; 32]) -> Result<Option<Organisation>, StoreError> {
        let mut select = self.connection.prepare_cached(
            "SELECT o.row, o.version, o.key, o.sealed FROM certificate c JOIN organisation o ON o.row = c.organisation WHERE c.spki = ?1",
        )?;
        let Some(row) = select.query_row([key.as_slice()], SealedRow::of).optional()? else { return Ok(None) };
        let (organisation, keys) = self.open_organisation_and_keys(&row)?;
        // the table only leads there: what counts is what the organisation's own sealed row says (rule G3)
        if keys.contains(key) {
            Ok(Some(organisation))
        } else {
            Err(StoreError::Damaged { table: "certificate", row: row.row })
        }
    }

    /// The client keys on record for an organisation, oldest first: SHA-256 of each SubjectPublicKeyInfo.
    pub fn certificates_of(&self, id: OrganisationId) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT row, version, key, sealed FROM organisation WHERE row = ?1")?;
        let row = select.query_row([id.0], SealedRow::of).optional()?;
        row.map_or(Ok(Vec::new()), |row| self.open_organisation_and_keys(&row).map(|(_, keys)| keys))
    }

    /// An account by the person's number.
    pub fn account(&self, id: PersonId) -> Result<Option<Account>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT row, version, key, sealed FROM account WHERE row = ?1")?;
        let row = select.query_row([id.0], SealedRow::of).optional()?;
        row.map(|row| self.open_account(&row)).transpose()
    }

    /// An account by its log-in name.
    pub fn account_by_login(&self, login: &LoginName) -> Result<Option<Account>, StoreError> {
        let mut select = self.connection.prepare_cached("SELECT row, version, key, sealed FROM account WHERE login = ?1")?;
        let row = select.query_row([self.login_token(login).as_slice()], SealedRow::of).optional()?;
        row.map(|row| self.open_account(&row)).transpose()
    }

    /// A feed by its number.
    pub fn feed(&self, id: FeedId) -> Result<Option<Feed>, StoreError> {
        Ok(self.connection.prepare_cached(feeds::SELECT_BY_ID)?.query_row([id.0], feeds::read).optional()?)
    }

    pub(crate) fn login_token(&self, login: &LoginName) -> [u8; 16] {
        self.keys.tokens.token("login", &[login.as_str().as_bytes()])
    }

    fn open_organisation(&self, row: &SealedRow) -> Result<Organisation, StoreError> {
        self.open_organisation_and_keys(row).map(|(organisation, _)| organisation)
    }

    /// An organisation and the keys of its certificates.
    pub(crate) fn open_organisation_and_keys(&self, row: &SealedRow) -> Result<(Organisation, Vec<[u8; 32]>), StoreError> {
        let plain = row.open(ORGANISATION, self.keys)?;
        stored_registry::organisation(&plain, OrganisationId(number_of(row.row)?)).map_err(|fault| fault.at(ORGANISATION.name, row.row))
    }

    fn open_account(&self, row: &SealedRow) -> Result<Account, StoreError> {
        let plain = row.open(ACCOUNT, self.keys)?;
        stored_registry::account(&plain, PersonId(number_of(row.row)?)).map_err(|fault| fault.at(ACCOUNT.name, row.row))
    }
}

fn number_of(row: i64) -> Result<u32, StoreError> {
    u32::try_from(row).map_err(|_| StoreError::Unknown("row"))
}
