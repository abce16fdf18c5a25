//! Custody of the keys in the HSM; the only crate that names cryptoki.
