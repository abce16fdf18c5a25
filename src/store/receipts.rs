//! Receipts out of the store: the audit path of an entry below the newest signed head (C2SP tlog-proof), from a few rows of tiles.
//!
//! For: making one on a reader's connection, without the writer's knowledge: two tiles a level at most. A full tile is a row. What is not
//! full yet would be made again out of up to 256 rows each time; since a log only grows, what was read of it is kept, and only what came
//! since is read. Leaves to others: signing heads (`writer`), who may ask (`edge`). Shows hashes alone, all of which the tiles show too.

use crate::error::StoreError;
use crate::log;
use crate::writer::Store;
use contactpoint_audit::tiles::FULL;
use contactpoint_audit::{Checkpoint, Hash, HashTile, Proving, Receipt};
use rusqlite::Connection;
use std::sync::{Mutex, PoisonError};

/// Makes receipts over an open store.
pub struct Receipts {
    store: Store,
    edge: Mutex<Vec<Partial>>,
}

/// The tile of a level that is not full yet, as far as it was read.
#[derive(Default)]
struct Partial {
    index: u64,
    hashes: Vec<Hash>,
}

impl Receipts {
    /// Over a store.
    #[must_use]
    pub fn of(store: Store) -> Self {
        Self { store, edge: Mutex::default() }
    }

    /// The receipt of an entry; `None` where the newest signed head does not cover it, whether there is such an entry or not.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, StoreError> {
        let Some(checkpoint) = self.store.log_checkpoint() else { return Ok(None) };
        let damaged = || StoreError::Damaged { table: "checkpoint", row: 0 };
        let size = Checkpoint::read_unverified(&checkpoint).map_err(|_| damaged())?.size;
        let Some(proving) = Proving::inclusion(index, size) else { return Ok(None) };
        let tiles: Vec<_> = self.store.read(|snapshot| {
            let read = |tile| Ok((tile, self.tile(snapshot.connection, tile)?));
            proving.tiles().into_iter().map(read).collect::<Result<_, StoreError>>()
        })?;
        let path = proving.proof(&tiles).ok_or(StoreError::Damaged { table: "tile", row: 0 })?;
        Ok(Some(Receipt { index, path, checkpoint }))
    }

    fn tile(&self, connection: &Connection, tile: HashTile) -> Result<Vec<Hash>, StoreError> {
        if tile.width < FULL {
            return self.partial(connection, tile);
        }
        let full = log::hashes(connection, tile.level, tile.index, FULL.into(), u64::MAX)?;
        Ok(full.unwrap_or_default().as_chunks().0.to_vec())
    }

    fn partial(&self, connection: &Connection, tile: HashTile) -> Result<Vec<Hash>, StoreError> {
        let level = usize::from(tile.level);
        let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        if edge.len() <= level {
            edge.resize_with(level + 1, Partial::default);
        }
        let known = &mut edge[level];
        if known.index != tile.index {
            *known = Partial { index: tile.index, hashes: Vec::new() };
        }
        let begin = tile.index * u64::from(FULL);
        let (from, to) = (begin + known.hashes.len() as u64, begin + u64::from(tile.width));
        if from < to {
            let more = match tile.level.checked_sub(1) {
                None => log::leaf_hashes(connection, from, to),
                Some(below) => log::tile_roots(connection, below, from, to),
            };
            known.hashes.extend(more.map_err(|_| StoreError::Stopped)?);
        }
        Ok(known.hashes.iter().take(tile.width.into()).copied().collect())
    }
}
