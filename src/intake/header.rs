//! The first line of a file held against its layout: which position is which field. Missing, doubled and unknown columns refuse (rule A3).

use crate::fault::{HeaderFault, LineFault, Reason};
use crate::field::Field;
use crate::layout::Rules;
use crate::record::{FieldParser, Records};
use contactpoint_domain::Instant;
use std::sync::Arc;

/// The columns of one file, as its header gave them.
#[derive(Debug, Clone)]
pub struct Columns {
    pub(crate) rules: Arc<Rules>,
    /// For each field, the positions in a record that make it up, in the layout's order.
    slots: Vec<Slot>,
    /// How many values each record has.
    pub(crate) width: usize,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    positions: Vec<usize>,
    /// Index of the first column in the layout.
    column: Option<usize>,
    required: bool,
}

impl Columns {
    /// The records of a chunk of the file's body, in order; `u32` is the record's ordinal within the chunk, from 0. The chunk must
    /// end where a record ends (see [`crate::split`]). `now` decides who is a child.
    #[must_use]
    pub fn records<'a>(&'a self, body: &'a [u8], now: Instant) -> Records<'a> {
        Records::of(self, body, now)
    }

    pub(crate) fn of(rules: &Arc<Rules>, line: &[u8]) -> Result<Self, HeaderFault> {
        let names = names(rules, line)?;
        let mut places = vec![None; rules.columns.len()];
        let mut ignored_seen = vec![false; rules.ignored.len()];
        for (position, name) in names.iter().enumerate() {
            let doubled = if let Some(column) = rules.columns.iter().position(|column| column.name.trim() == name) {
                places[column].replace(position).is_some()
            } else if let Some(column) = rules.ignored.iter().position(|ignored| ignored.trim() == name) {
                std::mem::replace(&mut ignored_seen[column], true)
            } else {
                return Err(HeaderFault::UnknownColumn { position: position + 1 });
            };
            if doubled {
                return Err(HeaderFault::DoubledColumn { column: name.clone() });
            }
        }
        Ok(Self { slots: slots(rules, &places)?, width: names.len(), rules: Arc::clone(rules) })
    }

    pub(crate) fn positions(&self, field: Field) -> &[usize] {
        self.slots.get(field as usize).map_or(&[], |slot| &slot.positions)
    }

    pub(crate) fn is_required(&self, field: Field) -> bool {
        self.slots.get(field as usize).is_some_and(|slot| slot.required)
    }

    /// A fault of this field, under the name that the layout has for its (first) column.
    pub(crate) fn fault(&self, field: Field, reason: Reason) -> LineFault {
        let column = self.slots.get(field as usize).and_then(|slot| slot.column).and_then(|at| self.rules.columns.get(at));
        LineFault { field: column.map(|column| column.name.clone()), reason }
    }
}

fn slots(rules: &Rules, places: &[Option<usize>]) -> Result<Vec<Slot>, HeaderFault> {
    let missing = rules.columns.iter().zip(places).filter(|(column, place)| place.is_none() && !column.optional);
    let missing: Vec<String> = missing.map(|(column, _)| column.name.clone()).collect();
    if !missing.is_empty() {
        return Err(HeaderFault::MissingColumns { columns: missing });
    }
    let mut slots = vec![Slot::default(); Field::COUNT];
    for (at, (column, place)) in rules.columns.iter().zip(places).enumerate() {
        if let Some(slot) = slots.get_mut(column.field as usize) {
            slot.positions.extend(*place);
            slot.column.get_or_insert(at);
            slot.required |= column.required;
        }
    }
    Ok(slots)
}

fn names(rules: &Rules, line: &[u8]) -> Result<Vec<String>, HeaderFault> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let mut parser = FieldParser::new(rules.delimiter);
    let values = parser.parse(line)?;
    Ok(values.iter().map(str::to_owned).collect())
}
