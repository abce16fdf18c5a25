//! The report at the end of a feed: counts, and the rejected lines by number and reason, never by content (rule H5).

use crate::error::ClientError;
use crate::terminal::{say, say_json, Table};
use crate::view::text;
use serde_json::Value;

/// Prints a report over `records` (the header not counted); an error where some were rejected, so that scripts notice.
pub(crate) fn say_report(report: &Value, records: u64, as_json: bool) -> Result<(), ClientError> {
    let rejected = report["rejected_count"].as_u64().unwrap_or(0);
    if as_json {
        say_json(report);
    } else {
        say_counts(report, records);
        say_rejected(report, rejected);
    }
    if rejected > 0 {
        return Err(ClientError::SomeRejected { rejected, records });
    }
    Ok(())
}

fn say_counts(report: &Value, records: u64) {
    let state = if report["complete"].as_bool().unwrap_or(false) { "complete" } else { "not complete: run the command again" };
    say(&format!("Feed {} ({}): {state}.", text(&report["feed"]), text(&report["layout"])));
    let mut table = Table::under(&["records", "new children", "joined", "unchanged", "rejected"]);
    let count = |key: &str| text(&report[key]);
    table.row([&records.to_string(), &count("created"), &count("joined"), &count("unchanged"), &count("rejected_count")]);
    table.say();
}

fn say_rejected(report: &Value, rejected: u64) {
    let lines = report["rejected"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        return;
    }
    say("");
    let mut table = Table::under(&["line", "field", "reason"]);
    for line in lines {
        table.row([&text(&line["line"]), &text(&line["field"]), &text(&line["reason"])]);
    }
    table.say();
    if rejected > lines.len() as u64 {
        say(&format!("... and {} more.", rejected - lines.len() as u64));
    }
}
