//! What can be wrong with a header or a record. Names the column and the reason, never the content (rule H5).

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal / $number:literal),+ $(,)?) => {
        /// Why a record was refused: a closed list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Reason { $($(#[$doc])* #[serde(rename = $code)] $variant = $number),+ }

        impl Reason {
            /// Every reason, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code as written in reports.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// The number as stored; stable for ever.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }
            /// The reason stored under a number.
            #[must_use]
            pub const fn of_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

reasons! {
    /// The record is not UTF-8.
    NotUtf8 = "not_utf8" / 1,
    /// The record is longer than 64 KiB.
    LineTooLong = "line_too_long" / 2,
    /// A quoted value does not end within 16 lines, within 64 KiB, or at all; the next line is read afresh.
    UnbalancedQuotes = "unbalanced_quotes" / 3,
    /// A control character other than white space, such as NUL.
    ControlCharacter = "control_character" / 4,
    /// Nothing on the line.
    EmptyLine = "empty_line" / 5,
    /// More or fewer values than the header has columns.
    WrongColumnCount = "wrong_column_count" / 6,
    /// A value that the layout requires is empty, or a carer or practitioner has only half a name.
    MissingValue = "missing_value" / 7,
    /// Not a name: empty of letters, too long, or with characters that names do not have.
    InvalidName = "invalid_name" / 8,
    /// Not a date of the calendar in the layout's format, or before 1900.
    InvalidDate = "invalid_date" / 9,
    /// A date of birth after today.
    DateInFuture = "date_in_future" / 10,
    /// 18 or older today (rule I1).
    NotAChild = "not_a_child" / 11,
    /// An NHS number or unique pupil number of the right shape with a wrong check digit (rule A5).
    WrongCheckDigit = "wrong_check_digit" / 12,
    /// An NHS number or unique pupil number of the wrong shape.
    InvalidNumber = "invalid_number" / 13,
    /// Not in the layout's code table.
    InvalidCode = "invalid_code" / 14,
    /// Not a line of an address.
    InvalidAddress = "invalid_address" / 15,
    /// Not a British postcode.
    InvalidPostcode = "invalid_postcode" / 16,
    /// Not a telephone number.
    InvalidTelephone = "invalid_telephone" / 17,
    /// Not an e-mail address.
    InvalidEmail = "invalid_email" / 18,
    /// A sensitive service says neither that somebody consented nor what else it is recorded on (rule E8).
    BasisMissing = "basis_missing" / 19,
    /// A basis from an organisation that is no sensitive service (rule E8).
    BasisNotExpected = "basis_not_expected" / 20,
}

impl TryFrom<&str> for Reason {
    type Error = contactpoint_domain::InvalidValue;
    fn try_from(text: &str) -> Result<Self, Self::Error> {
        let unknown = contactpoint_domain::InvalidValue { what: "reason", why: "is not a code of the list" };
        Self::ALL.iter().copied().find(|reason| reason.code() == text).ok_or(unknown)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// One refused record: the column (its name in the layout, so never content of the file) and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}{}", field.as_deref().map(|field| format!(" in column {field}")).unwrap_or_default())]
pub struct LineFault {
    /// The layout's name of the column, where one is to blame.
    pub field: Option<String>,
    /// What is wrong.
    pub reason: Reason,
}

impl LineFault {
    pub(crate) fn of_record(reason: Reason) -> Self {
        Self { field: None, reason }
    }
}

/// The header does not fit the layout: nothing of the file is read. Unknown columns are given by position, because a file without
/// a header has a child's record in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The file is in another encoding; export it as UTF-8.
    #[error("the header is not UTF-8")]
    NotUtf8,
    /// The header is longer than 64 KiB: this is no CSV file.
    #[error("the header is longer than 64 KiB")]
    TooLong,
    /// A quote in the header is not closed.
    #[error("a quote in the header is not closed")]
    UnbalancedQuotes,
    /// The header has a control character; is it a spreadsheet and not a CSV file?
    #[error("the header has a control character")]
    ControlCharacter,
    /// The first line is empty.
    #[error("the header is empty")]
    Empty,
    /// Columns of the layout are not there (their names in the layout).
    #[error("columns are missing: {}", columns.join(", "))]
    MissingColumns {
        /// Names as the layout has them.
        columns: Vec<String>,
    },
    /// A column that the layout neither maps nor lists as ignored (rule A3), by position from 1.
    #[error("column {position} is not known to the layout")]
    UnknownColumn {
        /// Position, from 1.
        position: usize,
    },
    /// A column stands twice in the header.
    #[error("column {column} is there twice")]
    DoubledColumn {
        /// Name as the layout has it.
        column: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_of_reasons_are_stable() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of_number(reason.number()), Some(*reason));
            assert_eq!(Reason::try_from(reason.code()), Ok(*reason));
        }
        assert_eq!(Reason::of_number(0), None);
    }
}
