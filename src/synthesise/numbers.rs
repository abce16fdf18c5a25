//! NHS numbers and unique pupil numbers with right check digits, from ranges that nobody is given. Each ordinal has its own number, so
//! uniqueness needs no memory.

use crate::random::Random;

/// Numbers in the range reserved for tests, 999 000 0000 to 999 999 9999: nine for each of its first 100,000 prefixes of eight digits.
const RESERVED: u64 = 900_000;
/// Numbers in the rest of 900 000 0000 to 998 999 9999, which is not to be issued either.
const NOT_ISSUED: u64 = 9_900_000 * 9;
/// Scatters ordinals, so that siblings do not have neighbouring numbers. Has no factor in common with either count.
const SCATTER: u64 = 611_953;

/// The NHS number of the child with this ordinal. Up to 900,000 children have one of the reserved range.
pub(crate) fn nhs_number(seed: u64, ordinal: u64) -> String {
    let offset = Random::at(&[seed, 11]).below(RESERVED);
    let (first_prefix, place) = if ordinal < RESERVED {
        (99_900_000, (ordinal * SCATTER + offset) % RESERVED)
    } else {
        (90_000_000, ((ordinal - RESERVED) * SCATTER + offset) % NOT_ISSUED)
    };
    let prefix = first_prefix + place / 9;
    // Ten last digits give ten different remainders of eleven, so at most one of them would need the check digit 10.
    let mut valid = (0..10).filter_map(|digit| nhs_check_digit(prefix * 10 + digit).map(|check| (digit, check)));
    let (digit, check) = valid.nth((place % 9) as usize).unwrap_or_default();
    format!("{prefix}{digit}{check}")
}

/// Check digit modulo 11 of nine digits; `None` where it would be 10.
fn nhs_check_digit(nine: u64) -> Option<u64> {
    let sum: u64 = (0..9u32).map(|place| nine / 10u64.pow(place) % 10 * u64::from(place + 2)).sum();
    Some((11 - sum % 11) % 11).filter(|check| *check != 10)
}

const UPN_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";

/// The unique pupil number of the child with this ordinal in its authority. Local authority numbers 001 to 199: the Department for
/// Education's begin at 201. Unique up to 8,000,000 children an authority.
pub(crate) fn unique_pupil_number(authority: u64, ordinal: u64, birth_year: i16) -> String {
    let (establishment, serial) = (2000 + ordinal / 1000 % 8000, ordinal % 1000);
    let digits = format!("{:03}{establishment:04}{:02}{serial:03}", 1 + authority % 199, (birth_year + 4) % 100);
    let sum: usize = digits.bytes().zip(2..).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    format!("{}{digits}", char::from(UPN_LETTERS[sum % 23]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::{NhsNumber, UniquePupilNumber};
    use std::collections::BTreeSet;

    #[test]
    fn every_number_has_a_right_check_digit_and_is_nobodys() {
        // A5: check-digit-validated; G7: synthetic data only
        for ordinal in (0..RESERVED).step_by(97).chain((RESERVED..11_000_000).step_by(9973)) {
            let nhs = nhs_number(1, ordinal);
            assert!(NhsNumber::try_from(nhs.as_str()).is_ok(), "{nhs}");
            assert!(nhs.starts_with(if ordinal < RESERVED { "999" } else { "9" }));
            let upn = unique_pupil_number(ordinal % 150, ordinal, 2015);
            assert!(UniquePupilNumber::try_from(upn.as_str()).is_ok(), "{upn}");
            assert!(upn[1..4].parse::<u32>().unwrap() < 200);
        }
    }

    #[test]
    fn no_two_children_share_a_number() {
        let nhs: BTreeSet<String> = (0..50_000).chain(900_000..950_000).map(|ordinal| nhs_number(7, ordinal)).collect();
        assert_eq!(nhs.len(), 100_000);
        let upn: BTreeSet<String> = (0..50_000).map(|ordinal| unique_pupil_number(3, ordinal, 2012)).collect();
        assert_eq!(upn.len(), 50_000);
    }
}
