//! The door as the daemon uses it: opened from settings before a thread exists, then served until it is told to stop.

use crate::answer::Health;
use crate::custody_key::CustodyKey;
use crate::document;
use crate::evidence::Standing;
use crate::handlers::Handlers;
use crate::limits::Limits;
use crate::pace::Pace;
use crate::reload;
use crate::revocation::{Authorities, Revocation, RevocationFault};
use crate::serve::{Network, Serving};
use crate::tls::{read_chain, server_config, Door, TlsFault};
use contactpoint_directory::Directory;
use contactpoint_hardening::LockReport;
use contactpoint_identity::{Channel, Clock, Identity, IdentityRefusal};
use contactpoint_keys::Custody;
use contactpoint_settings::Settings;
use contactpoint_store::{Receipts, Store, Witnesses};
use rustls::ServerConfig;
use std::path::Path;
use std::sync::Arc;

/// Why the door does not open. The daemon stops with exit code 78 and the sentence.
#[derive(Debug, thiserror::Error)]
pub enum EdgeFault {
    /// Certificates or the server's key.
    #[error(transparent)]
    Tls(#[from] TlsFault),
    /// Client authorities or their lists.
    #[error(transparent)]
    Revocation(#[from] RevocationFault),
    /// A thread or a socket.
    #[error("the listeners cannot be served: {0}")]
    Io(#[from] std::io::Error),
}

/// What the door stands in front of.
pub struct Parts {
    /// Keys.
    pub custody: Arc<Custody>,
    /// Store.
    pub store: Store,
    /// Log-ins and sessions.
    pub identity: Arc<Identity>,
    /// Operations.
    pub directory: Directory,
    /// Who cosigns the log, where a policy asks for it.
    pub witnesses: Option<Arc<Witnesses>>,
    /// The time.
    pub clock: Clock,
}

/// The door, ready to be served; cheap to clone.
#[derive(Clone)]
pub struct Edge {
    handlers: Arc<Handlers>,
    tls: Arc<ServerConfig>,
    limits: Arc<Limits>,
    clock: Clock,
}

impl Edge {
    /// Reads certificates and revocation lists below the configuration directory and refuses what cannot be trusted.
    pub fn open(parts: Parts, configuration: &Path, settings: &Settings) -> Result<Self, EdgeFault> {
        let Parts { custody, store, identity, directory, witnesses, clock } = parts;
        let authorities = Authorities::read(&settings.tls.client_authorities.below(configuration))?;
        let list = settings.tls.revocation_list.below(configuration);
        let revocation = Arc::new(Revocation::open(&list, authorities, clock.now().wall)?);
        let asked = Arc::clone(&identity);
        let chain = read_chain(&settings.tls.certificate.below(configuration))?;
        let certificate = chain.first().cloned();
        let tls = server_config(Door {
            chain,
            key: CustodyKey::of(Arc::clone(&custody)),
            revocation: Arc::clone(&revocation),
            is_enrolled: Arc::new(move |key| is_enrolled(&asked, *key)),
            clock: clock.clone(),
        })?;
        let standing = Standing::of(settings, certificate.as_ref(), &tls, custody.head_keys());
        let receipts = Receipts::of(store.clone()).cosigned_by(witnesses.clone());
        let (answers_wait, document) = (settings.witnesses.answers_wait, document::generated());
        let handlers = Handlers {
            identity,
            directory,
            store,
            receipts,
            witnesses,
            answers_wait,
            custody,
            revocation,
            document,
            standing,
            pace: Pace::default(),
        };
        Ok(Self { handlers: Arc::new(handlers), tls, limits: Arc::new(Limits::from(settings)), clock })
    }

    /// Serves both listeners, already bound and non-blocking, until `stop` is ready; then lets open requests finish. True where all did.
    /// Must run on a tokio runtime with I/O and time.
    pub async fn serve(
        &self,
        https: std::net::TcpListener,
        control: Option<std::os::unix::net::UnixListener>,
        stop: impl std::future::Future<Output = ()>,
    ) -> Result<bool, EdgeFault> {
        let revocation = Arc::clone(&self.handlers.revocation);
        self.handlers.standing.tell_listening(https.local_addr()?);
        let listener = tokio::net::TcpListener::from_std(https)?;
        let network = Network { listener, tls: Arc::clone(&self.tls), revocation: Arc::clone(&revocation) };
        let control = control.map(tokio::net::UnixListener::from_std).transpose()?;
        let serving = Serving::begin(Arc::clone(&self.handlers), Arc::clone(&self.limits), network, control)?;
        let looking = tokio::spawn(reload::keep_looking(revocation, self.clock.clone(), self.limits.reload));
        stop.await;
        looking.abort();
        Ok(serving.stop().await)
    }

    /// Keeps what the process locked itself in with, for the evidence; the first that is told stays.
    pub fn tell_locks(&self, locks: &LockReport) {
        self.handlers.standing.tell_locks(locks.clone());
    }

    /// A real commit and a real signature, for the watchdog.
    pub async fn health(&self) -> Health {
        self.handlers.health().await
    }
}

/// A suspended organisation is let in to be told so (rule B4); one that nobody enrolled is not, and nobody is while the registry is away.
fn is_enrolled(identity: &Identity, key: [u8; 32]) -> bool {
    match identity.organisation(&Channel::Certificate { key }) {
        Ok(_) | Err(IdentityRefusal::OrganisationSuspended) => true,
        Err(
            IdentityRefusal::NotAuthenticated
            | IdentityRefusal::SessionEnded
            | IdentityRefusal::OrganisationNotEnrolled
            | IdentityRefusal::PersonSuspended
            | IdentityRefusal::PersonLocked
            | IdentityRefusal::PersonClosed
            | IdentityRefusal::Unavailable,
        ) => false,
    }
}
