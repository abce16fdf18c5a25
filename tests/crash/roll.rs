//! A school's roll together with its truth: what must become of each line, wherever the feed was cut.
//!
//! Made up from a seed. A child is known by its given name, which no other child has, so that a search by it gives one hit or shows a
//! double. Children come with a unique pupil number, with a postcode, or with neither, so that each key of the join is used. Some lines
//! come again in the same words, some in others, some are broken. Leaves to others: sending it.

use contactpoint_domain::UniquePupilNumber;
use rand::rngs::StdRng;
use rand::Rng;
use sha2::{Digest, Sha256};

/// The first line, as config/layouts/school-roll.toml has it.
pub(crate) const HEADER: &str = "UPN,Legal Surname,Legal Forename,Former Surname,DOB,Gender,Address Line 1,Address Line 2,Town,Postcode,\
    NHS Number,Contact 1 Surname,Contact 1 Forename,Contact 1 Relationship,Contact 1 Telephone,Contact 1 Email,Contact 2 Surname,\
    Contact 2 Forename,Contact 2 Relationship,Contact 2 Telephone,Tutor Surname,Tutor Forename,Tutor Email,CAF,Lead Professional,\
    Admission Number,Year Group";

/// The first lines are all new children, for looking at while the rest is fed.
pub(crate) const KNOWN: usize = 64;

/// What must become of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A new child.
    Created,
    /// Another word about a child on record.
    Joined,
    /// The same words again.
    Unchanged,
    /// Refused, for this reason.
    Rejected(&'static str),
}

/// A line, which child it speaks of, and what must become of it.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) fate: Fate,
    /// Index among the roll's pupils; none where the line is broken.
    pub(crate) pupil: Option<usize>,
}

/// A child as a search asks for it.
pub(crate) struct Pupil {
    pub(crate) given: String,
    pub(crate) family: String,
    /// Year, month, day.
    born: (u32, u32, u32),
    number: String,
    postcode: String,
    tutor: u32,
}

/// The file.
pub(crate) struct Roll {
    pub(crate) lines: Vec<Line>,
    pub(crate) pupils: Vec<Pupil>,
}

/// Counts as the directory reports them: created, joined, unchanged, rejected.
pub(crate) type Counts = [u64; 4];

impl Roll {
    /// So many lines, the header not counted.
    pub(crate) fn made_up(lines: usize, random: &mut StdRng) -> Self {
        let mut roll = Self { lines: Vec::with_capacity(lines), pupils: Vec::new() };
        for at in 0..lines {
            let line = match random.random_range(0..100) {
                _ if at < KNOWN => roll.new_pupil(random),
                0..12 => roll.other_words(random),
                12..22 => roll.same_words(random),
                22..27 => broken(random),
                _ => roll.new_pupil(random),
            };
            roll.lines.push(line);
        }
        roll
    }

    fn new_pupil(&mut self, random: &mut StdRng) -> Line {
        let at = self.pupils.len();
        self.pupils.push(Pupil::made_up(at, random));
        self.line_of(at, Fate::Created)
    }

    fn other_words(&mut self, random: &mut StdRng) -> Line {
        let at = random.random_range(0..self.pupils.len());
        self.pupils[at].tutor += 1;
        self.line_of(at, Fate::Joined)
    }

    fn same_words(&self, random: &mut StdRng) -> Line {
        self.line_of(random.random_range(0..self.pupils.len()), Fate::Unchanged)
    }

    fn line_of(&self, at: usize, fate: Fate) -> Line {
        Line { text: self.pupils[at].line(), fate, pupil: Some(at) }
    }

    /// The whole file, with the header.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| line.text.as_str());
        std::iter::once(HEADER).chain(lines).flat_map(|line| [line, "\n"]).collect()
    }

    /// SHA-256 of the file, in hexadecimal: the feed's identity.
    pub(crate) fn digest(&self) -> String {
        Sha256::digest(self.text()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What must have become of everything before the record `next_line` (the header is 1).
    pub(crate) fn truth_before(&self, next_line: usize) -> Counts {
        let mut counts = [0; 4];
        for line in &self.lines[..next_line - 2] {
            counts[line.fate.place()] += 1;
        }
        counts
    }

    /// Number and reason of every line that must be refused.
    pub(crate) fn refusals(&self) -> Vec<(u64, &'static str)> {
        let refused = self.lines.iter().zip(2..).filter_map(|(line, number)| match line.fate {
            Fate::Rejected(reason) => Some((number, reason)),
            Fate::Created | Fate::Joined | Fate::Unchanged => None,
        });
        refused.collect()
    }
}

impl Fate {
    fn place(self) -> usize {
        match self {
            Self::Created => 0,
            Self::Joined => 1,
            Self::Unchanged => 2,
            Self::Rejected(_) => 3,
        }
    }
}

impl Pupil {
    fn made_up(at: usize, random: &mut StdRng) -> Self {
        let born = (random.random_range(2012..2022), random.random_range(1..13), random.random_range(1..29));
        let (number, postcode) = match at % 3 {
            0 => (pupil_number(at), String::new()),
            1 => (String::new(), format!("ZZ{} {}AA", 10 + at % 80, at % 10)),
            _ => (String::new(), String::new()),
        };
        Self { given: syllables(at, 4), family: syllables(random.random_range(0..400), 2), born, number, postcode, tutor: 0 }
    }

    /// Date of birth, YYYY-MM-DD.
    pub(crate) fn date_of_birth(&self) -> String {
        let (year, month, day) = self.born;
        format!("{year}-{month:02}-{day:02}")
    }

    fn line(&self) -> String {
        let Self { given, family, born: (year, month, day), number, postcode, tutor } = self;
        let home = format!("\"Flat {}, Mill House\"", day % 9 + 1);
        let tutor = format!("tutor{tutor}@school.example");
        format!("{number},{family},{given},,{day:02}/{month:02}/{year},U,{home},,Town,{postcode},,,,,,,,,,,,,{tutor},,,,")
    }
}

fn broken(random: &mut StdRng) -> Line {
    let (text, reason) = match random.random_range(0..4) {
        0 => (",Late,Anna,,31/02/2015,U,,,,,,,,,,,,,,,,,,,,,", "invalid_date"),
        1 => (",,Anna,,01/02/2015,U,,,,,,,,,,,,,,,,,,,,,", "missing_value"),
        2 => ("Anna,Late", "wrong_column_count"),
        _ => (",Late,Anna,,01/02/1985,U,,,,,,,,,,,,,,,,,,,,,", "not_a_child"),
    };
    Line { text: text.to_owned(), fate: Fate::Rejected(reason), pupil: None }
}

/// A name that no other number gives.
fn syllables(mut number: usize, least: usize) -> String {
    const ONSETS: [char; 10] = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'r', 't'];
    let mut name = String::new();
    for at in 0.. {
        if number == 0 && at >= least {
            break;
        }
        name.push(ONSETS[number % 10]);
        name.push(['a', 'e', 'i', 'o', 'u'][number / 10 % 5]);
        number /= 50;
    }
    name[..1].to_uppercase() + &name[1..]
}

/// A unique pupil number with its check letter.
fn pupil_number(at: usize) -> String {
    let mut numbers = ('A'..='Z').map(|letter| format!("{letter}80000{at:07}"));
    numbers.find(|number| UniquePupilNumber::try_from(number.as_str()).is_ok()).expect("one of the letters is right")
}
