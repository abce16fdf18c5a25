//! The line before the password checks: short for each organisation, so that none can make the others wait (rule C6).
//!
//! For: counting who waits or is checked, by organisation; a place is given back when it is dropped. Leaves to others: how many checks
//! run at once (`identity`), what is said to one who finds the line full (`log_in`). Does not promise: an order among organisations
//! other than that of their coming; each has at most [`IN_LINE`] before anybody else.

use contactpoint_domain::OrganisationId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Log-ins of one organisation that wait or are being checked; the control socket counts as one organisation.
const IN_LINE: usize = 4;

/// The line of each organisation; cheap to clone.
#[derive(Default, Clone)]
pub(crate) struct Queue(Arc<Mutex<HashMap<Option<OrganisationId>, usize>>>);

/// A place in the line, held until the check is done.
#[must_use = "a place that is not held is given back"]
pub(crate) struct InLine {
    queue: Queue,
    of: Option<OrganisationId>,
}

impl Queue {
    /// A place, or `None` where the organisation's line is full.
    pub(crate) fn enter(&self, of: Option<OrganisationId>) -> Option<InLine> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(of).or_insert(0);
        if *line >= IN_LINE {
            return None;
        }
        *line += 1;
        Some(InLine { queue: self.clone(), of })
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        let mut lines = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(&self.of) {
            *line -= 1;
            if *line == 0 {
                lines.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_organisation_has_a_short_line_of_its_own() {
        // C6: log-in failures lock with growing delay - they do not lock anybody else
        let queue = Queue::default();
        let held: Vec<_> = (0..IN_LINE).map(|_| queue.enter(Some(OrganisationId(1))).unwrap()).collect();
        assert!(queue.enter(Some(OrganisationId(1))).is_none());
        assert!(queue.enter(Some(OrganisationId(2))).is_some() && queue.enter(None).is_some());
        drop(held);
        assert!(queue.enter(Some(OrganisationId(1))).is_some());
        assert!(queue.0.lock().unwrap().is_empty());
    }
}
