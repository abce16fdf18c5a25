//! Knocks at the daemon's door as a stranger: four handshakes without a certificate, and what each came to.
//!
//! For: TLS as it is offered, whatever a configuration says. Leaves to others: judging it (`tls`). Trusts nobody at the other end and
//! sends no request: the server's certificate is looked at and not believed. The one file of the operators' tool that opens a network connection,
//! and only to the machine itself.

use crate::reading::Reading;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::Engine as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the server's word.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the handshakes came to; each a text of lines "version TLSv1_3", "group ...", "handshake Full", "tickets 0", "end ...".
#[derive(Debug, Clone)]
pub struct Door {
    /// Everything of TLS 1.3 offered, no certificate shown.
    pub stranger: Reading,
    /// The same client a second time, with whatever it was given to resume.
    pub again: Reading,
    /// TLS 1.2 alone offered.
    pub only_1_2: Reading,
    /// The group secp384r1 alone offered.
    pub only_p384: Reading,
    /// The server's own certificate, in PEM.
    pub certificate: Reading,
}

impl Door {
    /// Knocks at `address`; a wildcard address is knocked at from the loopback interface.
    #[must_use]
    pub fn knocked_at(address: SocketAddr) -> Self {
        let address = reachable(address);
        let usual = [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
        let stranger = configuration(&usual, &rustls::version::TLS13);
        let first = knock(address, "TLS 1.3 without a certificate", &stranger);
        let certificate = Reading { source: format!("{address}, its certificate"), text: first.certificate };
        Self {
            stranger: first.reading,
            again: knock(address, "TLS 1.3 without a certificate, again", &stranger).reading,
            only_1_2: knock(address, "TLS 1.2 alone", &configuration(&usual, &rustls::version::TLS12)).reading,
            only_p384: knock(address, "secp384r1 alone", &configuration(&[kx_group::SECP384R1], &rustls::version::TLS13)).reading,
            certificate,
        }
    }

    /// There is no door to be found.
    #[must_use]
    pub fn not_found(why: &str) -> Self {
        let unseen = || Reading::unseen("the daemon's listening socket", why);
        Self { stranger: unseen(), again: unseen(), only_1_2: unseen(), only_p384: unseen(), certificate: unseen() }
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        // a socket on [::] takes IPv4 as well where bindv6only is off, Debian's default; where it is on, ::1 is there
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, address.port())
}

struct Knock {
    reading: Reading,
    certificate: Result<String, String>,
}

fn knock(address: SocketAddr, offer: &str, config: &Result<Arc<ClientConfig>, rustls::Error>) -> Knock {
    let source = format!("{address}, {offer}");
    let name = ServerName::IpAddress(address.ip().into());
    let connection = config.clone().and_then(|config| ClientConnection::new(config, name)).map_err(|error| error.to_string());
    let connected = connection.and_then(|tls| connected(address).map(|stream| (tls, stream)).map_err(|error| error.to_string()));
    match connected {
        Ok((mut tls, mut stream)) => {
            let end = until_the_end(&mut tls, &mut stream);
            Knock { reading: Reading::seen(source, told(&tls, &end)), certificate: certificate(&tls) }
        }
        Err(why) => Knock { reading: Reading::unseen(source, why.clone()), certificate: Err(why) },
    }
}

fn connected(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Shakes hands and then only listens: in TLS 1.3 the server's refusal comes after the client is done.
fn until_the_end(tls: &mut ClientConnection, stream: &mut TcpStream) -> String {
    loop {
        match tls.complete_io(stream) {
            Ok((0, 0)) => return "closed".to_owned(),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return "no refusal: the server waits for a request".to_owned()
            }
            Err(error) => return error.get_ref().map_or_else(|| error.to_string(), |inner| inner.to_string()),
        }
        if !tls.wants_read() {
            return "no refusal: the server sends data".to_owned();
        }
    }
}

fn told(tls: &ClientConnection, end: &str) -> String {
    let mut text = String::new();
    if let Some(version) = tls.protocol_version() {
        let _ = writeln!(text, "version {version:?}");
    }
    if let Some(group) = tls.negotiated_key_exchange_group() {
        let _ = writeln!(text, "group {:?}", group.name());
    }
    if let Some(kind) = tls.handshake_kind() {
        let _ = writeln!(text, "handshake {kind:?}");
    }
    let _ = write!(text, "tickets {}\nend {end}", tls.tls13_tickets_received());
    text
}

fn certificate(tls: &ClientConnection) -> Result<String, String> {
    let shown = tls.peer_certificates().and_then(|chain| chain.first()).ok_or("the server showed no certificate")?;
    Ok(format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(shown)))
}

fn configuration(
    groups: &[&'static dyn SupportedKxGroup],
    version: &'static SupportedProtocolVersion,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(CryptoProvider { kx_groups: groups.to_vec(), ..aws_lc_rs::default_provider() });
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[version])?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Looks(provider))).with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(8);
    Ok(Arc::new(config))
}

/// Believes no certificate and refuses none: what is shown is evidence. That the server holds its key is verified.
#[derive(Debug)]
struct Looks(Arc<CryptoProvider>);

impl ServerCertVerifier for Looks {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
