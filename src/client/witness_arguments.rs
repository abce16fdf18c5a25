//! The command line of a witness. The rest is in `arguments`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `witness ...`
#[derive(Debug, Subcommand)]
pub enum WitnessVerb {
    /// Make a witness: a folder of its own with a new key; prints the verifier key for the log's policy
    Init {
        /// The witness's folder; it must not be there, or be empty
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// The witness's name, like a URL without scheme: witness.school.example/w1
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Cosign what the log asks its witnesses to cosign, again and again
    ///
    /// Needs log_key in the profile. A log that was shortened or forked since is refused, the evidence is kept in the folder, and it ends (exit 5).
    Run(RunWitness),
}

/// `witness run`
#[derive(Debug, Args)]
pub struct RunWitness {
    /// The witness's folder
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Cosign once, and end
    #[arg(long)]
    pub once: bool,
    /// Seconds between two visits
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400), conflicts_with = "once")]
    pub every: u64,
}
