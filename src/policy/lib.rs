//! Caller, request and relation become a Permit or a Refusal. Pure.
