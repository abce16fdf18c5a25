//! By which keys is a child found, and are these two records one child?
//!
//! For: the normal forms of names (rule D3), the keys under which a record is indexed and joined, and the verdict of rule H2 in its
//! first, exact form: a valid NHS number, a unique pupil number, or equal names with date of birth and postcode. Pure: no store, no clock.
//! Leaves to others: turning a key into a token (`store`), what happens to the doubtful (a later matcher takes the place of
//! [`verdict`]). Does not promise to find a child whose name is spelt differently and who has neither number in common.

mod forms;
mod guard;
mod join;
mod normal;
mod search;

pub use guard::{guard_keys, may_be_of, GuardKey};
pub use join::{identity_key, join_keys, verdict, JoinKey, Verdict};
pub use normal::{fold_alike, folded, phonetic};
pub use search::{answers_to, search_keys, SearchKey, Sought};
