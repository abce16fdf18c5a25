//! Places for connections: so many in all, so many of one organisation.
//!
//! For: counting that cannot leak - a place is given back when it is dropped. Leaves to others: what is said to one who gets none.

use contactpoint_domain::OrganisationId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections are open, in all and by organisation.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    most: usize,
    most_of_one: usize,
    /// `None` counts every connection, `Some` those of one organisation.
    taken: Mutex<HashMap<Option<OrganisationId>, usize>>,
}

/// A place that is held; dropping it gives it back.
#[derive(Debug)]
#[must_use = "a place that is not held is given back"]
pub(crate) struct Place {
    counted: Arc<Counted>,
    of: Option<OrganisationId>,
}

impl Places {
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self(Arc::new(Counted { most, most_of_one, taken: Mutex::default() }))
    }

    /// One of all places, before the handshake.
    pub(crate) fn take(&self) -> Option<Place> {
        self.take_of(None, self.0.most)
    }

    /// One of an organisation's places, after it.
    pub(crate) fn take_for(&self, organisation: OrganisationId) -> Option<Place> {
        self.take_of(Some(organisation), self.0.most_of_one)
    }

    fn take_of(&self, of: Option<OrganisationId>, most: usize) -> Option<Place> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(of).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { counted: Arc::clone(&self.0), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.counted.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_all_and_by_organisation_and_given_back() {
        // issue 2, edge: limits on connections per organisation and in all
        let places = Places::new(3, 2);
        let (one, other) = (OrganisationId(1), OrganisationId(2));
        let held: Vec<_> = (0..2).map(|_| places.take_for(one).unwrap()).collect();
        assert!(places.take_for(one).is_none());
        assert!(places.take_for(other).is_some());
        drop(held);
        assert!(places.take_for(one).is_some());
        let all: Vec<_> = (0..3).map(|_| places.take().unwrap()).collect();
        assert!(places.take().is_none());
        drop(all);
        assert!(places.0.taken.lock().unwrap().is_empty());
    }
}
