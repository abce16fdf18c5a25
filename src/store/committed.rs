//! The proof that what is about to be answered is in the log.

use contactpoint_audit::Logged;

/// A value whose audit entry is durable. Made only by the store, after the commit; the only thing an answer can be made from.
///
/// ```compile_fail,E0451
/// let forged = contactpoint_store::Committed { value: 1, entry: unreachable!() };
/// ```
#[derive(Debug)]
#[must_use = "what is committed was looked at on purpose: answer it"]
pub struct Committed<T> {
    value: T,
    entry: Logged,
}

impl<T> Committed<T> {
    pub(crate) fn new(value: T, entry: Logged) -> Self {
        Self { value, entry }
    }

    /// The value, which may now leave.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// A look at the value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The index of its entry in the log (RFC 6962 leaf index).
    #[must_use]
    pub fn entry_index(&self) -> u64 {
        self.entry.index
    }

    /// Its entry, and which leaf that is: what the holder of a receipt has to know.
    #[must_use]
    pub fn logged(&self) -> Logged {
        self.entry
    }

    /// The same proof for a value made out of this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Committed<U> {
        Committed { value: f(self.value), entry: self.entry }
    }
}
