//! `log fetch`: the public log into a folder, for `log verify` or any other verifier of C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>).
//!
//! For: the checkpoint first, then every entry bundle and tile of its size, each file whole or not at all, full tiles never twice; the
//! checkpoint is put in its place last, so that the folder always holds what its checkpoint promises. Leaves to others: whether it is true
//! (`log_verify`). What it keeps is sealed (rule F2: verified without reading a name).

use crate::api::Api;
use crate::arguments::Place;
use crate::error::ClientError;
use crate::terminal::{say, say_json};
use contactpoint_audit::tiles::{width_at, TilePath, FULL};
use indicatif::ProgressBar;
use serde_json::json;
use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Fetches, or goes on fetching.
pub(crate) async fn fetch(place: &Place, directory: &Path) -> Result<(), ClientError> {
    let mut api = Api::without_session(place)?;
    let checkpoint = api.get_bytes("/log/checkpoint").await?.into_body();
    let size = size_of(&checkpoint).ok_or_else(|| ClientError::AnswerNotUnderstood("no checkpoint".to_owned()))?;
    let wanted = tiles_of(size);
    let bar = ProgressBar::new(wanted.len() as u64);
    let mut fetched = 0u64;
    for tile in &wanted {
        fetched += u64::from(keep_tile(&mut api, directory, *tile).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    write_whole(&directory.join("checkpoint"), &checkpoint)?;
    drop_outgrown(&directory.join("tile"), directory, &wanted)?;
    if place.json {
        say_json(&json!({"size": size, "tiles": wanted.len(), "fetched": fetched}));
    } else {
        say(&format!("{size} entries in {} ({fetched} files fetched, {} kept).", directory.display(), wanted.len() as u64 - fetched));
    }
    Ok(())
}

/// The second line of a checkpoint (C2SP tlog-checkpoint). Nothing is verified here.
fn size_of(checkpoint: &[u8]) -> Option<u64> {
    std::str::from_utf8(checkpoint).ok()?.lines().nth(1)?.parse().ok()
}

/// Every bundle, and every tile of hashes at each level, of a log of `size` entries.
fn tiles_of(size: u64) -> Vec<TilePath> {
    let across = |level: u8| (size >> (8 * u32::from(level))).div_ceil(u64::from(FULL));
    let bundles = (0..across(0)).map(|index| TilePath::Entries { index, width: width_at(size, 0, index) });
    let levels = (0u8..8)
        .flat_map(|level| (0..across(level)).map(move |index| TilePath::Hashes { level, index, width: width_at(size, level, index) }));
    bundles.chain(levels).collect()
}

/// True where it had to be fetched.
async fn keep_tile(api: &mut Api, directory: &Path, tile: TilePath) -> Result<bool, ClientError> {
    let full = full(tile);
    if directory.join(tile.to_string()).is_file() || directory.join(full.to_string()).is_file() {
        return Ok(false);
    }
    let (tile, bytes) = match api.get_bytes(&format!("/log/{tile}")).await {
        // the log has grown meanwhile and keeps the full one alone, which the standard allows
        Err(ClientError::Refused(problem)) if problem.status == 404 && tile != full => {
            (full, api.get_bytes(&format!("/log/{full}")).await?)
        }
        other => (tile, other?),
    };
    write_whole(&directory.join(tile.to_string()), bytes.body())?;
    Ok(true)
}

fn full(tile: TilePath) -> TilePath {
    match tile {
        TilePath::Hashes { level, index, .. } => TilePath::Hashes { level, index, width: FULL },
        TilePath::Entries { index, .. } => TilePath::Entries { index, width: FULL },
    }
}

/// Writes beside, makes durable, puts in place.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ClientError::file(folder))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside = folder.join(name);
    let mut file = fs::File::create(&beside).map_err(ClientError::file(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_data()).map_err(ClientError::file(&beside))?;
    fs::rename(&beside, path).map_err(ClientError::file(path))
}

/// Removes the partial tiles of a smaller log, and files that a broken-off run left half written.
fn drop_outgrown(folder: &Path, directory: &Path, wanted: &[TilePath]) -> Result<(), ClientError> {
    let wanted: HashSet<PathBuf> = wanted.iter().map(|tile| directory.join(tile.to_string())).collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let partial = folder.extension().is_some_and(|extension| extension == "p");
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if (partial && !wanted.contains(&path)) || path.extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(&path).map_err(ClientError::file(&path))?;
            }
        }
        if partial {
            let _ = fs::remove_dir(&folder); // only where nothing is left in it
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logs_size_names_every_tile() {
        assert_eq!(tiles_of(0), []);
        let names: Vec<String> = tiles_of(256 * 256 + 1).iter().map(TilePath::to_string).collect();
        assert_eq!(names.len(), 257 + 257 + 1 + 1);
        for name in ["tile/entries/255", "tile/entries/256.p/1", "tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn outgrown_partial_tiles_and_halves_are_removed_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        for tile in ["tile/0/000.p/3", "tile/0/000.p/5", "tile/entries/000", "tile/entries/001.p/7", "tile/entries/001.part"] {
            write_whole(&folder.path().join(tile), b"x").unwrap();
        }
        let wanted = [TilePath::Hashes { level: 0, index: 0, width: 5 }];
        drop_outgrown(&folder.path().join("tile"), folder.path(), &wanted).unwrap();
        assert!(folder.path().join("tile/0/000.p/5").exists() && folder.path().join("tile/entries/000").exists());
        for gone in ["tile/0/000.p/3", "tile/entries/001.p", "tile/entries/001.part"] {
            assert!(!folder.path().join(gone).exists(), "{gone}");
        }
    }
}
