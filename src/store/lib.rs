//! Schema, transactions, group commit; the only crate that names rusqlite.
