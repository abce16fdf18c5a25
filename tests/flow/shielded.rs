//! Two worlds, a daemon each, fed alike but for what a shield hides: whoever looks, feeds or asks gets the same answers in both (rules E2, E3).
//!
//! The worlds differ in everything that is hidden of a child in scope - address, former name, carer, gender, both numbers, who works with it -
//! and in whether there is a shielded child out of scope at all. Answers are compared whole but for child numbers and entries of the log.

use crate::borough::{programs, viewed};
use crate::children::Row;
use crate::office::Desk;
use crate::ward::{counts, fed, pupil, shielding, Ward};
use contactpoint_domain::ChildNumber;
use contactpoint_support::Rig;
use serde_json::{json, Value};

const SEARCH: &str = "/v1/children/search";

struct World {
    ward: Ward,
    supervisor: Desk,
    /// The shielded child of the school's roll.
    here: String,
    /// A shielded child of the other school's, or a number that nobody has.
    elsewhere: String,
    _rig: Rig,
}

/// What one world says of the child in scope, and the other does not.
const ONE: [(&str, &str); 9] = [
    ("Former Surname", "Aldwyn"),
    ("Gender", "F"),
    ("Address Line 1", "4 Hidden Row"),
    ("Postcode", "ZZ99 5AA"),
    ("UPN", "M820990000042"),
    ("NHS Number", "9990000425"),
    ("Contact 1 Surname", "Orlov"),
    ("Contact 1 Forename", "Mirela"),
    ("CAF", "Y"),
];
const OTHER: [(&str, &str); 9] = [
    ("Former Surname", "Brackwell"),
    ("Gender", "M"),
    ("Address Line 1", "5 Hidden Lane"),
    ("Postcode", "ZZ99 5BD"),
    ("UPN", "B820990000043"),
    ("NHS Number", "9990000433"),
    ("Contact 1 Surname", "Sorin"),
    ("Contact 1 Forename", "Pavel"),
    ("CAF", "N"),
];

/// So many of one name and postcode, and how many of that name are found there whoever else hides there.
const CROWDS: [(&str, &str, usize); 3] = [("Rudkin", "ZZ99 6RA", 19), ("Selwood", "ZZ99 6SA", 20), ("Tancred", "ZZ99 6TA", 21)];

fn willa(hidden: &[(&'static str, &'static str)]) -> Row {
    let shown = [("Legal Surname", "Fernsby"), ("Legal Forename", "Willa"), ("DOB", "06/05/2014")];
    pupil(&[shown.as_slice(), hidden].concat())
}

fn crowd() -> Vec<Row> {
    let members = CROWDS.iter().flat_map(|(family, postcode, count)| (0..*count).map(move |at| (*family, *postcode, at)));
    members
        .map(|(family, postcode, at)| {
            let (given, born) = (format!("Given{}", char::from(b'a' + at as u8)), format!("{:02}/03/2016", at + 1));
            pupil(&[
                ("Legal Surname", family),
                ("Legal Forename", &given),
                ("DOB", &born),
                ("Address Line 1", "1 Row"),
                ("Postcode", postcode),
            ])
        })
        .collect()
}

/// One more of each crowd, born on a day of its own, who lives with the others in one world and elsewhere in the other.
fn beyond(lives_there: bool) -> Vec<Row> {
    CROWDS
        .iter()
        .map(|(family, postcode, _)| {
            let postcode = if lives_there { postcode } else { "ZZ99 6XX" };
            pupil(&[
                ("Legal Surname", family),
                ("Legal Forename", "Zara"),
                ("DOB", "30/04/2016"),
                ("Address Line 1", "1 Row"),
                ("Postcode", postcode),
            ])
        })
        .collect()
}

