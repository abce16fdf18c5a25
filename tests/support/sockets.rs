//! The sockets as systemd holds them: bound once, handed over at each start, still there while the daemon is not.

use command_fds::{CommandFdExt, FdMapping};
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A TCP listener on a free loopback port and a Unix listener in the rig's folder.
pub struct Sockets {
    https: TcpListener,
    control: UnixListener,
    control_path: PathBuf,
}

impl Sockets {
    /// Binds both.
    ///
    /// # Panics
    /// Where the system refuses.
    #[must_use]
    pub fn bound_in(folder: &Path) -> Self {
        let control_path = folder.join("control.sock");
        Self {
            https: TcpListener::bind("127.0.0.1:0").expect("a free loopback port"),
            control: UnixListener::bind(&control_path).expect("a socket in the rig's folder"),
            control_path,
        }
    }

    /// Where organisations connect.
    ///
    /// # Panics
    /// Never, once bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.https.local_addr().expect("a bound socket has an address")
    }

    /// Where operators connect.
    #[must_use]
    pub fn control_path(&self) -> &Path {
        &self.control_path
    }

    /// A command that runs `program` with both as descriptors 3 and 4, as sd_listen_fds(3) has it: the shell knows its own number and
    /// becomes the program.
    ///
    /// # Panics
    /// Where descriptors cannot be doubled.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let https: OwnedFd = self.https.try_clone().expect("another descriptor").into();
        let control: OwnedFd = self.control.try_clone().expect("another descriptor").into();
        let mappings = [(https, 3), (control, 4)].map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
        let mut command = Command::new("sh");
        command.args(["-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$@\"", "sh"]).args(traced()).arg(program).env("LISTEN_FDS", "2");
        command.fd_mappings(Vec::from(mappings)).expect("no two on one number");
        command
    }
}

/// Names the folder in which each daemon that a rig starts leaves a trace of its system calls (strace(1), arguments as numbers).
pub const TRACES: &str = "CONTACTPOINT_TRACES";

/// What stands before the program where its system calls are traced. The tracer is a grandchild (`-D`), so that the program keeps the number
/// that LISTEN_PID tells.
fn traced() -> Vec<OsString> {
    let Some(folder) = std::env::var_os(TRACES) else { return Vec::new() };
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let test = std::thread::current().name().unwrap_or_default().replace("::", ".");
    let file = format!("{test}-{}.trace", NEXT.fetch_add(1, Ordering::Relaxed));
    let raw = "raw=!openat,unlink";
    let mut words: Vec<OsString> =
        ["strace", "-D", "-f", "-q", "-s", "4096", "-e", raw, "-e", "signal=none", "-o"].map(OsString::from).into();
    words.push(Path::new(&folder).join(file).into());
    words
}
