use super::*;
use crate::authority::{put, Authority, END};

const NOW: Instant = Instant::of_millis(1_700_000_000_000);

struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }
    fn authorities(&self, pem: &str) -> Authorities {
        Authorities::read(&put(self.directory.path(), "ca.pem", pem)).unwrap()
    }
    fn open(&self, authorities: &Authorities, list: &str) -> Result<Revocation, RevocationFault> {
        Revocation::open(&put(self.directory.path(), "crl.pem", list), authorities.clone(), NOW)
    }
    fn put_list(&self, list: &str) {
        put(self.directory.path(), "crl.pem", list);
    }
}

fn certificate(authority: &Authority, serial: u64) -> PeerCertificate {
    PeerCertificate::of(&authority.issue(serial, &[])).unwrap()
}

impl std::ops::Deref for crate::authority::Issued {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.der
    }
}

#[test]
fn a_list_that_is_absent_damaged_or_empty_refuses_to_start() {
    // B1: revocation list required (absent or expired = refuse to start)
    let place = Place::new();
    let authority = Authority::named("A");
    let authorities = place.authorities(&authority.pem);
    let absent = Revocation::open(&place.directory.path().join("none"), authorities.clone(), NOW);
    assert!(matches!(absent, Err(RevocationFault::Unreadable { .. })));
    assert!(matches!(place.open(&authorities, ""), Err(RevocationFault::NotPem(_))));
    assert!(matches!(place.open(&authorities, &authority.pem), Err(RevocationFault::NotPem(_))));
    assert!(matches!(
        place.open(&authorities, "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"),
        Err(RevocationFault::NotUnderstood)
    ));
    assert!(matches!(Authorities::read(&put(place.directory.path(), "ca.pem", "")), Err(RevocationFault::NotPem(_))));
}

#[test]
fn an_expired_list_refuses_to_start_and_is_told_to_each_request_when_it_expires_while_running() {
    // B1: no request is read from a revoked or expired one; 503 when it expires while running
    let place = Place::new();
    let authority = Authority::named("A");
    let authorities = place.authorities(&authority.pem);
    let end = Instant::of_millis(END * 1000);
    let path = put(place.directory.path(), "crl.pem", &authority.list(1, &[]));
    assert!(matches!(Revocation::open(&path, authorities.clone(), end), Err(RevocationFault::Expired)));
    let revocation = Revocation::open(&path, authorities, NOW).unwrap();
    let good = certificate(&authority, 5);
    assert_eq!(revocation.standing(&good, NOW), Ok(()));
    assert_eq!(revocation.standing(&good, end), Err(Distrust::ListExpired));
    assert_eq!(revocation.standing_in_handshake(&good), Ok(()));
}

#[test]
fn only_a_list_signed_by_a_client_authority_counts() {
    // B1; a trap: no CRL configured = everything accepted
    let place = Place::new();
    let (authority, stranger) = (Authority::named("A"), Authority::named("A"));
    let authorities = place.authorities(&authority.pem);
    // the same name, another key
    assert!(matches!(place.open(&authorities, &stranger.list(1, &[])), Err(RevocationFault::NotSignedByAuthority)));
    let mut tampered = rustls_pki_types::CertificateRevocationListDer::from_pem_slice(authority.list(1, &[7]).as_bytes()).unwrap().to_vec();
    let serial = tampered.windows(3).position(|bytes| bytes == [0x02, 0x01, 0x07]).unwrap();
    tampered[serial + 2] = 0x08;
    let mut set = RevokedSet { revoked: HashSet::new(), numbers: BTreeMap::new(), next_update: u64::MAX };
    assert!(matches!(set.take(&tampered, &authorities), Err(RevocationFault::NotSignedByAuthority)));
}

