//! The log as rows: leaves, full tiles, checkpoints, and the tree that grows over them.

use crate::error::{OpenError, StoreError};
use contactpoint_audit::tiles::{self, TilePath};
use contactpoint_audit::{leaf_hash, Checkpoint, Hash, Logged, Tree, VerifierKey};
use rusqlite::{params, Connection, OptionalExtension};

/// Leaves in a full tile (C2SP tlog-tiles).
const WIDTH: u64 = 256;

/// The tree over the leaves that the store has, from the full tiles and the leaves behind the last of them.
pub(crate) fn resume(connection: &Connection) -> Result<Tree, OpenError> {
    resume_at(connection, size(connection)?)
}

/// The tree over the first `size` leaves, which the store must have.
pub(crate) fn resume_at(connection: &Connection, size: u64) -> Result<Tree, OpenError> {
    let mut edge = vec![leaf_hashes(connection, size - size % WIDTH, size)?];
    let mut below = size / WIDTH;
    let mut level = 0;
    while below > 0 {
        edge.push(tile_roots(connection, level, below - below % WIDTH, below)?);
        below /= WIDTH;
        level += 1;
    }
    Tree::resume(size, edge).map_err(|fault| OpenError::Log(fault.to_string()))
}

/// The most leaves that are hashed again at the start: a second's work.
const HASHED_AT_START: u64 = 1 << 20;

/// Holds the log against its newest signed checkpoint: the signature, the root at its size, and every leaf against its tile. Of a log of
/// more than a million entries only the tiles of the right edge are held against it; the rest is for `verify-log` and its readers.
pub(crate) fn verify(connection: &Connection, tree: &Tree, key: &VerifierKey) -> Result<(), OpenError> {
    let Some((_, note)) = newest_checkpoint(connection)? else { return Ok(()) };
    let checkpoint = Checkpoint::open(&note, key).map_err(|fault| OpenError::Log(fault.to_string()))?;
    if checkpoint.size > tree.size() {
        return Err(OpenError::Log(format!("its newest checkpoint covers more than the {} entries that are there", tree.size())));
    }
    if tree.size() > HASHED_AT_START {
        return match resume_at(connection, checkpoint.size)?.root() == checkpoint.root {
            true => Ok(()),
            false => Err(OpenError::Log(format!("its first {} entries are not those that were signed", checkpoint.size))),
        };
    }
    let (covered, whole) = hashed_again(connection, checkpoint.size)?;
    if covered != checkpoint.root {
        return Err(OpenError::Log(format!("its first {} entries are not those that were signed", checkpoint.size)));
    }
    if whole != *tree {
        return Err(OpenError::Log("its tiles are not those of its entries".to_owned()));
    }
    Ok(())
}

/// The root of the first `size` leaves, and the tree of all, both from the leaves alone; each full tile on the way is held against the
/// one that is stored.
fn hashed_again(connection: &Connection, size: u64) -> Result<(Hash, Tree), OpenError> {
    let mut tree = Tree::new();
    let mut root = tree.root();
    let mut select = connection.prepare("SELECT leaf FROM leaf ORDER BY entry")?;
    let mut stored = connection.prepare("SELECT hashes FROM tile WHERE level = ?1 AND number = ?2")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        for tile in tree.append(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?) {
            let held: Option<Vec<u8>> = stored.query_row(params![tile.level, tile.index.cast_signed()], |row| row.get(0)).optional()?;
            if held.as_deref() != Some(tile.hashes.as_slice()) {
                return Err(OpenError::Log(format!("tile {} of level {} is not that of its entries", tile.index, tile.level)));
            }
        }
        if tree.size() == size {
            root = tree.root();
        }
    }
    Ok((root, tree))
}

