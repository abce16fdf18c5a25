//! The listeners: accepting, counting, handshakes, and the stop.
//!
//! For: connections from the TCP listener that systemd bound (this code never binds one) and from the control socket. Handshakes run on a
//! runtime of their own with a fixed number of threads: rustls signs synchronously, an HSM over a network takes milliseconds, and a
//! slow signature then delays other handshakes and no answer (architecture, keys). The sockets stay with the main runtime's poller.
//! Nobody shuts the others out by connecting: unfinished handshakes have places of their own, few for one address; a connection beyond its
//! organisation's limit takes none of the places of all and is told so within [`TELLING`].
//! Leaves to others: what happens on a connection (`connection`), who is let in (`tls`).

use crate::call::Bodies;
use crate::certificate::PeerCertificate;
use crate::connection::{self, Protocol};
use crate::exchange::{Desk, Peer};
use crate::limits::Limits;
use crate::places::{source, Full, Place, Places};
use crate::revocation::Revocation;
use crate::route::Side;
use crate::stop::{stopper, Stop, Stopper};
use contactpoint_domain::OrganisationId;
use contactpoint_identity::Channel;
use rustls::ServerConfig;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio_rustls::server::TlsStream;
use tokio_rustls::TlsAcceptor;

/// After an accept that failed for want of something (descriptors, memory).
const BREATH: Duration = Duration::from_millis(50);
/// For a connection beyond its organisation's limit to ask something and be told so.
const TELLING: Duration = Duration::from_secs(2);
/// Such connections at a time, in all and of one organisation; beyond it they are closed without a word.
const TOLD_AT_ONCE: usize = 64;
const TOLD_AT_ONCE_OF_ONE: usize = 8;

/// What network connections are accepted with.
pub(crate) struct Network {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) revocation: Arc<Revocation>,
}

/// Everything that serves, until it is stopped.
pub(crate) struct Serving {
    stopper: Stopper,
    _handshakes: Handshakes,
    limits: Arc<Limits>,
}

/// The runtime of handshakes. At the end it is left behind and not waited for: a signature may hang in the HSM.
struct Handshakes(Option<Runtime>);

impl Drop for Handshakes {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Serving {
    /// Begins to accept on both listeners; must be called within a runtime.
    pub(crate) fn begin<D: Desk>(desk: Arc<D>, limits: Arc<Limits>, network: Network, control: Option<UnixListener>) -> io::Result<Self> {
        let handshakes = handshake_runtime(&limits)?;
        let (stopper, stop) = stopper();
        let door = Arc::new(Door {
            handshaking: Places::new((limits.connections / 2).max(16), (limits.connections / 10).max(8)),
            places: Places::new(limits.connections, limits.connections_per_organisation),
            telling: Places::new(TOLD_AT_ONCE, TOLD_AT_ONCE_OF_ONE),
            bodies: Places::new(limits.bodies, limits.bodies_per_organisation),
            acceptor: TlsAcceptor::from(network.tls),
            handshakes: handshakes.handle().clone(),
            revocation: network.revocation,
            desk: Arc::clone(&desk),
            limits: Arc::clone(&limits),
        });
        tokio::spawn(accept_network(door, network.listener, stop.clone()));
        if let Some(listener) = control {
            tokio::spawn(accept_control(desk, Arc::clone(&limits), own_uid()?, listener, stop));
        }
        Ok(Self { stopper, _handshakes: Handshakes(Some(handshakes)), limits })
    }

    /// Accepts nothing more, lets open requests finish, and returns; true where all of them did in time.
    pub(crate) async fn stop(self) -> bool {
        self.stopper.stop(self.limits.stop).await
    }
}

fn handshake_runtime(limits: &Limits) -> io::Result<Runtime> {
    let threads = limits.handshake_threads.max(1);
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).thread_name("handshake").enable_time().build()
}

/// What a network connection meets.
struct Door<D> {
    /// Unfinished handshakes, by where they come from.
    handshaking: Places<IpAddr>,
    /// Connections; those of organisations that may do nothing share one part.
    places: Places<Option<OrganisationId>>,
    /// Connections beyond their organisation's limit.
    telling: Places<Option<OrganisationId>>,
    bodies: Bodies,
    acceptor: TlsAcceptor,
    handshakes: tokio::runtime::Handle,
    revocation: Arc<Revocation>,
    desk: Arc<D>,
    limits: Arc<Limits>,
}

async fn accept_network<D: Desk>(door: Arc<Door<D>>, listener: TcpListener, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.asked() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // over a limit: no place is given, so the stream is dropped, which closes it before a byte is read
            Ok((stream, from)) => {
                if let Some(place) = door.place_to_begin(from.ip()) {
                    tokio::spawn(Arc::clone(&door).connect(stream, place, stop.clone()));
                }
            }
            Err(error) => breathe(&error).await,
        }
    }
}

/// A failed accept is a client that went away, or want of something that comes back.
async fn breathe(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted) {
        log::warn!(target: "contactpoint::edge", error:% = error; "a connection could not be accepted");
        tokio::time::sleep(BREATH).await;
    }
}

