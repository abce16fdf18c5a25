//! The whole flow over real parts: the daemon as it is shipped, SoftHSM2, SQLCipher, mutual TLS, feeds, look-ups, the log.
//!
//! For: the rules as somebody outside meets them, allowed and refused. One borough is set up once and shared (`borough`); whoever needs
//! other settings, other lists or a restart sets up a rig of their own. Leaves to others: what one layer does alone (each crate's own
//! tests), crashes (tests/crash), the door's limits in detail (src/edge). Waits for what it needs with a deadline, and for no other time.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod administration;
mod alert_audit;
mod answers;
mod attached;
mod bad_bodies;
mod bad_requests;
mod borough;
mod break_glass;
mod budgets;
mod cage;
mod certificates;
mod children;
mod closing;
mod contact;
mod detecting;
mod documents;
mod erasing;
mod evidence;
mod examples;
mod expiring;
mod feeding;
mod feeding_bad_files;
mod files;
mod flags;
mod glass_and_shield;
mod glasshouse;
mod helpdesk;
mod keys;
mod letting_in;
mod limits;
mod log_keys;
mod logging_in;
mod looking_up;
mod looking_up_log;
mod machines;
mod office;
mod own_act;
mod own_people;
mod peers;
mod racing;
mod racing_rights;
mod receipts;
mod reviewing;
mod revocation;
mod searching;
mod second_key;
mod sensitive;
mod served_log;
mod set_otherwise;
mod shielded;
mod shielding;
mod silence;
mod statements;
mod unseen;
mod verbs;
mod verbs_of_alerts;
mod verbs_of_records;
mod ward;
mod wire;
mod witnesses;
