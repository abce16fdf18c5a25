//! How organisations and people come in, and what refuses them at the next request (rules B2 to B4, C1 to C4), over the wire.

use crate::borough::{borough, searched};
use crate::children::AMELIA;
use crate::office::{Desk, Office, USUAL};
use contactpoint_support::{call, checks, day, request, Enrolment, Person};
use http::Method;
use serde_json::{json, Value};

/// A search that an open door answers with 200, whatever it finds.
async fn knock(desk: &Desk) -> (u16, String) {
    let answer = desk.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await;
    (answer.status.as_u16(), answer.code())
}

fn refused(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

const ANSWERED: (u16, String) = (200, String::new());

#[tokio::test]
async fn an_organisation_gets_in_by_one_gate_after_the_other_and_is_told_which_is_shut() {
    // B2: a sponsor vouches, it is accredited, two different people; B3: a named officer accepts; until then refused with that reason
    let borough = borough().await;
    let rig = &borough.rig;
    let certificate = rig.clients.client("Gated School");
    let enrolment = Enrolment { name: "Gated School", kind: "school", authority: Some(borough.council.organisation.id), capabilities: &[] };
    let body = enrolment.body(&certificate, "gated-admin");
    let answer = rig.as_officer(Method::POST, "/v1/organisations", Some(&body)).await.expect_status(201).json();
    let (id, administrator) = (answer["id"].as_u64().unwrap(), Person::of(&answer["administrator"]));
    let session = rig.log_in(&mut rig.connection(&certificate), &administrator).await;
    let desk = Desk::in_session(rig, &certificate, &administrator, session);
    let accept = || desk.post("/v1/organisation/responsibilities", json!({"version": 1}));
    let organisation = |act: &str| format!("/v1/organisations/{id}/{act}");
    let accreditation = json!({"capabilities": ["query"], "expires": day(30)});

    assert_eq!(accept().await.expect_status(403).code(), "not_sponsored");
    let early = rig.as_officer(Method::POST, &organisation("accreditations"), Some(&accreditation)).await;
    assert_eq!(early.expect_status(403).code(), "not_sponsored", "no accreditation without a sponsor");
    for act in ["sponsor", "resume"] {
        let guessed = rig.as_officer(Method::POST, &organisation(act), Some(&json!({"code": "000000"}))).await;
        assert_eq!(guessed.expect_status(403).code(), "not_confirmed", "C2: sensitive acts ask for the token again: {act}");
    }
    let officer = rig.as_officer(Method::POST, &organisation("sponsor"), Some(&json!({}))).await;
    assert_eq!(officer.expect_status(403).code(), "forbidden", "who accredits does not sponsor");
    let sponsored = rig.as_owner(Method::POST, &organisation("sponsor"), Some(&json!({}))).await.expect_status(200).json();
    assert_eq!(sponsored["stage"], "sponsored");
    let again = rig.as_owner(Method::POST, &organisation("sponsor"), Some(&json!({}))).await;
    assert_eq!(again.expect_status(409).code(), "already_sponsored", "nobody takes a sponsorship over");
    let owner = rig.as_owner(Method::POST, &organisation("accreditations"), Some(&accreditation)).await;
    assert_eq!(owner.expect_status(403).code(), "forbidden", "who sponsors does not accredit");
    assert_eq!(knock(&desk).await, refused("not_accredited"));
    let accredited = rig.as_officer(Method::POST, &organisation("accreditations"), Some(&accreditation)).await.expect_status(200).json();
    assert_eq!((&accredited["stage"], &accredited["accreditations"][0]["expires"]), (&json!("accredited"), &json!(day(30))));
    assert_eq!(knock(&desk).await, refused("responsibilities_pending"));
    assert_eq!(accept().await.expect_status(403).code(), "agreement_pending", "who has not signed does not accept for others");
    rig.sign(&mut desk.connection(), &desk.token).await;
    let wrong = desk.post("/v1/organisation/responsibilities", json!({"version": 2})).await;
    assert_eq!(wrong.expect_status(409).code(), "other_text");
    assert_eq!(accept().await.expect_status(200).json()["stage"], "connected");
    assert_eq!(knock(&desk).await, refused("forbidden"), "an administrator sees no child");
}

#[tokio::test]
async fn a_suspension_and_an_accreditation_taken_back_bite_on_the_next_request_of_an_open_connection() {
    // B4: suspension takes effect on the next request, also on connections that are open; B2: accreditation is per capability
    let borough = borough().await;
    let office = borough.open("Suspended School", "school", &["query", "feed"]).await;
    let (desk, id) = (office.practitioner(), office.organisation.id);
    let mut open = desk.connection();
    let look = || request(Method::POST, "/v1/children/search", Some(&desk.token), Some(&searched(AMELIA.0, AMELIA.1)));
    let act = |act: &'static str, body: Value| async move {
        borough.rig.as_officer(Method::POST, &format!("/v1/organisations/{id}/{act}"), Some(&body)).await.expect_status(200).json()
    };
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    assert_eq!(act("suspend", json!({})).await["stage"], "suspended");
    assert_eq!(call(&mut open, look()).await.unwrap().expect_status(403).code(), "organisation_suspended");
    assert_eq!(act("resume", json!({})).await["stage"], "connected");
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    assert_eq!(act("accreditations", json!({"capabilities": ["query"]})).await["stage"], "connected", "still accredited to feed");
    assert_eq!(call(&mut open, look()).await.unwrap().expect_status(403).code(), "capability_missing");
    let back = json!({"capabilities": ["query"], "expires": day(1)});
    assert_eq!(act("accreditations", back).await["accreditations"].as_array().unwrap().len(), 2);
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
}

