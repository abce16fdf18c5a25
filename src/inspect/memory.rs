//! The memory of the process: what is mapped from where, and how secrets lie in it (proc_pid_maps(5), proc_pid_smaps(5)).

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// What an upgrade asks for: the daemon runs with the old file until then, and so would it with one that somebody slipped in.
const RESTART: &str = "restart contactpointd after an upgrade; without one, ask who exchanged it";

/// One line of /proc/PID/maps.
struct Mapping<'a> {
    range: &'a str,
    permissions: &'a str,
    path: &'a str,
    line: &'a str,
}

fn mappings(maps: &str) -> impl Iterator<Item = Mapping<'_>> {
    maps.lines().filter_map(|line| {
        let mut words = line.splitn(6, ' ');
        let (range, permissions) = (words.next()?, words.next()?);
        Some(Mapping { range, permissions, path: words.nth(3).unwrap_or_default().trim(), line })
    })
}

/// No page can be written and run.
pub fn write_execute(maps: &Reading) -> Observation {
    let mut look = Look::at("process.memory", "no mapping that is writable and executable");
    if let Some(text) = look.read(maps) {
        let offenders: Vec<&str> =
            mappings(text).filter(|m| m.permissions.contains('w') && m.permissions.contains('x')).map(|m| m.line).collect();
        let count = mappings(text).count();
        match offenders.as_slice() {
            [] if count == 0 => look.unseen(&maps.source, "no mapping is shown"),
            [] => look.found(&maps.source, format!("{count} mappings, none of them writable and executable"), true),
            lines => lines.iter().for_each(|line| look.found(&maps.source, *line, false)),
        }
    }
    look.done()
}

/// Code comes from the program, the system's folders, and the HSM's module; never from elsewhere, never from a deleted file or from memory.
pub fn libraries(maps: &Reading, program: &Reading, module: Option<&str>) -> Observation {
    let mut look = Look::at("process.memory", "code only from the program, from below /usr, and from the HSM's module");
    let (Some(text), Some(program)) = (look.read(maps), look.read(program)) else { return look.done() };
    let of_kernel = ["[vdso]", "[vsyscall]"];
    let is_expected = |path: &str| {
        let is_there = installed(path) && !path.ends_with("(deleted)");
        is_there || path == program || Some(path) == module || of_kernel.contains(&path)
    };
    let mut paths: Vec<&str> = mappings(text).filter(|m| m.permissions.contains('x')).map(|m| m.path).collect();
    paths.dedup();
    let (expected, others): (Vec<&str>, Vec<&str>) = paths.into_iter().partition(|path| is_expected(path));
    for path in others {
        let told = match path.strip_suffix(" (deleted)") {
            Some(path) if installed(path) => format!("{path} was replaced since the start: {RESTART}"),
            _ if path.is_empty() => "code in memory of no file".to_owned(),
            _ => path.to_owned(),
        };
        look.found(&maps.source, told, false);
    }
    if expected.is_empty() {
        look.unseen(&maps.source, "no code is shown");
    } else {
        look.found(&maps.source, expected.join(" "), true);
    }
    look.done()
}

fn installed(path: &str) -> bool {
    ["/usr/", "/lib/", "/lib64/"].iter().any(|folder| path.starts_with(folder))
}

/// Address range and path of each mapping of a file whose code can be run.
pub(crate) fn code(maps: &str) -> impl Iterator<Item = (&str, &str)> {
    mappings(maps).filter(|m| m.permissions.contains('x') && m.path.starts_with('/')).map(|m| (m.range, m.path))
}

/// Each file of code is the one that the machine has at its path: none was mounted over it for the moment of the start. See [`same`].
pub fn code_files(files: &Reading) -> Observation {
    same(Look::at("process.memory", "each file of code is the file that the machine has at that path"), files)
}

/// The process sees the settings that the machine has: neither folder nor file was mounted over for the moment of the start. See [`same`].
pub fn settings_files(files: &Reading) -> Observation {
    same(Look::at("process.mounts", "the configuration that the process sees is the machine's, file by file"), files)
}

/// Lines "254:1835 254:1835 /path": device and inode as the process has it, and as the machine has it now ("-": nothing there).
fn same(mut look: Look, files: &Reading) -> Observation {
    let Some(text) = look.read(files) else { return look.done() };
    let mut count = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words[..] {
            [own, machines, _] if own == machines => count += 1,
            _ => look.found(&files.source, format!("{line}: another file than the process has; {RESTART}"), false),
        }
    }
    if count > 0 {
        look.found(&files.source, format!("{count} files are the machine's own"), true);
    }
    look.done()
}

/// Our secrets lie on locked pages (`lo`) that are left out of core files (`dd`) and children (`dc`). Others lock memory as well (the HSM's
/// module, SQLCipher) and leave the rest to the process not being dumpable: they are told, and are no fault.
pub fn locked_memory(smaps: &Reading) -> Observation {
    let mut look = Look::at("process.memory", "memory for secrets: locked (lo), out of core files (dd) and of children (dc)");
    if let Some(text) = look.read(smaps) {
        let flags = text.lines().filter_map(|line| line.strip_prefix("VmFlags:"));
        let has = |flags: &str, wanted: &[&str]| wanted.iter().all(|flag| flags.split_whitespace().any(|word| word == *flag));
        let locked: Vec<&str> = flags.filter(|flags| has(flags, &["lo"])).collect();
        let whole = locked.iter().filter(|flags| has(flags, &["dd", "dc"])).count();
        look.found(&smaps.source, format!("{whole} mappings with lo, dd and dc; {} with lo alone", locked.len() - whole), whole > 0);
    }
    look.done()
}
