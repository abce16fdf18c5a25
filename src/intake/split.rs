//! Where one record of a CSV file ends and the next begins. The client cuts a file into chunks by it and the daemon counts by it, so both
//! number the same records.
//!
//! The rule: a record ends at the first line feed outside quotes. A quote opens only at the start of a value (after `,` `;` tab, or at the
//! start of the record), and a doubled quote inside is one quote. If there is no such end within 16 physical lines and 64 KiB, a quote is
//! missing or the line is too long: then the record is the first physical line alone, and reading goes on after it. Every byte
//! belongs to exactly one record, an empty line is a record, and where a record ends depends only on the bytes from its start.

/// Longest record, in bytes, with its line end.
pub const LONGEST_RECORD: usize = 64 * 1024;
/// Most physical lines of one record.
pub const MOST_PHYSICAL_LINES: usize = 16;

/// Length in bytes of the record that `bytes` begins with, its line end included; `None` where that cannot be known before more bytes
/// are read, or where there are no bytes. `at_end` says that nothing follows `bytes`.
///
/// A reader that has more than [`LONGEST_RECORD`] bytes in hand and gets `None` has a line that is too long, whatever follows: it may drop
/// the rest up to the next line feed, and send the first `LONGEST_RECORD + 1` bytes and a line feed to have it counted and refused.
#[must_use]
pub fn first_record(bytes: &[u8], at_end: bool) -> Option<usize> {
    if bytes.is_empty() {
        return None;
    }
    match balanced_end(bytes) {
        Scan::Record(length) => Some(length),
        Scan::RanOut(State::Quoted) if at_end => Some(first_physical_line(bytes).unwrap_or(bytes.len())),
        Scan::RanOut(_) if at_end => Some(bytes.len()),
        Scan::RanOut(_) => None,
        Scan::PastLimit => first_physical_line(bytes).or(at_end.then_some(bytes.len())),
    }
}

/// The records of a body that ends where a record ends, each with its line end. Together they are the body.
#[must_use]
pub fn split(body: &[u8]) -> Split<'_> {
    Split { rest: body }
}

/// What [`split`] gives out.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let (record, rest) = self.rest.split_at_checked(first_record(self.rest, true)?)?;
        self.rest = rest;
        Some(record)
    }
}

/// True where the record ends inside a quoted value.
pub(crate) fn ends_in_quotes(record: &[u8]) -> bool {
    record.iter().fold(State::ValueStart, |state, byte| state.after(*byte)) == State::Quoted
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ValueStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

impl State {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::ValueStart | Self::QuoteInQuoted, b'"') | (Self::Quoted, _) => Self::Quoted,
            (Self::ValueStart | Self::Plain | Self::QuoteInQuoted, b',' | b';' | b'\t') => Self::ValueStart,
            (Self::ValueStart | Self::Plain | Self::QuoteInQuoted, _) => Self::Plain,
        }
    }
}

enum Scan {
    Record(usize),
    RanOut(State),
    PastLimit,
}

fn balanced_end(bytes: &[u8]) -> Scan {
    let mut state = State::ValueStart;
    let mut lines = 0;
    for (at, byte) in bytes.iter().take(LONGEST_RECORD).enumerate() {
        if *byte == b'\n' {
            if state != State::Quoted {
                return Scan::Record(at + 1);
            }
            lines += 1;
            if lines == MOST_PHYSICAL_LINES {
                return Scan::PastLimit;
            }
        }
        state = state.after(*byte);
    }
    if bytes.len() >= LONGEST_RECORD {
        Scan::PastLimit
    } else {
        Scan::RanOut(state)
    }
}

fn first_physical_line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1)
}
