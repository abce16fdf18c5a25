//! A certificate authority for tests and demos: certificates of organisations, of strangers, a revocation list. Its keys lie in plain files
//! (mode 0600), which is why it is fit for nothing else.

use crate::organisations::OrganisationEntry;
use crate::{in_file, SynthesisError};
use jiff::civil::Date;
use jiff::ToSpan;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SanType,
    SerialNumber, PKCS_ECDSA_P256_SHA256,
};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is to be certified.
#[derive(Debug, Clone)]
pub struct PkiRequest {
    /// organisations.json as `borough` or `feeds` writes it; without it only the authority and the revocation list are made or renewed.
    pub organisations: Option<PathBuf>,
    /// Directory to write into.
    pub out: PathBuf,
    /// Key of an organisation whose certificate is revoked, beside "revoked", which always is.
    pub revoke: Vec<String>,
    /// Certificate signing request of the server, whose key never leaves its HSM.
    pub server_csr: Option<PathBuf>,
    /// Certificates hold from the day before for a year; the revocation list for 7 days.
    pub today: Date,
    /// Makes a revocation list that ran out the day before.
    pub expired_list: bool,
}

/// Writes ca.pem and ca.key; KEY.pem and KEY.key for each organisation; revoked.pem (on the list), unenrolled.pem (ours, but of no
/// organisation), stranger.pem (another authority's, stranger-ca.pem); clients.crl.pem; server.pem where a request is given. An authority
/// that is there already is used again, and so are certificates.
pub fn write_pki(request: &PkiRequest) -> Result<(), SynthesisError> {
    std::fs::create_dir_all(&request.out).map_err(in_file(&request.out))?;
    let authority = Authority::open(request, "ca", "Test authority of the children's directory")?;
    if let Some(path) = &request.organisations {
        let text = std::fs::read_to_string(path).map_err(in_file(path))?;
        let organisations: Vec<OrganisationEntry> = serde_json::from_str(&text)?;
        let keys = organisations.iter().map(|organisation| organisation.key.as_str());
        for key in keys.chain(["unenrolled", "revoked"]) {
            authority.certify_client(request, key)?;
        }
        let stranger = Authority::open(request, "stranger-ca", "Authority that nobody knows")?;
        stranger.certify_client(request, "stranger")?;
    }
    if let Some(csr) = &request.server_csr {
        authority.certify_server(request, csr)?;
    }
    authority.write_list(request)
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn open(request: &PkiRequest, file: &str, name: &str) -> Result<Self, SynthesisError> {
        let key = key_pair(&request.out.join(format!("{file}.key")))?;
        let mut params = params(request, file, name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.use_authority_key_identifier_extension = true;
        let path = request.out.join(format!("{file}.pem"));
        if !path.exists() {
            write_public(&path, &params.self_signed(&key)?.pem())?;
        }
        let certificate = std::fs::read_to_string(&path).map_err(in_file(&path))?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// The file holds the certificate alone: the authority's own is the server's business.
    fn certify_client(&self, request: &PkiRequest, key_name: &str) -> Result<(), SynthesisError> {
        let path = request.out.join(format!("{key_name}.pem"));
        if path.exists() {
            return Ok(());
        }
        let key = key_pair(&request.out.join(format!("{key_name}.key")))?;
        let mut params = params(request, key_name, key_name)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        write_public(&path, &params.signed_by(&key, &self.issuer)?.pem())
    }

    /// Signs the server's key for localhost; what else the request asks for is not given.
    fn certify_server(&self, request: &PkiRequest, csr: &Path) -> Result<(), SynthesisError> {
        let text = std::fs::read_to_string(csr).map_err(in_file(csr))?;
        let mut asked = CertificateSigningRequestParams::from_pem(&text)?;
        let mut params = params(request, "server", "localhost")?;
        let loopback = std::net::IpAddr::from([127, 0, 0, 1]);
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress(loopback)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        asked.params = params;
        let chain = format!("{}{}", asked.signed_by(&self.issuer)?.pem(), self.certificate);
        write_public(&request.out.join("server.pem"), &chain)
    }

    fn write_list(&self, request: &PkiRequest) -> Result<(), SynthesisError> {
        let start = if request.expired_list { -8 } else { -1 };
        let revoked = request.revoke.iter().map(String::as_str).chain(["revoked"]);
        let list = CertificateRevocationListParams {
            this_update: midnight(request.today.checked_add(start.days())?),
            next_update: midnight(request.today.checked_add((start + if request.expired_list { 7 } else { 8 }).days())?),
            crl_number: SerialNumber::from(u64::try_from((request.today - Date::constant(2000, 1, 1)).get_days()).unwrap_or(0)),
            issuing_distribution_point: None,
            revoked_certs: revoked.map(|key| revocation(request, key)).collect::<Result<_, SynthesisError>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        write_public(&request.out.join("clients.crl.pem"), &list.signed_by(&self.issuer)?.pem()?)
    }
}

fn revocation(request: &PkiRequest, key: &str) -> Result<RevokedCertParams, SynthesisError> {
    Ok(RevokedCertParams {
        serial_number: serial(key),
        revocation_time: midnight(request.today.yesterday()?),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    })
}

fn params(request: &PkiRequest, key: &str, name: &str) -> Result<CertificateParams, SynthesisError> {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, name);
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.not_before = midnight(request.today.yesterday()?);
    params.not_after = midnight(request.today.checked_add(1.years())?);
    params.serial_number = Some(serial(key));
    Ok(params)
}

/// A serial that follows from the key's name, so that a certificate can be revoked without being read: 63 bits of FNV-1a, two rounds.
fn serial(key: &str) -> SerialNumber {
    let hash =
        key.bytes().chain(key.bytes()).fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    SerialNumber::from(hash >> 1 | 1)
}

fn midnight(date: Date) -> time::OffsetDateTime {
    rcgen::date_time_ymd(i32::from(date.year()), u8::try_from(date.month()).unwrap_or(1), u8::try_from(date.day()).unwrap_or(1))
}

/// The key of the file, made where there is none.
fn key_pair(path: &Path) -> Result<KeyPair, SynthesisError> {
    if path.exists() {
        return Ok(KeyPair::from_pem(&std::fs::read_to_string(path).map_err(in_file(path))?)?);
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(in_file(path))?;
    file.write_all(key.serialize_pem().as_bytes()).map_err(in_file(path))?;
    Ok(key)
}

fn write_public(path: &Path, pem: &str) -> Result<(), SynthesisError> {
    std::fs::write(path, pem).map_err(in_file(path))
}
