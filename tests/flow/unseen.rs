//! Two worlds, a daemon each: in one there are a child whom only named people may know of, a record that is held back, and a child whom a
//! sensitive service alone knows; in the other there are none of them. Whoever may not know of them gets the same answers in both, by every
//! route (rules D8, E2 to E8).
//!
//! Answers are compared whole but for what is of its own world by nature: numbers, entries of the log, moments. Not compared is what rules tell
//! those who are to know: the auditor, the officer who settles, and of a look at a small audience the looker's supervisor.

use crate::borough::{programs, searched, viewed};
use crate::children::Row;
use crate::glasshouse::MINUTE;
use crate::office::{Desk, Office, USUAL};
use crate::shielded::{answered, number, without_numbers};
use crate::ward::{counts, fed, pupil, shielding, Ward};
use contactpoint_domain::ChildNumber;
use contactpoint_support::{Enrolment, MovedClock, Rig};
use serde_json::{json, Value};

const SEARCH: &str = "/v1/children/search";

struct World {
    clock: MovedClock,
    ward: Ward,
    /// May break the glass and override shields, and has nothing to do with any of them.
    outsider: Desk,
    /// The school's, and the outsider's.
    supervisors: [Desk; 2],
    /// For named people, held back, a sensitive service's alone; or numbers that nobody has.
    unseen: [String; 3],
    /// On the roll, and a sensitive service works with the child; of the service alone, in the council's area. In both worlds, and the service
    /// says other things in each.
    served: [String; 2],
    _rig: Rig,
}

/// Family name, given name, date of birth, postcode.
type Identity = (&'static str, &'static str, &'static str, &'static str);

const UNSEEN: [Identity; 3] = [
    ("Carrow", "Lys", "2012-01-30", "ZZ99 7BA"),
    ("Dunmoor", "Elsa", "2014-09-21", "ZZ99 7DA"),
    ("Quenby", "Ash", "2010-06-12", "ZZ99 7QA"),
];

fn on_roll((family, given, born, postcode): Identity, nhs: &str) -> Row {
    let day: Vec<&str> = born.split('-').rev().collect();
    let day = day.join("/");
    let said = [("Legal Surname", family), ("Legal Forename", given), ("DOB", &day), ("Postcode", postcode), ("NHS Number", nhs)];
    pupil(&[said.as_slice(), &[("Address Line 1", "1 Row")]].concat())
}

fn on_list((family, given, born, postcode): Identity) -> Row {
    let day = born.replace('-', "");
    pupil(&[("FAMILY_NAME", family), ("GIVEN_NAMES", given), ("DATE_OF_BIRTH", &day), ("ADDRESS_1", "1 Row"), ("POSTCODE", postcode)])
}

fn of_service((family, given, born, postcode): Identity, nhs: &str, worker: &str) -> Row {
    let who = [("surname", family), ("forenames", given), ("date_of_birth", born), ("nhs_number", nhs)];
    let more = [("address", "1 Row"), ("postcode", postcode), ("worker_surname", worker), ("worker_forename", "Jo"), ("basis", "consent")];
    pupil(&[who.as_slice(), &more].concat())
}

/// Somebody of whom nobody asks, in the place of whom the other world does not have.
fn nobody_in_particular(family: &'static str) -> Identity {
    (family, "Una", "2017-01-01", "ZZ99 9ZZ")
}

