//! A feed file as numbered records, read in constant memory: what `feed` sends, cut where `contactpoint_intake` says that a record ends.
//!
//! Records are counted from 1, the header. A line longer than the directory takes is cut one byte past the limit, so that it is counted and
//! refused there. Leaves to others: what a record means, and sending it.

use crate::error::ClientError;
use contactpoint_intake::{first_record, LONGEST_RECORD};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most records of one chunk.
pub(crate) const MOST_RECORDS: usize = 1000;
/// Most bytes of one chunk.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;
/// How much is read at a time.
const STEP: usize = 64 * 1024;

/// What is known of a file before anything is sent.
pub(crate) struct Survey {
    /// SHA-256 of the file, in hexadecimal: the feed's identity.
    pub(crate) digest: String,
    /// The header, without its line end.
    pub(crate) header: String,
    /// How many records, the header included.
    pub(crate) records: u64,
}

impl Survey {
    /// Reads a file once through.
    pub(crate) fn of(path: &Path) -> Result<Self, ClientError> {
        let fault = |why| ClientError::FeedFile { path: path.to_owned(), why };
        let mut file = Records::open(path)?;
        let header = file.next()?.ok_or_else(|| fault("the file is empty"))?;
        let header = String::from_utf8(header).map_err(|_| fault("the first line is not UTF-8"))?;
        while file.next()?.is_some() {}
        Ok(Self { header: header.trim_end_matches(['\r', '\n']).to_owned(), records: file.taken, digest: file.digest() })
    }
}

/// Records on their way to one request.
pub(crate) struct Chunk {
    /// Number of the first.
    pub(crate) first: u64,
    /// How many.
    pub(crate) records: u64,
    /// Their bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A file, record by record.
pub(crate) struct Records {
    path: PathBuf,
    file: File,
    hash: Sha256,
    buffer: Vec<u8>,
    start: usize,
    at_end: bool,
    taken: u64,
    kept_back: Option<Vec<u8>>,
}

impl Records {
    /// From the start.
    pub(crate) fn open(path: &Path) -> Result<Self, ClientError> {
        let file = File::open(path).map_err(ClientError::file(path))?;
        let buffer = Vec::with_capacity(3 * STEP);
        Ok(Self { path: path.to_owned(), file, hash: Sha256::new(), buffer, start: 0, at_end: false, taken: 0, kept_back: None })
    }

    /// From the record with this number on.
    pub(crate) fn open_at(path: &Path, number: u64) -> Result<Self, ClientError> {
        let mut records = Self::open(path)?;
        while records.taken + 1 < number && records.next()?.is_some() {}
        Ok(records)
    }

    /// As many records as one request may carry; `None` at the end.
    pub(crate) fn chunk(&mut self) -> Result<Option<Chunk>, ClientError> {
        let kept = self.kept_back.take();
        let mut chunk = Chunk { first: self.taken + u64::from(kept.is_none()), records: 0, bytes: Vec::new() };
        let mut record = match kept {
            Some(record) => Some(record),
            None => self.next()?,
        };
        while let Some(bytes) = record {
            if chunk.bytes.len() + bytes.len() > MOST_BYTES {
                self.kept_back = Some(bytes);
                break;
            }
            chunk.bytes.extend_from_slice(&bytes);
            chunk.records += 1;
            if chunk.records as usize == MOST_RECORDS {
                break;
            }
            record = self.next()?;
        }
        Ok((chunk.records > 0).then_some(chunk))
    }

