//! `log fetch`: the public log into a folder, for `log verify` or any other verifier of C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>).
//!
//! For: fetching what the checkpoint demands, full tiles never twice, and then, where the folder holds a log from an earlier time, finding
//! out that it is a beginning of the new one: a log that was shortened, forked or exchanged since is refused, and nothing kept is touched. What a
//! broken-off run was shown is held against it, too.
//! Leaves to others: the files (`log_folder`), the signature where no key is given (`log_verify`). What it keeps is sealed (rule F2:
//! verified without reading a name).

use crate::api::Api;
use crate::arguments::Place;
use crate::error::ClientError;
use crate::log_folder::{full, LogFolder};
use crate::log_growth::goes_on;
use crate::log_verify::verifier_key;
use crate::terminal::{complain, say, say_json};
use contactpoint_audit::tiles::{width_at, TilePath, FULL};
use contactpoint_audit::{verify, Checkpoint, Fault, VerifierKey};
use indicatif::ProgressBar;
use serde_json::json;
use std::path::Path;

/// Fetches, or goes on fetching. With a verifier key, the signatures of the kept and of the new checkpoint are verified too.
pub(crate) async fn fetch(place: &Place, directory: &Path, key: Option<&str>) -> Result<(), ClientError> {
    let key = key.map(verifier_key).transpose()?;
    let folder = LogFolder::at(directory);
    let _held = folder.locked()?;
    let before = kept(&folder, directory, key.as_ref())?;
    let mut api = Api::without_session(place)?;
    let note = api.get_bytes("/log/checkpoint").await?.into_body();
    let now = shown(&note, key.as_ref())?;
    let refuse = |fault: Fault| match folder.refuse(&now, &note) {
        Ok(aside) => refusal(before.as_ref(), &now, &fault, directory, &aside),
        Err(failed) => failed,
    };
    let left_over = match folder.left_over() {
        Some(left) => match contradicted(&mut api, &left, key.as_ref(), &now).await? {
            Some((of, why)) => {
                set_aside(&folder, (&of, &left), &note, &why)?;
                None
            }
            None => Some(left),
        },
        None => None,
    };
    if let Some(before) = &before {
        now.may_follow(before).map_err(refuse)?;
    }
    folder.begin(&note)?;
    let mut fetched = fetch_tiles(&mut api, &folder, now.size).await?;
    let mut verdict = verify::extension(&folder.places(), before.as_ref(), &now);
    if let (Err(fault), Some(left)) = (&verdict, left_over) {
        // a log that goes on changes no tile: those that were left are of another, or were damaged here
        let (of, left) = read(&left, None).map_or((now.clone(), &*note), |of| (of, &*left));
        set_aside(&folder, (&of, left), &note, &fault.to_string())?;
        folder.begin(&note)?;
        fetched = fetch_tiles(&mut api, &folder, now.size).await?;
        verdict = verify::extension(&folder.places(), before.as_ref(), &now);
    }
    verdict.map_err(refuse)?;
    let known = before.as_ref() == Some(&now);
    folder.accept(now.size, (!known).then_some(&*note))?;
    report(place, directory, &Done { now, before, fetched, signed: key.is_some() });
    folder.evidence()?.map_or(Ok(()), |evidence| Err(refused_before(directory, &evidence)))
}

/// Why the head that a broken-off run was shown and the one that is shown now are not of one log, with the former; none where they are. A head that
/// cannot be read, or that the key did not sign, says nothing.
async fn contradicted(
    api: &mut Api,
    left: &[u8],
    key: Option<&VerifierKey>,
    now: &Checkpoint,
) -> Result<Option<(Checkpoint, String)>, ClientError> {
    let Ok(left) = read(left, key) else { return Ok(None) };
    let why = match now.may_follow(&left) {
        Err(fault) => Some(fault.to_string()),
        Ok(()) if now.size == left.size => None,
        Ok(()) => goes_on(api, &left, now).await?.err(),
    };
    Ok(why.map(|why| (left, why)))
}

/// Sets aside what a broken-off run left, and says so at once: the log may hang up again.
fn set_aside(folder: &LogFolder, left: (&Checkpoint, &[u8]), note: &[u8], why: &str) -> Result<(), ClientError> {
    let aside = folder.set_aside(left, note)?;
    let aside = aside.display();
    complain(&format!(
        "what an earlier fetch left, which was broken off, is not of the log that is shown now ({why}): it lies in {aside}. Keep it, and call the accreditor"
    ));
    Ok(())
}

/// The checkpoint of an earlier time. One that cannot be read is no reason to forget it.
fn kept(folder: &LogFolder, directory: &Path, key: Option<&VerifierKey>) -> Result<Option<Checkpoint>, ClientError> {
    let Some(note) = folder.kept_checkpoint()? else { return Ok(None) };
    let wrong = |fault| ClientError::Verification(format!("the checkpoint kept in {}: {fault}", directory.display()));
    read(&note, key).map(Some).map_err(wrong)
}

