//! Receipts out of the store: the audit path of an entry below the newest signed head (C2SP tlog-proof), from a few rows of tiles.
//!
//! For: making one on a reader's connection, without the writer's knowledge: two tiles a level at most. A full tile is a row. What is not
//! full yet would be made again out of up to 256 rows each time; since a log only grows, what was read of it is kept, and only what came
//! since is read. Leaves to others: signing heads (`writer`), which of them is cosigned (`witnesses`), who may ask (`edge`). Shows hashes alone, all of which the tiles show too.

use crate::error::StoreError;
use crate::log;
use crate::snapshot::Snapshot;
use crate::witnesses::Witnesses;
use crate::writer::Store;
use contactpoint_audit::tiles::FULL;
use contactpoint_audit::{Hash, HashTile, Proving, Receipt};
use contactpoint_domain::Instant;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, PoisonError};

/// Makes receipts over an open store.
pub struct Receipts {
    store: Store,
    witnesses: Option<Arc<Witnesses>>,
    edge: Edge,
}

/// What was read of the tiles that are not full.
#[derive(Default)]
struct Edge(Mutex<Vec<Partial>>);

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
        Self { store, witnesses: None, edge: Edge::default() }
    }

    /// The same, under heads that these witnesses cosigned where there are such.
    #[must_use]
    pub fn cosigned_by(self, witnesses: Option<Arc<Witnesses>>) -> Self {
        Self { witnesses, ..self }
    }

    /// The head that a document is made below: the newest that has the witnesses' quorum, unless that is late or has not so many entries; else the
    /// newest that is signed. `least`: what a part goes on from may be below a head that is newer than the one with the quorum.
    pub fn head(&self, least: u64, now: Instant) -> Result<Option<(u64, String)>, StoreError> {
        let cosigned = match &self.witnesses {
            Some(witnesses) if witnesses.late_since(now)?.is_none() => witnesses.cosigned(),
            Some(_) | None => None,
        };
        Ok(cosigned.filter(|(size, _)| least <= *size).or_else(|| self.store.newest_head()))
    }

    /// The receipt of an entry: below the newest head that has the witnesses' quorum and covers it, else below the newest that is signed; `None`
    /// where that does not cover it, whether there is such an entry or not.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, StoreError> {
        let cosigned = self.witnesses.as_ref().and_then(|witnesses| witnesses.cosigned()).filter(|(size, _)| index < *size);
        let Some((size, checkpoint)) = cosigned.or_else(|| self.store.newest_head()) else { return Ok(None) };
        let path = self.store.read(|snapshot| self.path(snapshot, index, size))?;
        Ok(path.map(|path| Receipt { index, path, checkpoint }))
    }

    /// The audit path of an entry below a signed head of `size` entries; `None` where that does not cover it.
    pub fn path(&self, snapshot: &Snapshot<'_>, index: u64, size: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let Some(proving) = Proving::inclusion(index, size) else { return Ok(None) };
        let read = |tile| Ok((tile, self.edge.tile(snapshot.connection, tile)?));
        let tiles: Vec<_> = proving.tiles().into_iter().map(read).collect::<Result<_, StoreError>>()?;
        Ok(Some(proving.proof(&tiles).ok_or(StoreError::Damaged { table: "tile", row: 0 })?))
    }
}

impl Edge {
    fn tile(&self, connection: &Connection, tile: HashTile) -> Result<Vec<Hash>, StoreError> {
        if tile.width < FULL {
            return self.partial(connection, tile);
        }
        let full = log::hashes(connection, tile.level, tile.index, FULL.into(), u64::MAX)?;
        Ok(full.unwrap_or_default().as_chunks().0.to_vec())
    }

    fn partial(&self, connection: &Connection, tile: HashTile) -> Result<Vec<Hash>, StoreError> {
        let level = usize::from(tile.level);
        let mut edge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if edge.len() <= level {
            edge.resize_with(level + 1, Partial::default);
        }
        let known = &mut edge[level];
        if tile.index < known.index {
            // of an older head: since then it has become full, though a reading that began before does not see it so
            let full = log::hashes(connection, tile.level, tile.index, FULL.into(), u64::MAX)?;
            let seen =
                full.map_or_else(|| log::hashes(connection, tile.level, tile.index, tile.width.into(), u64::MAX), |full| Ok(Some(full)))?;
            return Ok(seen.unwrap_or_default().as_chunks().0.iter().take(tile.width.into()).copied().collect());
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use contactpoint_audit::Tree;

    #[test]
    fn a_reading_that_began_before_a_tile_was_full_still_finds_its_part_of_it() {
        // F2: whoever is answered has the entry's proof, however much was written meanwhile
        let dir = tempfile::tempdir().unwrap();
        let open = || Connection::open(dir.path().join("store")).unwrap();
        let (writer, early, late) = (open(), open(), open());
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.execute_batch(crate::schema::FIRST).unwrap();
        let mut tree = Tree::new();
        let mut write = |count: u16| {
            for at in 0..count {
                log::append(&writer, &mut tree, &at.to_be_bytes()).unwrap();
            }
        };
        write(200);
        early.execute_batch("BEGIN; SELECT count(*) FROM leaf").unwrap();
        let edge = Edge::default();
        let of_200 = HashTile { level: 0, index: 0, width: 200 };
        let shown = edge.tile(&early, of_200).unwrap();
        assert_eq!(shown.len(), 200);
        write(100);
        assert_eq!(edge.tile(&late, HashTile { level: 0, index: 1, width: 44 }).unwrap().len(), 44);
        assert_eq!(edge.tile(&late, of_200).unwrap(), shown);
        assert_eq!(edge.tile(&early, of_200).unwrap(), shown, "it does not see the full tile");
    }
}
