//! The table of the workspace's walls.

/// Which members a member may name, in flow order. A line more or less is a decision about the architecture.
pub(crate) const WALLS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("settings", &["domain"]),
    ("hardening", &[]),
    ("keys", &["hardening"]),
    ("sealing", &["hardening"]),
    ("assurance", &[]),
    ("audit", &["domain"]),
    ("statement", &["domain", "sealing", "audit"]),
    ("matching", &["domain"]),
    ("intake", &["domain"]),
    ("review", &["domain", "settings"]),
    ("store", &["domain", "hardening", "sealing", "audit", "matching"]),
    ("identity", &["domain", "store", "keys", "audit"]),
    ("policy", &["domain", "audit", "identity", "matching"]),
    ("directory", &["domain", "sealing", "policy", "store", "matching", "intake", "audit", "identity", "review", "statement"]),
    ("edge", &["domain", "settings", "hardening", "keys", "audit", "store", "policy", "identity", "directory", "intake"]),
    ("inspect", &["assurance", "audit"]),
    ("manual", &[]),
    (
        "operator",
        &[
            "domain",
            "settings",
            "hardening",
            "keys",
            "sealing",
            "assurance",
            "audit",
            "statement",
            "store",
            "identity",
            "intake",
            "inspect",
            "manual",
            "review",
        ],
    ),
    ("client", &["audit", "intake", "manual"]),
    ("synthesise", &["domain", "audit"]),
    ("support", &["client", "audit"]),
    ("prisoner", &["hardening"]),
    (ROOT, &["settings", "hardening", "keys", "store", "identity", "directory", "edge", "operator", "client", "synthesise"]),
];

/// The root package: the daemon, and the two tools' few lines.
pub(crate) const ROOT: &str = "contactpoint";
