//! Which statements of a record are a sensitive service's (rule E8), also of what it said before it was accredited as one.

use crate::Directory;
use contactpoint_domain::{ChildRecord, Organisation, OrganisationId};
use contactpoint_store::{Registry, StoreError};

/// What a record is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of it, or the finding of it by anything that is said.
    Everything,
    /// The name and date of birth alone: then no more sources are asked about than it takes, whoever else works with the child (rule E2).
    TheNameAlone,
}

impl Directory {
    /// Marks what sensitive services say of a child, before anything is compared with it or shown of it.
    pub(crate) fn mark_sensitive(
        &self,
        registry: &Registry<'_>,
        generation: u64,
        record: &mut ChildRecord,
        shown: Shown,
    ) -> Result<(), StoreError> {
        let is_sensitive = |source: OrganisationId| {
            let behind = self.organisations.of(registry, generation, source)?;
            Ok::<_, StoreError>(behind.as_deref().is_some_and(Organisation::is_sensitive_service))
        };
        record.mark_sensitive(is_sensitive, shown == Shown::TheNameAlone)
    }
}
