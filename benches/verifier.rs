//! How long the verifier takes: makes a log of so many entries of 256 bytes, verifies it whole, goes on from a trusted checkpoint, and finds a
//! changed byte. `cargo run --release -p contactpoint-audit --example verifier -- ENTRIES [FOLDER]`; the folder must be empty and is kept,
//! a temporary one is not.
//!
//! For: the figures in docs/performance.md and docs/log-format.md. Leaves to others: making logs that mean something; these entries are numbers.
//! The verifier has one thread, so seconds of processor time are seconds of one core.

use contactpoint_audit::tiles::{bundle_path, encode_bundle, tile_path, width_at};
use contactpoint_audit::verify::{self, Folders};
use contactpoint_audit::{Checkpoint, SignError, Signer, Tree, VerifierKey};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const ORIGIN: &str = "bench.example/log";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let entries: u64 = arguments.next().ok_or("how many entries?")?.parse()?;
    let kept = arguments.next().map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let key = Key::new()?;
    let trusted = entries - entries / 100;
    let since = made(folder, entries, trusted, &key)?;

    let verified = timed("the whole log", || verify::directory(folder, key.verifier_key()))??;
    println!("  {} entries, root over them as signed", verified.size);
    let folders = [folder];
    let mut log = Folders(&folders);
    let note = verify::note(&mut log)?;
    let now = || Checkpoint::open(&note, key.verifier_key());
    let verified = timed("from a trusted checkpoint on", || verify::against(&mut log, now()?, Some(&since), None))??;
    println!("  {} entries skipped, {} read", verified.skipped, verified.size - verified.skipped);

    let changed = entries / 2;
    let bundle = folder.join(bundle_path(changed / 256, width_at(entries, 0, changed / 256)));
    let mut bytes = std::fs::read(&bundle)?;
    *bytes.get_mut((changed % 256) as usize * 258 + 100).ok_or("no such entry")? ^= 1;
    std::fs::write(&bundle, bytes)?;
    match timed("with a byte changed half-way", || verify::directory(folder, key.verifier_key()))? {
        Ok(_) => Err("the changed byte was not found".into()),
        Err(fault) => {
            println!("  {fault}");
            Ok(())
        }
    }
}

/// Writes the log, and hands back its checkpoint as it was at an earlier size.
fn made(folder: &Path, entries: u64, earlier: u64, key: &Key) -> Result<Checkpoint, Box<dyn Error>> {
    let mut tree = Tree::new();
    let mut before = None;
    for bundle in 0..entries.div_ceil(256) {
        let width = width_at(entries, 0, bundle);
        let leaves: Vec<Vec<u8>> = (0..u64::from(width)).map(|at| (bundle * 256 + at).to_be_bytes().repeat(32)).collect();
        for leaf in &leaves {
            if tree.size() == earlier {
                before = Some(checkpoint(&tree));
            }
            for tile in tree.append(leaf) {
                write(folder, &tile_path(tile.level, tile.index, 256), &tile.hashes)?;
            }
        }
        write(folder, &bundle_path(bundle, width), &encode_bundle(&leaves)?)?;
    }
    for (level, hashes) in (0u8..).zip(tree.edge()).filter(|(_, hashes)| !hashes.is_empty()) {
        let index = (entries >> (8 * u32::from(level))) / 256;
        write(folder, &tile_path(level, index, width_at(entries, level, index)), &hashes.concat())?;
    }
    let last = checkpoint(&tree);
    write(folder, "checkpoint", last.signed(key)?.as_bytes())?;
    Ok(before.unwrap_or(last))
}

fn checkpoint(tree: &Tree) -> Checkpoint {
    Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root() }
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    let file = folder.join(path);
    file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(file, bytes)
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Box<dyn Error>> {
    let (begun, before) = (Instant::now(), processor_time()?);
    let done = work();
    let (wall, processor) = (begun.elapsed(), processor_time()? - before);
    println!("{what}: {:.2} s of processor time, {:.2} s by the clock", processor.as_secs_f64(), wall.as_secs_f64());
    Ok(done)
}

/// User and system time of this process: proc(5), fields 14 and 15 of stat, in hundredths of a second.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("stat has no name")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(10 * ticks))
}

struct Key(ed25519_dalek::SigningKey, VerifierKey);

impl Key {
    fn new() -> Result<Self, Box<dyn Error>> {
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let public = VerifierKey::ed25519(ORIGIN, key.verifying_key().as_bytes())?;
        Ok(Self(key, public))
    }
}

impl Signer for Key {
    fn verifier_key(&self) -> &VerifierKey {
        &self.1
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
    }
}