impl World {
    async fn made(has_them: bool) -> Self {
        let clock = MovedClock::made();
        let rig = Rig::started(clock.with_daemon_of(programs()), None);
        let ward = Ward::opened(&rig, "Hidden").await;
        let authority = Some(ward.council.organisation.id);
        let clinic = ["query", "feed", "sensitive-services"];
        let clinic = Enrolment { name: "Hidden Clinic", kind: "voluntary", authority, capabilities: &clinic };
        let clinic = Office::opened(&rig, &clinic, USUAL).await;
        let team = Enrolment { name: "Far Team", kind: "youth-offending-team", authority, capabilities: &["query", "shield-override"] };
        let team = Office::opened(&rig, &team, &[&["practitioner"]]).await;
        let instead = |at: usize, family| if has_them { UNSEEN[at] } else { nobody_in_particular(family) };

        // of both worlds, and shielded: the record that is held back in one is held back beside it
        drop(fed(&ward.other, "school-roll", &[on_roll(("Dunmore", "Elsa May", "2014-09-21", "ZZ99 6DA"), "")]).await);
        let beside = number(ward.other.practitioner(), "Dunmore", "2014-09-21").await;
        drop(ward.shield(&beside).await.expect_status(200));

        let nhs = if has_them { "9990000506" } else { "" };
        let feeds = [
            (&ward.school, "school-roll", on_roll(instead(0, "Vosper"), nhs)),
            (&ward.surgery, "surgery-list", on_list(instead(1, "Wexley"))),
            (&clinic, "sensitive-service", of_service(instead(2, "Yarrow"), "", "Marlow")),
        ];
        for (office, layout, row) in feeds {
            let report = fed(office, layout, &[row]).await;
            assert_eq!(counts(&report), [1, 0, 0, 0], "{report}");
        }
        let kit = ("Sedley", "Kit", "2013-02-03", "ZZ99 6SL");
        let report = fed(&ward.school, "school-roll", &[on_roll(kit, "9990000557")]).await;
        assert_eq!(counts(&report), [1, 0, 0, 0], "{report}");
        let (known_as, lives, worker) = if has_them { ("Sedley-Hart", "ZZ99 8AA", "Marlow") } else { ("Sedley", "ZZ99 8BB", "Norrell") };
        let ivy = ("Rastall", "Ivy", "2011-08-09", lives);
        let rows = [of_service((known_as, kit.1, kit.2, lives), "9990000557", worker), of_service(ivy, "", worker)];
        let report = fed(&clinic, "sensitive-service", &rows).await;
        assert_eq!(counts(&report), [1, 1, 0, 0], "{report}");

        let mut unseen = [123_456_789, 123_456_790, 123_456_791].map(|body| ChildNumber::with_body(body).as_str().to_owned());
        if has_them {
            let lookers = [ward.school.practitioner(), ward.surgery.practitioner(), clinic.practitioner()];
            for ((unseen, looker), (family, _, born, _)) in unseen.iter_mut().zip(lookers).zip(UNSEEN) {
                *unseen = number(looker, family, born).await;
            }
            let keeper = ward.officer(0);
            let code = keeper.person.authenticator.code_ahead(clock.ahead()).await;
            let audience = json!({"child_number": unseen[0], "audience": {"people": [keeper.person.id]}, "code": code});
            drop(keeper.post("/v1/children/audience", audience).await.expect_status(200));
            drop(ward.council.practitioner().post("/v1/children/view", viewed(&unseen[1])).await.expect_status(404));
        }
        let served = [number(ward.school.practitioner(), "Sedley", kit.2).await, number(clinic.practitioner(), "Rastall", ivy.2).await];
        let supervisors = [
            Desk::of(&rig, &ward.school.organisation.certificate, &ward.school.organisation.supervisor).await,
            Desk::of(&rig, &team.organisation.certificate, &team.organisation.supervisor).await,
        ];
        let outsider = team.practitioner().clone();
        Self { clock, ward, outsider, supervisors, unseen, served, _rig: rig }
    }

    /// Whoever may not know of the record at this place of the list, whatever they are.
    fn lookers(&self, which: usize) -> Vec<&Desk> {
        let Self { ward, outsider, .. } = self;
        let mut lookers = vec![ward.school.practitioner(), ward.school.steward(), outsider, ward.other.practitioner()];
        match which {
            0 => lookers.extend([ward.council.practitioner(), ward.officer(1), ward.surgery.practitioner(), &ward.council.administrator]),
            1 => lookers.push(ward.council.practitioner()),
            _ => lookers.push(ward.surgery.practitioner()),
        }
        lookers
    }

    /// A code of this person's that works now; the calendar goes on where there is none left.
    async fn code(&self, desk: &Desk) -> String {
        desk.person.authenticator.code_ahead(self.clock.ahead()).await
    }
}

/// What is asked of one child by its number, without a code.
fn by_number(number: &str, (_, _, born, postcode): Identity) -> Vec<(&'static str, Value)> {
    let on_behalf = json!({"child_number": number, "reason": "concern", "on_behalf_of": {"given": "Ottilie", "family": "Farrow"}});
    let sought = |what: &str, value: &str| json!({"child_number": number, what: value, "reason": "concern"});
    vec![
        ("/v1/children/view", viewed(number)),
        ("/v1/children/view", on_behalf),
        (SEARCH, sought("date_of_birth", born)),
        (SEARCH, sought("postcode", postcode)),
        ("/v1/children/contact", json!({"child_number": number, "reason": "concern"})),
        ("/v1/involvements/end", json!({"child_number": number})),
        ("/v1/children/shield", shielding(number)),
        ("/v1/children/settle", json!({"child_number": number})),
        ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        ("/v1/break-glass/leave", json!({})),
        ("/v1/children/view", viewed(number)),
    ]
}

