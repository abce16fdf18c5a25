//! nginx over mutual TLS with one small static file: what the look-ups are held against.
//!
//! For: an nginx that has everything its own way: no access log, open files cached, as many workers as cores, connections never ended. TLS as the
//! daemon's: version 1.3 only, a P-256 server key, the same client authority and revocation list, no tickets.

use crate::fault::{in_file, Fault};
use contactpoint_support::Rig;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Bytes of the file.
pub const FILE_BYTES: usize = 600;
const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx; ended on drop.
pub struct Nginx {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// Starts one below `folder` with a certificate of the rig's authority.
    pub fn started(rig: &Rig, folder: &Path) -> Result<Self, Fault> {
        let folder = folder.join("nginx");
        let root = folder.join("root");
        fs::create_dir_all(&root).map_err(in_file(&root))?;
        write(&root.join("file"), &"x".repeat(FILE_BYTES))?;
        write_identity(rig, &folder)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let settings = folder.join("nginx.conf");
        write(&settings, &settings_of(&folder, address))?;
        let mut child = Command::new("nginx");
        child.arg("-e").arg(folder.join("error.log")).arg("-p").arg(&folder).arg("-c").arg(&settings).stdin(Stdio::null());
        let nginx = Self { child: child.spawn()?, address };
        nginx.wait(&folder)?;
        Ok(nginx)
    }

    /// The number of its master process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn wait(&self, folder: &Path) -> Result<(), Fault> {
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(folder.join("error.log")).unwrap_or_default();
                return Err(Fault::Program { program: "nginx", said });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // the workers end with their master, which SIGTERM asks and SIGKILL would not
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// nginx -v.
pub fn version() -> String {
    let said = Command::new("nginx").arg("-v").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stderr).trim().to_owned()).unwrap_or_default();
    said.rsplit(": ").next().unwrap_or_default().to_owned()
}

fn write_identity(rig: &Rig, folder: &Path) -> Result<(), Fault> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let request = rcgen::CertificateParams::default().serialize_request(&key)?.pem()?;
    write(&folder.join("server.pem"), &rig.servers.server(&request, &["127.0.0.1"]))?;
    write(&folder.join("server.key"), &key.serialize_pem())
}

fn settings_of(folder: &Path, address: SocketAddr) -> String {
    let below = |name: &str| PathBuf::from(folder).join(name).display().to_string();
    let tls = folder.parent().unwrap_or(folder).join("configuration/tls");
    let (authority, list) = (tls.join("clients-ca.pem"), tls.join("clients.crl.pem"));
    format!(
        "daemon off;
worker_processes auto;
pid {pid};
error_log {errors} warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    open_file_cache max=10 inactive=600s;
    open_file_cache_valid 600s;
    tcp_nodelay on;
    client_body_temp_path {temporary};
    proxy_temp_path {temporary};
    fastcgi_temp_path {temporary};
    uwsgi_temp_path {temporary};
    scgi_temp_path {temporary};
    server {{
        listen {address} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_verify_client on;
        ssl_client_certificate {authority};
        ssl_crl {list};
        ssl_session_tickets off;
        ssl_session_cache off;
        root {root};
        default_type application/json;
    }}
}}
",
        pid = below("nginx.pid"),
        errors = below("error.log"),
        temporary = below("temporary"),
        certificate = below("server.pem"),
        key = below("server.key"),
        authority = authority.display(),
        list = list.display(),
        root = below("root"),
    )
}

fn write(path: &Path, text: &str) -> Result<(), Fault> {
    fs::write(path, text).map_err(in_file(path))
}
