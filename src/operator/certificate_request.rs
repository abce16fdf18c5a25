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
    let mut params = CertificateParams::new(names).map_err(unusable)?;
    params.distinguished_name = subject;
    Ok(params.serialize_request(&TlsKey { custody })?.pem()?)
}

/// A certificate names hosts in ASCII alone (RFC 5280, 4.2.1.6).
fn unusable(fault: rcgen::Error) -> OperatorError {
    OperatorError::Argument { what: "--name", why: format!("is for DNS names in ASCII (xn--...) and IP addresses: {fault}") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Site;
    use p256::ecdsa::signature::Verifier as _;
    use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509CertificationRequest};

    #[test]
    fn the_request_is_signed_by_the_key_in_the_hsm_and_names_what_was_asked() {
        // G2: master keys live in the HSM, are not extractable
        let site = Site::new("request");
        site.hold_ceremony().unwrap();
        let custody = custody::open_custody(&site.directories, &site.settings()).unwrap();
        let arguments = Arguments { names: vec!["localhost".into(), "127.0.0.1".into()], out: "-".into() };
        let pem = run(arguments, &site.directories).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&pem.contents).unwrap();
        let info = &request.certification_request_info;
        assert_eq!(info.subject_pki.raw, custody.tls_public_key_spki());
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&info.subject_pki.subject_public_key.data).unwrap();
        let signature = p256::ecdsa::Signature::from_der(&request.signature_value.data).unwrap();
        key.verify(info.raw, &signature).unwrap();
        let names = request.requested_extensions().unwrap().find_map(|extension| {
            if let ParsedExtension::SubjectAlternativeName(names) = extension {
                Some(&names.general_names)
            } else {
                None
            }
        });
        assert_eq!(names.unwrap()[..], [GeneralName::DNSName("localhost"), GeneralName::IPAddress(&[127, 0, 0, 1])]);
    }

    #[test]
    fn a_name_that_no_certificate_can_hold_is_a_usage_error() {
        // sysexits(3): EX_USAGE
        let site = Site::new("request-name");
        site.hold_ceremony().unwrap();
        let error = run(Arguments { names: vec!["Stra\u{df}e.example".into()], out: "-".into() }, &site.directories).unwrap_err();
        assert_eq!(error.exit_status(), 64);
        assert!(error.to_string().starts_with("--name is for DNS names in ASCII"), "{error}");
    }

    #[test]
    fn the_request_goes_to_a_file_where_one_is_named() {
        // RFC 2986: a request in PEM
        let site = Site::new("request-file");
        site.hold_ceremony().unwrap();
        let out = site.path("request.pem");
        run(Arguments { names: vec!["localhost".into()], out: out.clone() }, &site.directories).unwrap();
        assert!(std::fs::read_to_string(out).unwrap().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    }
}
