//! A supplier's layout: a TOML file that says which column is which field. Unknown keys refuse, as in every file of ours.

use crate::fault::HeaderFault;
use crate::field::Field;
use crate::header::Columns;
use contactpoint_domain::{Gender, Relationship, SensitiveBasis};
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A layout that cannot be used; the operator mends the file.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The directory or a file in it cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of the directory is wrong.
    #[error("{}: {fault}", path.display())]
    InFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<LayoutError>,
    },
    /// Not TOML, a key that layouts do not have, or a code that the domain does not know.
    #[error("not a layout: {}", one_line(.0))]
    Malformed(#[from] toml::de::Error),
    /// A layout is named like its file, without `.toml`.
    #[error("the layout's name is not that of its file")]
    NameIsNotTheFiles,
    /// Two columns cannot be told apart, or a column is both mapped and ignored.
    #[error("column {0} is listed twice")]
    DoubledColumn(String),
    /// Two columns are mapped to one field that cannot be put together from parts.
    #[error("two columns are mapped to {0:?}")]
    DoubledField(Field),
    /// Family name, given name and date of birth must be mapped and required.
    #[error("no required column is mapped to {0:?}")]
    MissingField(Field),
    /// A column that may be away could be lost without anybody's noticing, and with it what it said: only `left` may, which then is "no".
    #[error("a column of {0:?} cannot be optional")]
    Optional(Field),
    /// The date format must have %d, %m and %Y once each and nothing else that is not plain text.
    #[error("the date format does not give back the date it wrote")]
    DateFormat,
    /// The delimiter must be a comma, a semicolon or a tab.
    #[error("the delimiter must be a comma, a semicolon or a tab")]
    Delimiter,
}

/// How the files of one kind of supplier are read.
#[derive(Debug, Clone)]
pub struct Layout {
    rules: Arc<Rules>,
}

/// The TOML file as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Named like the file: `school-roll`.
    pub(crate) name: String,
    /// One sentence for people.
    pub(crate) title: String,
    #[serde(default = "comma")]
    pub(crate) delimiter: char,
    pub(crate) date_format: String,
    /// Moves birth years, for test data only.
    pub(crate) year_cycle: Option<YearCycle>,
    /// Columns that the supplier sends and the directory does not hold.
    #[serde(default)]
    pub(crate) ignored: Vec<String>,
    /// Values that mean "nothing", beside the empty one.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    #[serde(default)]
    pub(crate) defaults: Defaults,
    #[serde(default)]
    pub(crate) codes: Codes,
    #[serde(rename = "column")]
    pub(crate) columns: Vec<Column>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) field: Field,
    /// A record without a value here is refused.
    #[serde(default)]
    pub(crate) required: bool,
    /// The column need not be in the file.
    #[serde(default)]
    pub(crate) optional: bool,
}

/// Each birth year is shifted by the multiple of `years` that brings it into `first` to `first + years - 1`, so that test data about
/// adults can stand for children. A multiple of 4 keeps 29 February.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct YearCycle {
    first: i16,
    years: std::num::NonZeroU8,
}

impl YearCycle {
    pub(crate) fn place(self, year: i16) -> i16 {
        let offset = (i32::from(year) - i32::from(self.first)).rem_euclid(i32::from(self.years.get()));
        self.first.saturating_add(i16::try_from(offset).unwrap_or(0))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    pub(crate) gender: Option<Gender>,
    pub(crate) relationship: Option<Relationship>,
}

/// Code tables: the supplier's code, ASCII case not minded, and ours.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Codes {
    #[serde(default)]
    pub(crate) gender: BTreeMap<String, Gender>,
    #[serde(default)]
    pub(crate) relationship: BTreeMap<String, Relationship>,
    #[serde(default)]
    pub(crate) flag: BTreeMap<String, bool>,
    #[serde(default)]
    pub(crate) basis: BTreeMap<String, SensitiveBasis>,
}

impl Layout {
    /// Reads a layout from the text of its TOML file (docs/feeds.md has the keys).
    pub fn parse(toml: &str) -> Result<Self, LayoutError> {
        let rules: Rules = toml::from_str(toml)?;
        rules.columns_are_told_apart()?;
        rules.fields_are_complete()?;
        rules.dates_survive()?;
        if !matches!(rules.delimiter, ',' | ';' | '\t') {
            return Err(LayoutError::Delimiter);
        }
        Ok(Self { rules: Arc::new(rules) })
    }

    /// The name by which a feed asks for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// One sentence for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.rules.title
    }

    /// True where the layout moves birth years, which only test data may ask for.
    #[must_use]
    pub fn is_for_test_data(&self) -> bool {
        self.rules.year_cycle.is_some()
    }

    /// Holds the first line of a file against the layout; a byte-order mark and the line end are dropped.
    pub fn header(&self, line: &[u8]) -> Result<Columns, HeaderFault> {
        Columns::of(&self.rules, line)
    }
}

/// Where, and what is wrong; the parser draws it over several lines, and a refusal is one.
fn one_line(fault: &toml::de::Error) -> String {
    format!("{}: {}", fault.to_string().lines().next().unwrap_or_default(), fault.message().replace('\n', " "))
}

/// Every `*.toml` of a directory, by name.
pub fn layouts(dir: &Path) -> Result<BTreeMap<String, Layout>, LayoutError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| LayoutError::Unreadable { path, source }
    };
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable(dir))? {
        let path = entry.map_err(unreadable(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            let layout = named_layout(&path, &text).map_err(|fault| LayoutError::InFile { path, fault: Box::new(fault) })?;
            found.insert(layout.name().to_owned(), layout);
        }
    }
    Ok(found)
}

fn named_layout(path: &Path, text: &str) -> Result<Layout, LayoutError> {
    let layout = Layout::parse(text)?;
    if path.file_stem().is_some_and(|stem| stem == layout.name()) {
        Ok(layout)
    } else {
        Err(LayoutError::NameIsNotTheFiles)
    }
}

fn comma() -> char {
    ','
}

impl Rules {
    fn columns_are_told_apart(&self) -> Result<(), LayoutError> {
        let mut seen = std::collections::BTreeSet::new();
        let names = self.columns.iter().map(|column| &column.name).chain(&self.ignored);
        match names.into_iter().find(|name| !seen.insert(name.trim())) {
            Some(doubled) => Err(LayoutError::DoubledColumn(doubled.clone())),
            None => Ok(()),
        }
    }

    fn fields_are_complete(&self) -> Result<(), LayoutError> {
        let times = |field: Field| self.columns.iter().filter(move |column| column.field == field);
        for column in &self.columns {
            if times(column.field).count() > 1 && !column.field.may_be_joined() {
                return Err(LayoutError::DoubledField(column.field));
            }
            if column.optional && (column.required || column.field != Field::Left) {
                return Err(LayoutError::Optional(column.field));
            }
        }
        for field in Field::OF_EVERY_LAYOUT {
            if !times(field).any(|column| column.required) {
                return Err(LayoutError::MissingField(field));
            }
        }
        Ok(())
    }

    /// Three dates that differ in day, month and year are written and read back, so that a format without one of them is noticed.
    fn dates_survive(&self) -> Result<(), LayoutError> {
        for date in [Date::constant(2011, 10, 9), Date::constant(1999, 1, 31), Date::constant(2024, 2, 29)] {
            let written = jiff::fmt::strtime::format(&self.date_format, date).map_err(|_| LayoutError::DateFormat)?;
            let read = Date::strptime(&self.date_format, &written).map_err(|_| LayoutError::DateFormat)?;
            if read != date {
                return Err(LayoutError::DateFormat);
            }
        }
        Ok(())
    }
}
