//! Locks the process down; the only crate that may use unsafe.
