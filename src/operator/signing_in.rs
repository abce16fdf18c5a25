//! `contactpointctl log-in` and `log-out`: the two factors of the data centre's people, over the control socket (rule C2).
//!
//! The password is typed, or read from the standard input for scripts; it is never an argument, because arguments are public (proc(5)).

use crate::control::Socket;
use crate::error::OperatorError;
use crate::session_file::SessionFile;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

/// Arguments of the log-in.
#[derive(Debug, clap::Args)]
pub(crate) struct LogIn {
    /// Log-in name
    #[arg(long, default_value = "security-officer")]
    login: String,
    /// Read the password from the standard input (one line) instead of asking for it
    #[arg(long)]
    password_stdin: bool,
    /// The six digits that your device shows now; asked for where absent
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    socket: Socket,
    #[command(flatten)]
    session: SessionFile,
}

/// Arguments of the log-out.
#[derive(Debug, clap::Args)]
pub(crate) struct LogOut {
    #[command(flatten)]
    socket: Socket,
    #[command(flatten)]
    session: SessionFile,
}

#[derive(Serialize)]
struct Credentials<'a> {
    login: &'a str,
    password: &'a str,
    code: &'a str,
}

pub(crate) fn log_in(arguments: &LogIn) -> Result<String, OperatorError> {
    // before a code is spent: where nowhere is said to keep the session, the log-in would be for nothing
    arguments.session.path()?;
    let password = Zeroizing::new(if arguments.password_stdin { one_line()? } else { rpassword::prompt_password("Password: ")? });
    let code = match &arguments.code {
        Some(code) => code.clone(),
        None => rpassword::prompt_password("Code: ")?,
    };
    let credentials = Credentials { login: &arguments.login, password: &password, code: code.trim() };
    let body = serde_json::to_vec(&credentials).map_err(std::io::Error::other)?;
    let answer = arguments.socket.ask(Method::POST, "/v1/session", None, Some(body))?;
    let unusable = || OperatorError::Refused("contactpointd answered without a token: is it of the same version?".to_owned());
    let token = answer.get("token").and_then(Value::as_str).ok_or_else(unusable)?;
    let path = arguments.session.keep(token)?;
    let duties = answer.get("duties").and_then(Value::as_str).unwrap_or_default();
    Ok(format!("Logged in as {}; the session is in {}.\n{duties}", arguments.login, path.display()).trim_end().to_owned())
}

pub(crate) fn log_out(arguments: &LogOut) -> Result<String, OperatorError> {
    let token = arguments.session.token()?;
    arguments.session.forget()?;
    arguments.socket.ask(Method::DELETE, "/v1/session", Some(&token), None)?;
    Ok("Logged out.".to_owned())
}

fn one_line() -> Result<String, OperatorError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::tests::{answering, socket};
    use crate::enrol_organisation;
    use clap::Parser;
    use std::os::unix::fs::PermissionsExt as _;
    use tempfile::TempDir;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        session: SessionFile,
    }

    fn session(directory: &TempDir) -> SessionFile {
        let file = directory.path().join("session");
        Line::parse_from(["test", "--session-file", file.to_str().unwrap()]).session
    }

    #[test]
    fn the_token_waits_in_a_file_that_only_the_officer_can_read() {
        // C2: a session
        let directory = TempDir::new().unwrap();
        let session = session(&directory);
        for token in ["first", "second"] {
            let path = session.keep(token).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(*session.token().unwrap(), token);
        }
        session.forget().unwrap();
        assert!(matches!(session.token().unwrap_err(), OperatorError::NoSession(_)));
    }

    #[test]
    fn the_verbs_send_the_session_and_log_out_forgets_it() {
        // C2: a session
        let directory = TempDir::new().unwrap();
        session(&directory).keep("the-token").unwrap();
        let file = directory.path().join("organisation.json");
        std::fs::write(&file, "{\"name\":\"Hill School\"}").unwrap();
        let heard = answering(&directory, "201 Created", "{\"id\":7}");
        let arguments = enrol_organisation::Arguments { file, socket: socket(&directory), session: session(&directory) };
        assert!(enrol_organisation::run(&arguments).unwrap().contains("\"id\": 7"));
        let request = heard.join().unwrap();
        assert!(request.starts_with("POST /v1/organisations HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("authorization: bearer the-token\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"name\":\"Hill School\"}"), "{request}");
        let heard = answering(&directory, "204 No Content", "");
        log_out(&LogOut { socket: socket(&directory), session: session(&directory) }).unwrap();
        assert!(heard.join().unwrap().starts_with("DELETE /v1/session HTTP/1.1\r\n"));
        assert!(session(&directory).token().is_err());
    }
}
