//! How far a feed has come: the part of rule H5 that survives a crash.

use contactpoint_domain::OrganisationId;
use rusqlite::Row;

/// A feed's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedId(pub i64);

/// A feed to be begun.
#[derive(Debug, Clone)]
pub struct NewFeed {
    /// Whose.
    pub organisation: OrganisationId,
    /// The name of its layout.
    pub layout: String,
    /// SHA-256 of the whole file.
    pub digest: [u8; 32],
    /// The file's first line: column names, no values.
    pub header: String,
}

/// What became of a feed's records so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedCounts {
    /// New children.
    pub created: u32,
    /// Joined to a child on record.
    pub joined: u32,
    /// Said already in the same words.
    pub unchanged: u32,
    /// Refused.
    pub rejected: u32,
}

/// A feed as the store has it.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Its number.
    pub id: FeedId,
    /// Whose.
    pub organisation: OrganisationId,
    /// The name of its layout.
    pub layout: String,
    /// The file's first line.
    pub header: String,
    /// The first record not yet taken in; the header is 1.
    pub next_line: u32,
    /// What became of those before.
    pub counts: FeedCounts,
    /// The client has said that no line is left.
    pub complete: bool,
}

/// A refused line: where and why, never what it said (rule H5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFault {
    /// Record number; the header is 1.
    pub line: u32,
    /// The column at fault, where one is.
    pub field: Option<String>,
    /// A code of the intake's closed list.
    pub reason: String,
}

pub(crate) const SELECT_BY_ID: &str =
    "SELECT id, organisation, layout, header, next_line, created, joined, unchanged, rejected, complete FROM feed WHERE id = ?1";
pub(crate) const SELECT_BY_FILE: &str = "SELECT id, organisation, layout, header, next_line, created, joined, unchanged, rejected, complete
    FROM feed WHERE organisation = ?1 AND layout = ?2 AND digest = ?3";

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Feed> {
    Ok(Feed {
        id: FeedId(row.get(0)?),
        organisation: OrganisationId(row.get(1)?),
        layout: row.get(2)?,
        header: row.get(3)?,
        next_line: row.get(4)?,
        counts: FeedCounts { created: row.get(5)?, joined: row.get(6)?, unchanged: row.get(7)?, rejected: row.get(8)? },
        complete: row.get(9)?,
    })
}
