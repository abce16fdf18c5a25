//! The tables, by migration. A migration is never edited once released; a new one is added below.

use rusqlite_migration::{Migrations, M};

/// Every migration in order.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(SECOND)])
}

/// Sealed rows carry: version (of the row, in its associated data), key (the record's key, wrapped), sealed (the content).
/// Tokens are HMAC-SHA-256, cut to 16 bytes; to 8 in the index of children, whose candidates are opened and compared anyway.
pub(crate) const FIRST: &str = "
CREATE TABLE organisation (row INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE certificate (spki BLOB PRIMARY KEY, organisation INTEGER NOT NULL REFERENCES organisation (row)) WITHOUT ROWID;
CREATE TABLE account (row INTEGER PRIMARY KEY, login BLOB NOT NULL UNIQUE, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL);

CREATE TABLE child (row INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE child_history (row INTEGER NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (row, version)) WITHOUT ROWID;
CREATE TABLE child_index (token INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (token, row)) WITHOUT ROWID;
CREATE TABLE child_waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, pairs BLOB NOT NULL);

CREATE TABLE feed (
    id INTEGER PRIMARY KEY, organisation INTEGER NOT NULL REFERENCES organisation (row), layout TEXT NOT NULL, digest BLOB NOT NULL,
    header TEXT NOT NULL, next_line INTEGER NOT NULL, created INTEGER NOT NULL, joined INTEGER NOT NULL, unchanged INTEGER NOT NULL,
    rejected INTEGER NOT NULL, complete INTEGER NOT NULL, UNIQUE (organisation, layout, digest));
CREATE TABLE feed_fault (
    feed INTEGER NOT NULL REFERENCES feed (id), line INTEGER NOT NULL, field TEXT, reason TEXT NOT NULL, PRIMARY KEY (feed, line)) WITHOUT ROWID;

CREATE TABLE leaf (entry INTEGER PRIMARY KEY, leaf BLOB NOT NULL);
CREATE TABLE tile (level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE looked (child BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (child, entry)) WITHOUT ROWID;
CREATE TABLE looked_mark (id INTEGER PRIMARY KEY CHECK (id = 1), entry INTEGER NOT NULL);
INSERT INTO looked_mark (id, entry) VALUES (1, 0);
";

/// 0.3: pairs that no longer count in the index of children, and alerts. Beside the sealed row of an alert stand the numbers by which its
/// queue is found; place: the order in which they were raised; open: nobody has judged it; judged: the day of it. A month's sample is drawn by
/// the first signed head that covers the entry in which the month's end was noted.
pub(crate) const SECOND: &str = "
CREATE TABLE alert (
    row INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL, place INTEGER NOT NULL UNIQUE,
    person INTEGER NOT NULL, supervisor INTEGER, authority INTEGER, day INTEGER NOT NULL, due INTEGER NOT NULL, open INTEGER NOT NULL,
    judged INTEGER);
CREATE INDEX alert_supervisor ON alert (supervisor, place) WHERE open = 1;
CREATE INDEX alert_authority ON alert (authority, place) WHERE open = 1;
CREATE INDEX alert_due ON alert (due, place) WHERE open = 1;
CREATE INDEX alert_person ON alert (person, place) WHERE open = 1;
CREATE INDEX alert_day ON alert (day, place);
CREATE INDEX alert_judged ON alert (judged, row) WHERE judged IS NOT NULL;
CREATE TABLE child_withdrawn (token INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (token, row)) WITHOUT ROWID;
CREATE TABLE alert_sample (month INTEGER PRIMARY KEY, entry INTEGER NOT NULL, size INTEGER NOT NULL);
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_apply_to_an_empty_store() {
        assert!(super::migrations().validate().is_ok());
    }
}
