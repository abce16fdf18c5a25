//! A child on the terminal: rule A1's content in the order in which a practitioner asks for it, contacts last and whole.
//!
//! Leaves to others: what may be shown (the directory decided; what is absent here was not sent).

use crate::terminal::{say, Table};
use serde_json::Value;

/// A value as one cell: text as it is, a name as "given family", an organisation or person by its name, nothing as "".
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match (members.get("given"), members.get("family"), members.get("name")) {
            (Some(given), Some(family), _) => format!("{} {}", text(given), text(family)),
            (_, _, Some(name)) => text(name),
            _ => members.values().map(text).collect::<Vec<_>>().join(", "),
        },
    }
}

/// Prints a view's answer.
pub(crate) fn say_child(child: &Value) {
    let shielded = if child["shielded"] == true { "   SHIELDED" } else { "" };
    say(&format!("{}   {}{shielded}", text(&child["name"]), text(&child["child_number"])));
    for (label, key) in [
        ("former names", "former_names"),
        ("date of birth", "date_of_birth"),
        ("gender", "gender"),
        ("NHS number", "nhs_number"),
        ("unique pupil number", "unique_pupil_number"),
    ] {
        fact(label, &text(&child[key]));
    }
    fact("carers", &text(&child["carer_names"]));
    if child["address"].is_null() {
        // a shielded child: there is no word on where it lives, nor on who works with it (rule E2)
        say("This child is shielded. Nothing more is shown.");
        return;
    }
    fact("address", &address(child));
    for carer in child["carers"].as_array().into_iter().flatten() {
        let parts = [text(&carer["name"]), text(&carer["telephone"]), text(&carer["email"])];
        fact(&text(&carer["relationship"]), &joined(&parts));
    }
    say("");
    contacts(child);
}

fn fact(label: &str, value: &str) {
    if !value.is_empty() {
        say(&format!("  {label:<20} {value}"));
    }
}

fn address(child: &Value) -> String {
    let address = &child["address"];
    let told = joined(&[text(&address["lines"]), text(&address["postcode"])]);
    match address["known"].as_str() {
        Some("current") | None if !told.is_empty() => told,
        Some("last-known") => format!("{told} (last known)"),
        Some(_) | None => "no known address".to_owned(),
    }
}

fn joined(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// School, surgery and services as one table: who they are, whom to reach, how.
fn contacts(child: &Value) {
    let mut table = Table::under(&["who works with the child", "kind", "practitioner", "telephone", "e-mail", "CAF", "lead"]);
    let single = [&child["school"], &child["surgery"]].into_iter().filter(|contact| contact.is_object());
    let mut any = false;
    for contact in single.chain(child["services"].as_array().into_iter().flatten()) {
        any = true;
        let person = &contact["practitioner"];
        let reach = |key: &str| if person[key].is_string() { text(&person[key]) } else { text(&contact[key]) };
        table.row([
            &text(&contact["organisation"]),
            &text(&contact["kind"]),
            &text(&person["name"]),
            &reach("telephone"),
            &reach("email"),
            &text(&contact["common_assessment"]),
            &text(&contact["lead_professional"]),
        ]);
    }
    if any {
        table.say();
    } else {
        say("Nobody is known to work with this child.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_read_from_any_shape() {
        assert_eq!(text(&json!({"given": "Zoë", "family": "Khan"})), "Zoë Khan");
        assert_eq!(text(&json!({"id": 4, "name": "Elm School"})), "Elm School");
        assert_eq!(text(&json!({"id": 4, "name": {"given": "Zoë", "family": "Khan"}})), "Zoë Khan");
        assert_eq!(text(&Value::Null), "");
    }

    #[test]
    fn no_known_address_is_said() {
        // A1: address (current, else last known, else "no known address")
        let known = |how: &str, lines: &[&str]| address(&json!({"address": {"known": how, "lines": lines, "postcode": "ZZ99 3WZ"}}));
        assert_eq!(known("current", &["1 High St", "Ely"]), "1 High St, Ely, ZZ99 3WZ");
        assert_eq!(known("last-known", &["1 High St"]), "1 High St, ZZ99 3WZ (last known)");
        assert_eq!(address(&json!({"address": {"known": "no-known-address", "lines": []}})), "no known address");
    }
}
