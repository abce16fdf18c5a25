//! The year as files: what the log would say, what is known beside it, and the truth, each by itself.

use super::{Played, Year, YearRequest};
use crate::{in_file, SynthesisError};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

const LOOKS: &str = "looks.jsonl";
const FACTS: &str = "facts.jsonl";
const TRUTH: &str = "truth.json";

/// Writes looks.jsonl, facts.jsonl and truth.json below `out`, and returns how many looks there are.
///
/// # Errors
/// As [`Year::of`], and [`SynthesisError::File`].
pub fn write_year(request: &YearRequest, out: &Path) -> Result<u64, SynthesisError> {
    std::fs::create_dir_all(out).map_err(in_file(out))?;
    let mut year = Year::of(request)?;
    let mut looks = Lines::create(out, LOOKS)?;
    let mut facts = Lines::create(out, FACTS)?;
    let mut entries: Vec<Vec<u64>> = vec![Vec::new(); year.plants().len()];
    let mut count = 0;
    for played in &mut year {
        looks.write(&look(&played))?;
        facts.write(&known(&played))?;
        if let Some(entries) = played.planted.and_then(|plant| entries.get_mut(plant)) {
            entries.push(played.index);
        }
        count += 1;
    }
    let told = year.plants().iter().zip(entries).map(|(plant, entries)| {
        let people: Vec<u32> = plant.people.iter().map(|person| person.0).collect();
        json!({ "kind": plant.kind.code(), "story": plant.story, "people": people, "entries": entries })
    });
    let holidays: Vec<String> = year.holidays().iter().map(ToString::to_string).collect();
    let mut truth = Lines::create(out, TRUTH)?;
    truth.write(&json!({ "holidays": holidays, "planted": told.collect::<Vec<_>>() }))?;
    looks.finish()?;
    facts.finish()?;
    truth.finish()?;
    Ok(count)
}

/// What an entry of the log says.
fn look(played: &Played) -> serde_json::Value {
    let entry = &played.entry;
    json!({
        "index": played.index,
        "at": entry.at.to_string(),
        "person": entry.person.map(|person| person.0),
        "organisation": entry.organisation.map(|organisation| organisation.0),
        "role": entry.role.map(|role| role.code()),
        "operation": entry.operation.code(),
        "reason": entry.reason.map(|reason| reason.code()),
        "children": entry.children.iter().map(|child| child.as_str()).collect::<Vec<_>>(),
        "outcome": entry.outcome.code(),
    })
}

/// What stands in no entry.
fn known(played: &Played) -> serde_json::Value {
    let fact = |fact: &super::Fact| {
        json!({
            "child": fact.child.as_str(),
            "relation": fact.tie.code(),
            "same_name": fact.same_name,
            "same_home": fact.same_home,
            "area": fact.area.0,
            "areas_apart": fact.areas_apart,
        })
    };
    json!({ "index": played.index, "kind": played.kind.code(), "children": played.facts.iter().map(fact).collect::<Vec<_>>() })
}

/// A file of one JSON value a line.
struct Lines<'a> {
    file: BufWriter<File>,
    out: &'a Path,
}

impl<'a> Lines<'a> {
    fn create(out: &'a Path, name: &str) -> Result<Self, SynthesisError> {
        let path = out.join(name);
        let file = File::create(&path).map_err(in_file(&path))?;
        Ok(Self { file: BufWriter::new(file), out })
    }

    fn write(&mut self, value: &serde_json::Value) -> Result<(), SynthesisError> {
        writeln!(self.file, "{value}").map_err(in_file(self.out))
    }

    fn finish(mut self) -> Result<(), SynthesisError> {
        self.file.flush().map_err(in_file(self.out))
    }
}
