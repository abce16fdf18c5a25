//! The folder beside the profile in which the client keeps what it needs to check the log: `waiting/`, `checkpoint`, and what was refused.
//!
//! For: the entries of answers whose receipt has not come yet, the last signed head that was seen, and where two heads contradict each other,
//! both as evidence. An entry is its number and the hash of its sealed leaf: nothing of a child or of what was asked (rule G8). One file an
//! entry, so that two commands at once do not write into each other's. Leaves to others: what is checked (`receipts`).

use crate::clock;
use crate::error::ClientError;
use crate::log_folder::{aside_of, remove_all, write_whole};
use crate::terminal::complain;
use contactpoint_audit::{Checkpoint, Hash, Logged, VerifierKey};
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct ReceiptFolder(PathBuf);

impl ReceiptFolder {
    /// `school.receipts` beside `school.toml`. It is made with the first entry.
    pub(crate) fn beside(profile: &Path) -> Self {
        Self(profile.with_extension("receipts"))
    }

    /// Another folder that keeps a head, and evidence beside it.
    pub(crate) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// Keeps an entry until its receipt has come. An answer that names a number which another answer had waits beside it: one of the two
    /// is not in the log.
    pub(crate) fn wait_for(&self, entry: &Logged) -> Result<(), ClientError> {
        self.make()?;
        write_whole(&self.file(entry), format!("{} {}\n", entry.index, entry.leaf_text()).as_bytes())
    }

    /// Has another answer named this entry, and its receipt has not come?
    pub(crate) fn waits_for(&self, entry: &Logged) -> bool {
        self.file(entry).exists()
    }

    fn make(&self) -> Result<(), ClientError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).map_err(ClientError::file(&self.0))
    }

    /// The files of the entries that wait. What is no such file, under an entry's own name, is passed over: a write that was broken off leaves one.
    fn files(&self) -> impl Iterator<Item = (fs::DirEntry, Logged)> + '_ {
        let files = fs::read_dir(self.0.join("waiting")).into_iter().flatten().flatten();
        let entry = |file: &fs::DirEntry| read(&fs::read_to_string(file.path()).ok()?).filter(|entry| self.file(entry) == file.path());
        files.filter_map(move |file| entry(&file).map(|entry| (file, entry)))
    }

    /// The entries that wait, the oldest first.
    pub(crate) fn waiting(&self) -> Vec<Logged> {
        let mut entries: Vec<Logged> = self.files().map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| (entry.index, entry.leaf));
        entries
    }

    /// How many have waited since before then, in seconds since 1970-01-01T00:00:00Z, by the times of their files.
    pub(crate) fn waiting_since(&self, then: u64) -> usize {
        let then = clock::at(then);
        let written = |(file, _): (fs::DirEntry, Logged)| file.metadata().ok()?.modified().ok();
        self.files().filter_map(written).filter(|written| *written < then).count()
    }

    /// Its receipt came, and is good.
    pub(crate) fn proved(&self, entry: &Logged) -> Result<(), ClientError> {
        let file = self.file(entry);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ClientError::file(&file)(error)),
            _ => Ok(()),
        }
    }

    /// The last head that was seen, as it was shown.
    pub(crate) fn kept(&self) -> Result<Option<String>, ClientError> {
        let path = self.0.join("checkpoint");
        match fs::read_to_string(&path) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ClientError::file(&path)(error)),
        }
    }

    /// How many entries the kept head has; 0 where none is kept, or none of this log (`receipts` says so).
    pub(crate) fn covered(&self, log: &VerifierKey) -> u64 {
        let kept = self.kept().ok().flatten().and_then(|note| Checkpoint::open(&note, log).ok());
        kept.map_or(0, |head| head.size)
    }

    /// The folder, held (flock(2)) for as long as what is returned lives, so that a head takes the place of the one that it was held against and
    /// of no other. Another command waits for it: never over a question to the directory.
    pub(crate) fn locked(&self) -> Result<File, ClientError> {
        self.make()?;
        let folder = File::open(&self.0).map_err(ClientError::file(&self.0))?;
        folder.lock().map_err(ClientError::file(&self.0))?;
        Ok(folder)
    }

    /// Keeps a head that was found to go on from the kept one; under [`Self::locked`].
    pub(crate) fn keep(&self, note: &str) -> Result<(), ClientError> {
        write_whole(&self.0.join("checkpoint"), note.as_bytes())
    }

    /// What evidence of a head is kept under: its size and the beginning of its root.
    pub(crate) fn name_of_head(head: &Checkpoint) -> String {
        format!("refused-{}-{}", head.size, beginning(&head.root))
    }

    /// What evidence of an entry is kept under.
    pub(crate) fn name_of_entry(entry: &Logged) -> String {
        format!("refused-entry-{}-{}", entry.index, beginning(&entry.leaf))
    }

    /// Sets evidence aside under a name; where. The kept head stays, and lies there too. What was set aside before is not written over.
    pub(crate) fn refuse(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf, ClientError> {
        let aside = self.0.join(name);
        if aside.exists() {
            return Ok(aside);
        }
        let beside = aside_of(&self.0.join("refused"), "new")?;
        if let Some(before) = self.kept()? {
            write_whole(&beside.join("before"), before.as_bytes())?;
        }
        files.iter().try_for_each(|(name, text)| write_whole(&beside.join(name), text.as_bytes()))?;
        match fs::rename(&beside, &aside) {
            // another command was first
            Err(_) if aside.exists() => remove_all(&beside)?,
            moved => moved.map_err(ClientError::file(&aside))?,
        }
        Ok(aside)
    }

    /// The alarm about what does not go together, with the evidence set aside. A disk that takes none does not silence it.
    pub(crate) fn noticed(&self, name: &str, files: &[(&str, &str)], what: String) -> ClientError {
        let evidence = self.refuse(name, files).unwrap_or_else(|failed| {
            complain(&format!("the evidence could not be written: {failed}"));
            self.0.join(name)
        });
        ClientError::Log { what, evidence }
    }

    /// Evidence that was set aside and lies here still, if any does.
    pub(crate) fn evidence(&self) -> Result<Option<PathBuf>, ClientError> {
        let entries = match fs::read_dir(&self.0).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(ClientError::file(&self.0))?,
        };
        let names = entries.into_iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("refused-"));
        Ok(names.map(|entry| entry.path()).min())
    }

    fn file(&self, entry: &Logged) -> PathBuf {
        self.0.join("waiting").join(format!("{}-{}", entry.index, beginning(&entry.leaf)))
    }
}

