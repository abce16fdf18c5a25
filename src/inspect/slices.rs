//! The slices above the service and its sockets: an address list there is in force for both, whatever their own units say
//! (systemd.resource-control(5)): one that allows an address opens what the unit denies.
//!
//! Leaves to others: the units' own lists (`directives`, `socket_unit`). Does not see a program that somebody attached to a control group by hand.

use crate::reading::{Look, Reading};
use crate::unit::property;
use contactpoint_assurance::Observation;
use std::collections::BTreeSet;

/// The names of all slices above the units that are shown; system.slice where a unit does not say.
pub(crate) fn above(units: &[&Reading]) -> BTreeSet<String> {
    let of = |unit: &&Reading| unit.text.as_deref().ok().and_then(|text| property(text, "Slice")).unwrap_or_default().to_owned();
    let named = units.iter().map(of).map(|slice| if slice.is_empty() { "system.slice".to_owned() } else { slice });
    named.flat_map(|slice| with_parents(&slice)).collect()
}

/// "a-b.slice" lies in "a.slice", and that in "-.slice" (systemd.slice(5)).
fn with_parents(slice: &str) -> Vec<String> {
    let stem = slice.trim_end_matches(".slice");
    let parents = stem.match_indices('-').filter(|(at, _)| *at > 0).map(|(at, _)| format!("{}.slice", &stem[..at]));
    parents.chain([slice.to_owned(), "-.slice".to_owned()]).collect()
}

/// No slice has a list. The text is that of `systemctl show` of several units: Id=, IPAddressAllow=, IPAddressDeny=, an empty line between two.
pub fn addresses(show: &Reading) -> Observation {
    let mut look = Look::at("unit.drop_ins", "no address list of a slice above the service and its sockets");
    let Some(text) = look.read(show) else { return look.done() };
    for unit in text.split("\n\n").filter(|unit| !unit.trim().is_empty()) {
        match ["Id", "IPAddressAllow", "IPAddressDeny"].map(|name| property(unit, name)) {
            [Some(name), Some(allowed), Some(denied)] => {
                let told = format!("{name}: IPAddressAllow={allowed} IPAddressDeny={denied}");
                look.found(&show.source, told, allowed.is_empty() && denied.is_empty());
            }
            _ => look.unseen(&show.source, "systemd does not show the lists of a slice"),
        }
    }
    look.done()
}
