//! `contactpointctl status`: what the running daemon says of its keys, its store and its log. No child, no name.
//!
//! With `--metrics` the same as OpenMetrics text: nothing here listens for a collector, so a timer asks and hands it over.
//!
//! Exit status 0 where both work and 69 where one does not, so that a watch can ask. Needs no session: who may open the socket may know.

use crate::command::Said;
use crate::control::Socket;
use crate::error::OperatorError;
use contactpoint_domain::Instant;
use http::Method;
use serde::Deserialize as _;
use serde_json::Value;
use std::fmt::Write as _;

/// Exit status of a daemon that cannot work now (sysexits(3), EX_UNAVAILABLE).
const UNAVAILABLE: u8 = 69;

/// Arguments of the question.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    socket: Socket,
    /// Print it as OpenMetrics text, for a collector of metrics
    #[arg(long)]
    metrics: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Said, OperatorError> {
    let answer = arguments.socket.ask(Method::GET, "/v1/status", None, None)?;
    let works = |part: &str| answer.get(part).and_then(Value::as_bool) == Some(true);
    let status = if works("store") && works("keys") { 0 } else { UNAVAILABLE };
    Ok(Said { text: if arguments.metrics { metrics(&answer) } else { format!("{answer:#}") }, status })
}

/// One gauge.
fn gauge(text: &mut String, name: &str, help: &str, samples: &[(String, u64)]) {
    if !samples.is_empty() {
        let _ = writeln!(text, "# TYPE contactpoint_{name} gauge\n# HELP contactpoint_{name} {help}");
    }
    for (labels, value) in samples {
        let _ = writeln!(text, "contactpoint_{name}{labels} {value}");
    }
}

/// The same as the JSON, as OpenMetrics has it (<https://prometheus.io/docs/specs/om/open_metrics_spec/>); what is not told is left out.
fn metrics(answer: &Value) -> String {
    let number = |value: &Value| value.as_u64().or(value.as_bool().map(u64::from));
    let seconds = |value: &Value| Instant::deserialize(value).ok().map(Instant::seconds);
    let one = |value: Option<u64>| value.map(|value| (String::new(), value)).into_iter().collect::<Vec<_>>();
    let mut text = String::new();
    gauge(&mut text, "store_works", "1 where the store commits.", &one(number(&answer["store"])));
    gauge(&mut text, "keys_work", "1 where the HSM signs.", &one(number(&answer["keys"])));
    gauge(&mut text, "log_entries", "Durable entries of the log.", &one(number(&answer["entries"])));
    let told = &answer["witnesses"];
    gauge(&mut text, "log_signed_entries", "Entries of the newest signed head.", &one(number(&told["signed"])));
    gauge(&mut text, "log_cosigned_entries", "Entries of the newest head with the quorum.", &one(number(&told["cosigned"])));
    gauge(&mut text, "log_quorum_late", "1 where the quorum of the witnesses is late.", &one(number(&told["quorum_late"])));
    gauge(&mut text, "log_quorum_late_since_seconds", "Unix time since when it is.", &one(seconds(&told["late_since"])));
    let of_each = |value: fn(&Value) -> Option<u64>| {
        let witnesses = told["witnesses"].as_array().into_iter().flatten();
        let sample = |one: &Value| Some((format!("{{witness={}}}", label(one["name"].as_str()?)), value(one)?));
        witnesses.filter_map(sample).collect::<Vec<_>>()
    };
    let last = of_each(|one| Instant::deserialize(&one["last"]).ok().map(Instant::seconds));
    gauge(&mut text, "witness_last_seconds", "Unix time at which the witness last cosigned.", &last);
    gauge(&mut text, "witness_entries", "Entries of the head that it cosigned then.", &of_each(|one| one["size"].as_u64()));
    text + "# EOF"
}

/// A label's value: quoted, with backslash, quote and line feed escaped.
fn label(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::tests::{answering, socket};
    use tempfile::TempDir;

    #[test]
    fn a_daemon_whose_store_or_keys_do_not_work_exits_69() {
        // architecture, keys: liveness is a real key operation
        let directory = TempDir::new().unwrap();
        for (answer, status) in [
            ("{\"store\":true,\"keys\":true,\"entries\":2}", 0),
            ("{\"store\":true,\"keys\":false,\"entries\":2}", UNAVAILABLE),
            ("{\"store\":false,\"keys\":true,\"entries\":2}", UNAVAILABLE),
            ("{}", UNAVAILABLE),
        ] {
            let heard = answering(&directory, "200 OK", answer);
            let said = run(&Arguments { socket: socket(&directory), metrics: false }).unwrap();
            heard.join().unwrap();
            assert_eq!(said.status, status, "{answer}");
        }
    }

    #[test]
    fn metrics_tell_what_the_status_tells_and_of_each_witness_by_name() {
        // F2: a log whose quorum is late says so in status and metrics
        let directory = TempDir::new().unwrap();
        let answer = r#"{"store":true,"keys":true,"entries":9,"witnesses":{"quorum_late":true,"late_since":"2026-11-22T17:00:00.000Z","signed":9,
            "cosigned":4,"asked":7,"witnesses":[{"name":"no\"rth","last":"2026-11-22T16:00:00.000Z","size":7},{"name":"south"}]}}"#;
        let heard = answering(&directory, "200 OK", answer);
        let said = run(&Arguments { socket: socket(&directory), metrics: true }).unwrap();
        heard.join().unwrap();
        for line in [
            "contactpoint_store_works 1",
            "contactpoint_log_entries 9",
            "contactpoint_log_signed_entries 9",
            "contactpoint_log_cosigned_entries 4",
            "contactpoint_log_quorum_late 1",
            "contactpoint_log_quorum_late_since_seconds 1795366800",
            "contactpoint_witness_last_seconds{witness=\"no\\\"rth\"} 1795363200",
            "contactpoint_witness_entries{witness=\"no\\\"rth\"} 7",
        ] {
            assert!(said.text.lines().any(|said| said == line), "{line}: {}", said.text);
        }
        assert!(!said.text.contains("south") && said.text.ends_with("\n# EOF"), "{}", said.text);
        let without = metrics(&serde_json::json!({"store": true, "keys": false, "entries": 2}));
        assert!(without.contains("contactpoint_keys_work 0\n") && !without.contains("quorum"), "{without}");
    }
}
