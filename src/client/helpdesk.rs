//! `reset` and `complete-reset`: a lost factor made anew by two people (rule C5). What is new is shown once, to the second of them.

use crate::api::Api;
use crate::arguments::{CompleteReset, Place, Reset};
use crate::error::ClientError;
use crate::terminal::{say, say_json};
use crate::view::text;
use serde_json::json;

/// Begins it.
pub(crate) async fn begin(place: &Place, wanted: &Reset) -> Result<(), ClientError> {
    let body = json!({"factor": wanted.factor, "verified": wanted.script.verified});
    let answer = Api::in_session(place)?.post(&format!("/v1/people/{}/reset", wanted.person), &body).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    say(&format!(
        "The {} of {} waits for a second person, until {}:",
        text(&answer["factor"]),
        text(&answer["login"]),
        text(&answer["until"])
    ));
    say(&format!("  contactpoint complete-reset {}", text(&answer["id"])));
    Ok(())
}

/// Completes it and shows what to hand over. Nothing of it is kept.
pub(crate) async fn complete(place: &Place, wanted: &CompleteReset) -> Result<(), ClientError> {
    let code = match &wanted.code {
        Some(code) => code.clone(),
        None => rpassword::prompt_password("Your own one-time code: ").map_err(ClientError::NothingTyped)?,
    };
    let body = json!({"code": code.trim()});
    let answer = Api::in_session(place)?.post(&format!("/v1/people/{}/reset/complete", wanted.person), &body).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    say(&format!("The new {} of {}. Shown once; hand it over in person:", text(&answer["factor"]), text(&answer["login"])));
    for (what, member) in [("password", "password"), ("code secret", "code_secret"), ("for the authenticator", "otpauth")] {
        if answer[member].is_string() {
            say(&format!("  {what:21}  {}", text(&answer[member])));
        }
    }
    Ok(())
}