/// What is asked of one child by its number, with a code that is good once.
fn by_code(number: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("/v1/break-glass", json!({"child_number": number, "reason": "missing"})),
        ("/v1/shield-override", json!({"child_number": number, "reason": "missing"})),
        ("/v1/children/unshield", json!({"child_number": number})),
        ("/v1/children/audience", json!({"child_number": number, "audience": "everybody"})),
        ("/v1/children/audience", json!({"child_number": number, "audience": {"people": [1]}})),
    ]
}

/// Every search for an identity, by all of it and by less.
fn searches((family, given, born, postcode): Identity) -> Vec<Value> {
    let mut asked = vec![searched(family, born)];
    for (born, postcode) in [(Some(born), None), (None, Some(postcode)), (Some(born), Some(postcode))] {
        asked.push(json!({"family_name": family, "given_name": given, "date_of_birth": born, "postcode": postcode, "reason": "concern"}));
        asked.push(json!({"family_name": family, "date_of_birth": born, "postcode": postcode, "reason": "concern"}));
    }
    asked
}

async fn assert_alike(one: (&Desk, &str, &Value), other: (&Desk, &str, &Value)) -> (u16, Value) {
    let mut told = answered(one.0, one.1, one.2).await;
    let mut expected = answered(other.0, other.1, other.2).await;
    without_moments(&mut told.1);
    without_moments(&mut expected.1);
    assert_eq!(told, expected, "{} {} {}", one.0.person.login, one.1, one.2);
    told
}

fn without_moments(value: &mut Value) {
    if let Some(members) = value.as_object_mut() {
        members.remove("until");
    }
}

#[tokio::test]
async fn whom_one_may_not_know_of_is_by_no_route_told_from_whom_there_is_not() {
    // D8: refuses all but named users; the attempt fails like a search with no hit; E4: quarantined for the authority; E8: shown to others only
    // as "a sensitive service"; E2: no count
    let (one, other) = tokio::join!(World::made(true), World::made(false));
    for (which, identity) in UNSEEN.into_iter().enumerate() {
        for (mine, theirs) in one.lookers(which).into_iter().zip(other.lookers(which)) {
            for asked in searches(identity) {
                drop(assert_alike((mine, SEARCH, &asked), (theirs, SEARCH, &asked)).await);
            }
            let (here, there) = (by_number(&one.unseen[which], identity), by_number(&other.unseen[which], identity));
            for ((path, asked), (_, asked_there)) in here.iter().zip(&there) {
                drop(assert_alike((mine, path, asked), (theirs, path, asked_there)).await);
            }
        }
    }
    what_a_service_says_is_alike(&one, &other).await;
    feeds_are_alike(&one, &other).await;
    queues_are_alike(&one, &other).await;
    glasses_are_alike(&one, &other).await;
    queues_are_alike(&one, &other).await;
}

/// Of a child whom a sensitive service works with everybody sees the same, whatever the service says.
async fn what_a_service_says_is_alike(one: &World, other: &World) {
    let desks = |world: &World| [world.ward.school.practitioner().clone(), world.ward.council.practitioner().clone()];
    for (at, (mine, theirs)) in desks(one).iter().zip(&desks(other)).enumerate() {
        for which in 0..=1 {
            let asked = [&one.served[which], &other.served[which]].map(|number| viewed(number));
            let (status, told) = assert_alike((mine, "/v1/children/view", &asked[0]), (theirs, "/v1/children/view", &asked[1])).await;
            let is_in_scope = (at, which) != (0, 1);
            assert_eq!((status == 200, told["sensitive_service"] == true), (is_in_scope, is_in_scope), "{told}");
        }
        for family in ["Sedley", "Sedley-Hart", "Rastall"] {
            for postcode in ["ZZ99 6SL", "ZZ99 8AA", "ZZ99 8BB"] {
                for born in ["2013-02-03", "2011-08-09"] {
                    for asked in searches((family, "Kit", born, postcode)) {
                        drop(assert_alike((mine, SEARCH, &asked), (theirs, SEARCH, &asked)).await);
                    }
                }
            }
        }
    }
}

