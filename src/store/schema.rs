//! The tables, by migration. A migration is never edited once released; a new one is added below.

use rusqlite_migration::{Migrations, M};

/// Every migration in order.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(FIRST),
        M::up(SECOND),
        M::up(THIRD),
        M::up(COSIGNATURES),
        M::up(REVIEWS),
        M::up(EVIDENCE),
        M::up(PROBE),
        M::up(LIVES),
        M::up(RUNS),
    ])
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

/// 0.4: the one row is there once a signed head of this log was kept on the HSM's token. From then on a token without one is refused.
pub(crate) const THIRD: &str = "
CREATE TABLE head_kept (id INTEGER PRIMARY KEY CHECK (id = 1));
";

/// 0.4: what witnesses said of signed heads. witness: its verifier key; at: seconds since 1970; line: as it stands below the head's note.
pub(crate) const COSIGNATURES: &str = "
CREATE TABLE cosignature (
    witness TEXT NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (witness, size)) WITHOUT ROWID;
CREATE INDEX cosignature_size ON cosignature (size);
";

/// 0.4: tasks of review. Beside the sealed row of a task stand the numbers by which its queue is found; origin: a token of what it was made of,
/// so that nothing makes it twice. A period of the plan is drawn from entry `start` on up to the entry in which its end was noted; `next` is the
/// first that was not looked at yet. The log as it was before begins no period.
pub(crate) const REVIEWS: &str = "
CREATE TABLE review (
    row INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL, origin BLOB NOT NULL UNIQUE,
    reviewer INTEGER, due INTEGER NOT NULL, open INTEGER NOT NULL);
CREATE INDEX review_reviewer ON review (reviewer, due, row) WHERE open = 1;
CREATE INDEX review_open ON review (due, row) WHERE open = 1;
CREATE INDEX review_due ON review (due, row);
CREATE TABLE review_mark (every INTEGER PRIMARY KEY, entry INTEGER NOT NULL);
INSERT INTO review_mark (every, entry) SELECT number, (SELECT coalesce(max(entry), -1) + 1 FROM leaf) FROM (
    SELECT 1 AS number UNION SELECT 2 UNION SELECT 3);
CREATE TABLE review_period (
    every INTEGER NOT NULL, last INTEGER NOT NULL, start INTEGER NOT NULL, entry INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (every, last)) WITHOUT ROWID;
CREATE TABLE review_detected (id INTEGER PRIMARY KEY CHECK (id = 1), day INTEGER NOT NULL);
";

/// 0.4: evidence that was asked for (rule F5): sealed rows, by numbers at random.
pub(crate) const EVIDENCE: &str = "
CREATE TABLE evidence (row INTEGER PRIMARY KEY, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL);
";

/// 0.4: the one row that changes when it is asked whether the store still takes a commit.
pub(crate) const PROBE: &str = "
CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL);
INSERT INTO probe (id, commits) VALUES (1, 0);
";

/// 0.4: the entry with which each life of the daemon began. Within a life no entry is dated before the one before it, but for moments.
pub(crate) const LIVES: &str = "
CREATE TABLE life (entry INTEGER PRIMARY KEY);
";

/// 0.4: the entries of runs of the detection rules, each with the last day that was run. What they were run by is in the entry. And the entry that
/// noted the last day of all that were run.
pub(crate) const RUNS: &str = "
CREATE TABLE review_run (entry INTEGER PRIMARY KEY, day INTEGER NOT NULL);
ALTER TABLE review_detected ADD COLUMN entry INTEGER;
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_apply_to_an_empty_store() {
        assert!(super::migrations().validate().is_ok());
    }
}
