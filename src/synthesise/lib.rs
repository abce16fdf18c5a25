//! Synthetic boroughs, children, feeds and test certificates.
