//! `log-in` and `log-out`: two factors typed, never arguments (rule C2); the directory's reminder of duties shown (rule J5).

use crate::api::{profile, read, Api};
use crate::arguments::{LogIn, Place};
use crate::error::ClientError;
use crate::session;
use crate::terminal::{say, say_json};
use serde::Deserialize;
use serde_json::{json, Value};
use std::io::BufRead;

#[derive(Deserialize)]
struct Opened {
    token: String,
    #[serde(default)]
    idle_seconds: u64,
    #[serde(default)]
    duties: String,
    person: Value,
    organisation: Value,
}

/// Logs in and keeps the session's token.
pub(crate) async fn log_in(place: &Place, wanted: &LogIn) -> Result<(), ClientError> {
    let profile = profile(place)?;
    let file = session::place(place, &profile)?;
    let password = if wanted.password_stdin { first_line_of_input() } else { rpassword::prompt_password("Password: ") };
    let password = password.map_err(ClientError::NothingTyped)?;
    let code = match &wanted.code {
        Some(code) => code.clone(),
        None => rpassword::prompt_password("One-time code: ").map_err(ClientError::NothingTyped)?,
    };
    let body = json!({"login": wanted.login, "password": password, "code": code.trim()});
    let answer = Api::by(&profile, None)?.post("/v1/session", &body).await?;
    let opened: Opened = read(&answer)?;
    session::keep(&file, &opened.token)?;
    if place.json {
        say_json(&without_token(answer));
    } else {
        greet(&opened);
    }
    Ok(())
}

/// Ends the session here, and at the directory where it still stands.
pub(crate) async fn log_out(place: &Place) -> Result<(), ClientError> {
    let file = session::place(place, &profile(place)?)?;
    let mut api = Api::in_session(place)?;
    let ended = api.delete("/v1/session").await;
    session::forget(&file);
    match ended {
        Err(ClientError::Refused(problem)) if problem.status == 401 => say("The session had ended already."),
        Err(error) => return Err(error),
        Ok(()) => say("Logged out."),
    }
    Ok(())
}

fn first_line_of_input() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn greet(opened: &Opened) {
    let roles: Vec<&str> = opened.person["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let name = crate::view::text(&opened.person["name"]);
    say(&format!("Logged in as {name} ({}), {}.", roles.join(", "), crate::view::text(&opened.organisation["name"])));
    say(&format!("The session ends after {} idle minutes.", opened.idle_seconds / 60));
    if !opened.duties.is_empty() {
        say(&opened.duties);
    }
}

/// The token stays in its file: output is kept in logs.
fn without_token(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("token");
    }
    answer
}
