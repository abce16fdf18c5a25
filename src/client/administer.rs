//! `amend-person`, `set-person-state`, `sign`, `accept-responsibilities`, `sponsor`: what keeps people and organisations let in (rules B2, B3,
//! C1 to C5). The directory decides; what it answers is shown.

use crate::api::Api;
use crate::arguments::{AcceptText, AmendPerson, Checks, Home, Place, SetPersonState, Sponsor};
use crate::error::ClientError;
use crate::glass::code;
use crate::terminal::{say, say_json};
use crate::view::text;
use serde_json::{json, Value};

/// Which text is read and accepted.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// By every person.
    Agreement,
    /// For an organisation.
    Responsibilities,
}

impl Text {
    const fn member(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Responsibilities => "responsibilities",
        }
    }

    const fn route(self) -> &'static str {
        match self {
            Self::Agreement => "/v1/session/agreement",
            Self::Responsibilities => "/v1/organisation/responsibilities",
        }
    }
}

/// Shows the text in force, or accepts the version that was read.
pub(crate) async fn accept(place: &Place, text_wanted: Text, wanted: &AcceptText) -> Result<(), ClientError> {
    let Some(version) = wanted.version else {
        let texts = Api::without_session(place)?.get("/v1/texts").await?;
        say(texts[text_wanted.member()]["text"].as_str().unwrap_or_default());
        return Ok(());
    };
    let answer = Api::in_session(place)?.post(text_wanted.route(), &json!({"version": version})).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    match text_wanted {
        Text::Agreement => say(&format!("Signed on {}.", text(&answer["signed"]))),
        Text::Responsibilities => say(&standing(&answer)),
    }
    Ok(())
}

/// Vouches for an organisation.
pub(crate) async fn sponsor(place: &Place, wanted: &Sponsor) -> Result<(), ClientError> {
    let Sponsor { organisation, code: typed } = wanted;
    let body = json!({"code": code(typed.as_ref())?});
    let answer = Api::in_session(place)?.post(&format!("/v1/organisations/{organisation}/sponsor"), &body).await?;
    if place.json {
        say_json(&answer);
    } else {
        say(&standing(&answer));
    }
    Ok(())
}

/// Changes what is on record of a person.
pub(crate) async fn amend(place: &Place, wanted: &AmendPerson) -> Result<(), ClientError> {
    let mut body = json!({});
    if !wanted.roles.is_empty() {
        body["roles"] = json!(wanted.roles);
    }
    if let Some(supervisor) = wanted.supervisor {
        body["supervisor"] = json!(supervisor);
    }
    let made = checks(&wanted.checks);
    if made != json!({}) {
        body["checks"] = made;
    }
    if let Some(home) = home(&wanted.home) {
        body["home"] = home;
    }
    person(place, &format!("/v1/people/{}", wanted.person), &body).await
}

/// Locks, unlocks, suspends, resumes or closes an account.
pub(crate) async fn set_state(place: &Place, wanted: &SetPersonState) -> Result<(), ClientError> {
    let mut body = json!({"state": wanted.state});
    if !wanted.script.verified.is_empty() {
        body["verified"] = json!(wanted.script.verified);
    }
    person(place, &format!("/v1/people/{}/state", wanted.person), &body).await
}

async fn person(place: &Place, path: &str, body: &Value) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post(path, body).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    let roles: Vec<String> = answer["roles"].as_array().into_iter().flatten().map(text).collect();
    say(&format!("{} (person {}), {}: {}", text(&answer["login"]), text(&answer["id"]), text(&answer["state"]), roles.join(", ")));
    for (what, member) in [("vetted", "vetted"), ("barring scheme", "barring"), ("trained", "trained"), ("signed", "signed")] {
        let day = answer[member].as_str().unwrap_or("never");
        say(&format!("  {what:15} {day}"));
    }
    say(&format!("  {:15} {}", "supervisor", answer["supervisor"].as_u64().map_or("nobody".to_owned(), |id| format!("person {id}"))));
    Ok(())
}

/// How far an organisation has come, in one line.
fn standing(answer: &Value) -> String {
    let held = answer["accreditations"].as_array().into_iter().flatten();
    let held: Vec<String> = held.map(|one| format!("{} to {}", text(&one["capability"]), text(&one["expires"]))).collect();
    let accredited = if held.is_empty() { "accredited for nothing".to_owned() } else { held.join(", ") };
    format!("{}: {} ({accredited})", text(&answer["name"]), text(&answer["stage"]))
}

/// The dates that were given, and no others.
/// The address that is named, if one is.
pub(crate) fn home(Home { home_lines, home_postcode }: &Home) -> Option<Value> {
    (!home_lines.is_empty()).then(|| json!({"lines": home_lines, "postcode": home_postcode}))
}

pub(crate) fn checks(Checks { vetted, barring, trained }: &Checks) -> Value {
    let mut made = json!({});
    for (member, day) in [("vetted", vetted), ("barring", barring), ("trained", trained)] {
        if let Some(day) = day {
            made[member] = json!(day);
        }
    }
    made
}
