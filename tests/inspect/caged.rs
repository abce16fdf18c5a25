//! The rig's daemon in a cage of the test's own, as another user, and `contactpointctl inspect` over it.

use contactpoint_support::{Programs, Rig};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The cage: what of the unit a shell can do. `$PROGRAM` and `$FOLDER` are the test's.
pub(crate) const CAGE: &str = "exec unshare --net --mount --ipc --uts setpriv --reuid=65534 --regid=65534 --clear-groups \
     --bounding-set=-all --inh-caps=-all --no-new-privs \"$PROGRAM\" 2>/dev/null";

/// A rig whose daemon runs in a cage.
pub(crate) struct Caged {
    pub(crate) rig: Rig,
    program: PathBuf,
    pid: Option<u32>,
    /// Somebody outside, for a line out.
    outside: TcpListener,
}

/// What an inspection gave.
pub(crate) struct Seen {
    pub(crate) status: i32,
    report: serde_json::Value,
}

impl Seen {
    /// "check: expected" of every look that does not hold.
    pub(crate) fn not_holding(&self) -> BTreeSet<String> {
        let looks = self.report["observations"].as_array().expect("observations");
        let lowered = looks.iter().filter(|look| look["verdict"] != "holds");
        lowered.map(|look| format!("{}: {}", look["check"].as_str().unwrap_or(""), look["expected"].as_str().unwrap_or(""))).collect()
    }

    /// What was seen of what does not hold, for a failing test.
    pub(crate) fn text(&self) -> String {
        let looks = self.report["observations"].as_array().expect("observations");
        let lowered: Vec<_> = looks.iter().filter(|look| look["verdict"] != "holds").collect();
        serde_json::to_string_pretty(&lowered).unwrap_or_default()
    }
}

impl Caged {
    /// Everything but the daemon; the rig's folder and a copy of the program belong to the other user.
    pub(crate) fn prepared() -> Self {
        assert!(nix::unistd::geteuid().is_root(), "inspect is for root, and so is its test: run it as root");
        let programs = Programs::beside(env!("CARGO_BIN_EXE_contactpointd"));
        let mut rig = Rig::prepared(programs, None);
        // as the package is shipped: what is off its default is told
        let settings = rig.place.configuration().join("contactpointd.toml");
        let shipped = std::fs::read_to_string(&settings).expect("settings").replace("detection = \"\"", "detection = \"detection.toml\"");
        std::fs::write(settings, shipped).expect("settings");
        let program = rig.folder().join("contactpointd");
        // the checkout may lie where the other user cannot go
        std::fs::copy(&rig.programs.daemon, &program).expect("a copy of the program");
        std::fs::copy(libgcc(), rig.folder().join("slipped.so")).expect("a library to slip in");
        std::fs::write(rig.folder().join("foreign"), "").expect("a foreign file");
        rig.programs.daemon = rig.folder().join("caged");
        run("chmod", &["-R", "u=rwX,go=", &text(&rig.place.state())]);
        run("chown", &["-R", "65534:65534", &text(rig.folder())]);
        // the control socket's own folder: only root may put another one in its place
        run("chown", &["root:root", &text(rig.folder())]);
        std::fs::set_permissions(rig.folder(), PermissionsExt::from_mode(0o755)).expect("a folder that is found");
        run("chown", &["-R", "root:65534", &text(&rig.place.configuration())]);
        run("chmod", &["-R", "u=rwX,g=rX,o=", &text(&rig.place.configuration())]);
        run("chown", &["root:root", &text(rig.sockets.control_path())]);
        run("chmod", &["0600", &text(rig.sockets.control_path())]);
        Self { rig, program, pid: None, outside: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    /// Starts the daemon in this cage, after the one before has ended.
    pub(crate) fn start(&mut self, cage: &str) {
        self.rig.kill();
        let port = self.outside.local_addr().expect("an address").port();
        let (program, folder) = (self.program.display(), self.rig.folder().display());
        // the other user may tell the rig that it is ready
        let told = "chmod 0666 \"$NOTIFY_SOCKET\"";
        let script = format!("#!/bin/bash\nPROGRAM='{program}'\nFOLDER='{folder}'\nOUTSIDE={port}\n{told}\n{cage}\n");
        std::fs::write(&self.rig.programs.daemon, script).expect("a script");
        std::fs::set_permissions(&self.rig.programs.daemon, PermissionsExt::from_mode(0o755)).expect("a program");
        self.rig.start();
        self.pid = Some(self.rig.daemon().id());
    }

    /// Ends the daemon.
    pub(crate) fn kill(&mut self) {
        self.rig.kill();
    }

    /// Looks, and reads what was seen.
    pub(crate) fn inspect(&self, arguments: &[&str]) -> Seen {
        let output = self.output(&[&["--format", "json"], arguments].concat());
        let report = serde_json::from_slice(&output.stdout);
        assert!(output.status.code().is_some_and(|status| [0, 1, 3].contains(&status)), "{output:?}");
        Seen { status: output.status.code().unwrap_or(-1), report: report.expect("JSON") }
    }

    /// Looks, and hands back what was said.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.output(arguments).stdout).expect("UTF-8")
    }

    /// Looks without being root: exit status, and what was said on the standard error.
    pub(crate) fn inspect_as_nobody(&self, arguments: &[&str]) -> (i32, String) {
        let copy = self.rig.folder().join("contactpointctl");
        std::fs::copy(&self.rig.programs.operator, &copy).expect("a copy of the program");
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65533", "--regid=65533", "--clear-groups"]).arg(copy);
        let output = command.args(self.arguments(arguments)).output().expect("setpriv runs");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn output(&self, arguments: &[&str]) -> Output {
        Command::new(&self.rig.programs.operator).args(self.arguments(arguments)).output().expect("contactpointctl runs")
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let place = &self.rig.place;
        let named = [
            ("--pid", self.pid.expect("a daemon was started").to_string()),
            ("--state", text(&place.state())),
            ("--configuration", text(&place.configuration())),
            ("--socket", text(self.rig.sockets.control_path())),
        ];
        let named = named.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        ["inspect".to_owned()].into_iter().chain(named).chain(more.iter().map(|word| (*word).to_owned())).collect()
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().expect("it runs").success(), "{program} {arguments:?}");
}

/// Any library of the system, to be loaded from where none should be.
fn libgcc() -> PathBuf {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    folders.iter().map(|folder| Path::new(folder).join("libgcc_s.so.1")).find(|path| path.is_file()).expect("libgcc")
}
