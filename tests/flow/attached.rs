//! An HSM that is reached over a socket, lived in: SoftHSM behind caml-crush's server (pkcs11proxyd), and caml-crush's client as the module,
//! over a Unix socket and over TCP, under the filter that `[hsm] attachment` names. (p11-kit's server of Debian 12 carries neither Ed25519 nor
//! AES-GCM.)

use crate::borough::programs;
use crate::office::{Office, USUAL};
use contactpoint_support::token::MODULE;
use contactpoint_support::{call, request, Enrolment, Programs, Rig};
use http::Method;
use nix::sys::signal::{killpg, Signal};
use nix::unistd::Pid;
use serde_json::{json, Value};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the HSM's server listens.
enum Socket {
    Unix(PathBuf),
    Tcp(u16),
}

impl Socket {
    fn unix(rig: &Rig) -> Self {
        Self::Unix(rig.folder().join("hsm.sock"))
    }

    /// On a port that the kernel gives to nobody by itself (net.ipv4.ip_local_port_range), since the server comes back to it.
    fn tcp() -> Self {
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        Self::Tcp((20_000..30_000).find(is_free).unwrap())
    }

    /// As pkcs11proxyd's settings name it.
    fn address(&self) -> String {
        match self {
            Self::Unix(path) => format!("type = \"local\"; path = \"{}\";", path.display()),
            Self::Tcp(port) => format!("type = \"internet\"; bind = \"127.0.0.1:{port}\";"),
        }
    }

    /// As its client takes it.
    fn named(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp(port) => format!("127.0.0.1:{port}"),
        }
    }

    /// caml-crush's client for it, below the architecture's folder.
    fn client(&self) -> PathBuf {
        let name = match self {
            Self::Unix(_) => "libp11clientunix.so",
            Self::Tcp(_) => "libp11clienttcp.so",
        };
        let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path().join("caml-crush").join(name));
        folders.into_iter().find(|path| path.exists()).expect("caml-crush-clients: run `make deps`")
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Unix(path) => std::os::unix::net::UnixStream::connect(path).is_ok(),
            Self::Tcp(port) => std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok(),
        }
    }
}

/// pkcs11proxyd over the rig's SoftHSM token; a process of its own for each connection.
struct Server(Child);

impl Server {
    fn started(rig: &Rig, socket: &Socket) -> Self {
        let folder = rig.folder().join("server");
        fs::create_dir_all(&folder).unwrap();
        let (filter, settings) = (folder.join("filter.conf"), folder.join("proxy.conf"));
        fs::write(&filter, FILTER.replace("MODULE", MODULE)).unwrap();
        let text = PROXY.replace("FOLDER", folder.to_str().unwrap()).replace("FILTER", filter.to_str().unwrap());
        fs::write(&settings, text.replace("ADDRESS", &socket.address())).unwrap();
        if let Socket::Unix(path) = socket {
            drop(fs::remove_file(path));
        }
        let mut command = Command::new("pkcs11proxyd");
        command.arg("-fg").arg("-conf").arg(settings).env("SOFTHSM2_CONF", rig.token.configuration()).process_group(0);
        let said = fs::File::create(folder.join("said")).unwrap();
        command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
        let server = Self(command.spawn().expect("caml-crush-server: run `make deps`"));
        let begun = Instant::now();
        while !socket.is_open() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", fs::read_to_string(folder.join("said")).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // with the process of each connection
        let _ = killpg(Pid::from_raw(self.0.id() as i32), Signal::SIGKILL);
        drop(self.0.wait());
    }
}

/// Nothing is filtered.
const FILTER: &str =
    "debug = 0\nmodules = [(\"softhsm\", \"MODULE\")]\nlog_subchannel = filter\nforbidden_mechanisms = [(\"softhsm\", [])]\n";

const PROXY: &str = r#"netplex {
  controller { max_level = "err"; socket_directory = "FOLDER/netplex"; logging { type = "stderr"; }; };
  service {
    name = "hsm"; conn_limit = 1;
    protocol { name = "rpc_pkcs11"; address { ADDRESS }; };
    processor { type = "rpc_pkcs11"; filter_config = "FILTER"; use_ssl = false; };
    workload_manager { type = "dynamic"; max_jobs_per_thread = 1; min_free_jobs_capacity = 1; max_free_jobs_capacity = 1; max_threads = 100; };
  }
}
"#;

