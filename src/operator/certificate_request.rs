//! `contactpointctl certificate-request`: a PKCS #10 request (RFC 2986) for the daemon's TLS certificate, signed by the key in the HSM.
//!
//! The authority that signs it is the operator's; the chain goes to `[tls] certificate`.

use crate::custody;
use crate::error::OperatorError;
use contactpoint_keys::Custody;
use contactpoint_settings::{Directories, Settings};
use rcgen::{CertificateParams, DistinguishedName, DnType, PublicKeyData, SignatureAlgorithm, SigningKey, PKCS_ECDSA_P256_SHA256};
use std::path::PathBuf;

/// Bytes of an uncompressed P-256 point, which ends a SubjectPublicKeyInfo (RFC 5480).
const POINT: usize = 65;

/// Arguments of the request.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A DNS name or IP address by which callers reach the daemon; may be given several times
    #[arg(long = "name", required = true)]
    names: Vec<String>,
    /// Where the request goes, in PEM; - is the standard output
    #[arg(long, default_value = "-")]
    out: PathBuf,
}

pub(crate) fn run(arguments: Arguments, directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let custody = custody::open_custody(directories, &settings)?;
    let pem = request(&custody, arguments.names)?;
    if arguments.out.as_os_str() == "-" {
        return Ok(pem.trim_end().to_owned());
    }
    std::fs::write(&arguments.out, pem).map_err(OperatorError::file(&arguments.out))?;
    Ok(format!("The request is in {}; have it signed, and put the chain where [tls] certificate says.", arguments.out.display()))
}

fn request(custody: &Custody, names: Vec<String>) -> Result<String, OperatorError> {
    let mut subject = DistinguishedName::new();
    if let Some(first) = names.first() {
        subject.push(DnType::CommonName, first.as_str());
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = subject;
    Ok(params.serialize_request(&TlsKey { custody })?.pem()?)
}

/// The HSM's TLS key, as rcgen asks for one.
struct TlsKey<'a> {
    custody: &'a Custody,
}

impl PublicKeyData for TlsKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        let spki = self.custody.tls_public_key_spki();
        &spki[spki.len().saturating_sub(POINT)..]
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for TlsKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        // rcgen's error has no room for the reason; `contactpointctl status` and the next start tell it
        self.custody.sign_handshake(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