impl World {
    async fn made(is_one: bool) -> Self {
        let rig = Rig::started(programs(), None);
        let ward = Ward::opened(&rig, "Twin").await;
        let hidden = if is_one { ONE } else { OTHER };
        let roll = [vec![willa(&hidden)], crowd(), beyond(is_one)].concat();
        assert_eq!(counts(&fed(&ward.school, "school-roll", &roll).await), [roll.len() as u64, 0, 0, 0]);
        let mut elsewhere = ChildNumber::with_body(123_456_789).as_str().to_owned();
        if is_one {
            // others work with her as well, and know another address
            let known = [("NHS_NUMBER", "9990000425"), ("FAMILY_NAME", "Fernsby"), ("GIVEN_NAMES", "Willa"), ("DATE_OF_BIRTH", "20140506")];
            let lives = [("ADDRESS_1", "6 Hidden Close"), ("POSTCODE", "ZZ99 8AA")];
            assert_eq!(counts(&fed(&ward.surgery, "surgery-list", &[pupil(&[known.as_slice(), &lives].concat())]).await), [0, 1, 0, 0]);
            let bram = [("Legal Surname", "Tolland"), ("Legal Forename", "Bram"), ("DOB", "10/10/2013"), ("Former Surname", "Umber")];
            let more = [("NHS Number", "9990000441"), ("UPN", "Q820990000044"), ("Address Line 1", "7 Far Side"), ("Postcode", "ZZ99 7AA")];
            drop(fed(&ward.other, "school-roll", &[pupil(&[bram.as_slice(), &more].concat())]).await);
            elsewhere = number(ward.other.practitioner(), "Tolland", "2013-10-10").await;
            drop(ward.shield(&elsewhere).await.expect_status(200));
        } else {
            // the others feed here too, of children whom nobody asks about: feeds are numbered in order, whoever sends them
            let una = [("FAMILY_NAME", "Vosper"), ("GIVEN_NAMES", "Una"), ("DATE_OF_BIRTH", "20170101")];
            drop(fed(&ward.surgery, "surgery-list", &[pupil(&una)]).await);
            drop(
                fed(&ward.other, "school-roll", &[pupil(&[("Legal Surname", "Yarrow"), ("Legal Forename", "Ugo"), ("DOB", "02/01/2017")])])
                    .await,
            );
        }
        let here = number(ward.school.practitioner(), "Fernsby", "2014-05-06").await;
        drop(ward.shield(&here).await.expect_status(200));
        for (family, _, _) in CROWDS {
            let one_more = number(ward.school.practitioner(), family, "2016-04-30").await;
            drop(ward.officer(0).post("/v1/children/shield", shielding(&one_more)).await.expect_status(200));
        }
        let supervisor = Desk::of(&rig, &ward.school.organisation.certificate, &ward.school.organisation.supervisor).await;
        Self { ward, supervisor, here, elsewhere, _rig: rig }
    }
}

pub(crate) async fn number(desk: &Desk, family: &str, born: &str) -> String {
    crate::borough::first_number(desk, family, born).await.unwrap_or_else(|| panic!("{family} is not found"))
}

/// An answer without what is of its own world by nature: numbers of children, entries of the log.
pub(crate) async fn answered(desk: &Desk, path: &str, body: &Value) -> (u16, Value) {
    let answer = desk.post(path, body.clone()).await;
    let mut told = answer.json();
    without_numbers(&mut told);
    (answer.status.as_u16(), told)
}

pub(crate) fn without_numbers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if name == "child_number" || name == "entry" {
                    *value = json!("of its world");
                }
                without_numbers(value);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(without_numbers);
            // hits are in the order of their numbers, which are random
            items.sort_by_key(Value::to_string);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every search by what is shown and by what is hidden, in both worlds' words, and near them.
fn searches() -> Vec<Value> {
    let mut asked = Vec::new();
    for family in ["Fernsby", "Aldwyn", "Brackwell", "Tolland", "Umber"] {
        for born in [None, Some("2014-05-06"), Some("2014-05-07"), Some("2013-10-10"), Some("2013-10-11")] {
            for postcode in [None, Some("ZZ99 5AA"), Some("ZZ99 5BD"), Some("ZZ99 8AA"), Some("ZZ99 7AA")] {
                for given in [None, Some("Willa"), Some("Bram")] {
                    // without both the search is refused, for whoever asks
                    asked.push(json!({"family_name": family, "date_of_birth": born, "postcode": postcode, "given_name": given, "reason": "concern"}));
                }
            }
        }
    }
    for (family, postcode, _) in CROWDS {
        asked.push(json!({"family_name": family, "postcode": postcode, "reason": "concern"}));
        asked.push(json!({"family_name": family, "postcode": "ZZ99 6XX", "reason": "concern"}));
        asked.push(json!({"family_name": family, "date_of_birth": "2016-04-30", "reason": "concern"}));
    }
    asked
}

