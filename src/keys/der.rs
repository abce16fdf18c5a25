//! The few DER shapes on which PKCS#11 and the world outside disagree (X.690, RFC 3279, RFC 5480).

/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point (RFC 5480 section 2): 26 bytes, then 65.
const P256_SPKI_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;

/// CKA_EC_POINT without its wrapping: PKCS#11 puts the point into a DER OCTET STRING, some modules give it bare. `length` is the bare
/// point's.
pub(crate) fn bare_point(attribute: &[u8], length: u8) -> Option<&[u8]> {
    match attribute {
        [OCTET_STRING, told, point @ ..] if *told == length && point.len() == usize::from(length) => Some(point),
        bare if bare.len() == usize::from(length) => Some(bare),
        _ => None,
    }
}

/// DER SubjectPublicKeyInfo (91 bytes) of an uncompressed P-256 point (65 bytes: 04, x, y).
pub(crate) fn p256_spki(point: &[u8]) -> Option<Vec<u8>> {
    (point.len() == 65 && point.first() == Some(&0x04)).then(|| [P256_SPKI_PREFIX, point].concat())
}

/// ECDSA-Sig-Value (RFC 3279 section 2.2.3) of PKCS#11's r || s, 64 bytes for P-256.
pub(crate) fn ecdsa_signature(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.len() != 64 {
        return None;
    }
    let (r, s) = raw.split_at(32);
    let body = [integer(r), integer(s)].concat();
    // at most 70 bytes, so that a length is one byte
    Some([&[SEQUENCE, body.len() as u8], body.as_slice()].concat())
}

/// A DER INTEGER of an unsigned number of at most 32 bytes: no leading zeros, but one where the first bit would read as a sign.
fn integer(unsigned: &[u8]) -> Vec<u8> {
    let zeros = unsigned.iter().take_while(|byte| **byte == 0).count().min(unsigned.len() - 1);
    let (_, digits) = unsigned.split_at(zeros);
    let sign: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    [&[INTEGER, (sign.len() + digits.len()) as u8], sign, digits].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::DecodePublicKey;

    #[test]
    fn a_point_is_taken_out_of_its_octet_string_or_as_it_is() {
        // PKCS#11: CKA_EC_POINT is a DER octet string; some modules give the bare point
        let wrapped = [&[0x04, 32][..], &[7; 32]].concat();
        assert_eq!(bare_point(&wrapped, 32), Some(&[7; 32][..]));
        assert_eq!(bare_point(&[7; 32], 32), Some(&[7; 32][..]));
        for wrong in [&[][..], &[4], &[4, 32], &[7; 31], &[7; 33], &[7; 34]] {
            assert_eq!(bare_point(wrong, 32), None);
        }
    }

    #[test]
    fn a_signature_is_the_der_that_another_library_writes() {
        // judge: the p256 crate's own encoder, over numbers with leading zeros, high bits and both
        for (r, s) in [([1; 32], [0xff; 32]), ([0x80; 32], [0x7f; 32])] {
            for zeros in [0, 1, 15, 31] {
                let mut raw = [r, s].concat();
                raw[..zeros].fill(0);
                raw[32..32 + zeros].fill(0);
                let Ok(theirs) = p256::ecdsa::Signature::from_slice(&raw) else { continue };
                assert_eq!(ecdsa_signature(&raw).unwrap(), theirs.to_der().as_bytes());
            }
        }
        assert_eq!(ecdsa_signature(&[1; 63]), None);
    }

    #[test]
    fn a_public_key_is_the_spki_that_another_library_reads() {
        // RFC 5480: SubjectPublicKeyInfo
        let secret = p256::ecdsa::SigningKey::from_slice(&[3; 32]).unwrap();
        let point = secret.verifying_key().to_sec1_point(false);
        let spki = p256_spki(point.as_bytes()).unwrap();
        assert_eq!(&p256::ecdsa::VerifyingKey::from_public_key_der(&spki).unwrap(), secret.verifying_key());
        assert_eq!(p256_spki(&[2; 33]), None);
        assert_eq!(p256_spki(&[5; 65]), None);
    }
}
