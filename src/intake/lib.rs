//! Suppliers' files: the bytes of a CSV record become a typed [`Intake`] or one numbered [`LineFault`].
//!
//! For: layouts as data ([`Layout`]: which column is which field, date format, code tables), the header ([`Columns`]), the records of a
//! chunk, and [`split`], by which the client and the daemon count the same records. Leaves to others: who may feed and whose child it is
//! (`policy`, `directory`), whether two records are one child (`matching`). Does not promise: that a value is true, only that
//! it is well formed and that every record is either taken or reported (rule H5). Pure but for [`layouts`], which reads a directory; the
//! time is an argument. CSV is RFC 4180, made strict: UTF-8 only, no control characters, every column known (rule A3).

mod fault;
mod field;
mod header;
mod intake;
mod layout;
mod record;
mod split;

pub use fault::{HeaderFault, LineFault, Reason};
pub use field::Field;
pub use header::Columns;
pub use intake::Intake;
pub use layout::{layouts, Layout, LayoutError};
pub use record::Records;
pub use split::{first_record, split, Split, LONGEST_RECORD, MOST_PHYSICAL_LINES};
