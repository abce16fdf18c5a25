//! `contactpointctl sponsor`, `accredit`, `suspend-organisation`, `resume-organisation`, `add-certificate`, `remove-certificate`, `sign`:
//! how organisations come in and go out at the data centre (rules B1 to B4), and how its own people sign (rule C1).
//!
//! Each is one request over the control socket in the session of whoever is logged in; the daemon decides, and its answer is printed.

use crate::desk::Desk;
use crate::error::OperatorError;
use crate::fresh_code::FreshCode;
use serde_json::json;
use std::path::PathBuf;

/// An organisation, and nothing else to say of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Its number
    organisation: u32,
    #[command(flatten)]
    desk: Desk,
}

/// An organisation, let in by the act.
#[derive(Debug, clap::Args)]
pub(crate) struct LetIn {
    /// Its number
    organisation: u32,
    #[command(flatten)]
    code: FreshCode,
    #[command(flatten)]
    desk: Desk,
}

/// What an organisation is to be accredited for.
#[derive(Debug, clap::Args)]
pub(crate) struct Accredit {
    /// Its number
    organisation: u32,
    /// query, feed, shield, sensitive-services, shield-override, mediated-access, referrals, audit; may be given more than once
    #[arg(long = "capability", value_name = "CAPABILITY", required = true)]
    capabilities: Vec<String>,
    /// The last day on which it holds, YYYY-MM-DD, within three years
    #[arg(long, required_unless_present = "take_back", conflicts_with = "take_back")]
    expires: Option<String>,
    /// Take it back
    #[arg(long)]
    take_back: bool,
    #[command(flatten)]
    code: FreshCode,
    #[command(flatten)]
    desk: Desk,
}

/// A certificate of an organisation.
#[derive(Debug, clap::Args)]
pub(crate) struct Certificate {
    /// The organisation's number
    organisation: u32,
    /// The certificate, PEM
    file: PathBuf,
    #[command(flatten)]
    code: FreshCode,
    #[command(flatten)]
    desk: Desk,
}

/// The signing of the user agreement.
#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// The version that you have read; without it the text is printed, and nothing is signed
    #[arg(long = "accept", value_name = "VERSION")]
    version: Option<u16>,
    #[command(flatten)]
    desk: Desk,
}

pub(crate) fn sponsor(which: &LetIn) -> Result<String, OperatorError> {
    which.post("sponsor")
}

pub(crate) fn suspend(Which { organisation, desk }: &Which) -> Result<String, OperatorError> {
    desk.post(&format!("/v1/organisations/{organisation}/suspend"), &json!({}))
}

pub(crate) fn resume(which: &LetIn) -> Result<String, OperatorError> {
    which.post("resume")
}

impl LetIn {
    fn post(&self, act: &str) -> Result<String, OperatorError> {
        self.desk.post(&format!("/v1/organisations/{}/{act}", self.organisation), &json!({"code": self.code.typed()?}))
    }
}

pub(crate) fn accredit(arguments: &Accredit) -> Result<String, OperatorError> {
    let Accredit { organisation, capabilities, expires, take_back: _, code, desk } = arguments;
    let body = json!({"capabilities": capabilities, "expires": expires, "code": code.typed()?});
    desk.post(&format!("/v1/organisations/{organisation}/accreditations"), &body)
}

pub(crate) fn add_certificate(certificate: &Certificate) -> Result<String, OperatorError> {
    certificate.post("certificates")
}

pub(crate) fn remove_certificate(certificate: &Certificate) -> Result<String, OperatorError> {
    certificate.post("certificates/remove")
}

impl Certificate {
    fn post(&self, act: &str) -> Result<String, OperatorError> {
        let pem = std::fs::read_to_string(&self.file).map_err(OperatorError::file(&self.file))?;
        self.desk.post(&format!("/v1/organisations/{}/{act}", self.organisation), &json!({"certificate": pem, "code": self.code.typed()?}))
    }
}

pub(crate) fn sign(arguments: &Sign) -> Result<String, OperatorError> {
    let Sign { version, desk } = arguments;
    match version {
        Some(version) => desk.post("/v1/session/agreement", &json!({"version": version})),
        None => {
            let texts = desk.read("/v1/texts")?;
            Ok(texts["agreement"]["text"].as_str().unwrap_or_default().to_owned())
        }
    }
}
