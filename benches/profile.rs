//! Where the daemon's processor time goes, by perf(1), where there is one: an extra turn that counts towards no other figure.

use crate::fault::Fault;
use crate::load::{run, Shape, Target};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Kinds of work and the words in a function's name that tell them, the first that fits.
const KINDS: &[(&str, &[&str])] = &[
    ("memory", &["malloc", "_int_", "cfree", "unlink_chunk", "tcache", "memcpy", "memmove", "memset", "calloc", "zeroize"]),
    ("hashing of the log's tree (sha2)", &["sha2::", "sha256_digest_blocks", "contactpoint_audit"]),
    ("TLS, and the sealing of records and entries (rustls, aws-lc)", &["aws_lc", "aesni", "aes_hw", "gcm", "vaes", "rustls", "aead"]),
    ("page encryption (SQLCipher, libcrypto)", &["cipher", "codec", "libcrypto", "evp_"]),
    ("the directory's own code", &["contactpoint_"]),
    ("the SQL engine", &["sqlite3", "btree", "vdbe", "pcache", "pager", "wal", "rusqlite", "cursor", "movetochild", "accesspayload"]),
    ("HTTP (hyper)", &["hyper", "httparse", "http::", "bytes"]),
    ("JSON and records (serde, postcard)", &["serde", "postcard", "json"]),
    ("the runtime and its queues", &["tokio", "mio", "mpsc", "parking", "oneshot"]),
];
const KERNEL: &str = "the kernel (sockets, writes, waking)";
const OTHER: &str = "other";

/// Shares of the daemon's time: by kind and by function, in per cent, largest first.
pub struct Profile {
    /// By kind of work.
    pub kinds: Vec<(String, f64)>,
    /// By function.
    pub functions: Vec<(String, f64)>,
}

/// One more turn under perf; `None` where there is no perf or it may not look.
pub fn profile(target: &Arc<Target>, shape: Shape, folder: &Path) -> Result<Option<Profile>, Fault> {
    let Some(daemon) = target.processes.first() else { return Ok(None) };
    let data = folder.join("perf.data");
    let seconds = (shape.warm_up + shape.window).as_secs_f64() + 1.0;
    let mut perf = Command::new("perf");
    perf.args(["record", "-q", "-e", "cpu-clock", "-F", "1997", "-p", &daemon.to_string(), "-o"]).arg(&data);
    perf.args(["--", "sleep", &format!("{seconds:.1}")]).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut recording) = perf.spawn() else { return Ok(None) };
    std::thread::sleep(Duration::from_millis(300));
    run(target, shape)?;
    if !recording.wait()?.success() {
        return Ok(None);
    }
    let told = Command::new("perf").args(["report", "-q", "--stdio", "--no-children", "--sort", "dso,symbol", "-i"]).arg(&data).output()?;
    Ok(Some(read(&String::from_utf8_lossy(&told.stdout))))
}

/// Lines such as ` 3.20%  contactpointd  [.] sqlite3VdbeExec`.
fn read(told: &str) -> Profile {
    let mut kinds: BTreeMap<&str, f64> = BTreeMap::new();
    let mut functions = Vec::new();
    for line in told.lines() {
        let mut words = line.split_whitespace();
        let share = words.next().and_then(|word| word.strip_suffix('%')).and_then(|share| share.parse::<f64>().ok());
        let (Some(share), Some(object), Some(place)) = (share, words.next(), words.next()) else { continue };
        // perf ends a line with the columns that it has nothing for
        let function = words.filter(|word| *word != "-").collect::<Vec<_>>().join(" ");
        *kinds.entry(kind(object, place, &function)).or_default() += share;
        functions.push((format!("{function} ({object})"), share));
    }
    let mut kinds: Vec<_> = kinds.into_iter().map(|(kind, share)| (kind.to_owned(), share)).collect();
    kinds.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    functions.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Profile { kinds, functions }
}

fn kind(object: &str, place: &str, function: &str) -> &'static str {
    if place == "[k]" {
        return KERNEL;
    }
    let whole = format!("{object} {function}").to_ascii_lowercase();
    // the program's own name is the directory's: only what stands behind it tells more
    let whole = whole.strip_prefix("contactpointd ").unwrap_or(&whole);
    KINDS.iter().find(|(_, words)| words.iter().any(|word| whole.contains(word))).map_or(OTHER, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_fall_into_kinds() {
        let told = "    40.00%  contactpointd  [.] sqlite3VdbeExec  -  -\n 10.5%  [kernel.kallsyms]  [k] tcp_sendmsg\n  5.00%  libcrypto.so.3  [.] aesni_cbc_encrypt\n";
        let profile = read(told);
        assert_eq!(profile.functions[0], ("sqlite3VdbeExec (contactpointd)".to_owned(), 40.0));
        assert_eq!(profile.kinds[0], ("the SQL engine".to_owned(), 40.0));
        assert_eq!(profile.kinds[1], (KERNEL.to_owned(), 10.5));
    }
}
