//! The lock-down as a whole, and what Landlock leaves of each place, tried in children.

use crate::child_tests::{child, is_child};
use crate::{apply_landlock, lock_down, HsmAttachment, Surroundings};
use nix::sys::stat::{makedev, mknod, Mode, SFlag};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{symlink, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Below FOLDER, which the test made; READS is a place of the HSM's.
fn surroundings() -> Surroundings {
    let folder = PathBuf::from(std::env::var_os("FOLDER").unwrap());
    let reads = std::env::var_os("READS").map(PathBuf::from).into_iter().collect();
    let (state, configuration) = (folder.join("state"), folder.join("configuration"));
    Surroundings { state, configuration, reads, writes: vec![], attachment: HsmAttachment::Files }
}

const PLACES: [&str; 3] = ["state", "configuration", "outside"];

/// Three places alike. The loader is a program that needs no other file to be executed.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let is_loader = |path: &&str| Path::new(path).file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-"));
    let loader = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(is_loader).unwrap();
    for place in PLACES.map(|place| folder.path().join(place)) {
        fs::create_dir_all(place.join("empty")).unwrap();
        fs::write(place.join("file"), "here").unwrap();
        fs::write(place.join("spare"), "here").unwrap();
        // by another process: a file that this one has open for writing could not be executed
        assert!(Command::new("cp").args([loader.as_ref(), place.join("program").as_os_str()]).status().unwrap().success());
    }
    folder
}

fn node(path: &Path, kind: SFlag) -> io::Result<()> {
    mknod(path, kind, Mode::S_IRUSR, makedev(1, 3)).map_err(io::Error::from)
}

type Attempt = (&'static str, fn(&Path) -> io::Result<()>);

const ATTEMPTS: [Attempt; 16] = [
    ("look", |place| fs::metadata(place.join("file")).map(drop)),
    ("hold", |place| OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(place.join("file")).map(drop)),
    ("read", |place| File::open(place.join("file")).map(drop)),
    ("list", |place| fs::read_dir(place).map(drop)),
    ("write", |place| OpenOptions::new().write(true).open(place.join("file")).map(drop)),
    ("cut", |place| OpenOptions::new().write(true).truncate(true).open(place.join("file")).map(drop)),
    ("make", |place| File::create_new(place.join("new")).map(drop)),
    ("remove", |place| fs::remove_file(place.join("spare"))),
    // no /dev/null for its input: that could not be opened
    ("execute", |place| Command::new(place.join("program")).arg("--version").stdin(Stdio::inherit()).output().map(drop)),
    ("folder", |place| fs::create_dir(place.join("folder"))),
    ("no-folder", |place| fs::remove_dir(place.join("empty"))),
    ("symlink", |place| symlink("file", place.join("symlink"))),
    ("pipe", |place| node(&place.join("pipe"), SFlag::S_IFIFO)),
    ("socket", |place| node(&place.join("socket"), SFlag::S_IFSOCK)),
    ("character-device", |place| node(&place.join("character-device"), SFlag::S_IFCHR)),
    ("block-device", |place| node(&place.join("block-device"), SFlag::S_IFBLK)),
];

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_places_are_tried() {
    if !is_child() {
        return;
    }
    let folder = PathBuf::from(std::env::var_os("FOLDER").unwrap());
    if std::env::var_os("LOCKED").is_some() {
        apply_landlock(&surroundings()).unwrap();
    }
    for place in PLACES {
        for (what, attempt) in ATTEMPTS {
            let answer = attempt(&folder.join(place)).map_or_else(|error| error.raw_os_error().unwrap(), |()| 0);
            println!("TOLD {place} {what} {answer}");
        }
    }
}

/// What the child said, a line each.
fn told(test: &str, environment: &str) -> Vec<String> {
    let output = child(&format!("lock_down_tests::{test}"), environment, vec![]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().filter_map(|line| line.split_once("TOLD ")).map(|(_, told)| told.to_owned()).collect()
}

#[test]
fn a_place_is_for_what_its_line_says_and_for_nothing_more() {
    // G5: no directory, symbolic link, pipe, socket or device is made, nothing is executed; what is outside can be looked at and no more
    let allowed = |place: &str| match place {
        "state" => ["look", "hold", "read", "list", "write", "cut", "make", "remove"].as_slice(),
        "configuration" => &["look", "hold", "read", "list"],
        _ => &["look", "hold"],
    };
    let tried = |locked: &str| {
        let folder = prepared();
        told("in_the_child_places_are_tried", &format!("FOLDER='{}' {locked} export FOLDER LOCKED;", folder.path().display()))
    };
    let answer = |place: &str, what: &str| if allowed(place).contains(&what) { 0 } else { libc::EACCES };
    let all = || PLACES.into_iter().flat_map(|place| ATTEMPTS.map(|(what, _)| (place, what)));
    let expected: Vec<String> = all().map(|(place, what)| format!("{place} {what} {}", answer(place, what))).collect();
    assert_eq!(tried("LOCKED=yes"), expected);
    // without the lock each of them works; a device for root alone
    let (devices, others): (Vec<String>, Vec<String>) = tried("").into_iter().partition(|told| told.contains("device"));
    assert!(others.len() == 42 && others.iter().all(|told| told.ends_with(" 0")), "{others:?}");
    assert!(devices.iter().all(|told| told.ends_with(" 0") || told.ends_with(" 1")), "{devices:?}");
}

/// Capabilities (inheritable, permitted, effective, ambient) and where the standard descriptors lead, of a process.
fn tell_of(when: &str, process: &str) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let set = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    for name in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        println!("TOLD {when} {name} {}", u64::from_str_radix(&set(name), 16).unwrap());
    }
    for descriptor in 0..3 {
        println!("TOLD {when} {descriptor} {}", fs::read_link(format!("/proc/{process}/fd/{descriptor}")).unwrap().display());
    }
}

