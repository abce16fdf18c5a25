//! The records of a chunk, one after the other, each either taken or refused; none is skipped (rule H5).

use crate::fault::{HeaderFault, LineFault, Reason};
use crate::header::Columns;
use crate::intake::Intake;
use crate::split::{ends_in_quotes, split, Split, LONGEST_RECORD};
use contactpoint_domain::Instant;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

/// What [`Columns::records`] gives out.
pub struct Records<'a> {
    columns: &'a Columns,
    records: std::iter::Zip<std::ops::RangeFrom<u32>, Split<'a>>,
    parser: FieldParser,
    now: Instant,
}

impl<'a> Records<'a> {
    pub(crate) fn of(columns: &'a Columns, body: &'a [u8], now: Instant) -> Self {
        Self { columns, records: (0..).zip(split(body)), parser: FieldParser::new(columns.rules.delimiter), now }
    }

    fn read(&mut self, record: &[u8]) -> Result<Intake, LineFault> {
        let values = self.parser.parse(record).map_err(|fault| LineFault::of_record(fault.into()))?;
        if values.len() != self.columns.width {
            return Err(LineFault::of_record(Reason::WrongColumnCount));
        }
        Intake::read(self.columns, &values, self.now)
    }
}

impl Iterator for Records<'_> {
    type Item = (u32, Result<Intake, LineFault>);
    fn next(&mut self) -> Option<Self::Item> {
        let (ordinal, record) = self.records.next()?;
        Some((ordinal, self.read(record)))
    }
}

/// What makes bytes no record, whether a header or a line of the body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoRecord {
    LineTooLong,
    EmptyLine,
    NotUtf8,
    ControlCharacter,
    UnbalancedQuotes,
}

impl From<NoRecord> for Reason {
    fn from(fault: NoRecord) -> Self {
        match fault {
            NoRecord::LineTooLong => Self::LineTooLong,
            NoRecord::EmptyLine => Self::EmptyLine,
            NoRecord::NotUtf8 => Self::NotUtf8,
            NoRecord::ControlCharacter => Self::ControlCharacter,
            NoRecord::UnbalancedQuotes => Self::UnbalancedQuotes,
        }
    }
}

impl From<NoRecord> for HeaderFault {
    fn from(fault: NoRecord) -> Self {
        match fault {
            NoRecord::LineTooLong => Self::TooLong,
            NoRecord::EmptyLine => Self::Empty,
            NoRecord::NotUtf8 => Self::NotUtf8,
            NoRecord::ControlCharacter => Self::ControlCharacter,
            NoRecord::UnbalancedQuotes => Self::UnbalancedQuotes,
        }
    }
}

/// Takes one record apart, in buffers that are used again for the next. The CSV itself is csv-core's.
pub(crate) struct FieldParser {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl FieldParser {
    pub(crate) fn new(delimiter: char) -> Self {
        let delimiter = u8::try_from(delimiter).unwrap_or(b',');
        let reader = ReaderBuilder::new().delimiter(delimiter).terminator(Terminator::Any(b'\n')).build();
        Self { reader, text: Vec::new(), ends: Vec::new() }
    }

    /// The values of one record. Refuses what is no record before it looks for values.
    pub(crate) fn parse(&mut self, record: &[u8]) -> Result<Values<'_>, NoRecord> {
        if record.len() > LONGEST_RECORD {
            return Err(NoRecord::LineTooLong);
        }
        let line = without_line_end(record);
        if line.is_empty() {
            return Err(NoRecord::EmptyLine);
        }
        std::str::from_utf8(line).map_err(|_| NoRecord::NotUtf8)?;
        if line.iter().any(|byte| is_forbidden(*byte)) {
            return Err(NoRecord::ControlCharacter);
        }
        if line.contains(&b'"') && ends_in_quotes(line) {
            return Err(NoRecord::UnbalancedQuotes);
        }
        self.take_apart(line)
    }

    /// Hands the line to csv-core. It never outgrows the buffers: values together are no longer than their line, and no more than its
    /// bytes and one.
    fn take_apart(&mut self, line: &[u8]) -> Result<Values<'_>, NoRecord> {
        self.reader.reset();
        self.text.resize(self.text.len().max(line.len() + 1), 0);
        self.ends.resize(self.ends.len().max(line.len() + 2), 0);
        let (result, read, written, ended) = self.reader.read_record(line, &mut self.text, &mut self.ends);
        let (result, more_written, more_ended) = if matches!(result, ReadRecordResult::InputEmpty) {
            let (text, ends) = (self.text.get_mut(written..), self.ends.get_mut(ended..));
            let (result, _, written, ended) = self.reader.read_record(&[], text.unwrap_or_default(), ends.unwrap_or_default());
            (result, written, ended)
        } else {
            (result, 0, 0)
        };
        if !matches!(result, ReadRecordResult::Record) || read != line.len() {
            return Err(NoRecord::UnbalancedQuotes);
        }
        let text = self.text.get(..written + more_written).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| NoRecord::NotUtf8)?;
        Ok(Values { text, ends: self.ends.get(..ended + more_ended).unwrap_or_default() })
    }
}

/// The values of one record, trimmed.
pub(crate) struct Values<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Values<'a> {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn at(&self, position: usize) -> &'a str {
        let start = position.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(position).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or_default().trim()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).map(|position| self.at(position))
    }
}

fn without_line_end(record: &[u8]) -> &[u8] {
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Control characters of ASCII; white space is folded or trimmed with the value it stands in.
fn is_forbidden(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r')
}
