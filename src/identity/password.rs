//! Passwords (rule C2): Argon2id over an HMAC of the password that only the HSM can make, so that a stolen store is useless.
//!
//! Parameters: 19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's first choice. RFC 9106 (section 4) recommends 64
//! MiB and 3 passes where memory is constrained; the HSM's pepper already denies guessing to a thief, and log-ins must not push the
//! store's page cache out. A record names its own parameters (PHC string), so they can be raised without touching old ones.

use crate::error::IdentityError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use contactpoint_keys::{Custody, KeyError};
use zeroize::Zeroizing;

/// What turns a password into something worthless without the HSM.
pub trait Pepper: Send + Sync {
    /// HMAC-SHA-256 of the input under a key that never leaves the HSM.
    fn pepper(&self, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError>;
}

impl Pepper for Custody {
    fn pepper(&self, input: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        Custody::pepper(self, input)
    }
}

/// The longest password looked at, in bytes; a longer one is wrong.
pub(crate) const LONGEST: usize = 1024;
/// Verifies like any record and matches no password: what is checked where no account is.
pub(crate) const NOBODYS_RECORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A new record for a password, as a PHC string.
pub(crate) fn record(pepper: &dyn Pepper, password: &[u8]) -> Result<String, IdentityError> {
    let peppered = pepper.pepper(password)?;
    let hash = argon2()?.hash_password(peppered.as_slice()).map_err(|_| IdentityError::PasswordRecord)?;
    Ok(hash.to_string())
}

/// True where the record was made of this password under this HSM's pepper. Blocks for about 20 ms and takes 19 MiB.
pub(crate) fn matches(pepper: &dyn Pepper, record: &[u8], password: &[u8]) -> Result<bool, IdentityError> {
    let text = std::str::from_utf8(record).map_err(|_| IdentityError::PasswordRecord)?;
    let parsed = PasswordHash::new(text).map_err(|_| IdentityError::PasswordRecord)?;
    let within_bounds = password.len() <= LONGEST;
    let peppered = pepper.pepper(if within_bounds { password } else { &[] })?;
    let equal = argon2()?.verify_password(peppered.as_slice(), &parsed).is_ok();
    Ok(equal & within_bounds)
}

fn argon2() -> Result<Argon2<'static>, IdentityError> {
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|_| IdentityError::PasswordRecord)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}
