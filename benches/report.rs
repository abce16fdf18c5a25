//! docs/performance.md: what was measured, against what was wanted. Writes between the two markers and leaves the rest of the page alone.

use crate::fault::{in_file, Fault};
use crate::feeding::Fed;
use crate::fetching::{daemons, WhileFetched, FETCHING};
use crate::load::Measured;
use crate::profile::Profile;
use crate::proofs::LogFigures;
use crate::rounds::{of, Round};
use std::fmt::Write as _;
use std::path::Path;

const BEGIN: &str = "<!-- figures begin: written by make bench, never by hand -->";
const END: &str = "<!-- figures end -->";

/// The goals, as the page's table names them.
const RATIO_AT_64: f64 = 0.30;
const SLOWNESS_AT_16: f64 = 15.0;
const MEMORY_BESIDE_CACHE_MIB: f64 = 80.0;
const CHILDREN_A_SECOND: f64 = 20_000.0;

/// Everything that a run found out.
pub struct Run {
    /// Date, machine, command and what else must be known to repeat it: name and value.
    pub circumstances: Vec<(&'static str, String)>,
    /// The feeds in order.
    pub feeds: Vec<Fed>,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// The rounds in which receipts were asked for.
    pub receipts: Vec<Round>,
    /// The turns in which the log was fetched.
    pub fetched: Option<WhileFetched>,
    /// What the log came to; none where the daemon was not asked.
    pub log: Option<LogFigures>,
    /// Peak resident memory in MiB: while feeding, while looking up.
    pub resident_mib: [f64; 2],
    /// Page cache by the settings.
    pub page_cache_mib: u64,
    /// Where the time goes.
    pub profile: Option<Profile>,
}

impl Run {
    /// Puts the figures into the page.
    pub fn write_into(&self, page: &Path) -> Result<(), Fault> {
        let text = std::fs::read_to_string(page).map_err(in_file(page))?;
        let (before, rest) = text.split_once(BEGIN).ok_or_else(|| Fault::Unfit(format!("no marker in {}", page.display())))?;
        let (_, after) = rest.split_once(END).ok_or_else(|| Fault::Unfit(format!("no end marker in {}", page.display())))?;
        let whole = format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.text());
        std::fs::write(page, whole).map_err(in_file(page))
    }

    /// The figures as Markdown.
    pub fn text(&self) -> String {
        [
            self.circumstances(),
            self.goals(),
            self.look_ups(),
            self.log(),
            self.while_fetched(),
            self.feeds(),
            self.costs(),
            self.hot_spots(),
        ]
        .concat()
    }

