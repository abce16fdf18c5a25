//! Numbers with check digits: the child number (rule A4), the NHS number and the unique pupil number (rule A5).

use crate::checked::checked_text;

checked_text!(
    /// The directory's own number (rule A4): ten digits, nine at random and a check digit by ISO/IEC 7064, MOD 11,10. It means nothing.
    ChildNumber, "child number", child_number
);
checked_text!(
    /// An NHS number: ten digits, the last a check digit modulo 11 (NHS Data Model and Dictionary, "NHS NUMBER"). Blanks and hyphens are dropped.
    NhsNumber, "NHS number", nhs_number
);
checked_text!(
    /// A unique pupil number: a check letter, then twelve digits, or eleven and a letter for a temporary one
    /// (Department for Education, "Unique pupil numbers (UPNs): a guide for schools and local authorities").
    UniquePupilNumber, "unique pupil number", unique_pupil_number
);

impl ChildNumber {
    /// A new number out of the kernel's randomness. Fails only where the kernel has none to give.
    pub fn at_random() -> Result<Self, getrandom::Error> {
        let body = getrandom::u64()? % 1_000_000_000;
        Ok(Self::with_body(body as u32))
    }

    /// The number whose first nine digits are given (0 to 999,999,999; larger values are taken modulo 10^9).
    #[must_use]
    pub fn with_body(body: u32) -> Self {
        let digits = format!("{:09}", body % 1_000_000_000);
        Self(format!("{digits}{}", iso7064_mod_11_10(digits.as_bytes())))
    }

    /// The first nine digits: 0 to 999,999,999.
    #[must_use]
    pub fn body(&self) -> u32 {
        self.0.bytes().take(9).fold(0, |body, digit| body * 10 + u32::from(digit - b'0'))
    }
}

fn child_number(text: &str) -> Result<String, &'static str> {
    let digits = ten_digits(text)?;
    let (body, check) = digits.split_at(9);
    if iso7064_mod_11_10(body.as_bytes()).to_string() == check {
        Ok(digits)
    } else {
        Err("has a wrong check digit")
    }
}

fn nhs_number(text: &str) -> Result<String, &'static str> {
    let digits = ten_digits(text)?;
    let values: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let sum: u32 = values.iter().take(9).zip((2..=10).rev()).map(|(d, w)| d * w).sum();
    // 11 - (sum mod 11), with 11 written as 0; 10 is never issued and so matches no digit
    if (11 - sum % 11) % 11 == values[9] {
        Ok(digits)
    } else {
        Err("has a wrong check digit")
    }
}

fn ten_digits(text: &str) -> Result<String, &'static str> {
    if text.len() > 32 {
        return Err("does not have ten digits");
    }
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(digits)
    } else {
        Err("does not have ten digits")
    }
}

/// ISO/IEC 7064 hybrid system MOD 11,10 over ASCII digits; returns the check digit.
fn iso7064_mod_11_10(digits: &[u8]) -> u32 {
    let product = digits.iter().fold(10, |product, byte| {
        let sum = (product + u32::from(byte - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

/// The letters a check may be: the alphabet without I, O and S, by remainder modulo 23.
const UPN_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPQRTUVWXYZ";

fn unique_pupil_number(text: &str) -> Result<String, &'static str> {
    let upper = text.trim().to_ascii_uppercase();
    let bytes = upper.as_bytes();
    if bytes.len() != 13 || !bytes[1..12].iter().all(u8::is_ascii_digit) {
        return Err("is not a letter and twelve characters");
    }
    let last = match bytes[12] {
        digit if digit.is_ascii_digit() => u32::from(digit - b'0'),
        letter => upn_letter_value(letter).ok_or("ends in a letter that is not used")?,
    };
    let sum: u32 = bytes[1..12].iter().map(|b| u32::from(b - b'0')).chain([last]).zip(2..).map(|(d, w): (u32, u32)| d * w).sum();
    if UPN_LETTERS[(sum % 23) as usize] == bytes[0] {
        Ok(upper)
    } else {
        Err("has a wrong check letter")
    }
}

fn upn_letter_value(letter: u8) -> Option<u32> {
    UPN_LETTERS.iter().position(|known| *known == letter).map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_number_has_ten_digits_and_a_check_digit() {
        // A4: ten digits with a check digit, allocated at random
        let number = ChildNumber::at_random().unwrap();
        assert_eq!(number.as_str().len(), 10);
        assert!(ChildNumber::try_from(number.as_str()).is_ok());
    }

    #[test]
    fn numbers_are_spread_over_all_that_there_are_and_follow_no_order() {
        // A4: allocated at random, meaning nothing
        let bodies: Vec<u32> = (0..2000).map(|_| ChildNumber::at_random().unwrap().as_str()[..9].parse().unwrap()).collect();
        let tenths: std::collections::BTreeSet<u32> = bodies.iter().map(|body| body / 100_000_000).collect();
        assert_eq!(tenths.len(), 10, "no tenth is left out: by chance once in 10^90");
        let rising = bodies.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((800..1200).contains(&rising), "{rising} of 1999 follow a smaller one");
        let steps: std::collections::BTreeSet<i64> = bodies.windows(2).map(|pair| i64::from(pair[1]) - i64::from(pair[0])).collect();
        assert!(steps.len() > 1990, "no step comes again and again");
    }

    #[test]
    fn every_wrong_digit_and_every_swap_of_neighbours_is_noticed() {
        // A4: a check digit
        for body in (0..1_000_000_000u32).step_by(9_876_543) {
            let good = ChildNumber::with_body(body);
            let digits = good.as_str().as_bytes();
            for at in 0..10 {
                for other in b'0'..=b'9' {
                    let mut wrong = digits.to_vec();
                    wrong[at] = other;
                    let verdict = ChildNumber::try_from(String::from_utf8(wrong).unwrap());
                    assert_eq!(verdict.is_ok(), other == digits[at]);
                }
            }
        }
    }

    #[test]
    fn an_nhs_number_is_checked() {
        // A5: check-digit-validated; 943 476 5919 is the worked example of the NHS Data Dictionary
        assert_eq!(NhsNumber::try_from("943 476 5919").unwrap().as_str(), "9434765919");
        for wrong in ["9434765918", "943476591", "94347659190", "943476591A", ""] {
            assert!(NhsNumber::try_from(wrong).is_err());
        }
    }

    #[test]
    fn a_unique_pupil_number_is_checked() {
        // A5: check-digit-validated; the sum for 123456789012 is 1*2+2*3+...+2*13 = 453, 453 mod 23 = 16 -> T
        let digits = "12345678901";
        let sum: u32 = digits.bytes().map(|b| u32::from(b - b'0')).chain([2]).zip(2..).map(|(d, w): (u32, u32)| d * w).sum();
        let letter = char::from(UPN_LETTERS[(sum % 23) as usize]);
        assert!(UniquePupilNumber::try_from(format!("{letter}{digits}2")).is_ok());
        assert!(UniquePupilNumber::try_from(format!("{letter}{digits}3")).is_err());
        assert!(UniquePupilNumber::try_from("short").is_err());
    }
}
