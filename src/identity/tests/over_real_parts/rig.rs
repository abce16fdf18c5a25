//! Real parts for the tests of identity: SoftHSM tokens, a SQLCipher store a test, two schools and a data centre with a person each.

use contactpoint_audit::{tiles, Entry, Operation, Outcome, SignError, Signer, VerifierKey};
use contactpoint_domain::{AccountState, Checks, Instant, LoginName, Name, Organisation, OrganisationId, OrganisationKind, PersonId, Role};
use contactpoint_identity::{credentials, Channel, Clock, Identity, LoginRefused, NewPerson, OneTimeSecrets, Pepper, SessionTicket};
use contactpoint_keys::{ceremony, dangerous_make_token, Custody, DataKeyName, HeadPublicKey, Pin, WrappedDataKeys};
use contactpoint_sealing::{EntryEpoch, EntrySealer, EntrySealers, RecordSealer, TokenKey};
use contactpoint_store::{Account, NewOrganisation, Options, Store, StoreKeys};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

/// Where Debian puts SoftHSM.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// 2026-01-05 09:00:00 UTC, the start of a step.
pub(crate) const MORNING: u64 = 1_767_603_600_000;

/// A token with its keys and the data keys they wrap.
pub(crate) struct Token {
    pub(crate) custody: Arc<Custody>,
    wrapped: WrappedDataKeys,
}

/// The process's SoftHSM, and a first token in it. Both live as long as the process.
pub(crate) fn token() -> &'static Token {
    static TOKEN: OnceLock<Token> = OnceLock::new();
    TOKEN.get_or_init(|| make_token("identity-tests"))
}

/// Another token, as a thief of the store might have one.
pub(crate) fn other_token() -> &'static Token {
    static TOKEN: OnceLock<Token> = OnceLock::new();
    TOKEN.get_or_init(|| {
        token();
        make_token("identity-thief")
    })
}

fn make_token(label: &str) -> Token {
    let home = softhsm();
    let attachment = dangerous_make_token(Path::new(MODULE), label, "1234").unwrap();
    let file = home.join(format!("{label}.pin"));
    std::fs::write(&file, "1234\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let pin = Pin::from_credential_file(&file).unwrap();
    let wrapped = ceremony(&attachment, &pin).unwrap();
    Token { custody: Arc::new(Custody::open(&attachment, &pin).unwrap()), wrapped }
}

fn softhsm() -> &'static Path {
    static HOME: OnceLock<TempDir> = OnceLock::new();
    let home = HOME.get_or_init(|| {
        let home = TempDir::new().unwrap();
        let tokens = home.path().join("tokens");
        std::fs::create_dir(&tokens).unwrap();
        let conf = home.path().join("softhsm2.conf");
        std::fs::write(&conf, format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", tokens.display()))
            .unwrap();
        std::env::set_var("SOFTHSM2_CONF", conf);
        home
    });
    home.path()
}

struct HeadSigner(VerifierKey);

impl Signer for HeadSigner {
    fn verifier_key(&self) -> &VerifierKey {
        &self.0
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        token().custody.sign_head(&token().custody.head_keys()[0], message).map_err(|error| SignError::Refused(Box::new(error)))
    }
}

/// The token's pepper, counting how often it was asked: once for each password that is looked at.
struct Counted(Arc<AtomicUsize>);

impl Pepper for Counted {
    fn pepper(&self, input: &[u8]) -> Result<zeroize::Zeroizing<[u8; 32]>, contactpoint_keys::KeyError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        token().custody.pepper(input)
    }
}

/// An enrolled person and what they know.
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) secrets: OneTimeSecrets,
}

/// A store with everybody in it, and identity over it.
pub(crate) struct House {
    pub(crate) identity: Arc<Identity>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) school: Organisation,
    pub(crate) teacher: Person,
    pub(crate) other_teacher: Person,
    pub(crate) officer: Person,
    directory: TempDir,
    /// Steps of codes already used, so that a test that wants a fresh one gets it.
    used: Mutex<u64>,
}

/// The school's channel, the other school's, one that nobody enrolled, and the control socket.
pub(crate) const SCHOOL: Channel = Channel::Certificate { key: [1; 32] };
pub(crate) const OTHER_SCHOOL: Channel = Channel::Certificate { key: [2; 32] };
pub(crate) const NOBODY: Channel = Channel::Certificate { key: [9; 32] };
pub(crate) const LOCAL: Channel = Channel::Local { uid: 0 };

