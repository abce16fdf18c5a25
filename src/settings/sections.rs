//! The sections of the file, each key with its range and default; reasons are in config/contactpointd.toml.

use crate::value::{HsmPath, LogOrigin, ModulePath, OptionalPath, RelativePath, TokenLabel, Within};
use contactpoint_domain::Day;
use serde::{Deserialize, Serialize};

/// `[appliance]`: what this one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Appliance {
    /// A test system: synthetic data only, reached from this machine alone (rule G7).
    pub for_tests: bool,
}

/// `[hsm]`: where the keys are. The PIN is no setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hsm {
    /// The vendor's PKCS#11 module.
    pub module: ModulePath,
    /// The token's label.
    pub token: TokenLabel,
    /// How the module reaches its HSM.
    pub attachment: HsmAttachment,
    /// The HSM's TCP port where it is on the network, else 0.
    pub port: Within<0, 65535>,
    /// What the module reads after the lock-down.
    pub reads: Vec<HsmPath>,
    /// What it writes.
    pub writes: Vec<HsmPath>,
}

/// `[hsm] attachment`: what the locked-down process must leave open for the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HsmAttachment {
    /// Files alone (SoftHSM).
    #[default]
    Files,
    /// A Unix socket of a daemon on this machine (pcscd, a hardserver).
    UnixSocket,
    /// A device on the USB bus, named in `writes`.
    Usb,
    /// TCP to `port`.
    Network,
}

impl Default for Hsm {
    fn default() -> Self {
        Self {
            module: ModulePath::default_of("/usr/lib/softhsm/libsofthsm2.so"),
            token: TokenLabel::default_of("contactpoint"),
            attachment: HsmAttachment::default(),
            port: Within::default_of(0),
            reads: Vec::new(),
            writes: Vec::new(),
        }
    }
}

/// `[tls]`: certificates, in PEM, below the configuration directory. The key is in the HSM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The server's certificate chain, leaf first.
    pub certificate: RelativePath,
    /// The authorities whose client certificates are accepted.
    pub client_authorities: RelativePath,
    /// Their revocation lists; required.
    pub revocation_list: RelativePath,
    /// Seconds between looks for new lists and certificates.
    pub reload_seconds: Within<1, 3600>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: RelativePath::default_of("tls/server.pem"),
            client_authorities: RelativePath::default_of("tls/clients-ca.pem"),
            revocation_list: RelativePath::default_of("tls/clients.crl.pem"),
            reload_seconds: Within::default_of(60),
        }
    }
}

/// `[store]`: the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Page cache of all connections together, in MiB.
    pub page_cache_mib: Within<8, 65_536>,
    /// Connections that read.
    pub readers: Within<1, 64>,
    /// Requests that one durable commit takes at most.
    pub group_commit_max: Within<1, 1024>,
}

impl Default for Store {
    fn default() -> Self {
        Self { page_cache_mib: Within::default_of(256), readers: Within::default_of(4), group_commit_max: Within::default_of(64) }
    }
}

/// `[log]`: the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Its name, first line of every checkpoint.
    pub origin: LogOrigin,
    /// What its checkpoints are signed with.
    pub signatures: LogSignatures,
    /// Seconds between signed checkpoints while entries come in.
    pub checkpoint_seconds: Within<1, 60>,
    /// Seconds between heads that are kept on the HSM's token while entries come in.
    pub token_seconds: Within<1, 3600>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            origin: LogOrigin::default_of("contactpoint.example/log"),
            signatures: LogSignatures::default(),
            checkpoint_seconds: Within::default_of(1),
            token_seconds: Within::default_of(60),
        }
    }
}

/// `[witnesses]`: who else says that the log has only grown (rule F2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Witnesses {
    /// The policy (C2SP tlog-policy), below the configuration directory; none: no witness is asked.
    pub policy: OptionalPath,
    /// Seconds that an entry may wait for a head with the quorum; beyond, the quorum is late.
    pub late_seconds: Within<1, 604_800>,
    /// While the quorum is late nothing but the log and the status is answered.
    pub answers_wait: bool,
}

impl Default for Witnesses {
    fn default() -> Self {
        Self { policy: OptionalPath::default_of(""), late_seconds: Within::default_of(900), answers_wait: false }
    }
}

/// `[log] signatures`: the keys whose lines stand below each checkpoint. The ceremony makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSignatures {
    /// Ed25519 alone.
    #[default]
    Ed25519,
    /// ECDSA on P-256 alone, for an HSM without EdDSA.
    Ecdsa,
    /// Both.
    Both,
}

/// `[limits]`: what one caller can take of everybody's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections in all.
    pub connections_total: Within<1, 65_536>,
    /// Open connections of one organisation.
    pub connections_per_organisation: Within<1, 65_536>,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: Within<1, 60>,
    /// Seconds for a request's header.
    pub header_seconds: Within<1, 120>,
    /// Seconds for a request's body.
    pub body_seconds: Within<1, 300>,
    /// Bytes of a request's header.
    pub header_bytes: Within<1024, 65_536>,
    /// Bytes of a JSON body.
    pub body_bytes: Within<1024, 1_048_576>,
    /// Bytes of one piece of a feed.
    pub feed_body_bytes: Within<131_072, 16_777_216>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_total: Within::default_of(1024),
            connections_per_organisation: Within::default_of(128),
            handshake_seconds: Within::default_of(10),
            header_seconds: Within::default_of(10),
            body_seconds: Within::default_of(30),
            header_bytes: Within::default_of(16_384),
            body_bytes: Within::default_of(16_384),
            feed_body_bytes: Within::default_of(1_048_576),
        }
    }
}

/// `[session]`: people's sessions (rule C2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Idle seconds after which a session ends; rule C2 allows no more than 15 minutes.
    pub idle_seconds: Within<30, 900>,
}

impl Default for Session {
    fn default() -> Self {
        Self { idle_seconds: Within::default_of(900) }
    }
}

/// `[budgets]`: how many children one person may be shown in a day, by role (rule D6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budgets {
    /// Of a practitioner.
    pub practitioner: Within<1, 10_000>,
    /// Of a shielding officer.
    pub shielding_officer: Within<1, 10_000>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { practitioner: Within::default_of(200), shielding_officer: Within::default_of(100) }
    }
}

/// `[intake]`: what suppliers send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// Directory of the suppliers' layouts, below the configuration directory.
    pub layouts: RelativePath,
}

impl Default for Intake {
    fn default() -> Self {
        Self { layouts: RelativePath::default_of("layouts") }
    }
}

/// `[review]`: the looks that others ask about (rules D5, F4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Review {
    /// Days from Monday to Friday on which nobody works.
    pub holidays: Vec<Day>,
    /// The plan of what is drawn, below the configuration directory.
    pub plan: RelativePath,
    /// The detection rules, below the configuration directory; none: nothing is detected.
    pub detection: OptionalPath,
}

impl Default for Review {
    fn default() -> Self {
        Self {
            holidays: Vec::new(),
            plan: RelativePath::default_of("review-plan.toml"),
            detection: OptionalPath::default_of("detection.toml"),
        }
    }
}

/// `[shielding]`: what stays visible of shielded children (rule E2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shielding {
    /// Shown beside name, date of birth and child number.
    pub also_shows: Vec<AlsoShown>,
}

/// `[shielding] also_shows`: what the regulations would show as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlsoShown {
    /// The child's gender.
    Gender,
    /// The names of parents and carers.
    CarerNames,
}
