//! The texts that organisations and people accept (rules B3, C1, J5), each with its version. A new version asks everybody again.
//!
//! The texts are files of config/statements, compiled in; their first line is "Version N". What is accepted is a version, by name and day.

/// The versions in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Texts {
    /// The statement of responsibilities that an organisation's officer accepts (rule B3).
    pub responsibilities: u16,
    /// The agreement that every person signs (rules C1, J5).
    pub agreement: u16,
}

/// The statement of responsibilities, its version in the first line.
pub const RESPONSIBILITIES: &str = include_str!("../../config/statements/responsibilities.txt");
/// The user agreement, its version in the first line.
pub const AGREEMENT: &str = include_str!("../../config/statements/agreement.txt");

impl Texts {
    /// The versions of the texts compiled in.
    pub const IN_FORCE: Self = Self { responsibilities: version_of(RESPONSIBILITIES), agreement: version_of(AGREEMENT) };
}

/// The number behind "Version " in the first line. A text without one does not compile.
const fn version_of(text: &str) -> u16 {
    let (bytes, word) = (text.as_bytes(), b"Version ");
    let mut at = 0;
    while at < word.len() {
        assert!(bytes[at] == word[at], "a statement begins with its version");
        at += 1;
    }
    let mut version = 0;
    while bytes[at] != b'\n' {
        assert!(bytes[at].is_ascii_digit(), "a version is a number");
        version = version * 10 + (bytes[at] - b'0') as u16;
        at += 1;
    }
    assert!(version > 0, "versions begin with 1");
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_first_line() {
        // B3: again whenever the text changes
        for (text, version) in [(RESPONSIBILITIES, Texts::IN_FORCE.responsibilities), (AGREEMENT, Texts::IN_FORCE.agreement)] {
            assert_eq!(text.lines().next(), Some(format!("Version {version}").as_str()));
            assert!(text.lines().count() > 5);
        }
        assert_eq!(version_of("Version 12\nA text."), 12);
    }
}
