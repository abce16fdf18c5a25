//! Man pages and completions, made from the command lines themselves, so that neither can fall behind.
//!
//! For: `contactpointctl` and `contactpoint`, whose verbs `manual` and `completions` print both on the standard output. What clap knows (verbs,
//! flags, defaults, variables of flags) comes from the command; what it does not (exit statuses, files, environment, examples) from
//! [`Notes`]. Leaves to others: writing a file (the package does), and what a verb does. A page follows man-pages(7).

mod completion;
mod page;

pub use completion::{completions, CompletionsWanted, Shell};
pub use page::{Manual, ManualWanted, NoSuchPage, Notes, Row};
