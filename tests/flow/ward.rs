//! A council with shielding officers, two schools and a surgery, for what is hidden from most of them; each test has children of its own.

use crate::borough::borough;
use crate::children::{sheet, Row};
use crate::office::{Desk, Office, USUAL};
use contactpoint_support::{day, Answer, Enrolment, Rig};
use serde_json::{json, Value};
use tokio::sync::OnceCell;

/// The bodies of one small area.
pub(crate) struct Ward {
    pub(crate) council: Office,
    pub(crate) school: Office,
    /// Another school, on whose roll other children are.
    pub(crate) other: Office,
    pub(crate) surgery: Office,
}

static WARD: OnceCell<Ward> = OnceCell::const_new();

/// The ward in the borough's directory that most tests share.
pub(crate) async fn ward() -> &'static Ward {
    WARD.get_or_init(|| async { Ward::opened(&borough().await.rig, "Wardley").await }).await
}

impl Ward {
    /// Sets up the bodies of a place.
    pub(crate) async fn opened(rig: &Rig, place: &str) -> Self {
        let officer: &[&str] = &["shielding-officer"];
        let officers: &[&[&str]] = &[&["practitioner"], &["data-steward"], officer, officer, officer, officer, officer, officer];
        let council =
            Enrolment { name: &format!("{place} Council"), kind: "council", authority: None, capabilities: &["query", "feed", "shield"] };
        let council = Office::opened(rig, &council, officers).await;
        let authority = Some(council.organisation.id);
        let of = |name: String, kind: &'static str| async move {
            Office::opened(rig, &Enrolment { name: &name, kind, authority, capabilities: &["query", "feed"] }, USUAL).await
        };
        Self {
            school: of(format!("{place} School"), "school").await,
            other: of(format!("{place} Academy"), "school").await,
            surgery: of(format!("{place} Surgery"), "surgery").await,
            council,
        }
    }

    /// A shielding officer; there are six, since a code is good once, and a wrong one delays the next.
    pub(crate) fn officer(&self, which: usize) -> &Desk {
        &self.council.people()[2 + which]
    }

    /// Shields a child.
    pub(crate) async fn shield(&self, number: &str) -> Answer {
        self.officer(0).post("/v1/children/shield", shielding(number)).await
    }
}

/// For a usual reason, until half a year from now.
pub(crate) fn shielding(number: &str) -> Value {
    json!({"child_number": number, "reason": "domestic-violence", "review": day(180)})
}

/// A record of a school's roll.
pub(crate) fn pupil(values: &[(&'static str, &str)]) -> Row {
    values.iter().map(|(column, value)| (*column, (*value).to_owned())).collect()
}

/// Feeds rows and says what became of them.
pub(crate) async fn fed(office: &Office, layout: &str, rows: &[Row]) -> Value {
    let steward = office.steward();
    contactpoint_support::feed(&mut steward.connection(), &steward.token, layout, &sheet(layout, rows)).await
}

/// What became of a feed's records: new, joined, unchanged, refused.
pub(crate) fn counts(report: &Value) -> [u64; 4] {
    ["created", "joined", "unchanged", "rejected_count"].map(|count| report[count].as_u64().unwrap())
}
