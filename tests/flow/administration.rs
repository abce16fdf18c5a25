//! Officers and administrators: they make organisations and accounts, and see no child (rules B2, C4, G1); and the interface's description.

use crate::borough::{borough, searched, viewed};
use crate::children::AMELIA;
use crate::office::Desk;
use contactpoint_client::ConnectionError;
use contactpoint_support::{call, new_person, request, Enrolment};
use http::Method;
use serde_json::{json, Value};

#[tokio::test]
async fn a_security_officer_has_no_way_to_any_child() {
    // C4: security officer (the data centre; never any child data)
    let borough = borough().await;
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    for (path, body) in [
        ("/v1/children/search", searched(AMELIA.0, AMELIA.1)),
        ("/v1/children/view", viewed(&number)),
        ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        ("/v1/feeds", json!({})),
    ] {
        let answer = borough.rig.as_officer(Method::POST, path, Some(&body)).await.expect_status(404);
        assert_eq!(answer.code(), "no_such_route", "{path}");
    }
}

#[tokio::test]
async fn an_officer_cannot_log_in_from_an_organisation_nor_anybody_else_at_the_data_centre() {
    // C2: bound to the certificate; C4: the officer acts at the data centre alone
    let borough = borough().await;
    let (teacher, officer) = (borough.oak.practitioner(), &borough.rig.officer);
    let body = json!({"login": officer.login, "password": officer.password, "code": officer.authenticator.code().await});
    assert_eq!(teacher.post("/v1/session", body).await.expect_status(401).code(), "log_in_failed");
    for person in [&teacher.person, &borough.oak.administrator.person] {
        let body = json!({"login": person.login, "password": person.password, "code": person.authenticator.code().await});
        let answer = borough.rig.control(request(Method::POST, "/v1/session", None, Some(&body))).await.expect_status(401);
        assert_eq!(answer.code(), "log_in_failed");
    }
    let token = request(Method::GET, "/v1/status", Some(&teacher.token), None);
    assert!(!String::from_utf8_lossy(&borough.rig.control(token).await.body).contains("Thornbury"));
    let enrol = request(Method::POST, "/v1/organisations", Some(&teacher.token), Some(&json!({})));
    assert_eq!(borough.rig.control(enrol).await.status, 401, "a session of the network is none at the control socket");
}

#[tokio::test]
async fn nobody_enrols_organisations_but_an_officer_and_not_over_the_network() {
    // B2: an organisation connects only after separate gates; self-certification never suffices
    let borough = borough().await;
    for desk in [&borough.council.administrator, borough.council.practitioner()] {
        let body = Enrolment { name: "Self Made School", kind: "school", authority: None, capabilities: &["query"] }
            .body(&borough.rig.clients.client("Self Made School"), "self-made");
        assert_eq!(desk.post("/v1/organisations", body).await.expect_status(404).code(), "no_such_route");
    }
    let nobody = borough.rig.control(request(Method::POST, "/v1/organisations", None, Some(&json!({})))).await.expect_status(401);
    assert_eq!(nobody.code(), "not_authenticated");
}

#[tokio::test]
async fn an_enrolment_that_is_refused_leaves_nothing_behind() {
    // B2: an organisation connects only after its gates; half an enrolment would be one that nobody vouched for
    let borough = borough().await;
    let rig = &borough.rig;
    let certificate = rig.clients.client("Half Made School");
    let enrolment = |authority| Enrolment { name: "Half Made School", kind: "school", authority, capabilities: &["query"] };
    let taken = &borough.oak.administrator.person.login;
    let area = borough.council.organisation.id;
    for (body, code) in [
        (enrolment(Some(area)).body(&certificate, taken), "invalid_value"),
        (enrolment(Some(999_999)).body(&certificate, "half-made"), "invalid_value"),
        (enrolment(Some(borough.oak.organisation.id)).body(&certificate, "half-made"), "invalid_value"),
        (enrolment(Some(area)).body(&borough.oak.organisation.certificate, "half-made"), "invalid_value"),
        (enrolment(Some(area)).body(&certificate, "No Such Log-in"), "invalid_value"),
    ] {
        let answer = rig.as_officer(Method::POST, "/v1/organisations", Some(&body)).await.expect_status(422);
        assert_eq!(answer.code(), code);
        let refused = call(&mut rig.connection(&certificate), request(Method::GET, "/log/checkpoint", None, None)).await;
        assert!(matches!(refused, Err(ConnectionError::TlsRefused(_))), "its certificate is on no record");
    }
    let body = enrolment(Some(area)).body(&certificate, "half-made");
    drop(rig.as_officer(Method::POST, "/v1/organisations", Some(&body)).await.expect_status(201));
    drop(call(&mut rig.connection(&certificate), request(Method::GET, "/log/checkpoint", None, None)).await.unwrap().expect_status(200));
}

