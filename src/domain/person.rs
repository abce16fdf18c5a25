//! People who log in (rules C1 to C4).

use crate::checked::{checked_text, coded};
use serde::{Deserialize, Serialize};

checked_text!(
    /// A log-in name: 3 to 64 lower-case letters, digits, full stops and hyphens; unique in the directory.
    LoginName, "log-in name", login_name
);

fn login_name(text: &str) -> Result<String, &'static str> {
    if !(3..=64).contains(&text.len()) {
        return Err("does not have 3 to 64 characters");
    }
    if text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-') {
        Ok(text.to_owned())
    } else {
        Err("has a character that is not allowed")
    }
}

/// The directory's number for a person; allocated in order, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PersonId(pub u32);

coded!(
    /// What a person may be (rule C4). The sector of a practitioner is the kind of their organisation.
    Role, "role" {
        /// Works with children; looks up who else does.
        Practitioner = "practitioner" / 1,
        /// Makes the accounts of their organisation's people; sees no child.
        Administrator = "administrator" / 2,
        /// Feeds their organisation's records and answers for their quality.
        DataSteward = "data-steward" / 3,
        /// Asks who saw a child; sees no record.
        Auditor = "auditor" / 4,
        /// Enrols organisations, at the data centre; never any child data.
        SecurityOfficer = "security-officer" / 5,
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_roles_are_stable() {
        for role in Role::ALL {
            assert_eq!(Role::of_number(role.number()), Some(*role));
            assert_eq!(Role::try_from(role.code()), Ok(*role));
        }
        assert_eq!(Role::of_number(0), None);
    }
}