/// The module of `attached/client.c`, for this socket.
fn module(rig: &Rig, socket: &Socket) -> PathBuf {
    let built = rig.folder().join("client.so");
    let define = |name: &str, path: &Path| format!("-D{name}=\"{}\"", path.display());
    let mut command = Command::new("cc");
    command.args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]).arg(define("SOFTHSM", Path::new(MODULE)));
    command.arg(define("CLIENT", &socket.client())).arg("-o").arg(&built);
    let made = command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flow/attached/client.c")).output().expect("cc");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    built
}

/// Settings and environment for that module. The ceremony was held at the token itself.
fn attach(rig: &mut Rig, attachment: &str, socket: &Socket) {
    let file = rig.place.configuration().join("contactpointd.toml");
    let mut settings: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
    let hsm = settings["hsm"].as_table_mut().unwrap();
    hsm.insert("module".into(), module(rig, socket).display().to_string().into());
    hsm.insert("attachment".into(), attachment.into());
    hsm.insert("writes".into(), toml::Value::Array(vec![]));
    if let Socket::Tcp(port) = socket {
        hsm.insert("port".into(), i64::from(*port).into());
    }
    fs::write(&file, settings.to_string()).unwrap();
    let script = rig.folder().join("contactpointd");
    let daemon = rig.programs.daemon.display();
    let text = format!("#!/bin/sh\nPKCS11PROXY_SOCKET_PATH={} PKCS11PROXY_LIBNAME=softhsm exec '{daemon}'\n", socket.named());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    rig.programs = Programs { daemon: script, ..rig.programs.clone() };
}

/// What the daemon says of its HSM.
async fn keys_work(rig: &Rig) -> Value {
    rig.control(request(Method::GET, "/v1/status", None, None)).await.json()["keys"].clone()
}

/// Somebody is enrolled, logs in, looks a child up; the HSM's server goes away and comes back.
async fn live_with(attachment: &str, socket: impl FnOnce(&Rig) -> Socket) {
    let mut rig = Rig::prepared(programs(), None);
    let socket = socket(&rig);
    attach(&mut rig, attachment, &socket);
    let server = Server::started(&rig, &socket);
    rig.start();
    let enrolment = Enrolment { name: "Distant School", kind: "school", authority: None, capabilities: &["query"] };
    let office = Office::opened(&rig, &enrolment, USUAL).await;
    let desk = office.practitioner();
    drop(desk.post("/v1/children/search", crate::borough::searched("Nobody", "2014-01-01")).await.expect_status(200));
    drop(desk.get("/log/checkpoint").await.expect_status(200));
    assert_eq!(keys_work(&rig).await, true);

    let mut open = desk.connection();
    let checkpoint = || request(Method::GET, "/log/checkpoint", None, None);
    drop(call(&mut open, checkpoint()).await.unwrap().expect_status(200));
    let code = desk.person.authenticator.code().await;
    drop(server);
    let credentials = json!({"login": desk.person.login, "password": desk.person.password, "code": code});
    drop(call(&mut open, request(Method::POST, "/v1/session", None, Some(&credentials))).await.unwrap().expect_status(503));
    assert!(call(&mut desk.connection(), checkpoint()).await.is_err(), "no handshake without the key");
    assert_eq!(keys_work(&rig).await, false);

    let _server = Server::started(&rig, &socket);
    let _ = rig.stop();
    rig.start();
    drop(desk.get("/log/checkpoint").await.expect_status(200));
    assert_eq!(keys_work(&rig).await, true);
}

#[tokio::test]
async fn an_hsm_behind_a_unix_socket_serves_a_look_up_and_its_loss_is_told() {
    // G2: keys in an HSM, reached as the settings say
    live_with("unix-socket", Socket::unix).await;
}

#[tokio::test]
async fn an_hsm_behind_tcp_serves_a_look_up_and_its_loss_is_told() {
    // G2, B5: the one connection out is the HSM's
    live_with("network", |_| Socket::tcp()).await;
}
