//! The leaf of an entry. Its length is public, so it must not tell what the answer does not: that a look raised an alert (rules D7, D8), that a
//! fed record is held back (rule E4), or that there is a child outside the scope (rule D1).
//!
//! Each leaf is therefore as long as if what may be hidden were there: room for two alerts, for another with each child's row that changed, and
//! for the code of a refusal. What is there takes the room's place. Does not promise: anything about an entry that raises more alerts than that;
//! a look raises two at most.

use crate::error::StoreError;
use crate::sealed::{SealKeys, ALERT, CHILD, REVIEW};
use crate::veil::veiled;
use contactpoint_audit::{Change, Entry, Operation, Outcome};

/// Alerts that any entry has room for.
pub(crate) const ROOM_FOR_ALERTS: usize = 2;

/// Tasks of review that an entry in which tasks are made has room for: how many there are is told by its length no more than by what it says.
const ROOM_FOR_REVIEWS: usize = 16;

/// Bytes of an alert's row in an entry, at most: table, row (53 bits, zigzag), version, digest; and what one more may add to the list's length.
const ALERT_BYTES: usize = 1 + 8 + 1 + 16 + 1;

/// Seals an entry into its leaf (`pieces`: the only way into the log).
pub(crate) fn sealed(keys: &SealKeys, entry: &Entry) -> Result<Vec<u8>, StoreError> {
    let entry = veiled(keys, entry);
    let encoded = entry.encode();
    Ok(keys.entries.in_use().seal_as_long_as(&encoded, length_to_show(&entry, encoded.len()))?)
}

