//! The command line of contactpoint-synthesise.

use crate::feeds::{write_borough, write_feeds, Request};
use crate::pki::{write_pki, PkiRequest};
use crate::year::{write_year, YearRequest};
use crate::SynthesisError;
use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;
use std::path::PathBuf;
use std::process::ExitCode;

/// Makes synthetic children, feeds, organisations and test certificates. For demos, tests and benches only.
#[derive(Debug, Parser)]
#[command(name = "contactpoint-synthesise", version)]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// One borough for the demo: feeds/, truth.csv, organisations.json, scenario.json.
    Borough {
        #[command(flatten)]
        people: People,
    },
    /// Many boroughs for benches: a directory of feeds for each authority.
    Feeds {
        #[command(flatten)]
        people: People,
        /// Number of authorities, 1 to 199.
        #[arg(long, default_value_t = 1)]
        authorities: u64,
        /// One school and one surgery an authority: few, large feeds.
        #[arg(long)]
        merged: bool,
    },
    /// A year of look-ups with 20 misuses in it, for measuring review: looks.jsonl, facts.jsonl, truth.json.
    Year {
        /// Same seed, people and first day, same bytes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// People who look, 400 to 66,000.
        #[arg(long, default_value_t = 2000)]
        people: u64,
        /// The first of 365 days, YYYY-MM-DD.
        #[arg(long, default_value = "2025-09-01")]
        from: Date,
        /// Directory to write into.
        #[arg(long)]
        out: PathBuf,
    },
    /// A certificate authority for tests: certificates of the organisations, of strangers, a revocation list.
    Pki {
        /// Directory to write into.
        #[arg(long)]
        out: PathBuf,
        /// organisations.json, as borough or feeds writes it.
        #[arg(long)]
        organisations: Option<PathBuf>,
        /// Key of an organisation to revoke; may be given again.
        #[arg(long, value_name = "KEY")]
        revoke: Vec<String>,
        /// Certificate signing request of the server (PEM); server.pem is made of it, for localhost.
        #[arg(long, value_name = "FILE")]
        server_csr: Option<PathBuf>,
        /// Make a revocation list that has run out.
        #[arg(long)]
        expired_list: bool,
        #[command(flatten)]
        day: Day,
    },
}

#[derive(Debug, Args)]
struct People {
    /// Children in all, 1 to 11,000,000.
    #[arg(long, default_value_t = 5000)]
    children: u64,
    /// Same seed and day, same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory to write into.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    day: Day,
}

#[derive(Debug, Args)]
struct Day {
    /// The day on which everybody is under 18, YYYY-MM-DD; the system's where it is not given.
    #[arg(long, env = "SOURCE_DATE")]
    today: Option<Date>,
}

impl Day {
    #[expect(clippy::disallowed_methods, reason = "a generator for tests, not the daemon: its birth dates and certificates begin today")]
    fn date(&self) -> Date {
        self.today.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date())
    }
}

/// Reads the command line and does what it says; 1 where it cannot, 2 where the command line is wrong.
#[must_use]
pub fn run() -> ExitCode {
    match carry_out(Command::parse().verb) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("contactpoint-synthesise: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(verb: Verb) -> Result<String, SynthesisError> {
    match verb {
        Verb::Borough { people } => {
            let request = people.request();
            let records = write_borough(&request)?;
            Ok(format!("{} children in {records} records below {}", request.children, request.out.display()))
        }
        Verb::Feeds { people, authorities, merged } => {
            let request = people.request();
            let records = write_feeds(&request, authorities, merged)?;
            Ok(format!("{} children of {authorities} authorities in {records} records below {}", request.children, request.out.display()))
        }
        Verb::Year { seed, people, from, out } => {
            let looks = write_year(&YearRequest { seed, people, from }, &out)?;
            Ok(format!("{looks} looks of {people} people below {}", out.display()))
        }
        Verb::Pki { out, organisations, revoke, server_csr, expired_list, day } => {
            let request = PkiRequest { organisations, out, revoke, server_csr, today: day.date(), expired_list };
            write_pki(&request)?;
            Ok(format!("certificates for tests below {}: their keys protect nothing", request.out.display()))
        }
    }
}

impl People {
    fn request(self) -> Request {
        Request { seed: self.seed, children: self.children, today: self.day.date(), out: self.out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_asked_for_by_its_verb_and_written_where_it_says() {
        // G7: test systems hold synthetic data only; this is how they get a year of it
        let out = tempfile::tempdir().unwrap();
        let words = ["contactpoint-synthesise", "year", "--seed", "3", "--people", "400", "--out", out.path().to_str().unwrap()];
        let told = carry_out(Command::try_parse_from(words).unwrap().verb).unwrap();
        assert!(told.contains("looks of 400 people"), "{told}");
        let looks = std::fs::read_to_string(out.path().join("looks.jsonl")).unwrap();
        assert!(told.starts_with(&looks.lines().count().to_string()));
        assert!(looks.starts_with("{\"at\":\"2025-08-31T23:") || looks.starts_with("{\"at\":\"2025-09-01T"), "{}", &looks[..80]);
    }
}
