//! The memory of the process: what is mapped from where, and how secrets lie in it (proc_pid_maps(5), proc_pid_smaps(5)).

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;

/// One line of /proc/PID/maps.
struct Mapping<'a> {
    permissions: &'a str,
    path: &'a str,
    line: &'a str,
}

fn mappings(maps: &str) -> impl Iterator<Item = Mapping<'_>> {
    maps.lines().filter_map(|line| {
        let mut words = line.splitn(6, ' ');
        let (_, permissions) = (words.next()?, words.next()?);
        Some(Mapping { permissions, path: words.nth(3).unwrap_or_default().trim(), line })
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
        let installed = ["/usr/", "/lib/", "/lib64/"].iter().any(|folder| path.starts_with(folder)) && !path.ends_with("(deleted)");
        installed || path == program || Some(path) == module || of_kernel.contains(&path)
    };
    let mut paths: Vec<&str> = mappings(text).filter(|m| m.permissions.contains('x')).map(|m| m.path).collect();
    paths.dedup();
    let (expected, others): (Vec<&str>, Vec<&str>) = paths.into_iter().partition(|path| is_expected(path));
    for path in others {
        look.found(&maps.source, if path.is_empty() { "code in memory of no file" } else { path }, false);
    }
    if expected.is_empty() {
        look.unseen(&maps.source, "no code is shown");
    } else {
        look.found(&maps.source, expected.join(" "), true);
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
