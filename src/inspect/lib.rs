//! Looks at the running system and says of each check of the catalogue whether it holds (rule J1).
//!
//! For: `contactpointctl inspect`. Asks the kernel wherever it can be asked, and never a configuration what should be; each check is a
//! function over raw texts, which `machine` reads and a test can weaken. What could not be seen is unseen and never holds.
//! Leaves to others: which rule a check shows and how a report is written (`assurance`), fetching the daemon's own word (`operator`).
//! Does not promise: that a kernel that was taken over tells the truth. Writes nothing; to the network it knocks at the daemon's own door.

pub mod daemon;
pub mod directives;
mod disk;
pub mod door;
pub mod files;
pub mod in_force;
mod installed;
mod machine;
pub mod media;
pub mod memory;
pub mod package;
pub mod process;
pub mod reach;
mod reading;
pub mod root_tree;
pub mod slices;
pub mod socket_unit;
pub mod sockets;
mod system;
pub mod tls;
pub mod udev;
pub mod unit;
mod units;
#[cfg(test)]
mod weakened;

pub use daemon::Evidence;
pub use door::Door;
pub use reading::Reading;
pub use system::{System, Target};
