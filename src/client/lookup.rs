//! `search`, `view` and `who-saw`: a question, an answer on the terminal, nothing kept (rule G8).

use crate::api::Api;
use crate::arguments::{Look, Place, Search, View, WhoSaw};
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
    let mut table = Table::under(&["child number", "family name", "given names", "date of birth", "gender", ""]);
    for hit in hits {
        let name = &hit["name"];
        table.row([
            &text(&hit["child_number"]),
            &text(&name["family"]),
            &text(&name["given"]),
            &text(&hit["date_of_birth"]),
            &text(&hit["gender"]),
            if hit["shielded"] == true { "shielded" } else { "" },
        ]);
    }
    table.say();
    Ok(())
}

/// One child, and who works with them.
pub(crate) async fn view(place: &Place, wanted: &View) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/children/view", &view_body(wanted)).await?;
    if place.json {
        say_json(&answer);
    } else {
        view::say_child(&answer);
    }
    Ok(())
}

/// Rule E6's request. What there is to say is the same whatever there is.
pub(crate) async fn ask_contact(place: &Place, wanted: &Look) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/children/contact", &look_body(wanted)).await?;
    if place.json {
        say_json(&answer);
    } else {
        say(&format!(
            "Your request is entry {} of the log. If there is such a child, its authority gets in touch.",
            text(&answer["entry"])
        ));
    }
    Ok(())
}

/// Rule F3's question.
pub(crate) async fn who_saw(place: &Place, wanted: &WhoSaw) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/audit/who-saw", &who_saw_body(wanted)).await?;
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
    say(&closing(&answer));
    Ok(())
}

/// How many looks there were, and how to ask for the older ones.
fn closing(answer: &Value) -> String {
    let looks = answer["looks"].as_array().map_or(0, Vec::len);
    match answer["cursor"].as_str() {
        Some(cursor) => format!("{looks} looks, and there are older ones: ask again with --cursor {cursor}"),
        None => format!("{looks} looks."),
    }
}

fn who_saw_body(wanted: &WhoSaw) -> Value {
    let mut body = look_body(&wanted.look);
    if let Some(cursor) = &wanted.cursor {
        body["cursor"] = json!(cursor);
    }
    body
}

fn view_body(wanted: &View) -> Value {
    let mut body = look_body(&wanted.look);
    if let Some(name) = &wanted.on_behalf_of {
        body["on_behalf_of"] = name_of(name);
    }
    body
}

/// "Given Family" or "Family, Given". One word alone is sent as a family name without a given one, which the directory refuses.
fn name_of(told: &str) -> Value {
    let (given, family) = match told.split_once(',') {
        Some((family, given)) => (given.trim(), family.trim()),
        None => told.trim().rsplit_once(' ').unwrap_or(("", told)),
    };
    json!({"given": given.trim(), "family": family})
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_look_is_for_is_read_in_both_orders() {
        // mediated access: both names are in the entry
        for told in ["Ada May Quill", "Quill, Ada May", " Ada May  Quill"] {
            assert_eq!(name_of(told), json!({"given": "Ada May", "family": "Quill"}), "{told}");
        }
        assert_eq!(name_of("de la Cruz, Ana"), json!({"given": "Ana", "family": "de la Cruz"}));
        assert_eq!(name_of("Ada"), json!({"given": "", "family": "Ada"}));
    }

    #[test]
    fn older_looks_are_asked_for_by_the_cursor_of_the_answer() {
        // F3: who saw this child, all of them
        let answer = json!({"looks": [{"entry": 90}, {"entry": 17}], "cursor": "abc"});
        assert_eq!(closing(&answer), "2 looks, and there are older ones: ask again with --cursor abc");
        assert_eq!(closing(&json!({"looks": [{"entry": 90}]})), "1 looks.");
    }

    #[test]
    fn the_cursor_is_sent_only_where_it_was_given() {
        // F3: who saw this child; the interface refuses members that it does not know
        let look = || Look { child_number: "4182736451".to_owned(), reason: "audit".to_owned() };
        let wanted = |cursor| WhoSaw { look: look(), cursor };
        assert_eq!(who_saw_body(&wanted(None)), json!({"child_number": "4182736451", "reason": "audit"}));
        assert_eq!(who_saw_body(&wanted(Some("abc".to_owned())))["cursor"], "abc");
    }
}
