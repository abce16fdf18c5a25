//! `reviews`, `review-look`, `review-report` (rule F4): tasks as tables, and how to ask for more of them.

use crate::api::Api;
use crate::arguments::{Alerts, Period, Place, ReviewLook};
use crate::error::ClientError;
use crate::terminal::{say, say_json, Table};
use crate::view::text;
use serde_json::{json, Value};

/// What is counted.
const COUNTS: [&str; 9] = ["tasks", "drawn", "in_time", "late", "open", "overdue", "justified", "not_justified", "needs_enquiry"];

/// What waits for whoever asks.
pub(crate) async fn queue(place: &Place, wanted: &Alerts) -> Result<(), ClientError> {
    let body = wanted.cursor.as_ref().map_or(json!({}), |cursor| json!({"cursor": cursor}));
    let answer = Api::in_session(place)?.post("/v1/reviews/queue", &body).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    let reviews = answer["reviews"].as_array().map(Vec::as_slice).unwrap_or_default();
    if reviews.is_empty() {
        say("Nothing waits for you.");
    } else {
        table_of(reviews).say();
    }
    if let Some(cursor) = answer["cursor"].as_str() {
        say(&format!("There are more: ask again with --cursor {cursor}"));
    }
    Ok(())
}

/// One outcome.
pub(crate) async fn settle(place: &Place, wanted: &ReviewLook) -> Result<(), ClientError> {
    let path = format!("/v1/reviews/{}/settle", wanted.task);
    let answer = Api::in_session(place)?.post(&path, &json!({"outcome": wanted.outcome})).await?;
    if place.json {
        say_json(&answer);
    } else {
        table_of(std::slice::from_ref(&answer)).say();
    }
    Ok(())
}

/// How reviews stand.
pub(crate) async fn report(place: &Place, Period { from, to }: &Period) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/reviews/report", &json!({"from": from, "to": to})).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    let heads: Vec<String> = COUNTS.iter().map(|count| count.replace('_', " ")).collect();
    let counts = |first: &str, rows: &Value, of_what: fn(&Value) -> String| {
        let mut table = Table::under(&std::iter::once(first).chain(heads.iter().map(String::as_str)).collect::<Vec<_>>());
        for row in rows.as_array().into_iter().flatten() {
            let cells: Vec<String> = std::iter::once(of_what(row)).chain(COUNTS.iter().map(|count| text(&row[*count]))).collect();
            table.row::<10>(std::array::from_fn(|at| cells.get(at).map_or("", String::as_str)));
        }
        table.say();
    };
    let of_whom = |row: &Value| format!("{} / {}", text(&row["organisation"]), text(&row["role"]));
    counts("organisation / role", &answer["by_organisation"], of_whom);
    if answer["by_rule"].as_array().is_some_and(|rules| !rules.is_empty()) {
        counts("rule", &answer["by_rule"], |row| text(&row["rule"]));
    }
    say(&format!("Overdue today, whenever they were due: {}", text(&answer["overdue_today"])));
    for period in answer["periods"].as_array().into_iter().flatten() {
        let [every, last, first, ended] = ["every", "last", "from", "ended"].map(|key| text(&period[key]));
        let is_drawn = if period["is_drawn"] == false { "is not drawn to its end: it is drawn" } else { "was drawn" };
        let plan = period["plan"].as_str().map_or_else(String::new, |plan| format!(" by the plan {plan}... (sha256sum review-plan.toml)"));
        say(&format!("\nThe {every} to {last} {is_drawn} from entries {first} to {ended}, without the last,{plan} and by the checkpoint"));
        say(&text(&period["checkpoint"]));
    }
    for runs in answer["detection"].as_array().into_iter().flatten() {
        let [from, to, nights, first, last, rules, holidays] =
            ["from", "to", "nights", "first", "last", "rules", "holidays"].map(|key| text(&runs[key]));
        say(&format!(
            "\nThe detection rules were run over the days to {from}, and on to {to}, in {nights} nights and entries {first} to {last}"
        ));
        say(&format!("by the rules {rules}... (sha256sum detection.toml) and the holidays {holidays}... (docs/review.md)"));
    }
    Ok(())
}

fn table_of(reviews: &[Value]) -> Table {
    let mut table = Table::under(&[
        "task",
        "found by",
        "at",
        "person",
        "organisation",
        "what",
        "reason",
        "outcome",
        "child numbers",
        "due",
        "reviewed",
    ]);
    for review in reviews {
        let found_by = review["rule"].as_str().unwrap_or("the draw");
        let due = format!("{}{}", text(&review["due"]), if review["overdue"] == true { " (overdue)" } else { "" });
        let reviewed = &review["reviewed"];
        let reviewed =
            if reviewed.is_null() { String::new() } else { format!("{} by person {}", text(&reviewed["outcome"]), text(&reviewed["by"])) };
        let looks = review["looks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = |member: &str| looks.iter().map(|look| text(&look[member])).collect::<Vec<_>>().join("; ");
        let numbers = looks.iter().map(|look| joined(&look["child_numbers"])).collect::<Vec<_>>().join("; ");
        let person = if review["person"].is_null() { all("person") } else { text(&review["person"]) };
        table.row([
            &text(&review["id"]),
            found_by,
            &all("at"),
            &person,
            &text(&review["organisation"]),
            &all("operation"),
            &all("reason"),
            &all("outcome"),
            &numbers,
            &due,
            &reviewed,
        ]);
    }
    table
}

fn joined(list: &Value) -> String {
    list.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(" ")
}
