//! What the daemon says on its standard error, after everything that these tests do to it: never a word of a child or a secret (rule G1).

use crate::borough::{borough, searched, viewed};
use crate::children::{said_of_people, sheet, AMELIA, IDRIS};
use contactpoint_support::request;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn the_daemons_log_has_no_name_date_number_or_secret_in_it() {
    // G1: no log line with a name
    let borough = borough().await;
    let (teacher, steward) = (borough.oak.practitioner(), borough.oak.steward());
    let number = borough.number_of(AMELIA.0, AMELIA.1).await;
    let other = borough.number_of(IDRIS.0, IDRIS.1).await;

    // all sorts of requests, good and bad, that have something to give away
    for (path, body) in [
        ("/v1/children/search", searched(AMELIA.0, AMELIA.1)),
        ("/v1/children/search", json!({"family_name": AMELIA.0, "reason": "concern"})),
        ("/v1/children/search", json!({"family_name": AMELIA.0, "postcode": "ZZ99 1AAA", "reason": "concern"})),
        ("/v1/children/view", viewed(&number)),
        ("/v1/children/view", viewed(&other)),
        ("/v1/children/view", json!({"child_number": number, "reason": "Thornbury"})),
        ("/v1/children/view", json!({"child_number": number, "Thornbury": 1, "reason": "concern"})),
        ("/v1/audit/who-saw", json!({"child_number": number, "reason": "audit"})),
        ("/v1/people", json!({"login": "Thornbury", "given_name": "Amelia Rose", "family_name": "Thornbury", "roles": []})),
        ("/v1/session", json!({"login": teacher.person.login, "password": teacher.person.password, "code": "Thornbury"})),
        ("/v1/session", json!({"login": "thornbury", "password": "12 Lantern Row", "code": "Thornbury"})),
        ("/v1/feeds", json!({"layout": "Thornbury", "digest": "0".repeat(64), "header": "Thornbury,12 Lantern Row"})),
        ("/v1/feeds", json!({"layout": "school-roll", "digest": "0".repeat(64), "header": "Thornbury,12 Lantern Row"})),
        ("/Thornbury/W820990000001", json!({})),
    ] {
        for desk in [teacher, steward] {
            drop(desk.post(path, body.clone()).await);
        }
    }
    for path in ["/v1/children/Thornbury", "/log/tile/Thornbury", "/openapi.json?name=Thornbury", &format!("/v1/feeds/{number}")] {
        drop(teacher.send(request(Method::GET, path, Some(&teacher.token), None)).await);
    }
    let half = sheet("school-roll", &[vec![("Legal Surname", "Thornbury".to_owned()), ("DOB", "Amelia Rose".to_owned())]]);
    drop(contactpoint_support::feed(&mut steward.connection(), &steward.token, "school-roll", &half).await);

    let log = borough.rig.daemon().log();
    assert!(log.contains("contactpoint"), "something is said");
    let people = [teacher, steward, &borough.oak.administrator, borough.council.practitioner(), borough.mill.practitioner()];
    let mut secrets = said_of_people();
    secrets.extend([number, other, AMELIA.1.to_owned(), IDRIS.1.to_owned(), "2015-05-0".to_owned()]);
    secrets.extend(["thornbury", "Robin", "Tester", "Minton"].map(str::to_owned));
    secrets.extend(people.iter().flat_map(|desk| [desk.person.password.clone(), desk.token.clone(), desk.person.login.clone()]));
    secrets.extend([borough.rig.officer.password.clone(), contactpoint_support::token::PIN.to_owned()]);
    for secret in secrets {
        let found = log.lines().find(|line| line.contains(&secret));
        assert!(found.is_none(), "{secret}: {found:?}");
    }
    assert!(!log.contains("panicked"), "no panic");
}
