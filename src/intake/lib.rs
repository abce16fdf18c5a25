//! Supplier layouts: a CSV line becomes a typed statement or a numbered reason.
