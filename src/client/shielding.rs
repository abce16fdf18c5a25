//! `shield`, `unshield`, `audience`, `settle`, `hold-new` for an authority's shielding officer, and `end-involvement` for a data steward (rules D1, D8, E1,
//! E4): the command lines and what they send. The directory decides; no verb lists anything.

use crate::api::Api;
use crate::arguments::Place;
use crate::error::ClientError;
use crate::terminal::{say, say_json};
use crate::view::text;
use clap::{ArgAction, Args};
use serde_json::{json, Value};

/// `shield`
#[derive(Debug, Args)]
pub struct Shield {
    /// The child's number
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// Why, and until when.
    #[command(flatten)]
    pub terms: Terms,
}

/// Why a child is shielded, and until when.
#[derive(Debug, Args)]
pub struct Terms {
    /// risk-of-harm, domestic-violence, adoption, witness-protection, court-order
    #[arg(long)]
    pub reason: String,
    /// By when you decide anew, within a year, YYYY-MM-DD; the shield does not fall by itself
    #[arg(long, value_name = "DAY")]
    pub review: String,
}

/// `unshield`
#[derive(Debug, Args)]
pub struct Unshield {
    /// The child's number
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// A fresh one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `audience`
#[derive(Debug, Args)]
pub struct AudienceWanted {
    /// The child's number
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// The number of somebody who may know of the record, may be given more than once; one of them is a shielding officer of yours
    #[arg(long = "person", value_name = "PERSON", required_unless_present = "everybody")]
    pub people: Vec<u32>,
    /// Everybody may know of the record who may otherwise
    #[arg(long, conflicts_with = "people")]
    pub everybody: bool,
    /// A fresh one-time code; asked for where absent
    #[arg(long, value_name = "DIGITS")]
    pub code: Option<String>,
}

/// `settle`
#[derive(Debug, Args)]
pub struct Settle {
    /// The number of the record that waits
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
    /// The child that it is of; without it, a child of its own
    #[arg(long = "as", value_name = "NUMBER", conflicts_with_all = ["shield_reason", "shield_review"])]
    pub child: Option<String>,
    /// Shield the child of its own for this reason, before anybody else sees it
    #[arg(long, value_name = "REASON", requires = "shield_review")]
    pub shield_reason: Option<String>,
    /// By when you decide anew on that shield, YYYY-MM-DD
    #[arg(long, value_name = "DAY", requires = "shield_reason")]
    pub shield_review: Option<String>,
}

/// `end-involvement`
#[derive(Debug, Args)]
pub struct EndInvolvement {
    /// The child's number
    #[arg(value_name = "NUMBER")]
    pub child_number: String,
}

/// `hold-new`
#[derive(Debug, Args)]
pub struct HoldNew {
    /// true, false
    #[arg(action = ArgAction::Set, value_name = "HOLD")]
    pub hold: bool,
}

/// Shields a child.
pub(crate) async fn shield(place: &Place, Shield { child_number, terms }: &Shield) -> Result<(), ClientError> {
    let body = json!({"child_number": child_number, "reason": terms.reason, "review": terms.review});
    standing(place, "/v1/children/shield", &body).await
}

/// Lifts a shield.
pub(crate) async fn unshield(place: &Place, Unshield { child_number, code }: &Unshield) -> Result<(), ClientError> {
    standing(place, "/v1/children/unshield", &json!({"child_number": child_number, "code": typed(code.as_deref())?})).await
}

/// Names who alone may know of a record.
pub(crate) async fn audience(place: &Place, wanted: &AudienceWanted) -> Result<(), ClientError> {
    let audience = if wanted.everybody { json!("everybody") } else { json!({"people": wanted.people}) };
    let body = json!({"child_number": wanted.child_number, "audience": audience, "code": typed(wanted.code.as_deref())?});
    standing(place, "/v1/children/audience", &body).await
}

/// Says which child a record that waits is of.
pub(crate) async fn settle(place: &Place, wanted: &Settle) -> Result<(), ClientError> {
    standing(place, "/v1/children/settle", &settle_body(wanted)).await
}

fn settle_body(Settle { child_number, child, shield_reason, shield_review }: &Settle) -> Value {
    let mut body = json!({"child_number": child_number});
    if let Some(child) = child {
        body["child"] = json!(child);
    }
    if let (Some(reason), Some(review)) = (shield_reason, shield_review) {
        body["shield"] = json!({"reason": reason, "review": review});
    }
    body
}

/// Says that a pupil left, or a patient, or whoever was worked with.
pub(crate) async fn end_involvement(place: &Place, EndInvolvement { child_number }: &EndInvolvement) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/involvements/end", &json!({"child_number": child_number})).await?;
    if place.json {
        say_json(&answer);
    } else {
        say(&format!("Ended on {}: {} is out of your organisation's scope.", text(&answer["ended"]), text(&answer["child_number"])));
    }
    Ok(())
}

