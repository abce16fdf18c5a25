//! The load program behind `make bench`: feeds the real daemon, looks children up over keep-alive connections, and in the same run asks nginx
//! for a small file with the same client, in turns.
//!
//! For: the figures of docs/performance.md, each out of the run. Leaves to others: building and installing (run.sh), the daemon and its
//! surroundings (the tests' rig). Does not measure: handshakes, networks other than loopback.

mod appliance;
mod arguments;
mod fault;
mod feeding;
mod fetching;
mod load;
mod machine;
mod nginx;
mod numbers;
mod process;
mod profile;
mod proofs;
mod report;
mod rounds;
mod wire;

use appliance::{number_in, Appliance};
use arguments::Arguments;
use clap::Parser;
use contactpoint_support::{Programs, Rig};
use fault::Fault;
use load::{Asker, Asks, Target};
use nginx::Nginx;
use numbers::{Found, Searcher};
use proofs::LogFigures;
use report::Run;
use rounds::Plan;
use serde_json::json;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = if arguments.calibrate { calibrate(&arguments) } else { bench(&arguments) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &Arguments) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let programs = Programs::beside(&arguments.daemon.to_string_lossy());
    let people = tempfile::tempdir()?;
    say(&format!("making {} children", arguments.children));
    make_people(&programs.synthesise, arguments.children, people.path())?;
    let settings = settings(arguments)?;
    let plan = plan(arguments);
    let most = plan.connections.iter().copied().max().unwrap_or(1);
    let appliance = runtime.block_on(Appliance::started(programs, &settings, people.path(), most))?;
    let nginx = Nginx::started(&appliance.rig, appliance.rig.folder())?;

    let feeds = runtime.block_on(feed(&appliance, arguments.parts))?;
    let daemon = appliance.rig.daemon().id();
    let feeding_kib = process::peak_kib(daemon);
    process::forget_peak(daemon);
    let tokens = runtime.block_on(appliance.sessions());
    let found = runtime.block_on(find(&appliance, arguments, &tokens))?;
    let children: usize = found.numbers.iter().map(Vec::len).sum();
    let ours = Arc::new(look_ups(&appliance, &tokens, found.numbers)?);
    let theirs = Arc::new(static_file(&appliance, &nginx, &ours)?);
    let agreed = [&ours, &theirs].map(|target| runtime.block_on(agreed(target)));
    // a connection each time: the daemon closes one on which nothing is asked for a minute
    let covered = || runtime.block_on(proofs::covered(&mut appliance.rig.connection(&appliance.council.certificate)));
    let before = covered()?;
    let rounds = rounds::rounds(&plan, &ours, &theirs)?;
    let after = covered()?;
    let receipts = Arc::new(proofs::receipts(appliance.address(), appliance.council_tls()?, after, daemon)?);
    let beside = Arc::new(static_file(&appliance, &nginx, &receipts)?);
    let receipts = rounds::rounds(&plan, &receipts, &beside)?;
    let tiles = fetching::tiles(appliance.address(), appliance.tls_of(&appliance.inspector)?, covered()?, daemon);
    let fetched = fetching::rounds(&plan, most, &ours, &Arc::new(tiles))?;
    let resident_mib = [feeding_kib, process::peak_kib(daemon)].map(|kib| kib as f64 / 1024.0);
    say("one more turn under perf");
    let busiest = plan.shape(most);
    let profile = profile::profile(&ours, busiest, appliance.rig.folder())?;

    let [our_tls, their_tls] = agreed;
    let bytes = |turns: &[load::Measured]| rounds::of(turns, |measured| measured.bytes);
    let last = rounds.last().map_or([0.0; 2], |round| [bytes(&round.ours), bytes(&round.theirs)]);
    let mut circumstances = common(arguments, &settings, appliance.rig.folder());
    circumstances.extend([
        ("store", format!("{} MiB on disk at the end", appliance.store_bytes() >> 20)),
        (
            "children looked up",
            format!(
                "{children} of {}, found by {most} practitioners in {} searches ({} with too many hits); each looks at their own again",
                arguments.children, found.searches, found.too_many
            ),
        ),
        ("answers", format!("{:.0} bytes on average of the daemon, {:.0} of nginx (head and body)", last[0], last[1])),
        ("TLS", format!("daemon: {}; nginx: {}", our_tls?, their_tls?)),
    ]);
    let page_cache_mib = number_in(&settings, "page_cache_mib");
    say("proofs without a daemon");
    let log =
        LogFigures { entries: [before, after], head_each: number_in(&settings, "checkpoint_seconds"), pure: (proofs::pure(after), after) };
    finish(
        arguments,
        &Run { circumstances, feeds, rounds, receipts, fetched: Some(fetched), log: Some(log), resident_mib, page_cache_mib, profile },
    )
}

/// nginx against itself.
fn calibrate(arguments: &Arguments) -> Result<(), Fault> {
    let programs = Programs::beside(&arguments.daemon.to_string_lossy());
    let settings = settings(arguments)?;
    let rig = Rig::prepared(programs, Some(&settings));
    let nginx = Nginx::started(&rig, rig.folder())?;
    let own = rig.clients.client("Bench");
    let tls = contactpoint_client::tls::configuration(rig.servers.pem().as_bytes(), own.certificate.as_bytes(), own.key.as_bytes())?;
    let target = |name| {
        let (tls, processes) = (Arc::clone(&tls), process::with_children(nginx.id()));
        Arc::new(Target { name, address: nginx.address, tls, asks: Asks::Same(file_request(400)), processes })
    };
    let rounds = rounds::rounds(&plan(arguments), &target("nginx A"), &target("nginx B"))?;
    let circumstances = common(arguments, &settings, rig.folder());
    let run = Run {
        circumstances,
        feeds: Vec::new(),
        rounds,
        receipts: Vec::new(),
        fetched: None,
        log: None,
        resident_mib: [0.0; 2],
        page_cache_mib: 0,
        profile: None,
    };
    println!("{}", run.text());
    Ok(())
}

