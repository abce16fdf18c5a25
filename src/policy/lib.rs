//! Who may do what to which child: a Caller, a request and the relation found in the store become a Permit or a Refusal.
//!
//! For: rules C4, D1 to D3 and F3 as pure functions without socket, file or clock, and the one type of what may be shown of a child
//! (rules A1, A5, E7). A permit has private fields and is made here alone, so an operation that takes one cannot be reached without a
//! decision. Leaves to others: who the caller is (`identity`), carrying it out (`directory`). Not here yet: break-glass, shielding,
//! budgets, the life of organisations and accounts (rules B2, C1, D4 to D8, E).

mod permit;
mod refusal;
mod relation;
mod shown;

pub use permit::{
    enrol_organisation, enrol_person, feed, search, view, who_saw, By, EnrolOrganisationPermit, EnrolPersonPermit, FeedPermit,
    SearchPermit, ViewPermit, WhoSawPermit,
};
pub use refusal::Refusal;
pub use relation::Relation;
pub use shown::{AddressKnown, AddressView, CarerView, ChildHit, ChildView, Contact, ContactPerson};
