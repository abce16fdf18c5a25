//! The few DER shapes that PKCS#11 and TLS disagree on.
