//! Holds what was measured against what is expected, cell by cell. A difference fails in either direction: a bar that gives way, and a bar
//! that holds where the matrix says it does not, since then the matrix (and docs/cage.md) tells something that is not so.

use crate::attacks;
use crate::matrix::{self, expected_at, layer_named, name_of, Cell, Expected, Layer, MatrixError, Place, Rig, LAYERS};
use std::path::Path;

/// One thing that was measured.
struct Measured<'a> {
    attack: &'a str,
    layer: Layer,
    verdict: &'a str,
}

/// Prints each difference between the two files, and says whether there was none.
///
/// # Errors
/// A file that cannot be read, and a matrix that is none.
pub(crate) fn judge(matrix: &Path, measured: &Path, place: Place) -> Result<bool, MatrixError> {
    let text = std::fs::read_to_string(measured)?;
    let differences = differences(&matrix::read(matrix)?, &text, place);
    differences.iter().for_each(|difference| println!("{difference}"));
    println!("{} cells measured, {} not as expected", text.lines().count(), differences.len());
    Ok(differences.is_empty())
}

fn differences(cells: &[Cell], text: &str, place: Place) -> Vec<String> {
    let mut found = Vec::new();
    let measured: Vec<Measured<'_>> = text.lines().filter_map(|line| read(line, &mut found)).collect();
    for (attack, layer) in all_of(place.rig) {
        let verdict = verdict_of(&measured, attack, layer);
        let nothing_to_deny = place.rig == Rig::Container && is_absent(verdict) && is_absent(verdict_of(&measured, attack, Layer::None));
        if !nothing_to_deny {
            found.extend(difference(cells, attack, layer, place, verdict));
        }
    }
    found
}

/// What was measured, once.
fn verdict_of<'a>(measured: &[Measured<'a>], attack: &str, layer: Layer) -> Option<&'a str> {
    let mut here = measured.iter().filter(|it| it.attack == attack && it.layer == layer);
    here.next().filter(|_| here.next().is_none()).map(|it| it.verdict)
}

/// The container has the kernel of the machine it runs on, which may lack what an attack is about (modules, say); the machine's has it all.
fn is_absent(verdict: Option<&str>) -> bool {
    verdict.and_then(Expected::told) == Some(Expected::Absent)
}

fn read<'a>(line: &'a str, found: &mut Vec<String>) -> Option<Measured<'a>> {
    let columns: Vec<&str> = line.split('\t').collect();
    let measured = match columns[..] {
        [attack, layer, verdict] => layer_named(layer).map(|layer| Measured { attack, layer, verdict }),
        _ => None,
    };
    if measured.is_none() {
        found.push(format!("not a measurement: {line}"));
    }
    measured
}

/// Every cell that this rig measures.
fn all_of(rig: Rig) -> impl Iterator<Item = (&'static str, Layer)> {
    let layers = LAYERS.iter().map(|(layer, _, _)| *layer).filter(move |layer| rig == Rig::Vm || *layer != Layer::Selinux);
    layers.flat_map(|layer| attacks::all().map(move |attack| (attack.name, layer)))
}

fn difference(cells: &[Cell], attack: &str, layer: Layer, place: Place, verdict: Option<&str>) -> Option<String> {
    let name = name_of(layer);
    let Some(verdict) = verdict else {
        return Some(format!("{attack} under {name}: not measured, or more than once"));
    };
    let Some(cell) = expected_at(cells, attack, layer, place) else {
        return Some(format!("{attack} under {name}: {verdict}, and the matrix says nothing"));
    };
    let as_expected = Expected::told(verdict) == Some(cell.expected);
    (!as_expected).then(|| format!("{attack} under {name}: {verdict}, expected {}", cell.expected.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { rig: Rig::Container, abi: 7 };

    /// What a run that goes as expected would have measured.
    fn as_expected() -> String {
        let cells = matrix::parse(matrix::TEXT).unwrap();
        let word = |expected| match expected {
            Expected::Open => "SUCCEEDED",
            Expected::Denied => "denied: EPERM",
            Expected::Killed => "killed",
            Expected::Absent => "absent: ENOSYS",
        };
        let line = |(attack, layer)| {
            let cell = expected_at(&cells, attack, layer, HERE).unwrap();
            format!("{attack}\t{}\t{}\n", name_of(layer), word(cell.expected))
        };
        all_of(Rig::Container).map(line).collect()
    }

    fn judged(text: &str) -> Vec<String> {
        differences(&matrix::parse(matrix::TEXT).unwrap(), text, HERE)
    }

    #[test]
    fn a_run_that_goes_as_expected_has_no_difference() {
        assert_eq!(judged(&as_expected()), Vec::<String>::new());
    }

    #[test]
    fn a_bar_that_gives_way_is_a_difference() {
        let text = as_expected().replace("mount\tall\tkilled", "mount\tall\tSUCCEEDED");
        assert_eq!(judged(&text), ["mount under all: SUCCEEDED, expected killed"]);
    }

    #[test]
    fn an_attack_that_was_not_tried_is_a_difference() {
        let text = as_expected().replace("mount\tall\tkilled", "mount\tall\tno attempt (226)");
        assert_eq!(judged(&text), ["mount under all: no attempt (226), expected killed"]);
        let text = as_expected().replace("mount\tall\tkilled\n", "");
        assert_eq!(judged(&text), ["mount under all: not measured, or more than once"]);
    }

    #[test]
    fn what_this_kernel_lacks_is_no_difference_where_the_control_lacks_it_too() {
        let lacking = as_expected().replace("bpf\tnone\tSUCCEEDED", "bpf\tnone\tabsent: ENOSYS");
        assert_eq!(judged(&lacking).len(), 0);
        let one_layer = as_expected().replace("bpf\tlandlock\tSUCCEEDED", "bpf\tlandlock\tabsent: ENOSYS");
        assert_eq!(judged(&one_layer), ["bpf under landlock: absent: ENOSYS, expected open"]);
        let machine = Place { rig: Rig::Vm, abi: 2 };
        assert!(differences(&matrix::parse(matrix::TEXT).unwrap(), &lacking, machine)
            .contains(&"bpf under none: absent: ENOSYS, expected open".to_owned()));
    }

    #[test]
    fn a_line_that_is_no_measurement_is_a_difference() {
        assert_eq!(judged(&(as_expected() + "Segmentation fault\n")), ["not a measurement: Segmentation fault"]);
    }
}
