//! `contactpointctl log-in` and `log-out`: the security officer's two factors, over the control socket (rule C2).
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
    /// The six digits that the officer's device shows now; asked for where absent
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