#[test]
#[ignore = "a child of the tests below"]
fn in_the_child_a_process_with_one_thread_is_locked_down() {
    if !is_child() {
        return;
    }
    tell_of("before", "self");
    let (surroundings, (mut hears, mut says), (mut waits, holds)) = (surroundings(), io::pipe().unwrap(), io::pipe().unwrap());
    // SAFETY: the new process has this thread alone; it locks itself down, writes and reads a pipe, and ends without unwinding.
    match unsafe { libc::fork() } {
        0 => {
            drop(holds);
            let answer = lock_down(&surroundings).map(|locked| locked.report().landlock_tried);
            let _ = says.write_all(format!("{answer:?}").as_bytes());
            drop(says);
            let _ = waits.read(&mut [0]);
            // SAFETY: ends this process; nothing of it is needed any more.
            unsafe { libc::_exit(0) };
        }
        process => {
            drop(says);
            let mut answer = String::new();
            hears.read_to_string(&mut answer).unwrap();
            println!("TOLD {answer}");
            tell_of("locked", &process.to_string());
            drop(holds);
            // SAFETY: takes a number and no pointer but null.
            unsafe { libc::waitpid(process, std::ptr::null_mut(), 0) };
        }
    }
}

#[test]
#[ignore = "a child of the test below"]
fn in_the_child_another_thread_is_there() {
    if is_child() {
        // the test's own; the first waits for it
        println!("TOLD {:?}", lock_down(&surroundings()).map(|locked| locked.report().threads));
    }
}

/// Root has an ambient and an inheritable capability too; the standard input is a file.
fn environment(folder: &Path, more: &str) -> String {
    let capable = "[ $(id -u) != 0 ] || PREFIX='setpriv --inh-caps +chown --ambient-caps +chown'; exec <\"$0\";";
    format!("{capable} FOLDER='{}' {more} export FOLDER READS;", folder.display())
}

#[test]
fn a_locked_process_has_no_capability_and_nothing_on_its_standard_input_and_output() {
    // G5: locked down with nothing in hand
    let folder = prepared();
    let told = told("in_the_child_a_process_with_one_thread_is_locked_down", &environment(folder.path(), ""));
    let has = |line: &str| told.iter().any(|told| told == line);
    assert!(has("Ok(\"open(\\\"/\\\"): EACCES\")"), "{told:?}");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert!(has(&format!("locked {set} 0")), "{told:?}");
        assert!(!nix::unistd::geteuid().is_root() || !has(&format!("before {set} 0")), "there was one: {told:?}");
    }
    for descriptor in [0, 1] {
        assert!(has(&format!("locked {descriptor} /dev/null")), "{told:?}");
        assert!(!has(&format!("before {descriptor} /dev/null")), "{told:?}");
    }
    let errors = |when: &str| told.iter().find_map(|told| told.strip_prefix(&format!("{when} 2 "))).unwrap().to_owned();
    assert_eq!(errors("locked"), errors("before"), "the journal stays");
}

#[test]
fn a_process_with_a_second_thread_is_not_locked_down() {
    // G5: a thread that exists would stay outside Landlock
    let folder = prepared();
    let told = told("in_the_child_another_thread_is_there", &environment(folder.path(), ""));
    assert_eq!(told, ["Err(Threads { count: 2 })"]);
}

#[test]
fn a_landlock_without_effect_is_found_by_trying_it() {
    // G5: what is not in force is an error. A place that is the whole file system holds nothing.
    let folder = prepared();
    let told = told("in_the_child_a_process_with_one_thread_is_locked_down", &environment(folder.path(), "READS=/"));
    assert!(told.contains(&"Err(Landlock { why: \"it has no effect\" })".to_owned()), "{told:?}");
}
