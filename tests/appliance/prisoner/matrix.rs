//! The expected matrix, matrix.tsv beside this crate: which layer, on its own, holds against which attack. Five columns: attack, layer, where,
//! expected, reason. A line that says "open" says why, and the parser refuses it otherwise. `where` is empty, or a condition: a rig ("vm",
//! "container") or a version of Landlock ("abi<4", "abi>=4"), since what Landlock knows depends on the kernel.

use crate::attacks;
use std::path::Path;

#[cfg(test)]
pub(crate) const TEXT: &str = include_str!("../matrix.tsv");

/// A layer on its own; `None` is the control, `All` the daemon as it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// root, nothing in the way: shows that the attack is one.
    None,
    /// The daemon's own Landlock, on root.
    Landlock,
    /// The daemon's own seccomp filter, on root.
    Seccomp,
    /// contactpointd.service.
    Unit,
    /// The user contactpoint and nothing else.
    User,
    /// The domain contactpointd_t, on root with every capability.
    Selinux,
    /// All of them.
    All,
}

/// Layers with their names and headings, in the order of the table.
pub(crate) const LAYERS: [(Layer, &str, &str); 7] = [
    (Layer::None, "none", "no lock"),
    (Layer::Landlock, "landlock", "own Landlock"),
    (Layer::Seccomp, "seccomp", "own seccomp"),
    (Layer::Unit, "unit", "systemd unit"),
    (Layer::User, "user", "user"),
    (Layer::Selinux, "selinux", "SELinux"),
    (Layer::All, "all", "all"),
];

/// The layers that must hold on their own.
#[cfg(test)]
pub(crate) const SINGLE: [Layer; 5] = [Layer::Landlock, Layer::Seccomp, Layer::Unit, Layer::User, Layer::Selinux];

/// Where it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rig {
    /// container.sh: this machine's kernel, no SELinux.
    Container,
    /// vm.sh: Debian 12's kernel, SELinux enforcing.
    Vm,
}

/// A rig and its kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) rig: Rig,
    pub(crate) abi: u32,
}

/// The condition of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    Anywhere,
    In(Rig),
    AbiBelow(u32),
    AbiFrom(u32),
}

impl Where {
    pub(crate) fn holds(self, place: Place) -> bool {
        match self {
            Self::Anywhere => true,
            Self::In(rig) => rig == place.rig,
            Self::AbiBelow(abi) => place.abi < abi,
            Self::AbiFrom(abi) => place.abi >= abi,
        }
    }
}

/// What a layer does about an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The kernel refuses.
    Denied,
    /// The filter ends the process.
    Killed,
    /// This layer does not cover it.
    Open,
    /// This machine's kernel does not have what the attack is about: measured in a container, expected nowhere.
    Absent,
}

impl Expected {
    /// What a verdict, as it is written, comes to; none where there was no attempt.
    pub(crate) fn told(verdict: &str) -> Option<Self> {
        match verdict.split(':').next() {
            Some("SUCCEEDED") => Some(Self::Open),
            Some("denied") => Some(Self::Denied),
            Some("killed") => Some(Self::Killed),
            Some("absent") => Some(Self::Absent),
            _ => None,
        }
    }

    /// The word of the matrix and of the table.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Killed => "killed",
            Self::Open => "open",
            Self::Absent => "absent",
        }
    }

    pub(crate) fn holds(self) -> bool {
        matches!(self, Self::Denied | Self::Killed)
    }
}

/// One line of the matrix.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) attack: String,
    pub(crate) layer: Layer,
    pub(crate) place: Where,
    pub(crate) expected: Expected,
    pub(crate) reason: String,
}

/// A file that is no matrix.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MatrixError {
    /// The file cannot be read.
    #[error("the matrix cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// A line is no cell.
    #[error("matrix, line {line}: {what}")]
    Line { line: usize, what: String },
}

/// The matrix in this file.
///
/// # Errors
/// A file that cannot be read, and the first line that is no cell.
pub(crate) fn read(path: &Path) -> Result<Vec<Cell>, MatrixError> {
    parse(&std::fs::read_to_string(path)?)
}

/// Reads the matrix: one cell a line, after one line of headings; lines that begin with # are comments.
pub(crate) fn parse(text: &str) -> Result<Vec<Cell>, MatrixError> {
    let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(at, line)| cell(line).map_err(|what| MatrixError::Line { line: at + 1, what })).collect()
}

fn cell(line: &str) -> Result<Cell, String> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [attack, layer, place, expected, reason] = columns[..] else {
        return Err(format!("{} columns instead of five", columns.len()));
    };
    let cell = Cell {
        attack: attacks::named(attack).ok_or_else(|| format!("no attack {attack}"))?.name.to_owned(),
        layer: layer_named(layer).ok_or_else(|| format!("no layer {layer}"))?,
        place: condition(place).ok_or_else(|| format!("no condition {place}"))?,
        expected: expectation(expected).ok_or_else(|| format!("nothing is expected by {expected}"))?,
        reason: reason.to_owned(),
    };
    let needs_reason = !cell.expected.holds() && cell.layer != Layer::None && !is_duty(attack);
    if needs_reason && reason.is_empty() {
        return Err(format!("{layer} does not cover {attack}, and the line does not say why"));
    }
    Ok(cell)
}

