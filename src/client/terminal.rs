//! What reaches the terminal: plain lines, tables, JSON. Control characters never pass raw, whoever sent them, for an escape sequence in a
//! name could rewrite what the practitioner reads.
//!
//! Leaves to others: what to say.

use crate::error::ClientError;
use serde_json::Value;
use std::io::Write;

/// The text with every control character, and every character that turns the writing direction, replaced by U+FFFD.
#[must_use]
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// C0, DEL, C1 (Unicode category Cc), line and paragraph separators, and the bidirectional controls of UAX #9.
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// One line to standard output. A reader that went away is no fault.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", harmless(line));
}

/// The program's own text of many lines, for a file; half of it is no success.
pub(crate) fn say_text(text: &str) -> Result<(), ClientError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(ClientError::Output)
}

/// One line to standard error.
pub fn complain(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(line));
}

/// A JSON value to standard output, indented; what is harmful raw is written as \uXXXX.
pub fn say_json(value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(std::io::stdout().lock(), "{}", escaped(&text));
}

/// JSON text in which only the line feeds between members stand raw (serde_json escapes C0 inside strings itself).
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_harmful(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Columns under headings, as wide as their widest cell.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    #[must_use]
    pub fn under(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()] }
    }

    /// Adds a row; cells are made harmless.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.iter().map(|cell| harmless(cell)).collect());
    }

    /// The lines, headings first, then a rule.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut lines: Vec<String> = self.rows.iter().map(|row| line(row, &widths)).collect();
        lines.insert(1.min(lines.len()), widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  "));
        lines
    }

    /// Prints it.
    pub fn say(&self) {
        for line in self.lines() {
            say(&line);
        }
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_the_server_never_reach_the_terminal_raw() {
        for raw in ["\u{1b}[2J", "a\nb", "a\rb", "\u{9b}31m", "\u{7f}", "\u{202e}gnp", "\u{2066}x", "\u{0}"] {
            let shown = harmless(raw);
            assert!(!shown.chars().any(is_harmful), "{raw:?}");
            let json = escaped(&serde_json::to_string(&Value::from(raw)).unwrap());
            assert!(!json.chars().any(is_harmful), "{raw:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), raw);
        }
        assert_eq!(harmless("Nguyễn D’Souza-Łukasz"), "Nguyễn D’Souza-Łukasz");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::under(&["name", "number"]);
        table.row(["Zoë", "1"]);
        table.row(["Bartholomew\u{1b}", "22"]);
        assert_eq!(table.lines(), ["name          number", "------------  ------", "Zoë           1", "Bartholomew\u{fffd}  22"]);
    }
}