fn beginning(hash: &Hash) -> String {
    data_encoding::HEXLOWER.encode(&hash[..8])
}

fn read(text: &str) -> Option<Logged> {
    let (index, leaf) = text.strip_suffix('\n')?.split_once(' ')?;
    Logged::read(index, leaf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_waits_is_a_number_and_a_hash_and_goes_when_it_is_proved() {
        // G8: the client writes no record to a file
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::beside(&place.path().join("school.toml"));
        let entries = [9u64, 10, 10].into_iter().zip([1u8, 2, 3]).map(|(index, byte)| Logged { index, leaf: [byte; 32] });
        let entries: Vec<Logged> = entries.collect();
        for entry in entries.iter().rev() {
            folder.wait_for(entry).unwrap();
        }
        assert_eq!(fs::metadata(place.path().join("school.receipts")).unwrap().permissions().mode() & 0o777, 0o700);
        let file = fs::read_to_string(folder.file(&entries[0])).unwrap();
        assert_eq!(file, format!("9 {}\n", entries[0].leaf_text()));
        fs::write(place.path().join("school.receipts/waiting/11-half.part"), "11 ").unwrap();
        assert_eq!(folder.waiting(), entries);
        entries.iter().for_each(|entry| folder.proved(entry).unwrap());
        folder.proved(&entries[0]).unwrap();
        assert!(folder.waiting().is_empty());
    }

    #[test]
    fn what_was_noticed_is_said_also_where_the_evidence_cannot_be_written() {
        // F2: a full disk is no reason not to hear of a fork
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::at(place.path());
        fs::create_dir(place.path().join("checkpoint")).unwrap(); // cannot be read, so what lies there cannot be set aside
        let told = folder.noticed("refused-7-aa", &[("checkpoint", "shown\n")], "it forked".to_owned());
        assert!(told.exit_code() == 5 && told.to_string().contains("it forked"), "{told}");
    }

    #[test]
    fn the_head_of_another_log_covers_no_entry_of_this_one() {
        // F2: a directory that was made anew begins with entry 0, and its answers are no repetition of the former one's
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::at(place.path());
        let [ours, former] = [1, 2].map(|seed| crate::log_fetch_tests::Key::of("directory.example/log", seed));
        let head = Checkpoint { origin: "directory.example/log".to_owned(), size: 7, root: [0; 32] };
        assert_eq!(folder.covered(&ours.1), 0);
        folder.keep(&head.signed(&former).unwrap()).unwrap();
        assert_eq!((folder.covered(&ours.1), folder.covered(&former.1)), (0, 7));
    }

    #[test]
    fn what_has_waited_for_too_long_is_counted() {
        // F2: an entry that no head ever covers is one that the log does not have
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::beside(&place.path().join("school.toml"));
        assert_eq!(folder.waiting_since(4000), 0, "nothing has waited yet");
        for (index, written) in [(1, 1000), (2, 3000)] {
            let entry = Logged { index, leaf: [7; 32] };
            folder.wait_for(&entry).unwrap();
            let file = fs::File::options().write(true).open(folder.file(&entry)).unwrap();
            file.set_modified(clock::at(written)).unwrap();
        }
        assert_eq!([500, 1000, 2000, 4000].map(|then| folder.waiting_since(then)), [0, 0, 1, 2]);
        folder.proved(&Logged { index: 1, leaf: [7; 32] }).unwrap();
        assert_eq!(folder.waiting_since(2000), 0);
    }

    #[test]
    fn what_a_command_that_died_left_half_written_is_no_answer_that_waits() {
        // F2: an alarm that never ends is one that nobody hears; an answer was not shown before its entry was kept
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::beside(&place.path().join("school.toml"));
        let entry = Logged { index: 9, leaf: [7; 32] };
        folder.wait_for(&entry).unwrap();
        folder.proved(&entry).unwrap();
        for (number, half) in ["", "9 ", &format!("9 {}\n", entry.leaf_text())].into_iter().enumerate() {
            let path = aside_of(&folder.file(&entry), "part").unwrap();
            fs::write(&path, half).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(clock::at(1000)).unwrap();
            assert_eq!((folder.waiting(), folder.waiting_since(4000)), (Vec::new(), 0), "{number}");
        }
    }

    #[test]
    fn two_that_write_at_once_never_write_into_each_others() {
        // F2: what is kept is whole, and evidence is of one refusal
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::beside(&place.path().join("school.toml"));
        let texts = ["a", "b", "c", "d"].map(|text| format!("{}\n", text.repeat(20_000)));
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| {
                    for number in 0..20 {
                        folder.keep(text).unwrap();
                        folder.refuse(&format!("refused-{number}-aa"), &[("one", text), ("two", text)]).unwrap();
                    }
                });
            }
        });
        assert!(texts.contains(&folder.kept().unwrap().unwrap()));
        for number in 0..20 {
            let read = |name| fs::read_to_string(folder.0.join(format!("refused-{number}-aa")).join(name)).unwrap();
            assert!(read("one") == read("two") && texts.contains(&read("one")) && texts.contains(&read("before")), "{number}");
        }
        let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.into_iter().all(|name| name == "checkpoint" || name.starts_with("refused-")), "nothing else is left");
    }

    #[test]
    fn evidence_is_kept_with_the_head_that_it_contradicts_and_not_written_over() {
        // F2: two heads that one key signed and that contradict each other are proof, whoever shows them
        let place = tempfile::tempdir().unwrap();
        let folder = ReceiptFolder::beside(&place.path().join("school.toml"));
        folder.keep("kept\n").unwrap();
        let shown = Checkpoint { origin: "a".to_owned(), size: 7, root: [0xab; 32] };
        let name = ReceiptFolder::name_of_head(&shown);
        let aside = folder.refuse(&name, &[("checkpoint", "shown\n")]).unwrap();
        assert!(aside.ends_with("refused-7-abababababababab"));
        assert_eq!(folder.refuse(&name, &[("checkpoint", "again\n")]).unwrap(), aside);
        let read = |name: &str| fs::read_to_string(aside.join(name)).unwrap();
        assert_eq!((read("before"), read("checkpoint")), ("kept\n".to_owned(), "shown\n".to_owned()));
        assert_eq!(folder.kept().unwrap().as_deref(), Some("kept\n"));
    }
}
