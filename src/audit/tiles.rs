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
