//! Tiles and entry bundles (C2SP tlog-tiles, <https://c2sp.org/tlog-tiles>): where they stand and what they hold. Paths are relative
//! to the log's directory or address and begin with `tile/`.

use crate::checkpoint::decimal;
use crate::AuditError;

/// Hashes in a full tile, entries in a full bundle.
pub const FULL: u16 = 256;

/// The most bytes that a full bundle can have.
pub const LARGEST_BUNDLE: usize = 256 * (2 + 65_535);

/// What a path below the log leads to. `width` is 1 to 256; 256 is full and has no suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// `tile/<level>/<index>[.p/<width>]`: hashes.
    Hashes {
        /// 0 to 63; 0 holds leaf hashes.
        level: u8,
        /// From 0.
        index: u64,
        /// Hashes in it.
        width: u16,
    },
    /// `tile/entries/<index>[.p/<width>]`: leaves.
    Entries {
        /// From 0.
        index: u64,
        /// Leaves in it.
        width: u16,
    },
}

impl std::fmt::Display for TilePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Hashes { level, index, width } => write!(f, "tile/{level}/{}", indexed(index, width)),
            Self::Entries { index, width } => write!(f, "tile/entries/{}", indexed(index, width)),
        }
    }
}

impl TilePath {
    /// Reads a path; `None` for every text that [`std::fmt::Display`] would not have written.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (index, width) = parse_indexed(rest)?;
        let found = if kind == "entries" {
            Self::Entries { index, width }
        } else {
            let level = decimal(kind).and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= 63)?;
            Self::Hashes { level, index, width }
        };
        (found.to_string() == path).then_some(found)
    }
}

/// The path of a tile of hashes.
#[must_use]
pub fn tile_path(level: u8, index: u64, width: u16) -> String {
    TilePath::Hashes { level, index, width }.to_string()
}

/// The path of an entry bundle.
#[must_use]
pub fn bundle_path(index: u64, width: u16) -> String {
    TilePath::Entries { index, width }.to_string()
}

/// How many hashes (level 0: leaves, and so entries of a bundle) the tile has in a tree of `size` leaves; 0 where it does not exist.
#[must_use]
pub fn width_at(size: u64, level: u8, index: u64) -> u16 {
    let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let before = index.saturating_mul(u64::from(FULL));
    hashes.saturating_sub(before).min(u64::from(FULL)) as u16
}

/// The bytes of a bundle: each leaf with its length in front, 2 bytes, big-endian.
pub fn encode_bundle<L: AsRef<[u8]>>(leaves: &[L]) -> Result<Vec<u8>, AuditError> {
    let mut bytes = Vec::with_capacity(leaves.iter().map(|leaf| 2 + leaf.as_ref().len()).sum());
    for leaf in leaves {
        let leaf = leaf.as_ref();
        let length = u16::try_from(leaf.len()).map_err(|_| AuditError::LeafTooLong { length: leaf.len() })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    Ok(bytes)
}

/// The leaves of a bundle. [`AuditError::Malformed`] where the last one is cut off.
pub fn decode_bundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, AuditError> {
    let mut leaves = Vec::with_capacity(usize::from(FULL));
    while !bytes.is_empty() {
        let (leaf, rest) = next_leaf(bytes).ok_or(AuditError::Malformed)?;
        leaves.push(leaf);
        bytes = rest;
    }
    Ok(leaves)
}

/// The first leaf and what follows it; `None` where it is cut off.
pub(crate) fn next_leaf(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Groups of three digits, all but the last with an x in front: 1234067 is x001/x234/067.
fn indexed(index: u64, width: u16) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < FULL {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

fn parse_indexed(path: &str) -> Option<(u64, u16)> {
    let (groups, width) = match path.split_once(".p/") {
        Some((groups, width)) => (groups, decimal(width).and_then(|w| u16::try_from(w).ok()).filter(|w| (1..FULL).contains(w))?),
        None => (path, FULL),
    };
    let mut index = 0u64;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    Some((index, width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_standards_examples() {
        // tlog-tiles: index 1234067 is x001/x234/067
        assert_eq!(tile_path(0, 1_234_067, FULL), "tile/0/x001/x234/067");
        assert_eq!(tile_path(2, 0, 17), "tile/2/000.p/17");
        assert_eq!(bundle_path(1_234, FULL), "tile/entries/x001/234");
        assert_eq!(bundle_path(999, 255), "tile/entries/999.p/255");
    }

    #[test]
    fn widths_are_those_of_the_standards_examples() {
        // tlog-tiles: a tree of size 70,000, and one of size 256
        let widths = |size| {
            [(0, 0), (0, 272), (0, 273), (0, 274), (1, 0), (1, 1), (2, 0), (3, 0)].map(|(level, index)| width_at(size, level, index))
        };
        assert_eq!(widths(70_000), [256, 256, 112, 0, 256, 17, 1, 0]);
        assert_eq!(widths(256), [256, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!((width_at(u64::MAX, 63, 0), width_at(u64::MAX, 0, u64::MAX)), (0, 0));
    }

    #[test]
    fn a_path_that_we_would_not_write_leads_nowhere() {
        // A3's spirit at the log's door: unknown is refused, and no path leaves the log
        for wrong in [
            "",
            "tile/0",
            "tile/0/",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/00/001",
            "tile/64/001",
            "tile/-1/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p/",
            "tile/0/001/.p/1",
            "tile/entries/../checkpoint",
            "/tile/0/001",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/００１",
        ] {
            assert_eq!(TilePath::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_leaf_longer_than_a_bundle_can_tell_is_refused() {
        // F1: if the entry cannot be written, nothing is answered
        assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(AuditError::LeafTooLong { length: 65_536 }));
        assert!(encode_bundle(&[vec![0; 65_535]]).is_ok());
    }

    proptest! {
        #[test]
        fn every_path_is_read_as_it_was_written(level in 0u8..64, index: u64, width in 1u16..=256) {
            // F2: the public format
            for path in [TilePath::Hashes { level, index, width }, TilePath::Entries { index, width }] {
                prop_assert_eq!(TilePath::parse(&path.to_string()), Some(path));
            }
        }

        #[test]
        fn every_bundle_decodes_as_it_was(leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20)) {
            // F2: the public format
            let bytes = encode_bundle(&leaves).unwrap();
            let decoded = decode_bundle(&bytes).unwrap();
            prop_assert!(decoded.iter().eq(leaves.iter()));
            if !bytes.is_empty() && leaves.last().is_some_and(|leaf| !leaf.is_empty()) {
                prop_assert_eq!(decode_bundle(&bytes[..bytes.len() - 1]), Err(AuditError::Malformed));
            }
        }
    }
}
