//! Holding what is on the token against what must be (rule G2).

use serde::Serialize;

/// What the HSM says of one key, as read at start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyReport {
    /// CKA_LABEL.
    pub label: &'static str,
    /// "an AES key of 256 bits".
    pub kind: &'static str,
    /// CKA_SENSITIVE: the value cannot be read.
    pub sensitive: bool,
    /// CKA_ALWAYS_SENSITIVE: it never could.
    pub always_sensitive: bool,
    /// CKA_EXTRACTABLE: the key can be wrapped and taken out.
    pub extractable: bool,
    /// CKA_NEVER_EXTRACTABLE: it never could.
    pub never_extractable: bool,
    /// CKA_LOCAL: generated in this HSM.
    pub local: bool,
}