/// A duty must work under every layer.
pub(crate) fn is_duty(attack: &str) -> bool {
    attack.starts_with("duty-")
}

pub(crate) fn layer_named(name: &str) -> Option<Layer> {
    LAYERS.iter().find(|(_, known, _)| *known == name).map(|(layer, _, _)| *layer)
}

pub(crate) fn name_of(layer: Layer) -> &'static str {
    LAYERS.iter().find(|(known, _, _)| *known == layer).map_or("", |(_, name, _)| name)
}

fn condition(text: &str) -> Option<Where> {
    match text {
        "" => Some(Where::Anywhere),
        "vm" => Some(Where::In(Rig::Vm)),
        "container" => Some(Where::In(Rig::Container)),
        other => match other.strip_prefix("abi>=") {
            Some(abi) => abi.parse().ok().map(Where::AbiFrom),
            None => other.strip_prefix("abi<")?.parse().ok().map(Where::AbiBelow),
        },
    }
}

fn expectation(text: &str) -> Option<Expected> {
    match text {
        "denied" => Some(Expected::Denied),
        "killed" => Some(Expected::Killed),
        "open" => Some(Expected::Open),
        _ => None,
    }
}

/// The one cell that counts in this place.
pub(crate) fn expected_at<'a>(cells: &'a [Cell], attack: &str, layer: Layer, place: Place) -> Option<&'a Cell> {
    let mut found = cells.iter().filter(|cell| cell.attack == attack && cell.layer == layer && cell.place.holds(place));
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APPLIANCE: Place = Place { rig: Rig::Vm, abi: 2 };
    const NEWER: Place = Place { rig: Rig::Container, abi: 7 };

    /// Attacks that one layer alone holds against, and why no second one can.
    const ONE_LAYER: &[(&str, &str)] =
        &[("fork", "a thread is made with the same call: only a filter that sees the flags tells them apart")];

    fn holding(attack: &str, place: Place) -> Vec<&'static str> {
        let cells = parse(TEXT).unwrap();
        let holds = |layer: &&Layer| expected_at(&cells, attack, **layer, place).is_some_and(|cell| cell.expected.holds());
        SINGLE.iter().filter(holds).map(|layer| name_of(*layer)).collect()
    }

    #[test]
    fn the_matrix_has_one_cell_for_every_attack_and_layer_in_both_rigs() {
        let cells = parse(TEXT).unwrap();
        for attack in attacks::all() {
            for (layer, name, _) in LAYERS {
                assert!(expected_at(&cells, attack.name, layer, APPLIANCE).is_some(), "{} under {name} in the machine", attack.name);
                if layer != Layer::Selinux {
                    assert!(expected_at(&cells, attack.name, layer, NEWER).is_some(), "{} under {name} in the container", attack.name);
                }
            }
        }
    }

    #[test]
    fn two_layers_hold_against_every_attack_each_on_its_own() {
        // G5: refused by the program, the unit, Landlock, seccomp and SELinux, each tested on its own
        for attack in attacks::all().filter(|attack| !is_duty(attack.name)) {
            let holding = holding(attack.name, APPLIANCE);
            let alone = ONE_LAYER.iter().any(|(name, _)| *name == attack.name);
            assert_eq!(holding.len() < 2, alone, "{}: {holding:?}", attack.name);
        }
    }

    #[test]
    fn without_a_lock_every_attack_succeeds_and_with_all_none_does() {
        let cells = parse(TEXT).unwrap();
        for attack in attacks::all() {
            let expected = |layer| expected_at(&cells, attack.name, layer, APPLIANCE).unwrap().expected;
            assert_eq!(expected(Layer::None), Expected::Open, "{}", attack.name);
            assert_eq!(expected(Layer::All).holds(), !is_duty(attack.name), "{}", attack.name);
        }
    }

    #[test]
    fn a_duty_works_under_every_layer() {
        for cell in parse(TEXT).unwrap().iter().filter(|cell| is_duty(&cell.attack)) {
            assert_eq!(cell.expected, Expected::Open, "{} under {}", cell.attack, name_of(cell.layer));
        }
    }

    #[test]
    fn a_layer_that_does_not_cover_an_attack_says_why() {
        let line = "heading\nmount\tuser\t\topen\t";
        assert!(parse(line).unwrap_err().to_string().contains("does not say why"));
    }

    #[test]
    fn two_cells_for_one_place_are_none() {
        let twice = parse("heading\nmount\tnone\t\topen\t\nmount\tnone\tvm\topen\t").unwrap();
        assert!(expected_at(&twice, "mount", Layer::None, APPLIANCE).is_none());
        assert!(expected_at(&twice, "mount", Layer::None, NEWER).is_some());
    }
}