pub(crate) type Answer = Result<SessionTicket, LoginRefused>;

impl House {
    pub(crate) async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let store = Store::create(directory.path(), store_keys(), OPTIONS, signer()).unwrap().begin_unlocked().unwrap();
        let clock = Clock::dangerous_fixed(Instant::of_millis(MORNING));
        let school = add_organisation(&store, "Hill School", OrganisationKind::School, Some([1; 32])).await;
        let other = add_organisation(&store, "Vale School", OrganisationKind::School, Some([2; 32])).await;
        let centre = add_organisation(&store, "Data centre", OrganisationKind::DataCentre, None).await;
        let teacher = add_person(&store, school.id, "teacher", Role::Practitioner).await;
        let other_teacher = add_person(&store, other.id, "other-teacher", Role::Practitioner).await;
        let officer = add_person(&store, centre.id, "officer", Role::SecurityOfficer).await;
        let identity = identity(&store, &clock, token());
        Self { identity, store, clock, school, teacher, other_teacher, officer, directory, used: Mutex::new(0) }
    }

    /// The same house after a restart of the process: everything in memory is gone.
    pub(crate) async fn restarted(self) -> Self {
        let wall = self.clock.now().wall;
        self.restarted_at(wall).await
    }

    /// The same, with the machine's clock set meanwhile.
    pub(crate) async fn restarted_at(self, wall: Instant) -> Self {
        self.store.close().await.unwrap();
        let store = Store::open(self.directory.path(), store_keys(), OPTIONS, signer()).unwrap().begin_unlocked().unwrap();
        let clock = Clock::dangerous_fixed(wall);
        let identity = identity(&store, &clock, token());
        Self { identity, store, clock, ..self }
    }

    /// Identity over the same store, but with another HSM.
    pub(crate) fn with_pepper_of(&self, thief: &Token) -> Arc<Identity> {
        identity(&self.store, &self.clock, thief)
    }

    /// Identity over the same store, and how many passwords it has looked at.
    pub(crate) fn with_counted_pepper(&self) -> (Arc<AtomicUsize>, Arc<Identity>) {
        let looked_at = Arc::new(AtomicUsize::new(0));
        let pepper = Arc::new(Counted(Arc::clone(&looked_at)));
        (looked_at, Arc::new(Identity::new(self.store.clone(), pepper, self.clock.clone(), Duration::from_secs(900))))
    }

    /// The code of the person's device now. Moves the clock on where this step was asked for before, so that each is fresh.
    pub(crate) fn code(&self, person: &Person) -> String {
        let mut used = self.used.lock().unwrap();
        while self.step() <= *used {
            self.clock.dangerous_advance(Duration::from_secs(30));
        }
        *used = self.step();
        self.code_now(person)
    }

    /// The code of the person's device now, used or not.
    pub(crate) fn code_now(&self, person: &Person) -> String {
        let totp = totp_rs::Builder::new().with_secret(person.account.code_secret.to_vec()).build().unwrap();
        totp.generate(self.clock.now().wall.seconds()).to_string()
    }

    fn step(&self) -> u64 {
        self.clock.now().wall.seconds() / 30
    }

    /// A log-in at the school.
    pub(crate) async fn try_log_in(&self, login: &str, password: &str, code: &str) -> Answer {
        self.try_on(&SCHOOL, login, password, code).await
    }

    pub(crate) async fn try_on(&self, channel: &Channel, login: &str, password: &str, code: &str) -> Answer {
        self.identity.log_in(channel, login, password.as_bytes(), code, self.clock.now()).await.unwrap().into_inner()
    }

    /// A good log-in of the teacher; the token.
    pub(crate) async fn token(&self) -> String {
        let code = self.code(&self.teacher);
        self.try_log_in("teacher", self.teacher.secrets.expose_password(), &code).await.unwrap().expose_token().to_owned()
    }

    /// The account as the store has it now.
    pub(crate) fn account(&self, person: &Person) -> Account {
        self.store.registry(|registry| registry.account(person.account.id)).unwrap().unwrap()
    }

    pub(crate) async fn suspend_person(&self, person: &Person) {
        self.change_account(person, |account| account.state = AccountState::Suspended).await;
    }

    pub(crate) async fn change_account(&self, person: &Person, change: impl FnOnce(&mut Account)) {
        let mut account = self.account(person);
        change(&mut account);
        self.store.change(move |tx| Ok((tx.put_account(&account)?, entry(Operation::EnrolPerson)))).await.unwrap().into_inner();
    }

    pub(crate) async fn suspend_school(&self) {
        let school = Organisation { suspended: true, ..self.school.clone() };
        self.store.change(move |tx| Ok((tx.put_organisation(&school)?, entry(Operation::EnrolOrganisation)))).await.unwrap().into_inner();
    }

    /// Who tried to log in and what came of it, from the log itself.
    pub(crate) async fn attempts(&self) -> Vec<(Option<PersonId>, Outcome)> {
        self.attempts_to(Operation::LogIn).await
    }

    /// The same of another operation.
    pub(crate) async fn attempts_to(&self, operation: Operation) -> Vec<(Option<PersonId>, Outcome)> {
        self.store.checkpoint().await.unwrap();
        let width = u16::try_from(self.store.log_size()).unwrap();
        let bundle = self.store.log_tile(&tiles::bundle_path(0, width)).unwrap().unwrap();
        let sealer = EntrySealer::new(token().wrapped.epoch(DataKeyName::Entries), key(DataKeyName::Entries));
        let entries = tiles::decode_bundle(&bundle).unwrap().into_iter().map(|leaf| Entry::decode(&sealer.open(leaf).unwrap()).unwrap());
        entries.filter(|entry| entry.operation == operation).map(|entry| (entry.person, entry.outcome)).collect()
    }
}

