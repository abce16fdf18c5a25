//! Where the HSM is.

use std::path::PathBuf;

/// The PKCS#11 module and the token in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Absolute path of the vendor's module (a shared library).
    pub module: PathBuf,
    /// The token's label; at most 32 bytes (PKCS#11 CK_TOKEN_INFO).
    pub token: String,
}
