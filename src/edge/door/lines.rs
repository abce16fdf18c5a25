use super::*;
use log::{Log, Metadata, Record};
use std::sync::OnceLock;

/// The lines of this test's own route; other tests run at the same time.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Kept;

struct Written(String);

impl<'kvs> log::kv::VisitSource<'kvs> for Written {
    fn visit_pair(&mut self, key: log::kv::Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        self.0.push_str(&format!(" {key}={value}"));
        Ok(())
    }
}

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &Record<'_>) {
        let mut written = Written(format!("{} {} {}", record.level(), record.target(), record.args()));
        record.key_values().visit(&mut written).unwrap();
        LINES.lock().unwrap().push(written.0);
    }
    fn flush(&self) {}
}

#[tokio::test]
async fn a_requests_line_has_its_template_and_nothing_that_the_caller_wrote() {
    // G1: no log line with a name
    static BEGUN: OnceLock<()> = OnceLock::new();
    BEGUN.get_or_init(|| {
        log::set_logger(&Kept).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
    let rig = Rig::open(limits()).await;
    let mut sender = rig.http1().await;
    let named = Request::get("/log/tile/0").header("host", "SMITH").header("x-request-id", "SMITH").body(Full::default()).unwrap();
    sender.send_request(named).await.unwrap();
    sender.send_request(get("/v1/children/SMITH?name=SMITH")).await.unwrap();
    sender.send_request(post("/v1/session", "[\"SMITH\"]")).await.unwrap();
    let lines = LINES.lock().unwrap().join("\n");
    assert!(
        lines.contains("DEBUG contactpoint::request answered route=/log/tile/{*path} status=200 code=- organisation=1 micros="),
        "{lines}"
    );
    assert!(lines.contains("INFO contactpoint::request answered route=- status=404 code=no_such_route"), "{lines}");
    assert!(lines.contains("route=/v1/session status=400 code=malformed_request"), "{lines}");
    assert!(!lines.contains("SMITH"), "{lines}");
}