impl<D: Desk> Door<D> {
    fn place_to_begin(&self, from: IpAddr) -> Option<Place<IpAddr>> {
        if self.places.is_full() {
            return None;
        }
        self.handshaking.take(source(from), 1).ok()
    }

    async fn connect(self: Arc<Self>, stream: TcpStream, handshaking: Place<IpAddr>, stop: Stop) {
        let Some(stream) = self.handshake(stream).await else { return };
        drop(handshaking);
        let Some(certificate) = shown(&stream) else { return };
        let channel = Channel::Certificate { key: certificate.key() };
        let organisation = self.desk.organisation(&channel);
        let certificate = Some((certificate, Arc::clone(&self.revocation)));
        let bodies = self.bodies.clone();
        let peer = Peer { side: Side::Network, channel, organisation, certificate, bodies, is_one_too_many: false };
        match self.places.take(organisation, 1) {
            Ok(_place) => self.serve(peer, stream, stop).await,
            Err(Full::OfOne) => self.tell(Peer { is_one_too_many: true, ..peer }, stream, stop).await,
            Err(Full::InAll) => {}
        }
    }

    async fn serve(&self, peer: Peer, stream: TlsStream<TcpStream>, stop: Stop) {
        let protocol = chosen(&stream);
        connection::serve(Arc::clone(&self.desk), Arc::clone(&self.limits), peer, stream, protocol, stop).await;
    }

    /// Beyond its organisation's limit: has no place among the others, and lives no longer than it takes to be told.
    async fn tell(&self, peer: Peer, stream: TlsStream<TcpStream>, stop: Stop) {
        let Ok(_place) = self.telling.take(peer.organisation, 1) else { return };
        drop(tokio::time::timeout(TELLING, self.serve(peer, stream, stop)).await);
    }

    /// The handshake, on the threads that may wait for the HSM. `None` where it failed or took too long; TLS has said why in its alert.
    async fn handshake(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        stream.set_nodelay(true).ok()?;
        let handshake = tokio::time::timeout(self.limits.handshake, self.acceptor.accept(stream));
        match self.handshakes.spawn(handshake).await {
            Ok(Ok(Ok(stream))) => Some(stream),
            Ok(Ok(Err(error))) => {
                log::info!(target: "contactpoint::tls", error:% = error; "a handshake failed");
                None
            }
            // too slow, or stopping
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

fn shown(stream: &TlsStream<TcpStream>) -> Option<PeerCertificate> {
    PeerCertificate::of(stream.get_ref().1.peer_certificates()?.first()?).ok()
}

fn chosen(stream: &TlsStream<TcpStream>) -> Protocol {
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Protocol::Http2
    } else {
        Protocol::Http1
    }
}

async fn accept_control<D: Desk>(desk: Arc<D>, limits: Arc<Limits>, own: u32, listener: UnixListener, mut stop: Stop) {
    // its own count: a full network must not lock the officers out
    let places: Places<u32> = Places::new(16, 16);
    let bodies = Bodies::new(limits.bodies, limits.bodies);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.asked() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let place = permitted_uid(&stream, own).map(|uid| (uid, places.take(uid, 1)));
                if let Some((uid, Ok(place))) = place {
                    let peer = officer(uid, bodies.clone());
                    tokio::spawn(serve_control(Arc::clone(&desk), Arc::clone(&limits), stream, peer, place, stop.clone()));
                }
            }
            Err(error) => breathe(&error).await,
        }
    }
}

fn officer(uid: u32, bodies: Bodies) -> Peer {
    let channel = Channel::Local { uid };
    Peer { side: Side::Control, channel, organisation: None, certificate: None, bodies, is_one_too_many: false }
}

async fn serve_control<D: Desk>(desk: Arc<D>, limits: Arc<Limits>, stream: UnixStream, peer: Peer, _place: Place<u32>, stop: Stop) {
    connection::serve(desk, limits, peer, stream, Protocol::Http1, stop).await;
}

/// The peer's user (SO_PEERCRED), if it is root or the daemon's own; anybody else's connection is closed unread.
fn permitted_uid(stream: &UnixStream, own: u32) -> Option<u32> {
    let uid = stream.peer_cred().ok()?.uid();
    let permitted = is_permitted(uid, own);
    if !permitted {
        log::warn!(target: "contactpoint::edge", uid; "the control socket was used by another user");
    }
    permitted.then_some(uid)
}

fn is_permitted(uid: u32, own: u32) -> bool {
    uid == 0 || uid == own
}

/// The daemon's own user: the peer of a socket that it made itself.
fn own_uid() -> io::Result<u32> {
    Ok(UnixStream::pair()?.0.peer_cred()?.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_socket_is_for_root_and_the_daemons_own_user_and_for_nobody_else() {
        // architecture, interfaces: the control socket asks who its peer is (SO_PEERCRED)
        for (uid, own, permitted) in
            [(0, 990, true), (990, 990, true), (991, 990, false), (1000, 990, false), (1, 0, false), (u32::MAX, 990, false)]
        {
            assert_eq!(is_permitted(uid, own), permitted, "{uid} asks {own}");
        }
    }
}