fn shown(note: &[u8], key: Option<&VerifierKey>) -> Result<Checkpoint, ClientError> {
    read(note, key).map_err(|fault| match key {
        Some(_) => ClientError::Verification(format!("the checkpoint shown now: {fault}; nothing kept was changed")),
        None => ClientError::AnswerNotUnderstood(fault.to_string()),
    })
}

fn read(note: &[u8], key: Option<&VerifierKey>) -> Result<Checkpoint, Fault> {
    let note = std::str::from_utf8(note).map_err(|_| Fault::Note { why: "it is UTF-8" })?;
    match key {
        Some(key) => Checkpoint::open(note, key),
        None => Checkpoint::read_unverified(note),
    }
}

/// Fetches what is not there yet; how many files that were.
async fn fetch_tiles(api: &mut Api, folder: &LogFolder, size: u64) -> Result<u64, ClientError> {
    let bar = ProgressBar::new(files(size));
    let mut fetched = 0;
    for tile in tiles_of(size) {
        if !folder.has(tile) {
            let (tile, bytes) = fetch_tile(api, tile).await?;
            folder.keep_unchecked(tile, &bytes)?;
            fetched += 1;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(fetched)
}

async fn fetch_tile(api: &mut Api, tile: TilePath) -> Result<(TilePath, bytes::Bytes), ClientError> {
    let full = full(tile);
    let (tile, answer) = match api.get_bytes(&format!("/log/{tile}")).await {
        // the log has grown meanwhile and keeps the full one alone, which the standard allows
        Err(ClientError::Refused(problem)) if problem.status == 404 && tile != full => {
            (full, api.get_bytes(&format!("/log/{full}")).await?)
        }
        other => (tile, other?),
    };
    Ok((tile, answer.into_body()))
}

/// Tiles of a level in a log of `size` entries.
fn across(size: u64, level: u8) -> u64 {
    (size >> (8 * u32::from(level))).div_ceil(u64::from(FULL))
}

/// How many [`tiles_of`] has.
fn files(size: u64) -> u64 {
    (0u8..8).fold(across(size, 0), |sum, level| sum.saturating_add(across(size, level)))
}

/// Every bundle, and every tile of hashes at each level, of a log of `size` entries. Not a list: the size is the directory's word.
fn tiles_of(size: u64) -> impl Iterator<Item = TilePath> {
    let bundles = (0..across(size, 0)).map(move |index| TilePath::Entries { index, width: width_at(size, 0, index) });
    let levels = (0u8..8).flat_map(move |level| {
        (0..across(size, level)).map(move |index| TilePath::Hashes { level, index, width: width_at(size, level, index) })
    });
    bundles.chain(levels)
}

fn refusal(before: Option<&Checkpoint>, now: &Checkpoint, fault: &Fault, directory: &Path, aside: &Path) -> ClientError {
    let (size, directory, aside) = (now.size, directory.display(), aside.display());
    let what = match (before, fault) {
        (Some(before), Fault::NotABeginning { .. } | Fault::Root { .. } | Fault::Leaf { .. } | Fault::Node { .. }) => {
            format!("the log that we were shown before ({} entries) is not a beginning of this one ({size} entries): {fault}", before.size)
        }
        _ => fault.to_string(),
    };
    ClientError::Verification(format!(
        "{what}. Nothing kept in {directory} was changed; what was shown now lies in {aside}. Keep both, and call the accreditor"
    ))
}

/// What was refused once is said as long as it lies there, whatever the log shows by now.
fn refused_before(directory: &Path, evidence: &Path) -> ClientError {
    let (directory, evidence) = (directory.display(), evidence.display());
    ClientError::Verification(format!(
        "the log shown now is whole and lies in {directory}, but something else was shown before, and lies in {evidence}. Give that to the accreditor and move it away: until then every fetch ends so"
    ))
}

/// What there is to report.
struct Done {
    now: Checkpoint,
    before: Option<Checkpoint>,
    fetched: u64,
    signed: bool,
}

fn report(place: &Place, directory: &Path, done: &Done) {
    let (size, tiles, fetched) = (done.now.size, files(done.now.size), done.fetched);
    if place.json {
        let before = done.before.as_ref().map(|before| before.size);
        say_json(&json!({"size": size, "tiles": tiles, "fetched": fetched, "continues": before, "signatures_verified": done.signed}));
        return;
    }
    say(&format!("{size} entries in {} ({fetched} files fetched, {} kept).", directory.display(), tiles.saturating_sub(fetched)));
    if let Some(before) = &done.before {
        say(&format!("The log shown before ({} entries) is a beginning of this one.", before.size));
    }
    say(if done.signed {
        "The signatures verify."
    } else {
        "Signatures were not looked at: `contactpoint log verify` does, or --key here."
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logs_size_names_every_tile() {
        assert_eq!((tiles_of(0).count(), files(0)), (0, 0));
        let size = 256 * 256 + 1;
        let names: Vec<String> = tiles_of(size).map(|tile| tile.to_string()).collect();
        assert_eq!((names.len(), files(size)), (257 + 257 + 1 + 1, 257 + 257 + 1 + 1));
        for name in ["tile/entries/255", "tile/entries/256.p/1", "tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }
}
