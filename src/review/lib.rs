//! Which looks somebody should ask about: detection rules as data, and the draw of what is reviewed in any case.
//!
//! For: rule F4 (regular review), with the rules that are to find the misuse of D6 to D8 (config/detection.toml), the plan of what is drawn
//! (config/review-plan.toml), and the draw itself, which anybody can repeat. Leaves to others: where looks come from and what a rule needs to
//! know beside the log's entry (own family, relation, area), telling a supervisor at once (`policy`'s flags), and what becomes of a finding.
//! Does not promise that a finding is misuse, nor that misuse is found: docs/review.md has what was measured on a synthetic year.
//!
//! Pure: no clock, no socket, no file.

mod calendar;
mod digest;
mod draw;
mod find;
mod look;
mod plan;
mod rules;
mod watch;

pub use digest::digest_of_holidays;
pub use draw::Seed;
pub use look::{Child, Ending, Look, Peers, Seen};
pub use plan::{Drawable, Every, Plan, PlanError, Task};
pub use rules::{Rule, Rules, RulesError};
pub use watch::{findings, About, Finding, Told, Watch, EVIDENCE, MOST_DOUBLINGS};