#[tokio::test]
async fn a_suspended_organisation_gets_nothing_at_any_address() {
    // B1: no request is read from a suspended one; B4: also on connections that are open
    let borough = borough().await;
    let office = borough.open("Shut School", "school", &["query", "feed"]).await;
    let desk = office.practitioner();
    let description = desk.get("/openapi.json").await.expect_status(200).json();
    let suspend = format!("/v1/organisations/{}/suspend", office.organisation.id);
    drop(borough.rig.as_officer(Method::POST, &suspend, Some(&json!({}))).await.expect_status(200));
    let mut asked = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "1").replace("{*path}", "0/000").replace("{path}", "0/000");
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let answer = desk.send(request(method.clone(), &path, Some(&desk.token), Some(&json!({})))).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "organisation_suspended"), "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
}

#[tokio::test]
async fn keys_change_without_a_gap_and_one_taken_off_opens_nothing() {
    // B1: the client certificate names one organisation; several at once, so that keys are rotated without a gap
    let borough = borough().await;
    let office = borough.open("Rotating School", "school", &["query"]).await;
    let (rig, id) = (&borough.rig, office.organisation.id);
    let fresh = rig.clients.client("Rotating School");
    let change = |act: &'static str, certificate: String| async move {
        let body = json!({ "certificate": certificate });
        rig.as_officer(Method::POST, &format!("/v1/organisations/{id}/certificates{act}"), Some(&body)).await
    };
    let added = change("", fresh.certificate.clone()).await.expect_status(200).json();
    assert_eq!(added["certificates"], 2);
    assert_eq!(change("", fresh.certificate.clone()).await.expect_status(422).code(), "invalid_value", "once is enough");
    let checkpoint = || request(Method::GET, "/log/checkpoint", None, None);
    for certificate in [&fresh, &office.organisation.certificate] {
        drop(call(&mut rig.connection(certificate), checkpoint()).await.unwrap().expect_status(200));
    }
    let mut open = rig.connection(&office.organisation.certificate);
    drop(call(&mut open, checkpoint()).await.unwrap().expect_status(200));
    let removed = change("/remove", office.organisation.certificate.certificate.clone()).await.expect_status(200).json();
    assert_eq!(removed["certificates"], 1);
    assert_eq!(call(&mut open, checkpoint()).await.unwrap().expect_status(403).code(), "organisation_not_enrolled");
    assert!(call(&mut rig.connection(&office.organisation.certificate), checkpoint()).await.is_err());
    drop(call(&mut rig.connection(&fresh), checkpoint()).await.unwrap().expect_status(200));
}