    /// The next record with its line end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        loop {
            let ahead = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(length) = first_record(ahead, self.at_end) {
                let record = shortened(ahead.get(..length).unwrap_or(ahead));
                self.start += length;
                self.taken += 1;
                return Ok(Some(record));
            }
            if self.at_end {
                return Ok(None);
            }
            if ahead.len() > LONGEST_RECORD {
                let record = shortened(ahead);
                self.drop_line()?;
                self.taken += 1;
                return Ok(Some(record));
            }
            self.read_on()?;
        }
    }

    /// SHA-256 of what was read; of the whole file once `next` gave `None`.
    pub(crate) fn digest(self) -> String {
        data_encoding::HEXLOWER.encode(&self.hash.finalize())
    }

    /// Drops everything up to and with the next line feed.
    fn drop_line(&mut self) -> Result<(), ClientError> {
        loop {
            let ahead = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(at) = ahead.iter().position(|byte| *byte == b'\n') {
                self.start += at + 1;
                return Ok(());
            }
            self.start = self.buffer.len();
            if self.at_end {
                return Ok(());
            }
            self.read_on()?;
        }
    }

    fn read_on(&mut self) -> Result<(), ClientError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + STEP, 0);
        let space = self.buffer.get_mut(had..).unwrap_or_default();
        let read = self.file.read(space).map_err(ClientError::file(&self.path))?;
        self.buffer.truncate(had + read);
        self.hash.update(self.buffer.get(had..).unwrap_or_default());
        self.at_end = read == 0;
        Ok(())
    }
}

/// A record as it is, or one byte more than the directory takes and a line end.
fn shortened(record: &[u8]) -> Vec<u8> {
    match record.get(..LONGEST_RECORD + 1) {
        Some(start) if record.len() > LONGEST_RECORD + 2 => [start, b"\n"].concat(),
        _ => record.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn all(path: &Path) -> Vec<Vec<u8>> {
        let mut records = Records::open(path).unwrap();
        std::iter::from_fn(|| records.next().unwrap()).collect()
    }

    #[test]
    fn records_are_cut_as_the_directory_counts_them() {
        // H5: a bad line is reported by number
        let text = b"a,b\n1,\"two\nlines\"\n\n3,\"never closed\n4,x";
        let (_folder, path) = file(text);
        let cut = all(&path);
        assert_eq!(cut, contactpoint_intake::split(text).map(<[u8]>::to_vec).collect::<Vec<_>>());
        assert_eq!(cut.concat(), text);
        assert_eq!(Survey::of(&path).unwrap().records, 5);
    }

    #[test]
    fn a_ten_megabyte_line_is_one_record_cut_past_the_limit() {
        // H5: a bad line is reported by number and reason, and the good ones are kept
        let mut text = b"a,b\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10_000_000));
        text.extend(b"\n1,2\n");
        let (_folder, path) = file(&text);
        let cut = all(&path);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [4, LONGEST_RECORD + 2, 4]);
        assert_eq!(contactpoint_intake::split(&cut.concat()).count(), 3);
    }

    #[test]
    fn chunks_keep_to_both_limits_and_lose_nothing() {
        let mut text = b"a,b\n".to_vec();
        for number in 0..2500 {
            text.extend(format!("{number},{}\n", "y".repeat(if number < 100 { 30_000 } else { 5 })).bytes());
        }
        let (_folder, path) = file(&text);
        let mut records = Records::open_at(&path, 2).unwrap();
        let (mut sent, mut next) = (b"a,b\n".to_vec(), 2);
        while let Some(chunk) = records.chunk().unwrap() {
            assert!(chunk.bytes.len() <= MOST_BYTES && chunk.records as usize <= MOST_RECORDS);
            assert_eq!(chunk.first, next);
            next += chunk.records;
            sent.extend(chunk.bytes);
        }
        assert!(sent == text && next == 2502);
        assert_eq!(records.digest(), Survey::of(&path).unwrap().digest);
    }

    #[test]
    fn a_feed_goes_on_at_any_record() {
        // H5: a load that is cut off resumes
        let (_folder, path) = file(b"h\n1\n2\n3\n");
        let mut records = Records::open_at(&path, 3).unwrap();
        let chunk = records.chunk().unwrap().unwrap();
        assert_eq!((chunk.first, chunk.records, chunk.bytes.as_slice()), (3, 2, &b"2\n3\n"[..]));
        assert!(Records::open_at(&path, 99).unwrap().chunk().unwrap().is_none());
    }
}
