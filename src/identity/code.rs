//! Time-based codes: RFC 6238 with SHA-1, six digits, steps of 30 seconds, one step of tolerance either way (its section 5.2).
//!
//! Says which step a code belongs to; that a step works once (section 5.2 again) is kept in the account by `log_in`.

use crate::error::IdentityError;
use contactpoint_domain::Instant;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

/// Length of a step in seconds.
pub const STEP_SECONDS: u64 = 30;
/// Length of a secret in bytes: what HMAC-SHA-1 gives (RFC 4226, section 4: 160 bits recommended).
pub(crate) const SECRET_BYTES: usize = 20;

/// The step (seconds since 1970 over 30) that the code belongs to: this one, the one before or the next; the newest where two
/// match. Every candidate is compared, each in constant time.
pub(crate) fn matching_step(secret: &[u8], code: &str, now: Instant) -> Result<Option<u64>, IdentityError> {
    let totp = generator(secret)?;
    let current = now.seconds() / STEP_SECONDS;
    let (mut found, mut step) = (Choice::from(0), 0u64);
    for candidate in current.saturating_sub(1)..=current + 1 {
        let expected = Zeroizing::new(totp.generate(candidate * STEP_SECONDS).to_string());
        let equal = expected.as_bytes().ct_eq(code.as_bytes());
        step.conditional_assign(&candidate, equal);
        found |= equal;
    }
    Ok(bool::from(found).then_some(step))
}

fn generator(secret: &[u8]) -> Result<Totp, IdentityError> {
    Builder::new().with_step_duration(STEP_SECONDS).with_secret(secret.to_vec()).build().map_err(|_| IdentityError::PasswordRecord)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; SECRET_BYTES] = b"12345678901234567890";

    #[test]
    fn the_vectors_of_the_standard_hold() {
        // C2: a time-based code; RFC 6238, appendix B, the last six of its eight digits
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            let now = Instant::of_millis(seconds * 1000);
            assert_eq!(matching_step(SECRET, code, now).unwrap(), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_good_one_step_either_way_and_no_further() {
        // C2: a time-based code
        for (seconds, good) in [(1_111_111_109 - 60, false), (1_111_111_079, true), (1_111_111_109 + 30, true), (1_111_111_109 + 60, false)]
        {
            let step = matching_step(SECRET, "081804", Instant::of_millis(seconds * 1000)).unwrap();
            assert_eq!(step.is_some(), good, "{seconds}");
        }
    }

    #[test]
    fn what_is_no_code_matches_nothing() {
        for wrong in ["", "28708", "2870820", "+28708", "287082 ", "２８７０８２"] {
            assert_eq!(matching_step(SECRET, wrong, Instant::of_millis(59_000)).unwrap(), None);
        }
    }
}
