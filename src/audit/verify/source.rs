//! Where the verifier reads a log from: a trait, and folders as its one implementation here. A log that is read over a network has
//! another one, in the crate that may open connections.

use crate::tiles::LARGEST_BUNDLE;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// A log's files, by their paths below the log: `checkpoint`, `tile/...`.
pub trait Source {
    /// Reads a file into the buffer, in place of what was there; false where there is no such file. Of a file that is longer than any
    /// bundle it may leave out what is beyond.
    fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault>;
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFault {
    /// It is there and cannot be read.
    Unreadable(ErrorKind),
    /// Whoever holds it was not reached, or would not give it; this says nothing about the log.
    NotFetched(String),
}

/// Folders on this machine. A file is taken from the first one that has it.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'a>(pub &'a [&'a Path]);

impl Source for Folders<'_> {
    fn read(&mut self, file: &str, buffer: &mut Vec<u8>) -> Result<bool, ReadFault> {
        let unreadable = |error: std::io::Error| ReadFault::Unreadable(error.kind());
        buffer.clear();
        for folder in self.0 {
            match File::open(folder.join(file)) {
                Ok(opened) => return opened.take(LARGEST_BUNDLE as u64 + 1).read_to_end(buffer).map(|_| true).map_err(unreadable),
                // a file where a directory should be: the path leads nowhere
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        Ok(false)
    }
}
