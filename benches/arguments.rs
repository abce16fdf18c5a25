//! The command line; benches/run.sh fills it in.

use clap::Parser;
use std::path::PathBuf;

/// Feeds the real daemon, looks children up, and holds it against nginx.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// contactpointd of a release build; the other programs lie beside it.
    #[arg(long)]
    pub daemon: PathBuf,
    /// The shipped settings.
    #[arg(long)]
    pub settings: PathBuf,
    /// The page whose figures are written anew; without it they go to standard output.
    #[arg(long)]
    pub page: Option<PathBuf>,
    /// The date, for the page.
    #[arg(long, default_value = "")]
    pub date: String,
    /// The commit, for the page.
    #[arg(long, default_value = "")]
    pub commit: String,
    /// The command that was typed, for the page.
    #[arg(long, default_value = "")]
    pub typed: String,
    /// Children in the store.
    #[arg(long, env = "CHILDREN", default_value_t = 1_000_000)]
    pub children: u64,
    /// Parts of one file that are fed at once.
    #[arg(long, env = "PARTS", default_value_t = 4)]
    pub parts: usize,
    /// Homes whose children are searched for, to be looked up later; a quarter of the children where it is not given.
    #[arg(long, env = "HOMES")]
    pub homes: Option<usize>,
    /// Seconds of one turn that are counted.
    #[arg(long, env = "SECONDS_A_TURN", default_value_t = 5.0)]
    pub seconds: f64,
    /// Pairs of turns.
    #[arg(long, env = "PAIRS", default_value_t = 5)]
    pub pairs: usize,
    /// Numbers of connections.
    #[arg(long, env = "CONNECTIONS", value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub connections: Vec<usize>,
    /// Threads of the client.
    #[arg(long, env = "CLIENT_THREADS", default_value_t = 2)]
    pub threads: usize,
    /// Another page cache than the shipped one.
    #[arg(long, env = "PAGE_CACHE_MIB")]
    pub page_cache_mib: Option<u64>,
    /// Another number of readers than the shipped one.
    #[arg(long, env = "READERS")]
    pub readers: Option<u64>,
    /// Only nginx against itself: how far two equal figures lie apart on this machine. Needs no running daemon.
    #[arg(long)]
    pub calibrate: bool,
}
