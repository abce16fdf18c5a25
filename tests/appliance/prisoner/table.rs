//! The table of docs/cage.md, drawn from the matrix. The runs in the rigs fail when what they measure differs from the matrix, and a test
//! here fails when the document differs from it: so the document shows what was measured.

use crate::attacks;
use crate::matrix::{Cell, Expected, Layer, Rig, Where, LAYERS};
use std::fmt::Write;

/// The table in Markdown, with the reasons below it, numbered.
pub(crate) fn table(cells: &[Cell]) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    let headings: Vec<&str> = LAYERS.iter().map(|(_, _, heading)| *heading).collect();
    let mut text = format!("| attack | {} |\n|---|{}\n", headings.join(" | "), "---|".repeat(headings.len()));
    for attack in attacks::all() {
        let row: Vec<String> = LAYERS.iter().map(|(layer, _, _)| entry(cells, attack.name, *layer, &mut reasons)).collect();
        let _ = writeln!(text, "| {} | {} |", attack.tries, row.join(" | "));
    }
    text.push('\n');
    for (at, reason) in reasons.iter().enumerate() {
        let _ = writeln!(text, "{}. {reason}", at + 1);
    }
    text
}

/// All that is expected of this layer, each with its condition and its reason's number.
fn entry<'a>(cells: &'a [Cell], attack: &str, layer: Layer, reasons: &mut Vec<&'a str>) -> String {
    let here = cells.iter().filter(|cell| cell.attack == attack && cell.layer == layer);
    let entries: Vec<String> = here.map(|cell| format!("{}{}{}", word(cell), number(cell, reasons), condition(cell.place))).collect();
    entries.join("; ")
}

fn word(cell: &Cell) -> String {
    match cell.expected {
        Expected::Open if cell.layer == Layer::None => "succeeds".to_owned(),
        Expected::Open if crate::matrix::is_duty(&cell.attack) => "works".to_owned(),
        other => other.word().to_owned(),
    }
}

fn number<'a>(cell: &'a Cell, reasons: &mut Vec<&'a str>) -> String {
    if cell.reason.is_empty() {
        return String::new();
    }
    let at = reasons.iter().position(|known| *known == cell.reason).unwrap_or_else(|| {
        reasons.push(&cell.reason);
        reasons.len() - 1
    });
    format!(" ({})", at + 1)
}

fn condition(place: Where) -> String {
    match place {
        Where::Anywhere => String::new(),
        Where::In(Rig::Vm) => " in the machine".to_owned(),
        Where::In(Rig::Container) => " in the container".to_owned(),
        Where::AbiBelow(abi) => format!(" before Landlock {abi}"),
        Where::AbiFrom(abi) => format!(" from Landlock {abi} on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_shows_the_matrix() {
        // J1: what is said about the cage is what was measured
        let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/cage.md")).unwrap();
        let table = table(&crate::matrix::parse(crate::matrix::TEXT).unwrap());
        assert!(document.contains(&table), "docs/cage.md should hold what `contactpoint-prisoner table` prints");
    }
}
