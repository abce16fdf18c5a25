//! `break-glass`, `leave`, `override-shield` (rules D4, E5): the one-time code is typed anew, and what was opened is said.

use crate::api::Api;
use crate::arguments::{BreakGlass, OverrideShield, Place};
use crate::error::ClientError;
use crate::terminal::{say, say_json};
use crate::view::text;
use serde_json::{json, Value};

/// Rule D4's act.
pub(crate) async fn break_glass(place: &Place, wanted: &BreakGlass) -> Result<(), ClientError> {
    let mut body = json!({"reason": wanted.reason, "code": code(wanted.code.as_ref())?});
    for (member, value) in [
        ("child_number", &wanted.child_number),
        ("family_name", &wanted.family_name),
        ("given_name", &wanted.given_name),
        ("date_of_birth", &wanted.date_of_birth),
        ("postcode", &wanted.postcode),
    ] {
        if let Some(value) = value {
            body[member] = json!(value);
        }
    }
    open(place, "/v1/break-glass", &body, "Your supervisor is told.").await
}

/// Rule E5's act.
pub(crate) async fn override_shield(place: &Place, wanted: &OverrideShield) -> Result<(), ClientError> {
    let OverrideShield { child_number, reason, code: typed } = wanted;
    let body = json!({"child_number": child_number, "reason": reason, "code": code(typed.as_ref())?});
    open(place, "/v1/shield-override", &body, "Your supervisor and the child's authority are told.").await
}

/// Ends either.
pub(crate) async fn leave(place: &Place) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/break-glass/leave", &json!({})).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    match answer["child_number"].as_str() {
        Some(number) => say(&format!("You have left {number}.")),
        None => say("Nothing was open."),
    }
    Ok(())
}

async fn open(place: &Place, path: &str, body: &Value, told: &str) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post(path, body).await?;
    if place.json {
        say_json(&answer);
    } else {
        let number = text(&answer["child_number"]);
        say(&format!("You may view {number} until {}. {told}", text(&answer["until"])));
        say(&format!("See: contactpoint view {number} --reason ...; then: contactpoint leave"));
    }
    Ok(())
}

/// The code as given, or typed now.
pub(crate) fn code(given: Option<&String>) -> Result<String, ClientError> {
    let code = match given {
        Some(code) => code.clone(),
        None => rpassword::prompt_password("One-time code: ").map_err(ClientError::NothingTyped)?,
    };
    Ok(code.trim().to_owned())
}