/// The number of leaves; a gap among them is a log that is not whole.
fn size(connection: &Connection) -> Result<u64, OpenError> {
    let (count, next): (i64, i64) = connection.query_row(
        "SELECT (SELECT count(*) FROM leaf WHERE entry >= (SELECT coalesce(max(entry), -1) FROM leaf) - 255),
                (SELECT coalesce(max(entry), -1) + 1 FROM leaf)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if count != next.min(256) {
        return Err(OpenError::Log(format!("a leaf before entry {next} is missing")));
    }
    Ok(next.cast_unsigned())
}

pub(crate) fn leaf_hashes(connection: &Connection, from: u64, to: u64) -> Result<Vec<[u8; 32]>, OpenError> {
    let mut select = connection.prepare("SELECT leaf FROM leaf WHERE entry >= ?1 AND entry < ?2 ORDER BY entry")?;
    let hashes = select.query_map([from.cast_signed(), to.cast_signed()], |row| Ok(leaf_hash(&row.get::<_, Vec<u8>>(0)?)))?;
    Ok(hashes.collect::<Result<_, _>>()?)
}

/// The roots of the full tiles of one level, which are the hashes of the level above.
pub(crate) fn tile_roots(connection: &Connection, level: u8, from: u64, to: u64) -> Result<Vec<[u8; 32]>, OpenError> {
    let mut select = connection.prepare("SELECT hashes FROM tile WHERE level = ?1 AND number >= ?2 AND number < ?3 ORDER BY number")?;
    let roots = select.query_map(params![level, from.cast_signed(), to.cast_signed()], |row| Ok(tile_root(&row.get::<_, Vec<u8>>(0)?)))?;
    let roots: Vec<[u8; 32]> = roots.collect::<Result<_, _>>()?;
    if roots.len() as u64 == to - from {
        Ok(roots)
    } else {
        Err(OpenError::Log(format!("a tile of level {level} is missing")))
    }
}

/// The root over the hashes of one full tile.
fn tile_root(hashes: &[u8]) -> Hash {
    let mut tree = Tree::new();
    for hash in hashes.as_chunks().0 {
        drop(tree.append_hash(*hash));
    }
    tree.root()
}

/// Writes one leaf at the tree's end and the tiles that it fills. Returns its index and hash.
pub(crate) fn append(connection: &Connection, tree: &mut Tree, leaf: &[u8]) -> Result<Logged, StoreError> {
    let (index, hash) = (tree.size(), leaf_hash(leaf));
    connection.prepare_cached("INSERT INTO leaf (entry, leaf) VALUES (?1, ?2)")?.execute(params![index.cast_signed(), leaf])?;
    for tile in tree.append_hash(hash) {
        let mut insert = connection.prepare_cached("INSERT INTO tile (level, number, hashes) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![tile.level, tile.index.cast_signed(), tile.hashes])?;
    }
    Ok(Logged { index, leaf: hash })
}

/// Keeps a signed checkpoint, unless there is one of its size: that stays, and is returned. Errors where the two do not say the same.
pub(crate) fn keep_checkpoint(connection: &Connection, size: u64, note: &str) -> Result<String, StoreError> {
    if let Some(kept) = checkpoint_at(connection, size)? {
        let said = |note: &str| Checkpoint::read_unverified(note).ok();
        // the signatures may differ: ECDSA's do each time
        if said(&kept).is_some() && said(&kept) == said(note) {
            return Ok(kept);
        }
        // it is signed, and stands nowhere else: with the one in the store it convicts whoever had the key
        ::log::error!("a second signed head of {size} entries, which is evidence: {note:?}");
        return Err(StoreError::OtherHead { size });
    }
    connection.prepare_cached("INSERT INTO checkpoint (size, note) VALUES (?1, ?2)")?.execute(params![size.cast_signed(), note])?;
    Ok(note.to_owned())
}

/// The newest checkpoint: size and note.
pub(crate) fn newest_checkpoint(connection: &Connection) -> rusqlite::Result<Option<(u64, String)>> {
    let mut select = connection.prepare_cached("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")?;
    select.query_row([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))).optional()
}

/// The checkpoint of a size: its note.
pub(crate) fn checkpoint_at(connection: &Connection, size: u64) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT note FROM checkpoint WHERE size = ?1")?;
    select.query_row([size.cast_signed()], |row| row.get(0)).optional()
}

