//! Whether the store still does its work: what the watchdog asks.

use crate::error::StoreError;
use crate::writer::Store;
use contactpoint_domain::OrganisationId;

impl Store {
    /// A real commit and a real read.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.run(|group| Ok(group.head())).await?;
        self.registry(|registry| registry.organisation(OrganisationId(1))).map(drop)
    }
}
