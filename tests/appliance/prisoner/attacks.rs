//! The attacks, each one thing that the daemon must never be able to do, and two duties, which it must: a cage in which nothing works
//! would refuse every attack. An attack says what the kernel answered; what that is worth is `verdict`'s.

mod devices;
mod files;
mod handed_over;
mod kernel_interfaces;
mod memory;
mod network;
mod privilege;
mod processes;

use crate::kernel::Errno;
use crate::prison::Prison;

/// What an attack came to: the kernel did it, or refused.
pub(crate) type Outcome = Result<(), Errno>;

/// One attack.
pub(crate) struct Attack {
    /// Its name in the matrix.
    pub(crate) name: &'static str,
    /// What it tries, for people.
    pub(crate) tries: &'static str,
    /// Answers that come after every permission was given: the attack asks for something harmless that fails at its very end.
    pub(crate) passed: &'static [i32],
    /// The attack itself.
    pub(crate) run: fn(&Prison) -> Outcome,
}

/// A group of attacks, in the order of the matrix.
pub(crate) type Group = &'static [Attack];

const GROUPS: &[Group] = &[
    files::ATTACKS,
    devices::ATTACKS,
    network::ATTACKS,
    handed_over::ATTACKS,
    memory::ATTACKS,
    processes::ATTACKS,
    privilege::ATTACKS,
    kernel_interfaces::ATTACKS,
];

/// Every attack and duty, in the order of the matrix.
pub(crate) fn all() -> impl Iterator<Item = &'static Attack> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// The attack of this name.
pub(crate) fn named(name: &str) -> Option<&'static Attack> {
    all().find(|attack| attack.name == name)
}