/// What is asked of one child by its number.
fn by_number(number: &str) -> Vec<(&'static str, Value)> {
    let mut asked = vec![("/v1/children/view", viewed(number)), ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"}))];
    for (born, postcode) in [
        (Some("2014-05-06"), None),
        (Some("2013-10-10"), None),
        (None, Some("ZZ99 5AA")),
        (None, Some("ZZ99 5BD")),
        (None, Some("ZZ99 8AA")),
        (None, Some("ZZ99 7AA")),
        (Some("2014-05-06"), Some("ZZ99 5AA")),
    ] {
        asked.push((SEARCH, json!({"child_number": number, "date_of_birth": born, "postcode": postcode, "reason": "concern"})));
    }
    asked.push(("/v1/children/shield", shielding(number)));
    asked.push(("/v1/children/settle", json!({"child_number": number})));
    asked
}

#[tokio::test]
async fn no_answer_tells_one_world_from_the_other() {
    // E2: nothing else: no address, carer, school, GP, involvement, count or timing; E3: a query that uses any hidden field does not find it
    let (one, other) = (World::made(true).await, World::made(false).await);
    looks_are_alike(&one, &other).await;
    feeds_are_alike(&one, &other).await;
}

async fn looks_are_alike(one: &World, other: &World) {
    let desks = |world: &World| {
        let school = &world.ward.school;
        [school.practitioner().clone(), school.steward().clone(), school.administrator.clone(), world.supervisor.clone()]
    };
    let mut found = 0;
    for (at, (mine, theirs)) in desks(one).iter().zip(&desks(other)).enumerate() {
        // who is refused is refused whatever they ask: a few will do
        for body in searches().iter().step_by(if at == 0 { 1 } else { 40 }) {
            let (told, expected) = (answered(mine, SEARCH, body).await, answered(theirs, SEARCH, body).await);
            found += usize::from(told.1["hits"].as_array().is_some_and(|hits| !hits.is_empty()));
            assert_eq!(told, expected, "{} {body}", mine.person.login);
        }
        for (mine_of, theirs_of) in [(&one.here, &other.here), (&one.elsewhere, &other.elsewhere)] {
            for ((path, asked), (_, asked_there)) in by_number(mine_of).iter().zip(&by_number(theirs_of)) {
                let (told, expected) = (answered(mine, path, asked).await, answered(theirs, path, asked_there).await);
                assert_eq!(told, expected, "{} {path} {asked}", mine.person.login);
            }
        }
    }
    // by name and day, with the given name and without; two crowds that are not too many; one of each crowd by its day
    assert_eq!(found, 7, "something is found, so that something could differ");
    // whose area it is finds no more by what is hidden than the school does
    for (path, asked) in by_number("").iter().skip(2).map(|(path, asked)| (*path, asked.clone())) {
        let of = |world: &World| {
            Value::Object(asked.as_object().unwrap().clone().into_iter().chain([("child_number".to_owned(), json!(world.here))]).collect())
        };
        let (mine, theirs) = (one.ward.council.practitioner(), other.ward.council.practitioner());
        assert_eq!(answered(mine, path, &of(one)).await, answered(theirs, path, &of(other)).await, "{path} {asked}");
    }
}

/// What a dishonest supplier sends to find out: like the child out of scope, and like the one in scope with what others may have said.
fn probes() -> Vec<Row> {
    let named = |family: &'static str, given: &'static str, born: &'static str| {
        vec![("Legal Surname", family), ("Legal Forename", given), ("DOB", born)]
    };
    let with = |mut row: Vec<(&'static str, &'static str)>, more: &[(&'static str, &'static str)]| {
        row.extend(more);
        pupil(&row)
    };
    let far = [("Address Line 1", "7 Far Side"), ("Postcode", "ZZ99 7AA")];
    vec![
        with(named("Tolland", "Bram", "10/10/2013"), &far),
        with(named("Nobody", "Else", "01/02/2012"), &[("NHS Number", "9990000441")]),
        with(named("Nobodyson", "Elsie", "02/02/2012"), &[("UPN", "Q820990000044")]),
        // which the supplier gave another child before, so that it is refused in either world
        with(named("Tolland", "Bram", "10/10/2013"), &[("NHS Number", "9990000441")]),
        with(named("Umber", "Bram", "10/10/2013"), &[]),
        with(named("Fernsby", "Willa", "06/05/2014"), &[("Address Line 1", "6 Hidden Close"), ("Postcode", "ZZ99 8AA")]),
    ]
}

async fn feeds_are_alike(one: &World, other: &World) {
    for (at, probe) in probes().into_iter().enumerate() {
        let (told, expected) = (
            fed(&one.ward.school, "school-roll", std::slice::from_ref(&probe)).await,
            fed(&other.ward.school, "school-roll", std::slice::from_ref(&probe)).await,
        );
        assert_eq!(told, expected, "{at}");
        let feed = told["feed"].as_i64().unwrap();
        let report = |world: &World| {
            let desk = world.ward.school.steward().clone();
            async move { desk.get(&format!("/v1/feeds/{feed}")).await.json() }
        };
        assert_eq!(report(one).await, report(other).await, "{at}");
        assert_eq!((&told["rejected_count"], &told["complete"]), (&json!(u64::from(at == 3)), &json!(true)), "{at}");
    }
}
