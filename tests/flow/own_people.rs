//! The data centre's own people, from the operator's command line: an account made, checks renewed, an account suspended (rules C1, C4).

use crate::borough::programs;
use contactpoint_support::{day, today, Person, Rig};
use serde_json::{json, Value};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Somebody of the data centre at a console, in a session of their own.
struct Console<'a> {
    rig: &'a Rig,
    person: Person,
    session: PathBuf,
}

impl<'a> Console<'a> {
    /// Logged in, and signed.
    async fn of(rig: &'a Rig, person: &Person) -> Self {
        let console = Self { rig, person: person.clone(), session: rig.folder().join(format!("{}.session", person.login)) };
        let code = person.authenticator.code().await;
        console.told(&["log-in", "--login", &person.login, "--password-stdin", "--code", &code], &person.password).unwrap();
        console.told(&["sign", "--accept", "1"], "").unwrap();
        console
    }

    /// What a verb says; where it fails, its exit status and why.
    fn told(&self, arguments: &[&str], input: &str) -> Result<String, (Option<i32>, String)> {
        let mut command = Command::new(&self.rig.programs.operator);
        command.env_clear().args(arguments).arg("--socket").arg(self.rig.sockets.control_path());
        command.arg("--session-file").arg(&self.session).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // a verb that asks for nothing may have ended by now, and reads nothing
        drop(writeln!(child.stdin.take().unwrap(), "{input}"));
        let output = child.wait_with_output().unwrap();
        let [said, why] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        if output.status.success() {
            Ok(said)
        } else {
            Err((output.status.code(), why))
        }
    }

    /// The same with a fresh code, where the verb takes one.
    async fn asked(&self, arguments: &[&str]) -> Result<String, (Option<i32>, String)> {
        if !["enrol-person", "amend-person"].contains(&arguments[0]) {
            return self.told(arguments, "");
        }
        let code = self.person.authenticator.code().await;
        self.told(&[arguments, &["--code", &code]].concat(), "")
    }

    /// A verb's answer.
    async fn done(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.asked(arguments).await.unwrap()).unwrap()
    }

    /// Refused by the daemon with this code: exit status 77.
    async fn is_refused(&self, arguments: &[&str], code: &str) {
        let (status, why) = self.asked(arguments).await.unwrap_err();
        assert!(status == Some(77) && why.contains(code), "{arguments:?}: {status:?} {why}");
    }

    /// Makes an account, with checks of today.
    async fn enrols(&self, login: &str, role: &str, supervisor: &str) -> Person {
        let today = today();
        let checks = ["--vetted", &today, "--barring", &today, "--trained", &today];
        let who = ["enrol-person", "--login", login, "--given-name", "Ines", "--family-name", "Sato"];
        Person::of(&self.done(&[&who[..], &["--role", role, "--supervisor", supervisor], &checks[..]].concat()).await)
    }
}

#[tokio::test]
async fn a_second_administrator_of_the_data_centre_renews_what_lapsed_of_the_first() {
    // C1: every person, operators and administrators included: a check that lapsed refuses the next request; C4: nobody amends themselves
    let rig = Rig::started(programs(), None);
    let owner = Console::of(&rig, &rig.owner).await;
    let (number, officers) = (rig.owner.id.to_string(), rig.officer.id.to_string());
    let second = owner.enrols("i.sato", "administrator", &number).await;
    let administrator = Console::of(&rig, &second).await;

    let (today, before) = (today(), day(-3 * 366));
    let checked =
        |who: &str, vetted: &str| ["amend-person", who, "--vetted", vetted, "--barring", &today, "--trained", &today].map(str::to_owned);
    let amended = async |by: &Console<'_>, who: &str, vetted: &str| by.done(&checked(who, vetted).each_ref().map(String::as_str)).await;
    owner.is_refused(&checked(&number, &today).each_ref().map(String::as_str), "own_account").await;
    assert_eq!(amended(&administrator, &number, &before).await["vetted"], json!(before));
    owner.is_refused(&checked(&officers, &today).each_ref().map(String::as_str), "vetting_lapsed").await;
    assert_eq!(amended(&administrator, &number, &today).await["vetted"], json!(today));
    let officer = amended(&owner, &officers, &today).await;
    assert_eq!((&officer["vetted"], &officer["roles"]), (&json!(today), &json!(["security-officer"])), "what is not named stays");
}