/// Has new records of the area wait, or no longer.
pub(crate) async fn hold_new(place: &Place, HoldNew { hold }: &HoldNew) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post("/v1/organisation/hold-new", &json!({"hold": hold})).await?;
    if place.json {
        say_json(&answer);
    } else if answer["holds_new"] == true {
        say("New records of your area wait for you; so far only their own sources see them.");
    } else {
        say("New records of your area are seen by whoever works with the child.");
    }
    Ok(())
}

async fn standing(place: &Place, path: &str, body: &Value) -> Result<(), ClientError> {
    let answer = Api::in_session(place)?.post(path, body).await?;
    if place.json {
        say_json(&answer);
    } else {
        say(&told(&answer));
    }
    Ok(())
}

/// What is set of a record, in one line.
fn told(answer: &Value) -> String {
    let shield = match (answer["reason"].as_str(), answer["review"].as_str()) {
        (Some(reason), Some(review)) => format!("shielded ({reason}, to be reviewed by {review})"),
        (_, _) => "not shielded".to_owned(),
    };
    let people: Vec<String> = answer["people"].as_array().into_iter().flatten().map(text).collect();
    let audience = if people.is_empty() { String::new() } else { format!("; only these people may know of it: {}", people.join(", ")) };
    format!("{}: {shield}{audience}", text(&answer["child_number"]))
}

/// A code is typed, as at the log-in, unless it stands on the command line: it is good once.
fn typed(code: Option<&str>) -> Result<String, ClientError> {
    let code = match code {
        Some(code) => code.to_owned(),
        None => rpassword::prompt_password("One-time code: ").map_err(ClientError::NothingTyped)?,
    };
    Ok(code.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_told_in_one_line() {
        // E1: a coded reason and a review date; D8: named users
        let answer =
            json!({"child_number": "4182736451", "shielded": true, "reason": "adoption", "review": "2027-03-31", "people": [4, 9]});
        assert_eq!(told(&answer), "4182736451: shielded (adoption, to be reviewed by 2027-03-31); only these people may know of it: 4, 9");
        assert_eq!(told(&json!({"child_number": "4182736451", "shielded": false})), "4182736451: not shielded");
    }

    #[test]
    fn a_record_is_opened_to_everybody_by_a_word_of_its_own_alone() {
        // D8: nobody opens a record by leaving something out
        use clap::Parser as _;
        let parsed =
            |more: &[&str]| crate::Arguments::try_parse_from([["contactpoint", "audience", "4182736451"].as_slice(), more].concat());
        assert!(parsed(&[]).is_err());
        assert!(parsed(&["--everybody", "--person", "14"]).is_err());
        assert!(parsed(&["--everybody"]).is_ok() && parsed(&["--person", "14", "--person", "31"]).is_ok());
    }

    #[test]
    fn what_was_not_given_is_not_sent() {
        // E4: joined to a child, or one of its own
        let wanted = |child: Option<&str>, shield: Option<(&str, &str)>| Settle {
            child_number: "1".to_owned(),
            child: child.map(str::to_owned),
            shield_reason: shield.map(|(reason, _)| reason.to_owned()),
            shield_review: shield.map(|(_, review)| review.to_owned()),
        };
        assert_eq!(settle_body(&wanted(None, None)), json!({"child_number": "1"}));
        assert_eq!(settle_body(&wanted(Some("2"), None)), json!({"child_number": "1", "child": "2"}));
        let shielded = json!({"child_number": "1", "shield": {"reason": "adoption", "review": "2027-03-31"}});
        assert_eq!(settle_body(&wanted(None, Some(("adoption", "2027-03-31")))), shielded);
    }
}