/// What a supplier sends to find out is counted, reported, found, seen and reached through the glass alike.
async fn feeds_are_alike(one: &World, other: &World) {
    // none in the very identity of whom there is: in a world without, others reach what was fed by it, as they do any child (docs/attacks.md, Open)
    let probes = [
        on_roll(("Carrow", "Lys", "2012-01-30", "ZZ99 7BB"), ""),
        on_roll(("Somebody", "Else", "2011-01-01", ""), "9990000506"),
        on_roll(("Carrow", "Elizabeth", "2012-01-30", ""), ""),
        on_roll(("Farrow", "Nell", "2014-09-21", "ZZ99 7DA"), ""),
        on_roll(("Dunmoor", "Ellie", "2014-09-21", ""), ""),
    ];
    for (at, probe) in probes.into_iter().enumerate() {
        let probe = std::slice::from_ref(&probe);
        let told = fed(&one.ward.other, "school-roll", probe).await;
        let expected = fed(&other.ward.other, "school-roll", probe).await;
        assert_eq!((&told, counts(&told)), (&expected, [1, 0, 0, 0]), "{at}");
        let report = format!("/v1/feeds/{}", told["feed"]);
        let reported = |world: &World| {
            let (desk, report) = (world.ward.other.steward().clone(), report.clone());
            async move { desk.get(&report).await.json() }
        };
        assert_eq!(reported(one).await, reported(other).await, "{at}");
    }
    let supplier = |world: &World| world.ward.other.practitioner().clone();
    for (family, born) in [("Carrow", "2012-01-30"), ("Somebody", "2011-01-01"), ("Farrow", "2014-09-21"), ("Dunmoor", "2014-09-21")] {
        let asked = searched(family, born);
        let (_, told) = assert_alike((&supplier(one), SEARCH, &asked), (&supplier(other), SEARCH, &asked)).await;
        assert!(!told["hits"].as_array().unwrap().is_empty(), "{family} is in the own scope");
    }
    let own = [number(&supplier(one), "Farrow", "2014-09-21").await, number(&supplier(other), "Farrow", "2014-09-21").await];
    for path in ["/v1/children/view", "/v1/break-glass", "/v1/shield-override"] {
        let asked = |number: &str, code: String| match path {
            "/v1/children/view" => viewed(number),
            _ => json!({"child_number": number, "reason": "missing", "code": code}),
        };
        let mine = asked(&own[0], one.code(&supplier(one)).await);
        let theirs = asked(&own[1], other.code(&supplier(other)).await);
        drop(assert_alike((&supplier(one), path, &mine), (&supplier(other), path, &theirs)).await);
    }
}

/// Nobody reaches them with a code, and nobody learns whether there was something to reach.
async fn glasses_are_alike(one: &World, other: &World) {
    let with = |mut asked: Value, code: String| {
        asked["code"] = code.into();
        asked
    };
    for (which, (family, given, born, postcode)) in UNSEEN.into_iter().enumerate() {
        let mut here = by_code(&one.unseen[which]);
        let mut there = by_code(&other.unseen[which]);
        let identity =
            json!({"family_name": family, "given_name": given, "date_of_birth": born, "postcode": postcode, "reason": "missing"});
        here.insert(0, ("/v1/break-glass", identity.clone()));
        there.insert(0, ("/v1/break-glass", identity));
        for (mine, theirs) in [(&one.outsider, &other.outsider), (one.ward.officer(2), other.ward.officer(2))] {
            // who has to say whose child it is may know of it
            if which != 0 && mine.person.login != one.outsider.person.login {
                continue;
            }
            for ((path, asked), (_, asked_there)) in here.iter().zip(&there) {
                // D4: the glass is broken to any child who is not hidden; what is then shown of this one is what E8 leaves
                let reaches_any = ["/v1/break-glass", "/v1/shield-override"].contains(path) && asked["child_number"].is_string();
                if which == 2 && reaches_any {
                    continue;
                }
                let mine_asks = with(asked.clone(), one.code(mine).await);
                let theirs_ask = with(asked_there.clone(), other.code(theirs).await);
                let (status, told) = assert_alike((mine, path, &mine_asks), (theirs, path, &theirs_ask)).await;
                assert!([403, 404].contains(&status) && told["code"] != "not_confirmed", "{path} {told}");
                one.clock.move_on(MINUTE / 2);
                other.clock.move_on(MINUTE / 2);
            }
        }
    }
}

/// The supervisors read of the same things, but for the looks at a record for named people, which they are to be told of.
async fn queues_are_alike(one: &World, other: &World) {
    for (mine, theirs) in one.supervisors.iter().zip(&other.supervisors) {
        let mut told = Vec::new();
        for desk in [mine, theirs] {
            let mut waiting = desk.post("/v1/alerts/queue", json!({})).await.expect_status(200).json();
            let alerts = waiting["alerts"].as_array_mut().unwrap();
            alerts.retain(|alert| alert["kind"] != "small-audience");
            for member in ["id", "at"] {
                alerts.iter_mut().for_each(|alert| alert[member] = Value::Null);
            }
            // of two that were raised in one moment either may stand first
            alerts.sort_by_cached_key(ToString::to_string);
            without_numbers(&mut waiting);
            told.push(waiting);
        }
        assert_eq!(told[0], told[1], "{}", mine.person.login);
    }
}
