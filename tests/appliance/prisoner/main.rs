//! contactpoint-prisoner: tries the bars of the cage. It puts on the locks it is told to, tries one attack, and ends in the way that tells
//! what came of it (verdict.rs). It holds what was measured against what is expected (matrix.tsv), and draws the table of docs/cage.md.
//! It does not put itself into a unit, a domain or another user's place: tests/appliance/inside.sh does.

mod attacks;
mod judge;
mod kernel;
mod locks;
mod matrix;
mod prison;
mod table;
mod verdict;

use attacks::Attack;
use clap::{Args, Parser, Subcommand};
use kernel::Errno;
use locks::Lock;
use matrix::{MatrixError, Place};
use prison::Prison;
use std::ffi::CString;
use std::path::PathBuf;
use std::process::ExitCode;
use verdict::{Verdict, NO_ATTEMPT};

/// Tries the bars of the cage, one attack a process.
#[derive(Parser)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The attacks by name, and what each tries
    List,
    /// Tries one attack in this process: exit code 0 is success, 1 to 199 the errno of a refusal, 200 no attempt
    Try {
        #[command(flatten)]
        conditions: Conditions,
        /// The attack's name
        attack: String,
    },
    /// Tries every attack, each in a child of its own, and writes a line for each: name, tab, verdict
    Watch {
        #[command(flatten)]
        conditions: Conditions,
    },
    /// What the ends of processes told: reads lines of name, "exited" or "killed" (systemd's words), status, and writes name, tab, verdict
    Told,
    /// Holds what was measured (attack, tab, layer, tab, verdict) against the matrix; fails on any difference
    Judge {
        /// The matrix: tests/appliance/matrix.tsv
        matrix: PathBuf,
        /// The file of what was measured
        measured: PathBuf,
        /// The rig: "container" or "vm"
        #[arg(long)]
        rig: matrix::Rig,
        /// The version of Landlock that the kernel has
        #[arg(long)]
        abi: u32,
    },
    /// The table of docs/cage.md, from the matrix
    Table {
        /// The matrix: tests/appliance/matrix.tsv
        matrix: PathBuf,
    },
    /// The version of Landlock that the kernel has
    Abi,
}

#[derive(Args)]
struct Conditions {
    /// The daemon's own locks to put on first
    #[arg(long, value_delimiter = ',')]
    locks: Vec<Lock>,
    /// A block device
    #[arg(long)]
    disk: CString,
    /// The number of a process of root's
    #[arg(long)]
    victim: i32,
}

impl Conditions {
    fn prison(&self) -> Prison {
        Prison { disk: self.disk.clone(), victim: self.victim }
    }
}

fn main() -> ExitCode {
    match Command::parse().verb {
        Verb::List => list(),
        Verb::Try { conditions, attack } => try_one(&conditions, &attack),
        Verb::Watch { conditions } => watch(&conditions),
        Verb::Told => told(),
        Verb::Judge { matrix, measured, rig, abi } => {
            let judged = judge::judge(&matrix, &measured, Place { rig, abi });
            judged.map_or_else(fail, |good| if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Verb::Table { matrix } => matrix::read(&matrix).map_or_else(fail, |cells| show(&table::table(&cells))),
        Verb::Abi => show(&format!("{}\n", landlock_abi())),
    }
}

fn show(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

fn fail(error: MatrixError) -> ExitCode {
    eprintln!("contactpoint-prisoner: {error}");
    ExitCode::FAILURE
}

fn list() -> ExitCode {
    attacks::all().for_each(|attack| println!("{}\t{}", attack.name, attack.tries));
    ExitCode::SUCCESS
}

/// Locks this process in and tries; never comes back where the attack succeeds in becoming another program.
fn attempt(conditions: &Conditions, attack: &Attack) -> u8 {
    if let Err(error) = locks::put_on(&conditions.locks) {
        eprintln!("contactpoint-prisoner: {error}");
        return NO_ATTEMPT;
    }
    Verdict::of(attack, (attack.run)(&conditions.prison())).exit_code()
}

fn try_one(conditions: &Conditions, name: &str) -> ExitCode {
    let Some(attack) = attacks::named(name) else {
        eprintln!("contactpoint-prisoner: there is no attack {name}");
        return ExitCode::from(NO_ATTEMPT);
    };
    kernel::exit(attempt(conditions, attack))
}

fn watch(conditions: &Conditions) -> ExitCode {
    for attack in attacks::all() {
        let verdict = in_a_child(|| attempt(conditions, attack));
        println!("{}\t{verdict}", attack.name);
    }
    ExitCode::SUCCESS
}

fn in_a_child(attempt: impl FnOnce() -> u8) -> Verdict {
    match kernel::fork() {
        Ok(0) => kernel::exit(attempt()),
        Ok(child) => kernel::wait(child).map_or_else(unknown, of_wait_status),
        Err(errno) => unknown(errno),
    }
}

fn unknown(Errno(code): Errno) -> Verdict {
    Verdict::Unknown(-code)
}

fn of_wait_status(status: i32) -> Verdict {
    if libc::WIFSIGNALED(status) {
        Verdict::of_end(None, Some(libc::WTERMSIG(status)))
    } else {
        Verdict::of_end(Some(libc::WEXITSTATUS(status)), None)
    }
}

fn told() -> ExitCode {
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let verdict = match words[..] {
            [_, "exited", status] => Verdict::of_end(status.parse().ok(), None),
            [_, _, signal] => Verdict::of_end(None, signal.parse().ok()),
            _ => Verdict::Unknown(0),
        };
        println!("{}\t{verdict}", words.first().unwrap_or(&"?"));
    }
    ExitCode::SUCCESS
}

/// 0 where the kernel has no Landlock.
fn landlock_abi() -> i64 {
    const VERSION: i64 = 1;
    let arguments = [0, 0, VERSION].map(kernel::Argument::Number);
    kernel::call(libc::SYS_landlock_create_ruleset, arguments).unwrap_or(0)
}
