//! The sockets that the service manager opened before it started us (sd_listen_fds(3)): the daemon itself never binds.

use crate::HardeningError;
use nix::fcntl::{fcntl, FcntlArg, FdFlag, OFlag};
use nix::sys::socket::{getsockname, getsockopt, sockopt, AddressFamily, SockType, SockaddrLike, SockaddrStorage};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

/// The first descriptor that is handed over (SD_LISTEN_FDS_START).
const FIRST: RawFd = 3;
/// One TCP socket and one Unix socket.
const MOST: u32 = 2;

/// The sockets to serve on, non-blocking and close-on-exec.
#[derive(Debug)]
pub struct Listeners {
    /// TCP, for organisations over mutual TLS.
    pub https: TcpListener,
    /// Unix, for the operators' tool on this machine.
    pub control: Option<UnixListener>,
}

/// Takes the sockets that LISTEN_PID and LISTEN_FDS tell of. Which is which is told by their family, not by their order. Works once a
/// process.
///
/// # Errors
/// No sockets, sockets for another process, two of one family, something that does not listen: a variant each, see [`HardeningError`].
pub fn inherited_listeners() -> Result<Listeners, HardeningError> {
    let count = handed_over()?;
    // The flag keeps two owners of one descriptor from coming into being.
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(HardeningError::AlreadyTaken);
    }
    sorted((FIRST..).take(count as usize))
}

/// The number of descriptors that are meant for this process.
fn handed_over() -> Result<u32, HardeningError> {
    let meant = number("LISTEN_PID", u32::MAX)?;
    let this = std::process::id();
    if meant != this {
        return Err(HardeningError::AnotherProcess { meant, this });
    }
    let count = number("LISTEN_FDS", 1024)?;
    if count > MOST {
        return Err(HardeningError::TooManyListeners { count });
    }
    Ok(count)
}

fn number(variable: &'static str, most: u32) -> Result<u32, HardeningError> {
    let text = std::env::var_os(variable).ok_or(HardeningError::NoListeners { variable })?;
    let parsed = text.to_str().and_then(|text| text.parse().ok());
    parsed.filter(|value| (1..=most).contains(value)).ok_or(HardeningError::MalformedVariable { variable, most })
}

fn sorted(descriptors: impl Iterator<Item = RawFd>) -> Result<Listeners, HardeningError> {
    let (mut https, mut control) = (None, None);
    for descriptor in descriptors {
        let socket = owned(descriptor)?;
        match family(&socket)? {
            AddressFamily::Inet | AddressFamily::Inet6 => put(&mut https, TcpListener::from(socket), "TCP")?,
            AddressFamily::Unix => put(&mut control, UnixListener::from(socket), "Unix")?,
            _other => return Err(HardeningError::WrongFamily { descriptor }),
        }
    }
    https.map(|https| Listeners { https, control }).ok_or(HardeningError::NoHttps)
}

fn put<T>(place: &mut Option<T>, socket: T, family: &'static str) -> Result<(), HardeningError> {
    match place.replace(socket) {
        None => Ok(()),
        Some(_) => Err(HardeningError::Twice { family }),
    }
}

/// Takes one descriptor over and prepares it.
fn owned(descriptor: RawFd) -> Result<OwnedFd, HardeningError> {
    // SAFETY: the borrow lasts for one fcntl(2), which answers EBADF where the number is not open; nothing is closed.
    let open = fcntl(unsafe { BorrowedFd::borrow_raw(descriptor) }, FcntlArg::F_GETFD).is_ok();
    if !open {
        return Err(HardeningError::NotOpen { descriptor });
    }
    // SAFETY: the descriptor is open, and by sd_listen_fds(3) it was made for this process, which has not touched it: `inherited_listeners`
    // runs this once a process (TAKEN), so nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    prepare(&socket).map_err(|source| HardeningError::NotPrepared { descriptor, source })?;
    Ok(socket)
}

fn prepare(socket: &OwnedFd) -> nix::Result<()> {
    fcntl(socket.as_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let flags = OFlag::from_bits_retain(fcntl(socket.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(socket.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).map(drop)
}

/// The address family of a listening stream socket.
fn family(socket: &OwnedFd) -> Result<AddressFamily, HardeningError> {
    let not_listening = HardeningError::NotListening { descriptor: socket.as_raw_fd() };
    let stream = getsockopt(socket, sockopt::SockType) == Ok(SockType::Stream);
    let listening = getsockopt(socket, sockopt::AcceptConn) == Ok(true);
    if !(stream && listening) {
        return Err(not_listening);
    }
    let address: SockaddrStorage = getsockname(socket.as_raw_fd()).map_err(|_errno| not_listening)?;
    address.family().ok_or(HardeningError::WrongFamily { descriptor: socket.as_raw_fd() })
}
