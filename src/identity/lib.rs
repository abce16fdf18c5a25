//! Organisation certificate and person's session become a Caller.