fn finish(arguments: &Arguments, run: &Run) -> Result<(), Fault> {
    println!("{}", run.text());
    match &arguments.page {
        Some(page) => run.write_into(page),
        None => Ok(()),
    }
}

fn settings(arguments: &Arguments) -> Result<String, Fault> {
    // a day's ceiling of records seen is for people; 10,000 is the highest there is
    let other = [("page_cache_mib", arguments.page_cache_mib), ("readers", arguments.readers), ("practitioner", Some(10_000))];
    let other: Vec<(&str, u64)> = other.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect();
    appliance::settings(&arguments.settings, &other)
}

fn plan(arguments: &Arguments) -> Plan {
    let Arguments { pairs, seconds, connections, threads, .. } = arguments;
    Plan { pairs: *pairs, seconds: *seconds, connections: connections.clone(), threads: *threads }
}

fn make_people(program: &Path, children: u64, folder: &Path) -> Result<(), Fault> {
    let made = Command::new(program)
        .args(["feeds", "--authorities", "1", "--merged", "--children", &children.to_string(), "--out"])
        .arg(folder)
        .output()?;
    if made.status.success() {
        Ok(())
    } else {
        Err(Fault::Program { program: "contactpoint-synthesise", said: String::from_utf8_lossy(&made.stderr).into_owned() })
    }
}

async fn feed(appliance: &Appliance, parts: usize) -> Result<Vec<feeding::Fed>, Fault> {
    let mut feeds = Vec::new();
    for supplier in &appliance.suppliers {
        let fed = feeding::feed(appliance, supplier, parts).await?;
        say(&format!("fed {} records of the {} at {:.0}/s", fed.records(), fed.kind, fed.rate()));
        feeds.push(fed);
    }
    Ok(feeds)
}

async fn find(appliance: &Appliance, arguments: &Arguments, tokens: &[String]) -> Result<Found, Fault> {
    let Some(surgery) = appliance.suppliers.first() else { return Err(Fault::Unfit("no surgery".into())) };
    let searcher = Searcher { address: appliance.address(), tls: appliance.council_tls()?, tokens: tokens.to_vec() };
    let homes = arguments.homes.unwrap_or(usize::try_from(arguments.children / 4).unwrap_or(usize::MAX));
    let begun = Instant::now();
    let found = searcher.find(&surgery.feed, homes).await?;
    let rate = found.searches as f64 / begun.elapsed().as_secs_f64();
    say(&format!(
        "{} children found by {} searches at {rate:.0}/s, {} of them too wide",
        found.numbers.iter().map(Vec::len).sum::<usize>(),
        found.searches,
        found.too_many
    ));
    Ok(found)
}

fn look_ups(appliance: &Appliance, tokens: &[String], numbers: Vec<Vec<String>>) -> Result<Target, Fault> {
    let asker = |(token, numbers): (&String, Vec<String>)| {
        let first = numbers.first().cloned().unwrap_or_default();
        let request = numbers::post("/v1/children/view", token, &json!({"child_number": first, "reason": "coordination"}));
        let at = request.windows(first.len()).rposition(|place| place == first.as_bytes()).unwrap_or(0);
        (at, Asker { request, numbers })
    };
    let (places, people): (Vec<usize>, Vec<Asker>) = tokens.iter().zip(numbers).map(asker).unzip();
    // tokens and numbers have one length each
    let at = places.first().copied().unwrap_or(0);
    Ok(Target {
        name: "look-ups",
        address: appliance.address(),
        tls: appliance.council_tls()?,
        asks: Asks::Child { people, at },
        processes: vec![appliance.rig.daemon().id()],
    })
}

fn static_file(appliance: &Appliance, nginx: &Nginx, ours: &Target) -> Result<Target, Fault> {
    let bytes = ours.asks.first(0).len();
    Ok(Target {
        name: "nginx",
        address: nginx.address,
        tls: appliance.council_tls()?,
        asks: Asks::Same(file_request(bytes)),
        processes: process::with_children(nginx.id()),
    })
}

/// A GET of as many bytes as a look-up has: nginx answers no POST with a file.
fn file_request(bytes: usize) -> Vec<u8> {
    let request = |padding: &str| format!("GET /file HTTP/1.1\r\nhost: 127.0.0.1\r\nx-padding: {padding}\r\n\r\n");
    request(&"x".repeat(bytes.saturating_sub(request("").len()))).into_bytes()
}

async fn agreed(target: &Target) -> Result<String, Fault> {
    Ok(wire::Wire::open(target.address, &target.tls).await?.agreed())
}

fn common(arguments: &Arguments, settings: &str, folder: &Path) -> Vec<(&'static str, String)> {
    let Arguments { date, commit, typed, pairs, seconds, threads, .. } = arguments;
    let number = |key| number_in(settings, key);
    vec![
        ("date", date.clone()),
        ("commit", format!("`{commit}`")),
        ("machine", machine::description()),
        ("file system of the store", machine::file_system(folder)),
        ("command", format!("`{typed}`")),
        (
            "settings",
            format!(
                "page cache {} MiB, {} readers, group commit of up to {}",
                number("page_cache_mib"),
                number("readers"),
                number("group_commit_max")
            ),
        ),
        (
            "turns",
            format!("{pairs} pairs of {seconds} s at each number of connections, medians; client on {threads} threads of the same machine"),
        ),
        ("nginx", nginx::version()),
    ]
}

fn say(what: &str) {
    eprintln!("bench: {what}");
}
