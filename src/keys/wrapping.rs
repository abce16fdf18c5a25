//! Wrapping a data key with a key in the HSM, `contactpoint-store` or that of an epoch: AES-256-GCM (NIST SP 800-38D), 96-bit random nonce, 128-bit tag.

use crate::data_keys::WrappedKey;
use crate::{DataKeyName, KeyError};
use contactpoint_hardening::LockedBytes;
use cryptoki::error::{Error, Result as Answer, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use data_encoding::HEXLOWER;
use zeroize::{Zeroize, Zeroizing};

const NONCE_BYTES: usize = 12;
const TAG_BITS: u64 = 128;
/// Nonce, 32 bytes of ciphertext, tag.
const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + 16;

/// What a wrapped key is bound to: one for another name, epoch or token does not open.
pub(crate) struct Binding<'a> {
    pub(crate) name: DataKeyName,
    pub(crate) epoch: u32,
    pub(crate) token: &'a str,
}

impl Binding<'_> {
    /// The token comes last, since it alone may hold a line break.
    fn associated_data(&self) -> Vec<u8> {
        format!("contactpoint data key 1\n{}\n{}\n{}", self.name, self.epoch, self.token).into_bytes()
    }
}

/// A fresh data key out of the kernel's randomness and the HSM's, so that neither alone decides.
pub(crate) fn fresh(session: &Session) -> Result<LockedBytes<32>, KeyError> {
    LockedBytes::filled_by(|key| {
        let mut of_hsm = Zeroizing::new([0; 32]);
        session.generate_random_slice(of_hsm.as_mut_slice()).map_err(KeyError::hsm("giving randomness"))?;
        getrandom::fill(key)?;
        key.iter_mut().zip(of_hsm.iter()).for_each(|(byte, other)| *byte ^= other);
        Ok(())
    })
}

/// Wraps a data key.
pub(crate) fn wrap(session: &Session, by: ObjectHandle, binding: &Binding<'_>, key: &LockedBytes<32>) -> Result<WrappedKey, KeyError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    let prefix = nonce;
    let associated = binding.associated_data();
    let sealed = gcm(&mut nonce, &associated).and_then(|gcm| session.encrypt(&gcm, by, key.expose_secret()));
    let sealed = sealed.map_err(KeyError::hsm("wrapping a data key"))?;
    let whole = [prefix.as_slice(), &sealed].concat();
    if whole.len() == WRAPPED_BYTES {
        Ok(WrappedKey { epoch: binding.epoch, wrapped: HEXLOWER.encode(&whole) })
    } else {
        Err(KeyError::Malformed { doing: "wrapping a data key" })
    }
}

/// The bytes to hand to [`unwrap`]; `None` where they cannot be a wrapped key.
pub(crate) fn parsed(wrapped: &str) -> Option<[u8; WRAPPED_BYTES]> {
    HEXLOWER.decode(wrapped.as_bytes()).ok()?.try_into().ok()
}

/// Unwraps on a session; the clear key is wiped when dropped.
pub(crate) fn unwrap(session: &Session, by: ObjectHandle, binding: &Binding<'_>, whole: &[u8]) -> Answer<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = whole.split_at(NONCE_BYTES.min(whole.len()));
    let (mut nonce, associated) = (nonce.to_vec(), binding.associated_data());
    let gcm = gcm(&mut nonce, &associated)?;
    session.decrypt(&gcm, by, sealed).map(Zeroizing::new)
}

/// Moves a clear key into locked memory.
pub(crate) fn into_locked(mut clear: Zeroizing<Vec<u8>>) -> Result<LockedBytes<32>, KeyError> {
    let locked = LockedBytes::filled_by(|key| {
        if clear.len() != key.len() {
            return Err(KeyError::Malformed { doing: "unwrapping a data key" });
        }
        key.copy_from_slice(&clear);
        Ok(())
    });
    clear.zeroize();
    locked
}

/// True where the HSM says that a ciphertext does not belong to its tag. SoftHSM says CKR_GENERAL_ERROR; others are more exact.
pub(crate) fn says_damaged(error: &KeyError) -> bool {
    use RvError::{DataInvalid, EncryptedDataInvalid, EncryptedDataLenRange, FunctionFailed, GeneralError, SignatureInvalid};
    matches!(
        error,
        KeyError::Hsm {
            source: Error::Pkcs11(
                DataInvalid | EncryptedDataInvalid | EncryptedDataLenRange | FunctionFailed | GeneralError | SignatureInvalid,
                _
            ),
            ..
        }
    )
}

fn gcm<'a>(nonce: &'a mut [u8], associated: &'a [u8]) -> Answer<Mechanism<'a>> {
    GcmParams::new(nonce, associated, TAG_BITS.into()).map(Mechanism::AesGcm)
}
