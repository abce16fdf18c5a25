//! The rig of the tests.
