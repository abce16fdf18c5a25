//! The client's side of mutual TLS: TLS 1.3 only, X25519MLKEM768 first, the server verified against the one authority of the profile.
//!
//! For: a rustls configuration out of PEM. Leaves to others: where the PEM lies (`profile`), the connection. Does not promise: revocation of
//! the server's certificate; its authority is the directory's own and is replaced as a whole.

use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// PEM that makes no TLS identity; correct the profile or ask for the files again.
#[derive(Debug, thiserror::Error)]
pub enum TlsFileError {
    /// No certificate in the authority's file.
    #[error("the server authority's file has no usable certificate")]
    Authority,
    /// No certificate in our own file.
    #[error("the certificate file has no usable certificate")]
    Certificate,
    /// No private key in the key file.
    #[error("the key file has no usable private key")]
    Key,
    /// The key does not belong to the certificate, or TLS refuses one of them.
    #[error("certificate and key do not fit together: {0}")]
    Unfit(rustls::Error),
}

/// The configuration: `authority`, `certificate` (chain, own first) and `key` are PEM.
pub fn configuration(authority: &[u8], certificate: &[u8], key: &[u8]) -> Result<Arc<ClientConfig>, TlsFileError> {
    let chain = certificates(certificate).filter(|chain| !chain.is_empty()).ok_or(TlsFileError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsFileError::Key)?;
    let builder = builder(roots(authority)?)?;
    let mut config = builder.with_client_auth_cert(chain, key).map_err(TlsFileError::Unfit)?;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

/// As [`configuration`], but showing no certificate: what a stranger would send. For tests of the refusal.
pub fn configuration_without_certificate(authority: &[u8]) -> Result<Arc<ClientConfig>, TlsFileError> {
    let mut config = builder(roots(authority)?)?.with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn builder(roots: RootCertStore) -> Result<Builder, TlsFileError> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]).map_err(TlsFileError::Unfit)?;
    Ok(builder.with_root_certificates(roots))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TlsFileError> {
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(certificates(pem).ok_or(TlsFileError::Authority)?);
    if taken == 0 {
        return Err(TlsFileError::Authority);
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn trusting_nobody() -> Arc<ClientConfig> {
        Arc::new(builder(RootCertStore::empty()).unwrap().with_no_client_auth())
    }

    #[test]
    fn tls_1_3_only_with_the_post_quantum_group_first() {
        let config = trusting_nobody();
        assert_eq!(config.crypto_provider().kx_groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    }

    #[test]
    fn pem_without_what_is_needed_is_refused_by_name() {
        assert!(matches!(configuration(b"", b"", b""), Err(TlsFileError::Certificate)));
        assert!(matches!(configuration_without_certificate(b"no pem"), Err(TlsFileError::Authority)));
    }
}
