//! The organisations behind statements, kept while the registry is unchanged: a view names several.

use contactpoint_domain::{Organisation, OrganisationId};
use contactpoint_store::{Registry, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Default)]
pub(crate) struct Organisations(RwLock<Known>);

#[derive(Default)]
struct Known {
    generation: u64,
    organisations: HashMap<OrganisationId, Arc<Organisation>>,
}

impl Organisations {
    /// An organisation as of a generation of the registry, which was read before this call.
    pub(crate) fn of(&self, registry: &Registry<'_>, generation: u64, id: OrganisationId) -> Result<Option<Arc<Organisation>>, StoreError> {
        if let Some(known) = self.known(generation, id) {
            return Ok(Some(known));
        }
        let found = registry.organisation(id)?.map(Arc::new);
        if let Some(organisation) = &found {
            self.remember(generation, organisation);
        }
        Ok(found)
    }

    fn known(&self, generation: u64, id: OrganisationId) -> Option<Arc<Organisation>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (known.generation == generation).then(|| known.organisations.get(&id).cloned()).flatten()
    }

    fn remember(&self, generation: u64, organisation: &Arc<Organisation>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation < generation {
            *known = Known { generation, organisations: HashMap::new() };
        }
        if known.generation == generation {
            known.organisations.insert(organisation.id, Arc::clone(organisation));
        }
    }
}
