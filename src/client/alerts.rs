//! `alerts`, `judge`, `sample`, `review`, `statistics`, `flags` (rules D5, D7): events as tables, and how to ask for more of them.

use crate::api::Api;
use crate::arguments::{Alerts, Flags, Judge, Period, Place, Review, Sample};
use crate::error::ClientError;
use crate::terminal::{say, say_json, Table};
use crate::view::text;
use serde_json::{json, Value};

/// What waits for whoever asks.
pub(crate) async fn queue(place: &Place, wanted: &Alerts) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/alerts/queue", &with_cursor(json!({}), wanted.cursor.as_ref())).await?;
    tell(place, &answer, "Nothing waits for you.");
    Ok(())
}

/// One judgement.
pub(crate) async fn judge(place: &Place, wanted: &Judge) -> Result<(), ClientError> {
    let path = format!("/v1/alerts/{}/judge", wanted.alert);
    let answer = Api::in_session(place)?.post(&path, &json!({"disposition": wanted.disposition})).await?;
    tell_one(place, &answer);
    Ok(())
}

/// A month's sample.
pub(crate) async fn sample(place: &Place, wanted: &Sample) -> Result<(), ClientError> {
    let body = json!({"month": wanted.month, "size": wanted.size});
    let answer = Api::in_session(place)?.post("/v1/audit/alerts/sample", &body).await?;
    tell(place, &answer, "No supervisor judged anything in this month.");
    if !place.json {
        let judged: Vec<String> = answer["judged"].as_array().into_iter().flatten().map(text).collect();
        say(&format!("\nDrawn from {} judged: {}", judged.len(), judged.join(" ")));
        if let Some(ended) = answer["ended"].as_u64() {
            say(&format!("by the first checkpoint over entry {ended}\n{}", text(&answer["checkpoint"])));
        }
    }
    Ok(())
}

/// One finding.
pub(crate) async fn review(place: &Place, wanted: &Review) -> Result<(), ClientError> {
    let path = format!("/v1/audit/alerts/{}/review", wanted.alert);
    let answer = Api::in_session(place)?.post(&path, &json!({"finding": wanted.finding})).await?;
    tell_one(place, &answer);
    Ok(())
}

/// Rule D7's flags.
pub(crate) async fn flags(place: &Place, wanted: &Flags) -> Result<(), ClientError> {
    let body = with_cursor(period(&wanted.period), wanted.cursor.as_ref());
    let answer = Api::in_session(place)?.post("/v1/audit/flags", &body).await?;
    tell(place, &answer, "Nothing was flagged on these days.");
    Ok(())
}

/// Counts, five tables of them.
pub(crate) async fn statistics(place: &Place, wanted: &Period) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/audit/alerts/statistics", &period(wanted)).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    for (member, heads) in [("by_user", &["person"][..]), ("by_role", &["role", "kind"]), ("by_pair", &["person", "supervisor"])] {
        let of_whom = heads.join(" / ");
        let mut table = Table::under(&[&of_whom, "alerts", "justified", "not justified", "open", "overdue", "questioned"]);
        for row in answer[member].as_array().into_iter().flatten() {
            let of_whom = heads.iter().map(|key| text(&row[*key])).collect::<Vec<_>>().join(" / ");
            let count = |key: &str| text(&row[key]);
            let [alerts, justified, not_justified] = [count("alerts"), count("justified"), count("not_justified")];
            table.row([&of_whom, &alerts, &justified, &not_justified, &count("open"), &count("overdue"), &count("questioned")]);
        }
        table.say();
        say("");
    }
    let rows = |member: &str| answer[member].as_array().cloned().unwrap_or_default();
    let mut turns = Table::under(&["one / other", "of the one, by the other", "justified", "of the other, by the one", "justified"]);
    for row in rows("by_turns") {
        let both = format!("{} / {}", text(&row["one"]), text(&row["other"]));
        let count = |of: &str, what: &str| text(&row[of][what]);
        let [one, other] = ["of_one", "of_other"].map(|of| [count(of, "alerts"), count(of, "justified")]);
        turns.row([&both, &one[0], &one[1], &other[0], &other[1]]);
    }
    turns.say();
    say("");
    let mut authorities = Table::under(&["authority", "alerts", "settled", "open", "overdue"]);
    for row in rows("by_authority") {
        let [authority, alerts, settled] = ["authority", "alerts", "settled"].map(|key| text(&row[key]));
        authorities.row([&authority, &alerts, &settled, &text(&row["open"]), &text(&row["overdue"])]);
    }
    authorities.say();
    if answer["more"] == true {
        say("There are more rows than these: ask for fewer days.");
    }
    Ok(())
}

fn period(Period { from, to }: &Period) -> Value {
    json!({"from": from, "to": to})
}

fn with_cursor(mut body: Value, cursor: Option<&String>) -> Value {
    if let Some(cursor) = cursor {
        body["cursor"] = json!(cursor);
    }
    body
}

fn tell(place: &Place, answer: &Value, nothing: &str) {
    if place.json {
        say_json(answer);
        return;
    }
    let alerts = answer["alerts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if alerts.is_empty() {
        say(nothing);
    } else {
        table_of(alerts).say();
    }
    if let Some(cursor) = answer["cursor"].as_str() {
        say(&format!("There are more: ask again with --cursor {cursor}"));
    }
}

fn tell_one(place: &Place, answer: &Value) {
    if place.json {
        say_json(answer);
    } else {
        table_of(std::slice::from_ref(answer)).say();
    }
}

fn table_of(alerts: &[Value]) -> Table {
    let mut table = Table::under(&["alert", "what", "at", "person", "organisation", "child number", "reason", "due", "judged"]);
    for alert in alerts {
        let due = format!("{}{}", text(&alert["due"]), if alert["overdue"] == true { " (overdue)" } else { "" });
        table.row([
            &text(&alert["id"]),
            &text(&alert["kind"]),
            &text(&alert["at"]),
            &text(&alert["person"]),
            &text(&alert["organisation"]),
            &text(&alert["child_number"]),
            &text(&alert["reason"]),
            &due,
            &judged(&alert["judged"]),
        ]);
    }
    table
}

/// "justified by person 12, questioned".
fn judged(judged: &Value) -> String {
    if judged.is_null() {
        return String::new();
    }
    let finding = judged["finding"].as_str().map(|finding| format!(", {finding}")).unwrap_or_default();
    format!("{} by person {}{finding}", text(&judged["disposition"]), text(&judged["by"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_judgement_is_one_cell_and_the_place_goes_with_the_question() {
        // D5: justified or not; dispositions are sampled by an auditor
        assert_eq!(judged(&json!({"disposition": "justified", "by": 12, "finding": "questioned"})), "justified by person 12, questioned");
        assert_eq!(judged(&json!({"disposition": "settled", "by": 7})), "settled by person 7");
        assert_eq!(judged(&Value::Null), "");
        let asked = Period { from: "2026-10-01".to_owned(), to: "2026-10-31".to_owned() };
        assert_eq!(with_cursor(period(&asked), Some(&"abc".to_owned()))["cursor"], "abc");
        assert_eq!(with_cursor(period(&asked), None), json!({"from": "2026-10-01", "to": "2026-10-31"}));
    }
}