#[tokio::test]
async fn an_account_of_the_data_centre_is_suspended_resumed_and_closed_from_the_command_line() {
    // C4: the organisation's administrator; who cannot be one there is given no account
    let rig = Rig::started(programs(), None);
    let owner = Console::of(&rig, &rig.owner).await;
    let number = rig.owner.id.to_string();
    let (status, why) = owner.told(&["amend-person", &rig.officer.id.to_string(), "--code", "000000"], "").unwrap_err();
    assert!(status == Some(77) && why.contains("not_confirmed"), "C2: sensitive acts ask for the token again: {why}");
    let operator = owner.enrols("n.adeyemi", "system-operator", &number).await;
    let (desk, id) = (Console::of(&rig, &operator).await, operator.id.to_string());
    let made = ["enrol-person", "--login", "x.y", "--given-name", "X", "--family-name", "Y", "--supervisor", &number, "--role"];
    desk.is_refused(&[&made[..], &["helpdesk"]].concat(), "forbidden").await;
    owner.is_refused(&[&made[..], &["practitioner"]].concat(), "roles_clash").await;
    for state in ["suspended", "active"] {
        assert_eq!(owner.done(&["set-person-state", &id, state]).await["state"], json!(state));
    }
    assert_eq!(owner.done(&["amend-person", &id, "--supervisor", &rig.officer.id.to_string()]).await["supervisor"], json!(rig.officer.id));
    owner.is_refused(&["set-person-state", &number, "suspended"], "own_account").await;
    assert_eq!(owner.done(&["set-person-state", &id, "closed"]).await["state"], json!("closed"));
    desk.is_refused(&["sign", "--accept", "1"], "forbidden").await;
}

#[tokio::test]
async fn the_data_centre_s_helpdesk_unlocks_whom_it_verified_and_a_factor_is_made_anew_by_two_people() {
    // C5: helpdesk can unlock and suspend after verifying the caller by the scripted questions; resetting a factor takes a second person
    let rig = Rig::started(programs(), None);
    let owner = Console::of(&rig, &rig.owner).await;
    let officer = Console::of(&rig, &rig.officer).await;
    let (number, lost) = (rig.owner.id.to_string(), rig.officer.id.to_string());
    let helpdesk = Console::of(&rig, &owner.enrols("h.moreau", "helpdesk", &number).await).await;
    let script = ["--verified", "employee-number,line-manager,vetting-month"];

    assert_eq!(helpdesk.done(&["set-person-state", &lost, "locked"]).await["state"], json!("locked"));
    helpdesk.is_refused(&["set-person-state", &lost, "active"], "not_verified").await;
    helpdesk.is_refused(&["set-person-state", &lost, "active", "--verified", "employee-number,line-manager"], "not_verified").await;
    assert_eq!(helpdesk.done(&[&["set-person-state", &lost, "active"], &script[..]].concat()).await["state"], json!("active"));

    helpdesk.is_refused(&["reset", &lost, "password"], "not_verified").await;
    let begun = helpdesk.done(&[&["reset", &lost, "password"], &script[..]].concat()).await;
    assert_eq!((&begun["login"], &begun["factor"]), (&json!(rig.officer.login), &json!("password")));
    let completed = |code: &str| ["complete-reset", &lost, "--code", code].map(str::to_owned);
    owner.is_refused(&completed("000000").each_ref().map(String::as_str), "not_confirmed").await;
    let done = owner.done(&completed(&rig.owner.authenticator.code().await).each_ref().map(String::as_str)).await;
    officer.is_refused(&["sign", "--accept", "1"], "session_ended").await;
    let password = done["password"].as_str().unwrap();
    let log_in =
        ["log-in", "--login", &rig.officer.login, "--password-stdin", "--code", &rig.officer.authenticator.code().await].map(str::to_owned);
    officer.told(&log_in.each_ref().map(String::as_str), password).unwrap();
}
