//! Whether the store still does its work: what the watchdog asks.

use crate::error::StoreError;
use crate::group::Group;
use crate::writer::Store;
use contactpoint_domain::OrganisationId;

impl Store {
    /// A real commit and a real read. A commit of nothing writes nothing and passes on a full disk too, so this one changes a row: a page goes into
    /// the write-ahead log, and is synced.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.run(|group| group.probe()).await?;
        self.registry(|registry| registry.organisation(OrganisationId(1))).map(drop)
    }
}

impl Group<'_> {
    fn probe(&mut self) -> Result<(), StoreError> {
        self.connection().prepare_cached("UPDATE probe SET commits = commits + 1")?.execute([])?;
        Ok(())
    }
}
