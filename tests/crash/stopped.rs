//! What a stopped daemon left: its state opened once more with its own keys, in a child process, since a PKCS#11 module is loaded once a process
//! and finds its token by the environment.

use contactpoint_operator::custody::open_appliance;
use contactpoint_settings::{Directories, Settings};
use contactpoint_support::Rig;
use std::process::Command;

/// Set for the child, so that `cargo test -- --include-ignored` does not run it by itself.
const IS_CHILD: &str = "CONTACTPOINT_TEST_CHILD";

/// The log as it was left.
pub(crate) struct Stopped {
    /// Entries in it.
    pub(crate) entries: u64,
    /// Its newest signed head, a C2SP note.
    pub(crate) checkpoint: String,
}

impl Stopped {
    /// Reads the state directory of a rig whose daemon has ended.
    pub(crate) fn read(rig: &Rig) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "stopped::the_log_as_it_was_left", "--ignored", "--nocapture"]);
        child.env(IS_CHILD, "yes").envs(rig.place.environment(&rig.token));
        let output = child.output().expect("this program runs");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        let (_, told) = said.split_once("ENTRIES ").expect("the child told");
        let (entries, rest) = told.split_once('\n').expect("a line");
        let (checkpoint, _) = rest.split_once("END").expect("a note");
        Self { entries: entries.parse().expect("a number"), checkpoint: checkpoint.to_owned() }
    }
}

#[test]
#[ignore = "a child of the test of an orderly stop"]
fn the_log_as_it_was_left() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    let directories = Directories::from_environment(|name| std::env::var_os(name)).unwrap();
    let settings = Settings::load(&directories.configuration).unwrap();
    let store = open_appliance(&directories, &settings).unwrap_or_else(|fault| panic!("{fault}")).store.begin_unlocked().unwrap();
    println!("ENTRIES {}\n{}END", store.log_size(), store.log_checkpoint().unwrap());
}
