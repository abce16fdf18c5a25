//! TLS, HTTP, limits: a request in, an answer out.
