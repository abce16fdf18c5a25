//! How to reach somebody: address, postcode, telephone, e-mail (rule A1).

use crate::checked::{checked_text, plain_text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

checked_text!(
    /// One line of an address: letters, digits and the punctuation of addresses; at most 80 characters.
    AddressLine, "address line", address_line
);
checked_text!(
    /// A British postcode (BS 7666): outward and inward code in capitals with one blank between.
    Postcode, "postcode", postcode
);
checked_text!(
    /// A telephone number: an optional +, then 5 to 15 digits (ITU-T E.164 length); blanks, hyphens and brackets are dropped.
    PhoneNumber, "telephone number", phone
);
checked_text!(
    /// An e-mail address of the common form local@domain (RFC 5321 lengths: 64 and 255); folded to lower case.
    EmailAddress, "e-mail address", email
);

/// An address: one to four lines; the postcode may be absent where the supplier's country has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// House and street, locality, town, county.
    pub lines: Vec<AddressLine>,
    /// Postcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
}

fn address_line(text: &str) -> Result<String, &'static str> {
    plain_text(text, 80, |c| c.is_alphanumeric() || matches!(c, '-' | '\'' | '’' | '.' | ',' | '/' | '(' | ')' | '&'))
}

fn postcode(text: &str) -> Result<String, &'static str> {
    if text.len() > 16 {
        return Err("is too long");
    }
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    if !joined.is_ascii() || !(5..=7).contains(&joined.len()) {
        return Err("is not of the form A9 9AA");
    }
    let (outward, inward) = joined.split_at(joined.len() - 3);
    if outward_is_real(outward.as_bytes()) && inward_is_real(inward.as_bytes()) {
        Ok(format!("{outward} {inward}"))
    } else {
        Err("is not of the form A9 9AA")
    }
}

/// A9, A99, A9A, AA9, AA99 or AA9A.
fn outward_is_real(code: &[u8]) -> bool {
    let shape: String = code
        .iter()
        .map(|b| {
            if b.is_ascii_digit() {
                '9'
            } else if b.is_ascii_uppercase() {
                'A'
            } else {
                '?'
            }
        })
        .collect();
    matches!(shape.as_str(), "A9" | "A99" | "A9A" | "AA9" | "AA99" | "AA9A")
}

/// 9AA, where the letters are never C, I, K, M, O or V.
fn inward_is_real(code: &[u8]) -> bool {
    let letter = |b: u8| b.is_ascii_uppercase() && !b"CIKMOV".contains(&b);
    matches!(code, [digit, a, b] if digit.is_ascii_digit() && letter(*a) && letter(*b))
}

fn phone(text: &str) -> Result<String, &'static str> {
    if text.len() > 32 {
        return Err("is too long");
    }
    let kept: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    if (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(kept)
    } else {
        Err("is not 5 to 15 digits")
    }
}

fn email(text: &str) -> Result<String, &'static str> {
    let lower = text.trim().to_ascii_lowercase();
    let (local, domain) = lower.split_once('@').ok_or("has no @")?;
    let local_ok = (1..=64).contains(&local.len()) && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._%+-'".contains(&b));
    let domain_ok = (4..=255).contains(&domain.len())
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    if local_ok && domain_ok {
        Ok(lower)
    } else {
        Err("is not of the form local@domain")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_are_normalised_or_refused() {
        for (raw, folded) in [("sw1a1aa", "SW1A 1AA"), (" M1 1AE ", "M1 1AE"), ("ZZ99  3WZ", "ZZ99 3WZ")] {
            assert_eq!(Postcode::try_from(raw).unwrap().as_str(), folded);
        }
        for wrong in ["", "2000", "SW1A 1AC", "SW1A1A", "S1A", "AAA9 9AA", "É1 1AA"] {
            assert!(Postcode::try_from(wrong).is_err());
        }
    }

    #[test]
    fn telephone_and_email_are_no_free_text() {
        // A3: every value is a typed phone number, e-mail address ...
        assert_eq!(PhoneNumber::try_from("(020) 7946-0123").unwrap().as_str(), "02079460123");
        assert!(PhoneNumber::try_from("ask for mum").is_err());
        assert_eq!(EmailAddress::try_from("A.B@School.Example ").unwrap().as_str(), "a.b@school.example");
        for wrong in ["a@b", "a b@c.example", "a@b..example", "@c.example", "a@"] {
            assert!(EmailAddress::try_from(wrong).is_err());
        }
    }
}