/// The length for which the leaf is made. `encoded`: that of the entry.
fn length_to_show(entry: &Entry, encoded: usize) -> usize {
    let makes_reviews = matches!(entry.operation, Operation::DrawReviews | Operation::DetectReviews);
    let is_alert = |change: &&Change| change.table == ALERT.number || (makes_reviews && change.table == REVIEW.number);
    let children = entry.changes.iter().filter(|change| change.table == CHILD.number).count();
    let told = if entry.changes.iter().any(|change| is_alert(&change)) {
        let changes = entry.changes.iter().filter(|change| !is_alert(change)).copied().collect();
        Entry { changes, ..entry.clone() }.encode().len()
    } else {
        encoded
    };
    let refusal = usize::from(!matches!(entry.outcome, Outcome::Refused(_)));
    let reviews = if makes_reviews { ROOM_FOR_REVIEWS } else { 0 };
    told + refusal + ALERT_BYTES * (ROOM_FOR_ALERTS + children + reviews)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_audit::{Field, Operation, RefusalCode};
    use contactpoint_domain::{AlertId, ChildNumber, Instant, Name, OrganisationId, PersonId, Purpose, Role};
    use contactpoint_sealing::LEAF_SIZES;
    use std::collections::BTreeSet;

    fn view(outcome: Outcome, given: usize, family: usize) -> Entry {
        let named = |length: usize| "n".repeat(length);
        let name = |length: usize| named(length).try_into();
        let on_behalf_of = (given > 0).then(|| Name { given: name(given).unwrap(), family: named(family).try_into().unwrap() });
        Entry {
            at: Instant::of_millis(1_795_000_000_000),
            person: Some(PersonId(70_000)),
            organisation: Some(OrganisationId(900)),
            role: Some(Role::Practitioner),
            operation: Operation::View,
            reason: Some(Purpose::Concern),
            children: vec![ChildNumber::with_body(999_999_999)],
            shown: Vec::new(),
            outcome,
            changes: Vec::new(),
            on_behalf_of,
            facts: vec![200],
        }
    }

    fn row(table: u8, row: u64) -> Change {
        Change { table, row: row.cast_signed(), version: 1, digest: [7; 16] }
    }

    fn alerts(count: usize) -> impl Iterator<Item = Change> {
        // the longest row that a number has, and a shorter one
        [(1 << 53) - 1, AlertId::at_random().unwrap().0].into_iter().cycle().take(count).map(|id| row(ALERT.number, id))
    }

    /// The length of the leaf by the sealer's own rule.
    fn class(entry: &Entry) -> usize {
        let head = LEAF_SIZES[0] - 177;
        let encoded = entry.encode().len();
        let length = encoded.max(length_to_show(entry, encoded));
        LEAF_SIZES.into_iter().find(|size| size - head >= length).unwrap()
    }

    /// Entries of every length of the rest that a look can have, from one byte to the next, across two classes.
    fn looks(outcome: Outcome) -> impl Iterator<Item = Entry> {
        let lengths = std::iter::once((0, 0)).chain((1..=60).flat_map(|given| [(given, 1), (given, 60)]));
        lengths.flat_map(move |(given, family)| {
            (0..=41).map(move |at| {
                let (hits, one_more) = (at / 2, at % 2);
                let mut entry = view(outcome, given, family);
                entry.children.extend((0..hits).map(ChildNumber::with_body));
                entry.shown = vec![Field::Name; hits as usize % 12 + one_more as usize];
                entry.facts = vec![200; entry.children.len()];
                entry
            })
        })
    }

    #[test]
    fn whatever_the_rest_of_a_look_is_long_its_leaf_has_one_length_with_and_without_alerts() {
        // D7, D8, F2: the length of a leaf is public, and whoever looks for others chooses the length of the rest
        let mut seen = BTreeSet::new();
        for entry in looks(Outcome::Answered).chain(looks(Outcome::Refused(RefusalCode::NotOfAudience))) {
            let bare = class(&entry);
            for count in 1..=ROOM_FOR_ALERTS {
                let with = Entry { changes: alerts(count).collect(), ..entry.clone() };
                assert_eq!(class(&with), bare, "{count} alerts beside {} bytes", entry.encode().len());
            }
            seen.insert((bare, entry.encode().len()));
        }
        let classes: BTreeSet<usize> = seen.iter().map(|(class, _)| *class).collect();
        assert!(classes.len() >= 2, "the boundary is among them: {classes:?}");
        let lengths: BTreeSet<usize> = seen.iter().map(|(_, length)| *length).collect();
        let (first, last) = (*lengths.first().unwrap(), *lengths.last().unwrap());
        assert_eq!(lengths.len(), last - first + 1, "every length from {first} to {last}");
    }

    #[test]
    fn a_child_outside_the_scope_and_none_at_all_leave_leaves_of_one_length() {
        // D1: never told apart, not by the log's public half either
        let refused = looks(Outcome::Refused(RefusalCode::OutsideScope));
        for (refused, nobody) in refused.zip(looks(Outcome::NotFound)) {
            assert_ne!(refused.encode().len(), nobody.encode().len(), "the entries themselves differ");
            assert_eq!(class(&refused), class(&nobody));
        }
    }

    #[test]
    fn what_a_feed_brings_is_as_long_whether_any_of_it_is_held_back() {
        // E4: the supplier cannot tell that a record is held back for its authority
        for lines in 1..200 {
            let fed = Entry { changes: (0..lines).map(|n| row(CHILD.number, n)).collect(), ..view(Outcome::Answered, 0, 0) };
            for held_back in [1, lines / 2, lines] {
                let mut with = fed.clone();
                with.changes.extend(alerts(held_back as usize));
                assert_eq!(class(&with), class(&fed), "{held_back} of {lines}");
            }
        }
    }

    #[test]
    fn how_many_tasks_of_review_were_made_does_not_show() {
        // F4, F2: whoever reads the log's public half learns that the rules were run, and not that they found somebody
        for operation in [Operation::DrawReviews, Operation::DetectReviews] {
            let none = Entry {
                operation,
                person: None,
                organisation: None,
                role: None,
                children: Vec::new(),
                facts: Vec::new(),
                ..view(Outcome::Answered, 0, 0)
            };
            // before them by what it was done: the detection rules and the holidays
            let changes = |made| [row(83, 0), row(84, 0)].into_iter().chain((0..made).map(|_| row(REVIEW.number, (1 << 53) - 1))).collect();
            let lengths: BTreeSet<usize> =
                (0..=ROOM_FOR_REVIEWS).map(|made| class(&Entry { changes: changes(made), ..none.clone() })).collect();
            assert_eq!(lengths.len(), 1, "{lengths:?}");
        }
    }

    #[test]
    fn without_room_for_them_an_alert_would_show() {
        // D7: the test above can fail
        let boundary = looks(Outcome::Answered).any(|entry| {
            let with = Entry { changes: alerts(1).collect(), ..entry.clone() };
            let bare = |entry: &Entry| LEAF_SIZES.into_iter().find(|size| size - 79 >= entry.encode().len());
            bare(&with) != bare(&entry)
        });
        assert!(boundary);
    }
}
