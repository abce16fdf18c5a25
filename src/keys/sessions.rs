//! Sessions with the token.