#[tokio::test]
async fn each_check_that_lapses_refuses_the_next_request_by_its_name() {
    // C1: vetting renewed every three years, barring registration, training, signed agreement; any lapsed refuses the next request
    let borough = borough().await;
    let office = borough.open("Lapsing School", "school", &["query"]).await;
    let desk = office.practitioner();
    let path = format!("/v1/people/{}", desk.person.id);
    let amend = |checks: Value| office.administrator.post(&path, json!({ "checks": checks }));
    assert_eq!(knock(desk).await, ANSWERED);
    let [good, today] = [checks(), json!(day(0))];
    for (member, made, code) in [
        ("vetted", Some(day(-1097)), "vetting_lapsed"),
        ("vetted", None, "vetting_lapsed"),
        ("barring", None, "barring_lapsed"),
        ("trained", None, "training_lapsed"),
    ] {
        let mut lapsed = good.clone();
        lapsed[member] = json!(made);
        drop(amend(lapsed).await.expect_status(200));
        assert_eq!(knock(desk).await, refused(code), "{member}");
    }
    let mended = amend(good).await.expect_status(200).json();
    assert_eq!((&mended["vetted"], &mended["signed"]), (&today, &today), "what was signed stays signed");
    assert_eq!(knock(desk).await, ANSWERED);

    let unsigned = office.employ("lapsing-new", &["practitioner"]).await;
    let token = borough.rig.log_in(&mut desk.connection(), &unsigned).await;
    let unsigned = Desk::in_session(&borough.rig, &desk.certificate, &unsigned, token);
    assert_eq!(knock(&unsigned).await, refused("agreement_pending"));
    borough.rig.sign(&mut unsigned.connection(), &unsigned.token).await;
    assert_eq!(knock(&unsigned).await, ANSWERED);
}

#[tokio::test]
async fn a_role_that_was_taken_away_a_moment_ago_is_gone_at_the_next_request() {
    // C4: roles; an attack: take a role that was revoked a second ago
    let borough = borough().await;
    let office = borough.open("Demoting School", "school", &["query", "feed"]).await;
    let desk = office.practitioner();
    let mut open = desk.connection();
    let look = || request(Method::POST, "/v1/children/search", Some(&desk.token), Some(&searched(AMELIA.0, AMELIA.1)));
    drop(call(&mut open, look()).await.unwrap().expect_status(200));
    let path = format!("/v1/people/{}", desk.person.id);
    let now = office.administrator.post(&path, json!({"roles": ["data-steward"]})).await.expect_status(200).json();
    assert_eq!(now["roles"], json!(["data-steward"]));
    assert_eq!(call(&mut open, look()).await.unwrap().expect_status(403).code(), "forbidden");
}

