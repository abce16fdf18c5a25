//! `enrol-person`: an administrator makes an account; the first password and the code's secret are shown once, to be handed over.

use crate::administer::{checks, home};
use crate::api::Api;
use crate::arguments::{EnrolPerson, Place};
use crate::error::ClientError;
use crate::terminal::{say, say_json};
use crate::view::text;
use serde_json::json;

/// Makes the account and shows what to hand over. Nothing of it is kept.
pub(crate) async fn person(place: &Place, wanted: &EnrolPerson) -> Result<(), ClientError> {
    let body = json!({
        "login": wanted.login,
        "given_name": wanted.given_name,
        "family_name": wanted.family_name,
        "roles": wanted.roles,
        "supervisor": wanted.supervisor,
        "checks": checks(&wanted.checks),
        "home": home(&wanted.home),
    });
    let answer = Api::in_session(place)?.post("/v1/people", &body).await?;
    if place.json {
        say_json(&answer);
        return Ok(());
    }
    say(&format!("Enrolled {} as person {}. Shown once; hand it over in person:", text(&answer["login"]), text(&answer["id"])));
    say(&format!("  password     {}", text(&answer["password"])));
    say(&format!("  code secret  {}", text(&answer["code_secret"])));
    say(&format!("  for the authenticator  {}", text(&answer["otpauth"])));
    Ok(())
}