/// The bytes under a C2SP path ("tile/0/000", "tile/entries/000.p/17"), no further than `covered`, the size of a signed checkpoint.
pub(crate) fn tile(connection: &Connection, path: &str, covered: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(path) = TilePath::parse(path) else { return Ok(None) };
    match path {
        TilePath::Entries { index, width } => entries(connection, index, u64::from(width), covered),
        TilePath::Hashes { level, index, width } => hashes(connection, level, index, u64::from(width), covered),
    }
}

fn entries(connection: &Connection, index: u64, width: u64, covered: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let Some((from, to)) = bounds(index, width, covered) else { return Ok(None) };
    let mut select = connection.prepare_cached("SELECT leaf FROM leaf WHERE entry >= ?1 AND entry < ?2 ORDER BY entry")?;
    let leaves = select.query_map([from.cast_signed(), to.cast_signed()], |row| row.get::<_, Vec<u8>>(0))?;
    let leaves: Vec<Vec<u8>> = leaves.collect::<Result<_, _>>()?;
    Ok(Some(tiles::encode_bundle(&leaves)?))
}

pub(crate) fn hashes(connection: &Connection, level: u8, index: u64, width: u64, covered: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let nodes = covered.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let Some((from, to)) = bounds(index, width, nodes) else { return Ok(None) };
    if width == WIDTH {
        let mut select = connection.prepare_cached("SELECT hashes FROM tile WHERE level = ?1 AND number = ?2")?;
        return Ok(select.query_row(params![level, index.cast_signed()], |row| row.get(0)).optional()?);
    }
    let partial = match level.checked_sub(1) {
        None => leaf_hashes(connection, from, to),
        Some(below) => tile_roots(connection, below, from, to),
    };
    Ok(Some(partial.map_err(|_| StoreError::Stopped)?.concat()))
}

/// The first node of a tile and the one behind its last, where all of them are among the first `nodes`.
fn bounds(index: u64, width: u64, nodes: u64) -> Option<(u64, u64)> {
    let from = index.checked_mul(WIDTH)?;
    let to = from.checked_add(width)?;
    (to <= nodes).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A journal that is kept.
    struct Journal(Mutex<Vec<String>>);

    static JOURNAL: Journal = Journal(Mutex::new(Vec::new()));

    impl ::log::Log for Journal {
        fn enabled(&self, _: &::log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &::log::Record<'_>) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
        fn flush(&self) {}
    }

    #[test]
    fn a_head_of_a_size_that_has_one_is_never_replaced_by_another() {
        // F2: heads are signed; two of one size that differ are a log that forked
        let mut connection = Connection::open_in_memory().unwrap();
        crate::schema::migrations().to_latest(&mut connection).unwrap();
        let note =
            |root: char, signature: char| format!("log.example\n7\n{}=\n\n\u{2014} log.example {signature}\n", root.to_string().repeat(43));
        let (first, again, other) = (note('A', 'x'), note('A', 'y'), note('B', 'x'));
        assert_eq!(keep_checkpoint(&connection, 7, &first).unwrap(), first);
        assert_eq!(keep_checkpoint(&connection, 7, &again).unwrap(), first, "the same head signed once more");
        assert!(matches!(keep_checkpoint(&connection, 7, &other), Err(StoreError::OtherHead { size: 7 })));
        assert_eq!(newest_checkpoint(&connection).unwrap(), Some((7, first)));
    }

    #[test]
    fn the_other_head_of_a_size_is_in_the_journal_as_it_was_signed() {
        // F2: two heads that differ are what convicts whoever signed them
        ::log::set_logger(&JOURNAL).unwrap();
        ::log::set_max_level(::log::LevelFilter::Error);
        let mut connection = Connection::open_in_memory().unwrap();
        crate::schema::migrations().to_latest(&mut connection).unwrap();
        let note = |root: char| format!("log.example\n9\n{}=\n\n\u{2014} log.example x\n", root.to_string().repeat(43));
        keep_checkpoint(&connection, 9, &note('A')).unwrap();
        keep_checkpoint(&connection, 9, &note('B')).unwrap_err();
        let said = JOURNAL.0.lock().unwrap();
        assert!(said.iter().any(|line| line.contains("9 entries") && line.contains(&format!("{:?}", note('B')))), "{said:?}");
    }
}