#[tokio::test]
async fn an_account_is_locked_suspended_and_closed_by_those_whose_act_it_is_and_nobody_s_own() {
    // C5: helpdesk can unlock; C1: accounts are made by the administrator, never by themselves; closing keeps the audit
    let borough = borough().await;
    let name = "Closing Surgery";
    let enrolment = Enrolment { name, kind: "surgery", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let office = Office::opened(&borough.rig, &enrolment, &[&["practitioner"], &["helpdesk"]]).await;
    let [desk, helpdesk] = [&office.people()[0], &office.people()[1]];
    let path = format!("/v1/people/{}/state", desk.person.id);
    let set = |by: &Desk, state: &str| {
        // C5: the helpdesk unlocks after the scripted questions; nobody else is asked for them
        let verified: &[&str] = if state == "active" { &["employee-number", "line-manager", "vetting-month"] } else { &[] };
        let (by, path, body) = (by.clone(), path.clone(), json!({ "state": state, "verified": verified }));
        async move { by.post(&path, body).await }
    };
    assert_eq!(set(&office.administrator, "locked").await.expect_status(403).code(), "forbidden");
    drop(set(helpdesk, "locked").await.expect_status(200));
    assert_eq!(knock(desk).await, refused("forbidden"));
    assert_eq!(set(&office.administrator, "active").await.expect_status(403).code(), "forbidden", "the helpdesk unlocks");
    drop(set(helpdesk, "active").await.expect_status(200));
    assert_eq!(knock(desk).await, ANSWERED);
    assert_eq!(set(desk, "closed").await.expect_status(403).code(), "forbidden");
    drop(set(&office.administrator, "suspended").await.expect_status(200));
    assert_eq!(knock(desk).await, refused("forbidden"));
    for state in ["locked", "active"] {
        assert_eq!(set(helpdesk, state).await.expect_status(403).code(), "forbidden", "what is suspended the administrator resumes");
    }
    drop(set(&office.administrator, "active").await.expect_status(200));
    assert_eq!(knock(desk).await, ANSWERED);
    drop(set(&office.administrator, "closed").await.expect_status(200));
    assert_eq!(knock(desk).await, refused("forbidden"));
    assert_eq!(set(&office.administrator, "active").await.expect_status(403).code(), "forbidden", "for good");

    let own = format!("/v1/people/{}", office.administrator.person.id);
    let escalation = office.administrator.post(&own, json!({"roles": ["practitioner"]})).await;
    assert_eq!(escalation.expect_status(403).code(), "own_account");
    let others = format!("/v1/people/{}", borough.oak.practitioner().person.id);
    let answer = office.administrator.post(&others, json!({"roles": ["data-steward"]})).await;
    assert_eq!(answer.expect_status(422).code(), "invalid_value", "another organisation's people are not there");
    let curious = helpdesk.post("/v1/people/999999", json!({"roles": ["data-steward"]})).await;
    assert_eq!(curious.expect_status(403).code(), "forbidden", "who may not ask is not told who is there");
}

#[tokio::test]
async fn no_two_supervise_each_other_and_no_ring_is_closed() {
    // C3: nobody supervises themselves; no two supervise each other; an attack: collude by mutual supervision
    let borough = borough().await;
    let name = "Ringed School";
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let both: &[&str] = &["practitioner", "supervisor"];
    let office = Office::opened(&borough.rig, &enrolment, &[both, both, both, &["practitioner"]]).await;
    let id = |at: usize| office.people()[at].person.id;
    let under = |person: u64, supervisor: u64| {
        let (administrator, path) = (office.administrator.clone(), format!("/v1/people/{person}"));
        async move { administrator.post(&path, json!({ "supervisor": supervisor })).await }
    };
    drop(under(id(0), id(1)).await.expect_status(200));
    drop(under(id(1), id(2)).await.expect_status(200));
    for (person, supervisor) in [(id(0), id(0)), (id(1), id(0)), (id(2), id(0)), (id(0), id(3))] {
        assert_eq!(under(person, supervisor).await.expect_status(422).code(), "supervisor_forbidden", "{person} under {supervisor}");
    }
    let elsewhere = borough.oak.organisation.supervisor.id;
    assert_eq!(under(id(0), elsewhere).await.expect_status(422).code(), "supervisor_forbidden", "of another organisation");
    assert_eq!(under(id(0), 999_999).await.expect_status(422).code(), "invalid_value");
}

#[tokio::test]
async fn whoever_loses_their_supervisor_looks_at_nothing_until_they_have_another() {
    // C3: every person has a supervisor - one who can judge: not an account that was closed, nor somebody who is none any more
    let borough = borough().await;
    let name = "Orphaned School";
    let enrolment = Enrolment { name, kind: "school", authority: Some(borough.council.organisation.id), capabilities: &["query"] };
    let office = Office::opened(&borough.rig, &enrolment, &[&["practitioner"], &["supervisor"], &["supervisor"]]).await;
    let [desk, leaving, demoted] = [&office.people()[0], &office.people()[1], &office.people()[2]];
    let amend = |id: u64, body: Value| {
        let (administrator, path) = (office.administrator.clone(), format!("/v1/people/{id}"));
        async move { drop(administrator.post(&path, body).await.expect_status(200)) }
    };
    amend(desk.person.id, json!({"supervisor": leaving.person.id})).await;
    assert_eq!(knock(desk).await, ANSWERED);
    let closed = format!("/v1/people/{}/state", leaving.person.id);
    drop(office.administrator.post(&closed, json!({"state": "closed"})).await.expect_status(200));
    assert_eq!(knock(desk).await, refused("no_supervisor"));
    amend(desk.person.id, json!({"supervisor": demoted.person.id})).await;
    assert_eq!(knock(desk).await, ANSWERED);
    amend(demoted.person.id, json!({"roles": ["practitioner"]})).await;
    assert_eq!(knock(desk).await, refused("no_supervisor"));
    amend(desk.person.id, json!({"supervisor": office.organisation.supervisor.id})).await;
    assert_eq!(knock(desk).await, ANSWERED);
}

#[tokio::test]
async fn a_council_s_supervisor_sponsors_a_school_of_the_area_and_supervises_its_heads() {
    // B2: a sponsor vouches for it; C3: every person has a supervisor
    let borough = borough().await;
    let rig = &borough.rig;
    let council = &borough.council.organisation;
    let token = rig.log_in_first(&mut rig.connection(&council.certificate), &council.supervisor).await;
    let supervisor = Desk::in_session(rig, &council.certificate, &council.supervisor, token);
    let certificate = rig.clients.client("Vouched School");
    let vouched = Enrolment { name: "Vouched School", kind: "school", authority: Some(council.id), capabilities: &[] };
    let body = vouched.body(&certificate, "vouched-admin");
    let answer = rig.as_officer(Method::POST, "/v1/organisations", Some(&body)).await.expect_status(201).json();
    let vouch = |organisation: u64, code: String| {
        let (supervisor, path) = (supervisor.clone(), format!("/v1/organisations/{organisation}/sponsor"));
        async move { supervisor.post(&path, json!({"code": code})).await }
    };
    let fresh = || supervisor.person.authenticator.code();
    let id = answer["id"].as_u64().unwrap();
    assert_eq!(vouch(id, "000000".to_owned()).await.expect_status(403).code(), "not_confirmed", "C2: the token again");
    let sponsored = vouch(id, fresh().await).await.expect_status(200).json();
    assert_eq!(sponsored["stage"], "sponsored");
    let owner = rig.as_owner(Method::POST, &format!("/v1/organisations/{}/sponsor", answer["id"]), Some(&json!({}))).await;
    assert_eq!(owner.expect_status(409).code(), "already_sponsored", "nor the heads with it");
    for (organisation, status, code, why) in [
        (borough.neighbour.organisation.id, 404, "not_found_or_not_yours", "not of the area: the risk owner vouches for a council"),
        (borough.auditor.organisation.id, 404, "not_found_or_not_yours", "of no area"),
        (council.id, 403, "forbidden", "nobody vouches for their own"),
    ] {
        let answer = vouch(organisation, fresh().await).await.expect_status(status);
        assert_eq!(answer.code(), code, "{why}");
    }
}

/// The office of the borough's usual people is opened with every gate passed: what the other tests stand on.
#[tokio::test]
async fn an_office_with_every_gate_open_looks_children_up() {
    // B2, B3, C1, C3
    let office = borough().await.open("Open School", "school", &["query"]).await;
    assert_eq!(office.people().len(), USUAL.len());
    assert_eq!(knock(office.practitioner()).await, ANSWERED);
    assert_eq!(knock(office.steward()).await, refused("forbidden"));
}
