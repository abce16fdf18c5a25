//! Looks that a shield overtook: decided on a state in which the child was not hidden yet, and not in the log when it was (rule E2).
//!
//! The writer keeps the last children that were hidden in a new way. A look says how many such changes it had seen for certain before it began;
//! where one of its children is among the later ones, its entry is not written, and so nothing of it is answered.

use contactpoint_domain::{Audience, ChildRecord};
use std::collections::VecDeque;

/// So many are kept. A look that is older than all of them is taken for overtaken.
const MOST: usize = 4096;

/// How many changes that hide a child a look has seen for certain.
#[derive(Debug, Clone, Copy)]
pub struct AsOf(pub(crate) u64);

/// The changes that hid a child, in order.
#[derive(Default)]
pub(crate) struct Hidden {
    count: u64,
    recent: VecDeque<[u8; 16]>,
}

impl Hidden {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Notes that the children of these tokens were hidden, whether or not their change is committed in the end.
    pub(crate) fn note(&mut self, tokens: impl IntoIterator<Item = [u8; 16]>) {
        for token in tokens {
            self.count += 1;
            self.recent.push_back(token);
            if self.recent.len() > MOST {
                self.recent.pop_front();
            }
        }
    }

    /// True where one of these children may have been hidden since.
    pub(crate) fn overtook(&self, AsOf(seen): AsOf, tokens: &[[u8; 16]]) -> bool {
        let since = usize::try_from(self.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        since > self.recent.len() || self.recent.iter().rev().take(since).any(|hidden| tokens.contains(hidden))
    }
}

/// True where a record is hidden in a way in which it was not.
pub(crate) fn hides_more(old: &ChildRecord, record: &ChildRecord) -> bool {
    (old.shield.is_none() && record.shield.is_some())
        || is_narrower(old.audience.as_ref(), record.audience.as_ref())
        || (old.quarantined.is_none() && record.quarantined.is_some())
}

/// True where somebody who could know of a record cannot any more (rule D8).
fn is_narrower(old: Option<&Audience>, new: Option<&Audience>) -> bool {
    new.is_some_and(|new| old.is_none_or(|old| old.people.iter().any(|person| !new.people.contains(person))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_domain::{Instant, PersonId};

    #[test]
    fn an_audience_from_which_somebody_was_taken_hides_the_record_in_a_new_way() {
        // D8: refuses all but named users
        let of = |people: &[u32]| {
            let people = people.iter().map(|id| PersonId(*id)).collect();
            Audience { people, by: PersonId(9), at: Instant::default() }
        };
        let narrower = |old: Option<&[u32]>, new: Option<&[u32]>| is_narrower(old.map(of).as_ref(), new.map(of).as_ref());
        assert!(narrower(None, Some(&[1])));
        assert!(narrower(Some(&[1, 2]), Some(&[1])) && narrower(Some(&[1, 2]), Some(&[1, 3, 4])), "as many or more, but not all of them");
        assert!(!narrower(Some(&[1, 2]), Some(&[2, 3, 1])) && !narrower(Some(&[1]), Some(&[1])));
        assert!(!narrower(Some(&[1]), None) && !narrower(None, None));
    }

    #[test]
    fn a_look_is_overtaken_by_what_hid_its_own_child_after_it_began() {
        // E2: of a shielded child nothing else is seen
        let mut hidden = Hidden::default();
        let (one, other) = ([1; 16], [2; 16]);
        let before = AsOf(hidden.count());
        hidden.note([one]);
        let after = AsOf(hidden.count());
        assert!(hidden.overtook(before, &[other, one]) && !hidden.overtook(before, &[other]) && !hidden.overtook(after, &[one]));
        hidden.note((0..MOST).map(|_| other));
        assert!(hidden.overtook(before, &[[3; 16]]), "what is not known any more is taken for it");
        assert!(!hidden.overtook(after, &[one]));
    }
}
