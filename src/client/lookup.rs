//! `search`, `view` and `who-saw`: a question, an answer on the terminal, nothing kept (rule G8).

use crate::api::Api;
use crate::arguments::{Look, Place, Search};
use crate::error::ClientError;
use crate::terminal::{say, say_json, Table};
use crate::view::{self, text};
use serde_json::{json, Map, Value};

/// Rule D3's search.
pub(crate) async fn search(place: &Place, wanted: &Search) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/children/search", &search_body(wanted)).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    if hits.is_empty() {
        say("No child in your scope fits.");
        return Ok(());
    }
    let mut table = Table::under(&["child number", "family name", "given names", "date of birth", "gender"]);
    for hit in hits {
        let name = &hit["name"];
        table.row([
            &text(&hit["child_number"]),
            &text(&name["family"]),
            &text(&name["given"]),
            &text(&hit["date_of_birth"]),
            &text(&hit["gender"]),
        ]);
    }
    table.say();
    Ok(())
}

/// One child, and who works with them.
pub(crate) async fn view(place: &Place, wanted: &Look) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/children/view", &look_body(wanted)).await?;
    if place.json {
        say_json(&answer);
    } else {
        view::say_child(&answer);
    }
    Ok(())
}

/// Rule F3's question.
pub(crate) async fn who_saw(place: &Place, wanted: &Look) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/audit/who-saw", &look_body(wanted)).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    let looks = answer["looks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut table = Table::under(&["entry", "at", "person", "organisation", "role", "what", "reason", "outcome", "shown"]);
    for look in looks {
        let shown: Vec<String> = look["shown"].as_array().into_iter().flatten().map(text).collect();
        table.row([
            &text(&look["entry"]),
            &text(&look["at"]),
            &text(&look["person"]),
            &text(&look["organisation"]),
            &text(&look["role"]),
            &text(&look["operation"]),
            &text(&look["reason"]),
            &text(&look["outcome"]),
            &shown.join(", "),
        ]);
    }
    table.say();
    let older = if answer["more"].as_bool().unwrap_or(false) { ", and older ones" } else { "" };
    say(&format!("{} looks{older}.", looks.len()));
    Ok(())
}

fn look_body(wanted: &Look) -> Value {
    json!({"child_number": wanted.child_number, "reason": wanted.reason})
}

/// Only what was given: an absent member and an empty one are not the same.
fn search_body(wanted: &Search) -> Value {
    let given = [
        ("family_name", &wanted.family_name),
        ("given_name", &wanted.given_name),
        ("date_of_birth", &wanted.date_of_birth),
        ("postcode", &wanted.postcode),
        ("child_number", &wanted.child_number),
    ];
    let mut body: Map<String, Value> =
        given.into_iter().filter_map(|(key, value)| value.as_ref().map(|value| (key.to_owned(), Value::from(value.as_str())))).collect();
    body.insert("reason".to_owned(), Value::from(wanted.reason.as_str()));
    Value::Object(body)
}
