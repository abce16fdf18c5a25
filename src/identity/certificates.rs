//! The organisations behind the keys seen lately, so that an unchanged registry costs a look into a table.
//!
//! Emptied whenever the registry's generation moves, which is how a suspension bites at the next request (rule B4). Keys that nobody
//! enrolled are not remembered, so the table is no larger than the registry.

use contactpoint_domain::Organisation;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Known {
    generation: u64,
    organisations: HashMap<[u8; 32], Arc<Organisation>>,
}

/// What one generation of the registry said.
#[derive(Default)]
pub(crate) struct Certificates(Mutex<Known>);

impl Certificates {
    pub(crate) fn known(&self, generation: u64, key: &[u8; 32]) -> Option<Arc<Organisation>> {
        let known = self.lock();
        (known.generation == generation).then(|| known.organisations.get(key).cloned()).flatten()
    }

    /// `generation` is the one before the registry was asked: what a later one would say is asked for again.
    pub(crate) fn remember(&self, generation: u64, key: [u8; 32], organisation: &Arc<Organisation>) {
        let mut known = self.lock();
        if known.generation < generation {
            *known = Known { generation, organisations: HashMap::new() };
        }
        if known.generation == generation {
            known.organisations.insert(key, Arc::clone(organisation));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
