//! What the daemon says of itself at `GET /v1/evidence`: keys, store, log, settings, its own locks.
//!
//! For: what the kernel shows nowhere. It is the word of the one who is looked at, and marked as such. Of the log's head the signature
//! is verified here; that it is the newest one, and how many entries there are, is the daemon's word again. Does not promise: that a daemon that was taken over tells the truth.

use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;
use contactpoint_audit::{Checkpoint, VerifierKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The keys that there must be whatever signs the log, by label, beside those of epochs, which begin and end.
const KEYS: [&str; 3] = ["contactpoint-store", "contactpoint-tls", "contactpoint-pepper"];
/// What signs log heads, by label.
const ED25519_HEADS: &str = "contactpoint-audit";
const ECDSA_HEADS: &str = "contactpoint-audit-p256";
/// A checkpoint's size and origin, beside the signature, are read from its text.
const ROUTE: &str = "GET /v1/evidence";

/// The answer, or why there is none.
#[derive(Debug, Clone)]
pub struct Evidence {
    value: Result<Value, String>,
}

impl Evidence {
    /// From the answer's body.
    #[must_use]
    pub fn of(value: Result<Value, String>) -> Self {
        Self { value }
    }

    /// What stands at `pointer` (RFC 6901).
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.as_ref().ok()?.pointer(pointer).filter(|value| !value.is_null())
    }

    /// Judges what stands at `pointer`; where nothing stands the look has not seen it.
    pub(crate) fn judge(&self, look: &mut Look, pointer: &str, is_good: impl Fn(&Value) -> bool) {
        let source = format!("{ROUTE} {}", pointer.trim_start_matches('/').replace('/', "."));
        match (&self.value, self.at(pointer)) {
            (Err(why), _) => look.unseen(ROUTE, why.clone()),
            (Ok(_), None) => look.unseen(&source, "the daemon does not tell"),
            (Ok(_), Some(value)) => look.found(&source, shown(value), is_good(value)),
        }
    }

    /// Which paths are open for the HSM's module: `[hsm] reads` or `writes`.
    pub(crate) fn hsm_paths(&self, which: &str) -> Vec<String> {
        let paths = self.setting("hsm", which);
        paths.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// How the module reaches its HSM: `[hsm] attachment`, which is "files" where the settings do not say.
    pub(crate) fn hsm_attachment(&self) -> Option<String> {
        self.setting("hsm", "attachment")?.as_str().map(str::to_owned)
    }

    /// The TCP port of a network HSM: `[hsm] port`.
    pub(crate) fn hsm_port(&self) -> Option<u16> {
        self.setting("hsm", "port")?.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)
    }

    /// Which keys sign the log: `[log] signatures`, which is "ed25519" where the settings do not say.
    fn head_keys(&self) -> &'static [&'static str] {
        match self.setting("log", "signatures").as_ref().and_then(Value::as_str) {
            None | Some("ed25519") => &[ED25519_HEADS],
            Some("ecdsa") => &[ECDSA_HEADS],
            // a word that is not known asks for more rather than less
            Some(_) => &[ED25519_HEADS, ECDSA_HEADS],
        }
    }

    /// A setting in force.
    fn setting(&self, section: &str, key: &str) -> Option<Value> {
        let text = self.at("/settings/effective")?.as_str()?;
        let table: toml::Table = text.parse().ok()?;
        serde_json::to_value(table.get(section)?.get(key)?).ok()
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Each master key is there, cannot leave, and never could.
pub fn keys(evidence: &Evidence) -> Observation {
    let needed = [&KEYS, evidence.head_keys()].concat();
    let mut look = Look::at(
        "hsm.keys",
        format!(
            "{}, and the keys of epochs: sensitive, always so, not extractable, never so, made in the HSM (the daemon's own word)",
            needed.join(", ")
        ),
    );
    let wanted = [("sensitive", true), ("always_sensitive", true), ("extractable", false), ("never_extractable", true), ("local", true)];
    evidence.judge(&mut look, "/hsm/keys", |keys| {
        let keys: &[Value] = keys.as_array().map_or(&[], Vec::as_slice);
        let is_firm = |key: &Value| wanted.iter().all(|(name, value)| key.get(name).and_then(Value::as_bool) == Some(*value));
        let label = |key: &Value| key.get("label").and_then(Value::as_str).map(str::to_owned);
        keys.iter().all(is_firm) && needed.iter().all(|wanted| keys.iter().any(|key| label(key).as_deref() == Some(*wanted)))
    });
    look.done()
}

/// The module is not SoftHSM's by its path: SoftHSM keeps keys in files and is for trials. What a module of another name is, nobody sees.
pub fn hardware(evidence: &Evidence) -> Observation {
    let mut look =
        Look::at("hsm.keys", "an HSM; SoftHSM is files, for a trial (told by the path of its module: a copy under another name is not)");
    evidence.judge(&mut look, "/hsm/module", |module| module.as_str().is_some_and(|path| !path.to_ascii_lowercase().contains("softhsm")));
    look.done()
}

/// Pages of the store are encrypted and authenticated.
pub fn cipher(evidence: &Evidence) -> Observation {
    let mut look = Look::at("store.cipher", "SQLCipher 4, HMAC on with SHA-256 or SHA-512, pages of 4096 bytes (the daemon's own word)");
    evidence.judge(&mut look, "/store/cipher_version", |version| version.as_str().is_some_and(|version| version.starts_with("4.")));
    evidence.judge(&mut look, "/store/cipher_status", |encrypts| encrypts.as_bool() == Some(true));
    evidence.judge(&mut look, "/store/hmac", |hmac| hmac.as_bool() == Some(true));
    evidence.judge(&mut look, "/store/hmac_algorithm", |name| matches!(name.as_str(), Some("HMAC_SHA256" | "HMAC_SHA512")));
    evidence.judge(&mut look, "/store/page_size", |bytes| bytes.as_u64() == Some(4096));
    look.done()
}

/// The store's file has no readable header: SQLite's own begins with "SQLite format 3".
pub fn store_file(beginning: &Reading) -> Observation {
    let mut look = Look::at("store.cipher", "the store's file begins with nothing readable");
    if let Some(hexadecimal) = look.read(beginning) {
        let sqlite = data_encoding::HEXLOWER.encode(b"SQLite format 3");
        look.found(&beginning.source, hexadecimal, hexadecimal.len() == 32 && !hexadecimal.starts_with(&sqlite));
    }
    look.done()
}

/// What was answered is on the disk.
pub fn durability(evidence: &Evidence) -> Observation {
    let mut look = Look::at("store.durability", "journal_mode wal, synchronous FULL (the daemon's own word)");
    evidence.judge(&mut look, "/store/journal_mode", |mode| shown(mode).eq_ignore_ascii_case("wal"));
    evidence
        .judge(&mut look, "/store/synchronous", |level| ["2", "3", "full", "extra"].contains(&shown(level).to_ascii_lowercase().as_str()));
    look.done()
}

/// The newest signed head verifies with the key of the ceremony's record, `kept`, and is the log's that is told of.
pub fn log_head(evidence: &Evidence, kept: &Reading) -> Observation {
    let mut look = Look::at("log.head", "a signed head that verifies with the verifier key that the ceremony left in the state directory");
    let keys = look.read(kept).and_then(|text| match VerifierKey::parse_each(text) {
        Ok(keys) => {
            look.found(&kept.source, text.trim(), true);
            Some(keys)
        }
        Err(fault) => {
            look.found(&kept.source, fault.to_string(), false);
            None
        }
    });
    // the ceremony's keys, one a line, as the daemon tells them
    let written = |keys: &Vec<VerifierKey>| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    evidence.judge(&mut look, "/log/verifier_key", |told| keys.as_ref().is_none_or(|keys| told.as_str() == Some(written(keys).as_str())));
    let size = evidence.at("/log/size").and_then(Value::as_u64);
    evidence.judge(&mut look, "/log/checkpoint", |note| {
        let signed =
            |note: &str, key: &VerifierKey| Checkpoint::open(note, key).is_ok_and(|head| size.is_some_and(|size| head.size <= size));
        note.as_str().zip(keys.as_ref()).is_some_and(|(note, keys)| keys.iter().all(|key| signed(note, key)))
    });
    look.done()
}

/// Settings that are the site's own: any value that the parser takes is as safe as another.
const OF_THE_SITE: [&str; 16] = [
    "appliance.for_tests",
    "hsm.module",
    "hsm.token",
    "hsm.reads",
    "hsm.writes",
    "hsm.port",
    "hsm.attachment",
    "tls.certificate",
    "tls.client_authorities",
    "tls.revocation_list",
    "log.origin",
    "store.page_cache_mib",
    "store.readers",
    "store.group_commit_max",
    "intake.layouts",
    "limits.feed_body_bytes",
];

/// Every other setting is a bound, and no wider than it is by default. `defaults` is what would be in force without a file, as TOML.
pub fn settings(evidence: &Evidence, defaults: &str) -> Observation {
    let mut look = Look::at("settings.off_default", "no bound wider than its default; what is the site's own is told");
    let safe: toml::Table = defaults.parse().unwrap_or_default();
    evidence.judge(&mut look, "/settings/off_default", Value::is_array);
    let keys = evidence.at("/settings/off_default").and_then(Value::as_array);
    for key in keys.into_iter().flatten().filter_map(Value::as_str) {
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        let set = evidence.setting(section, name);
        let default = safe.get(section).and_then(|section| section.get(name)).and_then(toml::Value::as_integer);
        let is_no_wider = set.as_ref().and_then(Value::as_i64).zip(default).is_some_and(|(set, default)| set <= default);
        let told = format!("{key} = {}", set.map_or("(not shown)".to_owned(), |set| set.to_string()));
        look.found(&format!("{ROUTE} settings.effective"), told, is_no_wider || OF_THE_SITE.contains(&key));
    }
    look.done()
}

/// Landlock is in force with everything that its kernel has, and was tried.
pub fn landlock(evidence: &Evidence) -> Observation {
    let mut look = Look::at(
        "locks.landlock",
        "fully enforced with all that its kernel has - files from ABI 2, TCP from 4, scopes from 6 - and tried (the daemon's own word: the \
         kernel shows Landlock nowhere)",
    );
    evidence.judge(&mut look, "/locks/landlock/status", |status| status.as_str() == Some("fully enforced"));
    // Debian 12's own kernel has ABI 2; what it lacks, seccomp and the unit hold
    let kernel_has = |abi| evidence.at("/locks/landlock/abi").and_then(Value::as_u64).is_some_and(|there| there >= abi);
    evidence.judge(&mut look, "/locks/landlock/abi", |_| kernel_has(2));
    evidence.judge(&mut look, "/locks/landlock/tcp", |tcp| !kernel_has(4) || tcp.as_bool() == Some(true));
    evidence.judge(&mut look, "/locks/landlock/scopes", |scopes| !kernel_has(6) || scopes.as_bool() == Some(true));
    evidence.judge(&mut look, "/locks/landlock/writes", Value::is_array);
    evidence.judge(&mut look, "/locks/landlock_tried", |tried| tried.as_str().is_some_and(|tried| tried.ends_with("EACCES")));
    look.done()
}

/// The daemon's list of system calls is the one that this program was built with.
pub fn seccomp(evidence: &Evidence) -> Observation {
    let own = data_encoding::HEXLOWER.encode(&Sha256::digest(include_str!("../../config/syscalls.conf")));
    let mut look =
        Look::at("locks.seccomp", format!("the list of system calls with SHA-256 {own}, and death for all others (the daemon's own word)"));
    evidence.judge(&mut look, "/locks/seccomp/list_sha256", |told| told.as_str() == Some(own.as_str()));
    evidence.judge(&mut look, "/locks/seccomp/otherwise", |what| what.as_str().is_some_and(|what| what.contains("kill")));
    evidence.judge(&mut look, "/locks/threads", |threads| threads.as_u64() == Some(1));
    look.done()
}

/// "2027-01-31T00:00:00Z" in seconds since 1970.
pub(crate) fn seconds_of(text: &str) -> Option<u64> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(timestamp.as_second()).ok()
}
