//! TLS as a stranger sees it: what the handshakes of `door` came to (rule B1).
//!
//! A stranger sees no more than one: that nothing is handed out before a certificate is shown. What an organisation with a certificate
//! sees is tested in tests/flow and tests/interop.

use crate::daemon::Evidence;
use crate::door::Door;
use crate::reading::{Look, Reading};
use contactpoint_assurance::Observation;
use x509_parser::prelude::{parse_x509_pem, X509Certificate};

/// Certificates and lists must hold for so long from now, in seconds: two weeks to act.
const NOTICE: i64 = 14 * 86_400;
/// The group that resists a quantum computer.
const GROUP: &str = "X25519MLKEM768";

/// Every look at the door from outside. `now` in seconds since 1970.
#[must_use]
pub fn as_a_stranger(door: &Door, now: u64) -> Vec<Observation> {
    vec![version(door), client_certificate(door), group(door), no_resumption(door), certificate(door, now)]
}

/// TLS 1.3 is spoken and 1.2 is not.
pub fn version(door: &Door) -> Observation {
    let mut look = Look::at("door.versions", "TLSv1_3; an offer of TLS 1.2 alone is refused");
    line(&mut look, &door.stranger, "version", |value| value == "TLSv1_3");
    line(&mut look, &door.only_1_2, "end", |value| value.contains("ProtocolVersion"));
    look.done()
}

/// Without a certificate there is an end before any request is read.
pub fn client_certificate(door: &Door) -> Observation {
    let mut look = Look::at("door.client_certificate", "the alert certificate_required to whom shows none");
    line(&mut look, &door.stranger, "end", |value| value.contains("CertificateRequired"));
    look.done()
}

/// The key exchange resists a quantum computer where the client can, and is one of three where it cannot.
pub fn group(door: &Door) -> Observation {
    let mut look = Look::at("door.groups", format!("{GROUP} where it is offered; secp384r1 alone is refused"));
    line(&mut look, &door.stranger, "group", |value| value == GROUP);
    line(&mut look, &door.only_p384, "end", |value| value.contains("HandshakeFailure"));
    look.done()
}

/// Nothing to resume is handed to a stranger, and a second connection is a full handshake.
pub fn no_resumption(door: &Door) -> Observation {
    let mut look = Look::at("door.resumption", "no session ticket for a stranger; the second handshake is a full one");
    for connection in [&door.stranger, &door.again] {
        line(&mut look, connection, "tickets", |value| value == "0");
        line(&mut look, connection, "handshake", |value| value.starts_with("Full"));
    }
    look.done()
}

/// The server's certificate: an ECDSA key on P-256, and time left. `now` in seconds since 1970.
pub fn certificate(door: &Door, now: u64) -> Observation {
    let mut look = Look::at("door.certificate", "an ECDSA key on P-256; valid now and for two weeks more");
    let Some(pem) = look.read(&door.certificate) else { return look.done() };
    let source = &door.certificate.source;
    let parsed = parse_x509_pem(pem.as_bytes()).ok();
    let certificate = parsed.as_ref().and_then(|(_, pem)| pem.parse_x509().ok());
    match certificate {
        Some(certificate) => judge_certificate(&mut look, source, &certificate, now),
        None => look.found(source, "not a certificate", false),
    }
    look.done()
}

fn judge_certificate(look: &mut Look, source: &str, certificate: &X509Certificate<'_>, now: u64) {
    let algorithm = &certificate.public_key().algorithm;
    let curve = algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok()).map(|curve| curve.to_id_string());
    let curve = curve.unwrap_or_else(|| format!("no curve, algorithm {}", algorithm.algorithm));
    // prime256v1 (RFC 5480)
    look.found(source, format!("key on curve {curve}"), curve == "1.2.840.10045.3.1.7");
    let (from, until) = (certificate.validity().not_before, certificate.validity().not_after);
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    look.found(
        source,
        format!("valid from {from} until {until}"),
        from.timestamp() <= now && until.timestamp() > now.saturating_add(NOTICE),
    );
}

/// The clients' revocation list, by the daemon's own word: nobody else is shown it.
pub fn revocation_list(evidence: &Evidence, now: u64) -> Observation {
    let mut look = Look::at("door.revocation", "valid now and for two days more (the daemon's own word)");
    evidence.judge(&mut look, "/tls/revocation_list_expires", |value| {
        let seconds = value.as_u64().or_else(|| crate::daemon::seconds_of(value.as_str()?));
        seconds.is_some_and(|seconds| seconds > now + 2 * 86_400)
    });
    look.done()
}

/// The value of a line "name value" of a handshake.
fn line(look: &mut Look, connection: &Reading, name: &str, is_good: impl Fn(&str) -> bool) {
    let Some(text) = look.read(connection) else { return };
    match text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')) {
        Some(value) => look.found(&connection.source, format!("{name} {value}"), is_good(value)),
        None => look.unseen(&connection.source, format!("the handshake did not come to a {name}")),
    }
}
