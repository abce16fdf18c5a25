//! The real daemon as a child process: started on the rig's sockets, waited for by its own word, stopped kindly or not.

use crate::sockets::Sockets;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How long a start may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running daemon. Killed on drop.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

/// The daemon ended before it was ready.
#[derive(Debug)]
pub struct DidNotStart {
    /// How it ended; `None` where it hung and was killed.
    pub status: Option<ExitStatus>,
    /// What it said.
    pub log: String,
}

impl Daemon {
    /// Starts `program` with this environment and nothing of ours, and waits for READY=1 (sd_notify(3)).
    pub(crate) fn start(
        program: &Path,
        sockets: &Sockets,
        environment: &[(&str, OsString)],
        folder: &Path,
    ) -> Result<Self, Box<DidNotStart>> {
        let notify_path = folder.join("notify.sock");
        let _ = fs::remove_file(&notify_path);
        let notify = UnixDatagram::bind(&notify_path).expect("a notify socket in the rig's folder");
        let log = folder.join("daemon.log");
        let output = File::options().create(true).append(true).open(&log).expect("a log in the rig's folder");
        let mut command = sockets.command(program);
        command.env_clear().env("LISTEN_FDS", "2").env("PATH", "/usr/bin:/bin").env("NOTIFY_SOCKET", &notify_path);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone().expect("a second descriptor")).stderr(output);
        let mut daemon = Self { child: command.spawn().expect("sh runs"), log };
        match daemon.wait_until_ready(&notify) {
            Ok(()) => Ok(daemon),
            Err(status) => Err(Box::new(DidNotStart { status, log: daemon.log() })),
        }
    }

    fn wait_until_ready(&mut self, notify: &UnixDatagram) -> Result<(), Option<ExitStatus>> {
        notify.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let begun = Instant::now();
        let mut message = [0u8; 4096];
        while begun.elapsed() < PATIENCE {
            match notify.recv(&mut message) {
                Ok(length) if message[..length].split(|byte| *byte == b'\n').any(|line| line == b"READY=1") => return Ok(()),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                    if let Some(status) = self.child.try_wait().expect("our own child") {
                        return Err(Some(status));
                    }
                }
                Err(error) => panic!("the notify socket: {error}"),
            }
        }
        Err(None)
    }

    /// Process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it, and those before it in this rig, said on standard output and error.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGKILL, as a power cut; waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, as systemd stops a service; waits for its end.
    ///
    /// # Panics
    /// Where it has not ended within thirty seconds.
    pub fn stop(self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Waits for an end that comes by itself.
    ///
    /// # Panics
    /// Where it has not come within thirty seconds.
    pub fn ended(mut self) -> ExitStatus {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the daemon did not end:\n{}", self.log());
    }

    /// Sends a signal: SIGHUP, SIGSTOP, ...
    pub fn signal(&self, signal: Signal) {
        if let Ok(number) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(number), signal);
        }
    }

    /// Resident memory in KiB (VmRSS of proc_pid_status(5)).
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
