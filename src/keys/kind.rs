//! The four keys of the ceremony: label, kind, task.