#[test]
fn a_list_of_a_key_that_may_not_sign_lists_does_not_count() {
    // RFC 5280, 4.2.1.3: where key usage is stated, it must include cRLSign
    let place = Place::new();
    let authority = Authority::for_certificates_only("A");
    let authorities = place.authorities(&authority.pem);
    assert!(matches!(place.open(&authorities, &authority.list(1, &[])), Err(RevocationFault::NotSignedByAuthority)));
}

#[test]
fn a_list_that_holds_for_a_part_of_the_certificates_is_refused() {
    // RFC 5280, 5.2: a list with a critical extension that is not known must not be used to tell who stands
    let place = Place::new();
    let authority = Authority::named("A");
    let authorities = place.authorities(&authority.pem);
    assert!(matches!(place.open(&authorities, &authority.partial_list(1)), Err(RevocationFault::NotUnderstood)));
    assert!(place.open(&authorities, &authority.list(1, &[])).is_ok());
}

#[test]
fn every_client_authority_has_exactly_one_list() {
    // B1; a trap: no CRL configured = everything accepted
    let place = Place::new();
    let (one, two) = (Authority::named("A"), Authority::named("B"));
    let authorities = place.authorities(&format!("{}{}", one.pem, two.pem));
    assert!(matches!(place.open(&authorities, &one.list(1, &[])), Err(RevocationFault::AuthorityWithoutList)));
    let both = format!("{}{}", one.list(1, &[9]), two.list(4, &[]));
    let revocation = place.open(&authorities, &both).unwrap();
    assert_eq!(revocation.revoked(), 1);
    // a serial is the issuer's own: the same one of another authority stands
    assert_eq!(revocation.standing(&certificate(&one, 9), NOW), Err(Distrust::Revoked));
    assert_eq!(revocation.standing(&certificate(&two, 9), NOW), Ok(()));
    assert_eq!(revocation.standing(&certificate(&Authority::named("C"), 1), NOW), Err(Distrust::UnknownIssuer));
    let doubled = format!("{both}{}", one.list(2, &[]));
    assert!(matches!(place.open(&authorities, &doubled), Err(RevocationFault::TwoOfOneAuthority)));
}

#[test]
fn a_new_list_is_taken_over_and_an_older_or_bad_one_is_not() {
    // B1: reloaded without restart
    let place = Place::new();
    let authority = Authority::named("A");
    let authorities = place.authorities(&authority.pem);
    let revocation = place.open(&authorities, &authority.list(255, &[])).unwrap();
    let certificate = certificate(&authority, 300);
    assert_eq!(revocation.standing(&certificate, NOW), Ok(()));
    // 256 is longer than 255 by an octet: numbers are compared as numbers
    place.put_list(&authority.list(256, &[300]));
    revocation.reload(NOW).unwrap();
    assert_eq!(revocation.standing(&certificate, NOW), Err(Distrust::Revoked));
    for (number, verdict) in [(255, true), (1, true), (256, false), (257, false)] {
        place.put_list(&authority.list(number, &[300]));
        assert_eq!(matches!(revocation.reload(NOW), Err(RevocationFault::OlderThanHeld)), verdict, "{number}");
    }
    place.put_list("damaged");
    assert!(revocation.reload(NOW).is_err());
    assert_eq!(revocation.standing(&certificate, NOW), Err(Distrust::Revoked));
}

#[test]
fn a_certificate_that_ends_while_the_connection_is_open_is_noticed() {
    // B1: no request is read from an expired one
    let authority = Authority::named("A");
    let certificate = certificate(&authority, 1);
    assert!(!certificate.has_expired(Instant::of_millis(END * 1000)));
    assert!(certificate.has_expired(Instant::of_millis(END * 1000 + 1000)));
}

#[test]
fn leading_zeros_of_a_serial_do_not_hide_it() {
    // B1: no request is read from a revoked one
    assert_eq!(SerialOfIssuer::of(b"A", &[0, 0x9f]), SerialOfIssuer::of(b"A", &[0x9f]));
    assert_ne!(SerialOfIssuer::of(b"A", &[0x9f]), SerialOfIssuer::of(b"B", &[0x9f]));
}
