//! Names of children, carers and practitioners (rule A1: "current and former names").

use crate::checked::{checked_text, plain_text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

checked_text!(
    /// A family name: letters of any script, blanks, hyphens, apostrophes and full stops; at least one letter; at most 70 characters.
    FamilyName, "family name", name
);
checked_text!(
    /// One or more given names separated by blanks; the same characters as a family name; at most 70 characters.
    GivenName, "given name", name
);

fn name(text: &str) -> Result<String, &'static str> {
    let folded = plain_text(text, 70, |c| c.is_alphabetic() || is_combining(c) || matches!(c, '-' | '\'' | '’' | '.'))?;
    if folded.chars().any(char::is_alphabetic) {
        Ok(folded)
    } else {
        Err("has no letter")
    }
}

/// Combining marks of decomposed accents (Unicode block 0300-036F).
fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// A person's name as FHIR HumanName splits it: given and family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Given names, in order, separated by blanks.
    pub given: GivenName,
    /// Family name.
    pub family: FamilyName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_origins_are_accepted_and_folded() {
        for (raw, folded) in
            [("O'Brien", "O'Brien"), ("  Nguyễn   Thị ", "Nguyễn Thị"), ("D’Souza-Łukasz", "D’Souza-Łukasz"), ("St. John", "St. John")]
        {
            assert_eq!(FamilyName::try_from(raw).unwrap().as_str(), folded);
        }
    }

    #[test]
    fn a_name_is_no_free_text_field() {
        // A3: there is no free-text field anywhere
        for raw in [
            "",
            "   ",
            "--",
            "Smith; at risk",
            "Smith (see file)",
            "Robert'); --1",
            "Sm\u{0}ith",
            "http://x",
            "Smith 2",
            "Room12",
            "٣",
            &"a".repeat(71),
        ] {
            assert!(FamilyName::try_from(raw).is_err());
        }
    }

    #[test]
    fn a_name_does_not_print_itself() {
        // G1: no log line with a name
        assert_eq!(format!("{:?}", FamilyName::try_from("Secret").unwrap()), "FamilyName(..)");
    }
}