    fn circumstances(&self) -> String {
        let rows = self.circumstances.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]);
        section("The run", &["", ""], rows)
    }

    fn goals(&self) -> String {
        let at = |connections: usize| self.rounds.iter().find(|round| round.connections == connections);
        let mut rows = Vec::new();
        if let Some(round) = at(64) {
            let [ratio, ..] = round.ratio();
            rows.push(goal("look-ups over nginx, 64 connections", ratio, RATIO_AT_64, Wanted::AtLeast, 2, ""));
        }
        if let Some(round) = at(16) {
            rows.push(goal("p99 over nginx's p99, 16 connections", round.slowness(), SLOWNESS_AT_16, Wanted::AtMost, 1, ""));
        }
        let resident = self.resident_mib.into_iter().fold(0.0, f64::max);
        let most = self.page_cache_mib as f64 + MEMORY_BESIDE_CACHE_MIB;
        rows.push(goal("peak resident memory", resident, most, Wanted::AtMost, 0, " MiB"));
        if let Some(fed) = self.feeds.first() {
            rows.push(goal("new children a second", fed.rate(), CHILDREN_A_SECOND, Wanted::AtLeast, 0, ""));
        }
        section("Goals", &["goal", "wanted", "measured", "verdict"], rows)
    }

    fn look_ups(&self) -> String {
        let rows = self.rounds.iter().map(|round| {
            let [ratio, lowest, highest] = round.ratio();
            let rate = |turns: &[Measured]| format!("{:.0}", of(turns, |measured| measured.rate));
            let time = |turns: &[Measured]| {
                format!("{} / {}", milliseconds(of(turns, |measured| measured.p50)), milliseconds(of(turns, |measured| measured.p99)))
            };
            vec![
                round.connections.to_string(),
                rate(&round.ours),
                rate(&round.theirs),
                format!("{ratio:.3} ({lowest:.3} to {highest:.3})"),
                time(&round.ours),
                time(&round.theirs),
                format!("{:.1}", round.slowness()),
            ]
        });
        let head = [
            "connections",
            "look-ups/s",
            "nginx/s",
            "ratio (lowest to highest)",
            "look-up p50 / p99, ms",
            "nginx p50 / p99, ms",
            "p99 over p99",
        ];
        section("Audited look-ups beside nginx", &head, rows)
    }

    /// Entries and receipts beside nginx. Each look-up is one entry, durable, under a head within the seconds of the settings, and its answer
    /// names entry and leaf: their rate is the look-ups'.
    fn log(&self) -> String {
        let Some(LogFigures { entries: [before, after], head_each, pure: (pure, of_entries) }) = &self.log else { return String::new() };
        let row = |what: &str, round: &Round| {
            let [ratio, lowest, highest] = round.ratio();
            let rate = |turns: &[Measured]| format!("{:.0}", of(turns, |measured| measured.rate));
            let p99 = milliseconds(of(&round.ours, |measured| measured.p99));
            let ratio = format!("{ratio:.3} ({lowest:.3} to {highest:.3})");
            vec![format!("{what}, {} connections", round.connections), rate(&round.ours), rate(&round.theirs), ratio, p99]
        };
        let entries = self.rounds.iter().map(|round| row("entries, signed and with receipts", round));
        let receipts = self.receipts.iter().map(|round| row("receipts over the API", round));
        let alone =
            vec!["proofs out of tiles in memory, one core".to_owned(), format!("{pure:.0}"), String::new(), String::new(), String::new()];
        let head = ["what", "a second", "nginx/s", "ratio (lowest to highest)", "p99, ms"];
        let told = format!(
            "The log grew from {before} entries to {after} during the look-ups, a head signed in the HSM every {head_each} s; receipts are of entries \
             all over it, proofs of {of_entries} entries.\n\n"
        );
        section("The log", &head, entries.chain(receipts).chain([alone])) + &told
    }

    /// Look-ups with and without somebody who fetches the log.
    fn while_fetched(&self) -> String {
        let Some(fetched) = &self.fetched else { return String::new() };
        let WhileFetched { look_ups, beside, alone, restless } = fetched;
        let clients = |measured: &Measured| measured.client;
        let times = |turns: &[Measured]| [each(turns, daemons), each(turns, clients)];
        let row = |what: &str, turns: &[Measured], [daemon, client]: [f64; 2]| {
            let [half, slow] = [of(turns, |measured| measured.p50), of(turns, |measured| measured.p99)].map(milliseconds);
            let rate = of(turns, |measured| measured.rate);
            vec![what.to_owned(), format!("{rate:.0}"), format!("{half} / {slow}"), format!("{daemon:.1}"), format!("{client:.1}")]
        };
        let rows = [
            row("look-ups alone", &look_ups.theirs, times(&look_ups.theirs)),
            row("look-ups while the log is fetched", &look_ups.ours, [fetched.look_up(daemons), fetched.look_up(clients)]),
            row("tiles and bundles beside the look-ups", beside, times(alone)),
            row("tiles and bundles alone", alone, times(alone)),
        ];
        let [ratio, lowest, highest] = look_ups.ratio();
        let told = format!(
            "{} connections look up, {FETCHING} fetch. While the log is fetched, look-ups a second are {ratio:.3} ({lowest:.3} to {highest:.3}) of those \
             alone; {:.1} % of the processor time used is the tiles' ({:.1} KiB each, on average). A tile's time is what it takes alone; a look-up's, \
             beside tiles, is without theirs. Turns that began before the daemon rested: {restless}.\n\n",
            look_ups.connections,
            100.0 * fetched.share(),
            of(alone, |measured| measured.bytes) / 1024.0
        );
        let head = ["what", "a second", "p50 / p99, ms", "processor time of the daemon, us", "of the client"];
        section("Look-ups while the log is fetched", &head, rows) + &told
    }

    fn feeds(&self) -> String {
        let rows = self.feeds.iter().map(|fed| {
            let seconds = format!("{:.1}", fed.time.as_secs_f64());
            let counts = [fed.records(), fed.created, fed.joined, fed.rejected].map(|count| count.to_string());
            [vec![fed.kind.clone(), fed.parts.to_string()], counts.to_vec(), vec![seconds, format!("{:.0}", fed.rate())]].concat()
        });
        let head = ["feed of", "parts at once", "records", "new children", "joined", "refused", "seconds", "records/s"];
        let memory = format!(
            "Peak resident memory: {:.0} MiB while feeding, {:.0} MiB while looking up; page cache by the settings {} MiB.\n\n",
            self.resident_mib[0], self.resident_mib[1], self.page_cache_mib
        );
        section("Feeds", &head, rows) + &memory
    }

    fn costs(&self) -> String {
        let mut rows = Vec::new();
        for round in &self.rounds {
            for (name, turns) in [("look-up", &round.ours), ("nginx", &round.theirs)] {
                rows.push(vec![
                    format!("{name}, {}", round.connections),
                    format!("{:.1}", each(turns, daemons)),
                    format!("{:.1}", each(turns, |measured| measured.client)),
                    by_thread(turns),
                ]);
            }
        }
        section("Processor time an answer, in microseconds", &["what, connections", "server", "client", "server by kind of thread"], rows)
    }

    fn hot_spots(&self) -> String {
        let Some(profile) = &self.profile else { return "perf(1) was not there: no profile.\n".to_owned() };
        let row = |(name, share): &(String, f64)| vec![name.clone(), format!("{share:.1} %")];
        let kinds = section("Where the daemon's time goes, 64 connections", &["work", "share"], profile.kinds.iter().map(row));
        let functions = profile.functions.iter().take(20).map(|(name, share)| row(&(format!("`{name}`"), *share)));
        kinds + &section("The twenty most expensive functions", &["function", "share"], functions)
    }
}