#[tokio::test]
async fn an_administrator_makes_accounts_of_the_own_organisation_and_gives_no_power_of_others() {
    // C4: roles that would let one person both act and judge the act cannot be combined; a person has exactly one organisation
    let borough = borough().await;
    let person = |login: &str, roles: &[&str]| new_person(&borough.oak.organisation, login, roles);
    let administrator = &borough.oak.administrator;
    for roles in [
        &["security-officer"][..],
        &["auditor"],
        &["shielding-officer"],
        &[],
        &["practitioner", "administrator"],
        &["practitioner", "data-steward"],
        &["auditor", "practitioner"],
    ] {
        let answer = administrator.post("/v1/people", person("power-seeker", roles)).await.expect_status(422);
        assert_eq!(answer.code(), "roles_clash", "{roles:?}");
    }
    for desk in [borough.oak.practitioner(), borough.oak.steward()] {
        assert_eq!(desk.post("/v1/people", person("power-seeker", &["practitioner"])).await.expect_status(403).code(), "forbidden");
    }
    let auditors = &borough.auditor.administrator;
    assert_eq!(auditors.post("/v1/people", person("power-seeker", &["practitioner"])).await.expect_status(422).code(), "roles_clash");
    let elsewhere = auditors.post("/v1/people", person("power-seeker", &["auditor"])).await.expect_status(422);
    assert_eq!(elsewhere.code(), "supervisor_forbidden", "a supervisor of another organisation");
    let taken = administrator.post("/v1/people", person(&borough.mill.practitioner().person.login, &["practitioner"])).await;
    assert_eq!(taken.expect_status(422).code(), "invalid_value");
    assert_eq!(administrator.post("/v1/people", person("x y", &["practitioner"])).await.expect_status(422).code(), "invalid_value");
    assert_eq!(administrator.post("/v1/people", person("xyz", &["king"])).await.expect_status(422).code(), "invalid_value");

    let made = borough.oak.employ("power-seeker", &["practitioner"]).await;
    let desk = Desk::of(&borough.rig, &borough.oak.organisation.certificate, &made).await;
    drop(desk.post("/v1/children/search", searched(AMELIA.0, AMELIA.1)).await.expect_status(200));
}

#[tokio::test]
async fn the_interface_describes_itself_and_each_described_route_exists() {
    // architecture, interfaces: OpenAPI 3.1 at /openapi.json, generated from the handlers' own types
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let answer = teacher.get("/openapi.json").await.expect_status(200);
    assert_eq!(answer.headers["content-type"], "application/json");
    let described = answer.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut routes = Vec::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            routes.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    routes.sort();
    assert_eq!(
        routes,
        [
            "DELETE /v1/session",
            "GET /log/checkpoint",
            "GET /log/checkpoint/asked",
            "GET /log/checkpoint/cosigned",
            "GET /log/receipt/{id}",
            "GET /log/tile/{path}",
            "GET /openapi.json",
            "GET /v1/feeds/{id}",
            "GET /v1/texts",
            "POST /log/cosignatures",
            "POST /v1/alerts/queue",
            "POST /v1/alerts/{id}/judge",
            "POST /v1/audit/alerts/sample",
            "POST /v1/audit/alerts/statistics",
            "POST /v1/audit/alerts/{id}/review",
            "POST /v1/audit/evidence",
            "POST /v1/audit/evidence/{id}/approve",
            "POST /v1/audit/evidence/{id}/fetch",
            "POST /v1/audit/flags",
            "POST /v1/audit/statement",
            "POST /v1/audit/who-saw",
            "POST /v1/break-glass",
            "POST /v1/break-glass/leave",
            "POST /v1/children/audience",
            "POST /v1/children/contact",
            "POST /v1/children/search",
            "POST /v1/children/settle",
            "POST /v1/children/shield",
            "POST /v1/children/unshield",
            "POST /v1/children/view",
            "POST /v1/feeds",
            "POST /v1/feeds/{id}/finish",
            "POST /v1/feeds/{id}/lines",
            "POST /v1/involvements/end",
            "POST /v1/organisation/hold-new",
            "POST /v1/organisation/responsibilities",
            "POST /v1/organisations/{id}/sponsor",
            "POST /v1/people",
            "POST /v1/people/{id}",
            "POST /v1/people/{id}/reset",
            "POST /v1/people/{id}/reset/complete",
            "POST /v1/people/{id}/state",
            "POST /v1/reviews/queue",
            "POST /v1/reviews/report",
            "POST /v1/reviews/{id}/settle",
            "POST /v1/session",
            "POST /v1/session/agreement",
            "POST /v1/shield-override",
        ]
    );
    for route in routes {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{id}", "1").replace("{path}", "0/000.p/1");
        let asked = request(method.parse().unwrap(), &path, None, (method == "POST").then_some(&Value::Null));
        let answer = teacher.send(asked).await;
        assert!(!["no_such_route", "method_not_allowed"].contains(&answer.code().as_str()) || path.contains("tile"), "{route}");
    }
}

#[tokio::test]
async fn the_log_is_open_to_each_enrolled_organisation_and_only_by_its_own_names() {
    // F2: anyone with the public key can verify; C2SP tlog-tiles
    let borough = borough().await;
    let teacher = borough.oak.practitioner();
    let checkpoint = teacher.send(request(Method::GET, "/log/checkpoint", None, None)).await.expect_status(200);
    assert!(std::str::from_utf8(&checkpoint.body).unwrap().starts_with("contactpoint.example/log\n"));
    for path in [
        "/log/tile/0/999",
        "/log/tile/entries/x001/000",
        "/log/tile/9/000",
        "/log/tile/0/000.p/0",
        "/log/tile/0/000.p/256",
        "/log/tile/0/1",
        "/log/tile/0/000/",
        "/log/tile/entries/../0/000",
        "/log/tile/0/000.p/999",
        "/log/tile/256/000",
    ] {
        assert_eq!(teacher.get(path).await.expect_status(404).code(), "no_such_route", "{path}");
    }
}
