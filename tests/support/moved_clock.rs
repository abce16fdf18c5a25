//! A daemon whose calendar a test can put ahead: half an hour, a week. The daemon is the shipped one; moved_clock.c stands between it and the
//! system's clock.

use crate::rig::Programs;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A calendar and how far it is ahead. It only ever goes forward, as the daemon's does.
pub struct MovedClock {
    folder: TempDir,
    ahead: AtomicU64,
}

impl MovedClock {
    /// One that is not ahead yet.
    ///
    /// # Panics
    /// Where there is no C compiler, or no folder to put things in.
    #[must_use]
    pub fn made() -> Self {
        let folder = tempfile::Builder::new().prefix("contactpoint-clock-").tempdir().expect("a temporary folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("moved_clock.c");
        let library = folder.path().join("moved_clock.so");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status().expect("cc: run `make deps`");
        assert!(built.success(), "cc ended with {built}");
        fs::write(folder.path().join("ahead"), 0u64.to_le_bytes()).expect("a file of eight bytes");
        Self { folder, ahead: AtomicU64::new(0) }
    }

    /// The same programs, with a daemon that lives by this calendar.
    ///
    /// # Panics
    /// Where its starter cannot be written.
    #[must_use]
    pub fn with_daemon_of(&self, programs: Programs) -> Programs {
        let (path, starter) = (self.folder.path(), self.folder.path().join("daemon"));
        let text = format!(
            "#!/bin/sh\nLD_PRELOAD='{library}' MOVED_CLOCK='{ahead}' exec '{daemon}'\n",
            library = path.join("moved_clock.so").display(),
            ahead = path.join("ahead").display(),
            daemon = programs.daemon.display()
        );
        fs::write(&starter, text).expect("the starter");
        fs::set_permissions(&starter, fs::Permissions::from_mode(0o700)).expect("a program");
        Programs { daemon: starter, ..programs }
    }

    /// Puts it further ahead.
    ///
    /// # Panics
    /// Where the file is gone.
    pub fn move_on(&self, by: Duration) {
        let ahead = self.ahead.fetch_add(by.as_secs(), Ordering::SeqCst) + by.as_secs();
        let file = fs::File::options().write(true).open(self.folder.path().join("ahead")).expect("the file");
        // one write of eight bytes: the daemon never sees half of it
        file.write_all_at(&ahead.to_le_bytes(), 0).expect("eight bytes");
    }

    /// How far it is ahead.
    #[must_use]
    pub fn ahead(&self) -> Duration {
        Duration::from_secs(self.ahead.load(Ordering::SeqCst))
    }
}