const OPTIONS: Options = Options { page_cache_mib: 8, readers: 2, group_commit_max: 64 };

fn signer() -> Arc<dyn Signer> {
    let HeadPublicKey::Ed25519(public) = token().custody.head_keys()[0].public() else { panic!("the test token has no other") };
    Arc::new(HeadSigner(VerifierKey::ed25519("identity.test/log", public).unwrap()))
}

fn key(name: DataKeyName) -> contactpoint_hardening::LockedBytes<32> {
    token().custody.unwrap(name, &token().wrapped).unwrap()
}

fn store_keys() -> StoreKeys {
    let epoch = |name| token().wrapped.epoch(name);
    StoreKeys {
        page: key(DataKeyName::Page),
        records: RecordSealer::new(epoch(DataKeyName::Records), key(DataKeyName::Records)).unwrap().into(),
        tokens: TokenKey::new(key(DataKeyName::Tokens)),
        entries: EntrySealers::new(EntryEpoch::new(epoch(DataKeyName::Entries), key(DataKeyName::Entries)), []),
    }
}

fn identity(store: &Store, clock: &Clock, token: &Token) -> Arc<Identity> {
    Arc::new(Identity::new(store.clone(), token.custody.clone(), clock.clone(), Duration::from_secs(900)))
}

async fn add_organisation(store: &Store, name: &str, kind: OrganisationKind, certificate: Option<[u8; 32]>) -> Organisation {
    let name = name.try_into().unwrap();
    let new = NewOrganisation { name, kind, authority: None, telephone: None, email: None, postcode: None };
    let change = store.change(move |tx| {
        let organisation = tx.add_organisation(&new)?;
        if let Some(key) = certificate {
            tx.add_certificate(organisation.id, &key)?;
        }
        Ok((organisation, entry(Operation::EnrolOrganisation)))
    });
    change.await.unwrap().into_inner()
}

async fn add_person(store: &Store, organisation: OrganisationId, login: &str, role: Role) -> Person {
    let name = Name { given: "Ada".try_into().unwrap(), family: "Byron".try_into().unwrap() };
    let person = NewPerson {
        organisation,
        login: LoginName::try_from(login).unwrap(),
        name,
        roles: vec![role],
        supervisor: None,
        checks: Checks::default(),
        home: None,
    };
    let (account, secrets) = credentials(token().custody.as_ref(), person).unwrap();
    let account = store.change(move |tx| Ok((tx.add_account(account)?, entry(Operation::EnrolPerson)))).await.unwrap().into_inner();
    Person { account, secrets }
}

pub(crate) fn entry(operation: Operation) -> Entry {
    Entry {
        at: Instant::of_millis(MORNING),
        person: None,
        organisation: None,
        role: None,
        operation,
        reason: None,
        children: vec![],
        shown: vec![],
        outcome: Outcome::Answered,
        changes: vec![],
        on_behalf_of: None,
        facts: Vec::new(),
    }
}
