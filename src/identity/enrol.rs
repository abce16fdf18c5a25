//! The credentials of a new person: made here, shown once, never again (rule C2).
//!
//! Blocks for the HSM and Argon2 (about 20 ms). Leaves to others: who may enrol whom (`policy`), the account's row (`store`).

use crate::code::SECRET_BYTES;
use crate::error::IdentityError;
use crate::password::{self, Pepper};
use contactpoint_domain::{Address, Checks, Factor, Instant, LoginName, Name, OrganisationId, PersonId, Role};
use contactpoint_store::{Account, NewAccount};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

/// Characters of a password that cannot be taken for one another when read from paper.
const ALPHABET: &[u8; 54] = b"ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";
/// Characters of a password: 20 of 54 are 115 bits.
const PASSWORD_LENGTH: usize = 20;

/// A person about to be enrolled.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their organisation.
    pub organisation: OrganisationId,
    /// Log-in name.
    pub login: LoginName,
    /// Name.
    pub name: Name,
    /// Roles.
    pub roles: Vec<Role>,
    /// Who judges what they do (rule C3).
    pub supervisor: Option<PersonId>,
    /// What everybody must have (rule C1).
    pub checks: Checks,
    /// Where they live, by the vetting record (rule D7).
    pub home: Option<Address>,
}

/// What the new person is handed. Shown once and kept nowhere; zeroized on drop.
pub struct OneTimeSecrets {
    password: Zeroizing<String>,
    code_secret: Zeroizing<String>,
    otpauth: Zeroizing<String>,
}

impl OneTimeSecrets {
    /// The password: 20 characters.
    #[must_use]
    pub fn expose_password(&self) -> &str {
        &self.password
    }

    /// The secret of the time-based code: 20 bytes in base32 (RFC 4648) without padding.
    #[must_use]
    pub fn expose_code_secret(&self) -> &str {
        &self.code_secret
    }

    /// The same secret as an `otpauth://totp/` address, for a phone to scan.
    #[must_use]
    pub fn expose_otpauth(&self) -> &str {
        &self.otpauth
    }
}

impl std::fmt::Debug for OneTimeSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneTimeSecrets(..)")
    }
}

/// Makes the credentials, and the account that the store is to add.
pub fn credentials(pepper: &dyn Pepper, person: NewPerson) -> Result<(NewAccount, OneTimeSecrets), IdentityError> {
    let password = random_password()?;
    let mut secret = Zeroizing::new(vec![0u8; SECRET_BYTES]);
    getrandom::fill(&mut secret)?;
    let code_secret = Zeroizing::new(BASE32_NOPAD.encode(&secret));
    let otpauth = otpauth(&person.login, &code_secret);
    let NewPerson { organisation, login, name, roles, supervisor, checks, home } = person;
    let record = Zeroizing::new(password::record(pepper, password.as_bytes())?.into_bytes());
    let account = NewAccount { organisation, login, name, roles, password: record, code_secret: secret, supervisor, checks, home };
    Ok((account, OneTimeSecrets { password, code_secret, otpauth }))
}

/// A factor made anew (rule C5): what the account keeps of it, and what its holder is handed once.
pub struct NewFactor {
    factor: Factor,
    kept: Zeroizing<Vec<u8>>,
    told: Zeroizing<String>,
    otpauth: Option<Zeroizing<String>>,
}

impl NewFactor {
    /// Makes one for this log-in name. Blocks as [`credentials`] does.
    pub fn made(pepper: &dyn Pepper, login: &LoginName, factor: Factor) -> Result<Self, IdentityError> {
        match factor {
            Factor::Password => {
                let told = random_password()?;
                let kept = Zeroizing::new(password::record(pepper, told.as_bytes())?.into_bytes());
                Ok(Self { factor, kept, told, otpauth: None })
            }
            Factor::Code => {
                let mut kept = Zeroizing::new(vec![0u8; SECRET_BYTES]);
                getrandom::fill(&mut kept)?;
                let told = Zeroizing::new(BASE32_NOPAD.encode(&kept));
                let otpauth = Some(otpauth(login, &told));
                Ok(Self { factor, kept, told, otpauth })
            }
        }
    }

    /// Puts it in the place of the one that the account has, and ends every session that began with that.
    pub fn renew(&self, account: &mut Account) {
        match self.factor {
            Factor::Password => account.password = self.kept.clone(),
            Factor::Code => {
                account.code_secret = self.kept.clone();
                account.last_code_step = 0;
            }
        }
        account.reset = None;
        account.resets = account.resets.wrapping_add(1);
        account.failures = 0;
        account.delayed_until = Instant::default();
    }

    /// The password, or the secret of the time-based code in base32.
    #[must_use]
    pub fn expose_told(&self) -> &str {
        &self.told
    }

    /// Of a code's secret: the same as an `otpauth://totp/` address.
    #[must_use]
    pub fn expose_otpauth(&self) -> Option<&str> {
        self.otpauth.as_deref().map(String::as_str)
    }
}

impl std::fmt::Debug for NewFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewFactor(..)")
    }
}

/// The de facto "Key URI Format" of authenticator applications. A log-in name needs no escape in it.
fn otpauth(login: &LoginName, code_secret: &str) -> Zeroizing<String> {
    let login = login.as_str();
    Zeroizing::new(format!(
        "otpauth://totp/ContactPoint:{login}?secret={code_secret}&issuer=ContactPoint&algorithm=SHA1&digits=6&period=30"
    ))
}

fn random_password() -> Result<Zeroizing<String>, IdentityError> {
    // with room for the bytes that are thrown away: a growing string would leave copies behind
    let mut password = Zeroizing::new(String::with_capacity(PASSWORD_LENGTH));
    let mut bytes = Zeroizing::new([0u8; 64]);
    while password.len() < PASSWORD_LENGTH {
        getrandom::fill(bytes.as_mut_slice())?;
        let missing = PASSWORD_LENGTH - password.len();
        // 216 = 4 * 54: a larger byte would favour the first characters
        let fair = bytes.iter().filter(|byte| **byte < 216).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
        password.extend(fair.take(missing));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_twenty_unambiguous_characters_and_is_never_the_same() {
        // C2: a password; made here, so that nobody chooses a weak one
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_ne!(*one, *other);
        assert_eq!(one.len(), PASSWORD_LENGTH);
        assert!(one.bytes().all(|b| ALPHABET.contains(&b) && !b"IlLO01o".contains(&b)));
    }

    #[test]
    fn every_character_of_the_alphabet_is_used() {
        let many: String = (0..200).map(|_| random_password().unwrap().to_string()).collect();
        assert!(ALPHABET.iter().all(|c| many.contains(char::from(*c))));
    }
}
