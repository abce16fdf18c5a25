//! The one shape of every textual value: a constructor that can refuse, a `Debug` that shows nothing, serde through both.

/// A value was refused. Names the type and the reason, never the content (rule H5: reported without echoing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct InvalidValue {
    /// The kind of value, in lower case with spaces: "family name".
    pub what: &'static str,
    /// What is wrong with it: "has a wrong check digit".
    pub why: &'static str,
}

/// Declares a text type whose only way in is a function `fn(&str) -> Result<String, &'static str>` that normalises or refuses.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The normalised text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<&str> for $name {
            type Error = $crate::InvalidValue;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                $check(text).map(Self).map_err(|why| $crate::InvalidValue { what: $what, why })
            }
        }
        impl TryFrom<String> for $name {
            type Error = $crate::InvalidValue;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::try_from(text.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::InvalidValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}
pub(crate) use checked_text;

/// Declares a closed list of codes: an enum whose members are written, parsed and counted in one place.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $code:tt / $number:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $code)] $variant = $number),+ }

        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code as written in files and answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// The number as stored; stable for ever.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }
            /// The member stored under a number.
            #[must_use]
            pub const fn of_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)+ _ => None }
            }
        }
        impl TryFrom<&str> for $name {
            type Error = $crate::InvalidValue;
            fn try_from(text: &str) -> Result<Self, Self::Error> {
                match text { $($code => Ok(Self::$variant),)+ _ => Err($crate::InvalidValue { what: $what, why: "is not a code of the list" }) }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(crate) use coded;

/// Trims, folds inner white space to one blank, and refuses what is empty, too long, or has a character that `allowed` does not list.
pub(crate) fn plain_text(text: &str, longest: usize, allowed: fn(char) -> bool) -> Result<String, &'static str> {
    if text.len() > longest * 4 {
        return Err("is too long");
    }
    let folded = if is_folded(text) { text.to_owned() } else { text.split_whitespace().collect::<Vec<_>>().join(" ") };
    if folded.is_empty() {
        return Err("is empty");
    }
    if folded.chars().count() > longest {
        return Err("is too long");
    }
    if !folded.chars().all(|c| c == ' ' || allowed(c)) {
        return Err("has a character that is not allowed");
    }
    Ok(folded)
}

/// ASCII with single inner blanks only: what the store hands back, and so the usual case.
fn is_folded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank_ahead = |pair: &[u8]| pair == b"  ";
    text.is_ascii()
        && !bytes.first().is_some_and(u8::is_ascii_whitespace)
        && !bytes.last().is_some_and(u8::is_ascii_whitespace)
        && !bytes.windows(2).any(blank_ahead)
        && !bytes.iter().any(|byte| *byte != b' ' && (byte.is_ascii_whitespace() || *byte == 0x0b))
}