/// Microseconds of processor time for one answer: the median over the turns.
pub fn each(turns: &[Measured], total: impl Fn(&Measured) -> u64) -> f64 {
    of(turns, |measured| total(measured) as f64 / 1000.0 / measured.answers.max(1) as f64)
}

fn by_thread(turns: &[Measured]) -> String {
    let mut names: Vec<&String> = turns.iter().flat_map(|measured| measured.server.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let cost = |name: &String| each(turns, |measured| measured.server.get(name).copied().unwrap_or(0));
    let mut costs: Vec<(&String, f64)> = names.into_iter().map(|name| (name, cost(name))).filter(|(_, cost)| *cost >= 0.05).collect();
    costs.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    costs.iter().map(|(name, cost)| format!("{name} {cost:.1}")).collect::<Vec<_>>().join(", ")
}

enum Wanted {
    AtLeast,
    AtMost,
}

fn goal(name: &str, found: f64, wanted: f64, direction: Wanted, digits: usize, unit: &str) -> Vec<String> {
    let (sign, missing) = match direction {
        Wanted::AtLeast => ("at least", wanted - found),
        Wanted::AtMost => ("at most", found - wanted),
    };
    let verdict = if missing <= 0.0 { "met".to_owned() } else { format!("short by {:.0} %", 100.0 * missing / wanted) };
    vec![name.to_owned(), format!("{sign} {wanted:.digits$}{unit}"), format!("{found:.digits$}{unit}"), verdict]
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2}", microseconds / 1000.0)
}

fn section(title: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("### {title}\n\n| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text + "\n"
}
