//! How much of each thing a client may have: connections, bytes, seconds, streams.
//!
//! For: the figures in one place, each with what happens beyond it. Leaves to others: their names and defaults in the settings file
//! (`settings`; those that are no setting stand here), and counting (`places`, `connection`, `exchange`, `call`).

use contactpoint_settings::Settings;
use std::time::Duration;

/// Memory for bodies, in bytes; one organisation may have a quarter of it.
const BODIES: usize = 64 << 20;

/// The limits of one listener. `Default` is what the shipped settings say, and beside them what is no setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all, after their handshake; beyond it a connection is closed before a byte of it is read. Unfinished handshakes have
    /// places of their own: half as many, and a tenth as many from one address; beyond either they are closed unread.
    pub connections: usize,
    /// Connections of one organisation; beyond it `too_many_requests` and the connection closes.
    pub connections_per_organisation: usize,
    /// Threads that do nothing but handshakes, so that a slow HSM stalls handshakes only.
    pub handshake_threads: usize,
    /// From the first packet to the end of the handshake; beyond it the connection is closed.
    pub handshake: Duration,
    /// From the first byte of a request to the end of its headers; beyond it (looked at as often) the connection is closed.
    pub headers: Duration,
    /// From the end of the headers to the end of the body; beyond it `request_timeout` and the connection closes.
    pub body: Duration,
    /// From the end of the body to the answer; beyond it `unavailable`.
    pub answer: Duration,
    /// Between two requests; beyond it the connection is closed.
    pub idle: Duration,
    /// Bytes of all header fields of a request; beyond it `headers_too_large`.
    pub header_bytes: usize,
    /// Bytes of a request's address; beyond it `uri_too_long`.
    pub uri_bytes: usize,
    /// Bytes of a JSON body; beyond it `body_too_large`.
    pub json_bytes: usize,
    /// Bytes of a body of feed lines; beyond it `body_too_large`.
    pub lines_bytes: usize,
    /// Bytes of all bodies on their way or at work; beyond it `unavailable`, before a byte of the body is read.
    pub bodies: usize,
    /// The same of one organisation; beyond it `too_many_requests`.
    pub bodies_per_organisation: usize,
    /// Requests at once on one HTTP/2 connection; at most 64.
    pub streams: u32,
    /// For open requests to finish once a stop was asked for.
    pub stop: Duration,
    /// Between two looks at the list of revoked certificates.
    pub reload: Duration,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        let limits = &settings.limits;
        Self {
            connections: limits.connections_total.count(),
            connections_per_organisation: limits.connections_per_organisation.count(),
            handshake_threads: 2,
            handshake: limits.handshake_seconds.seconds(),
            headers: limits.header_seconds.seconds(),
            body: limits.body_seconds.seconds(),
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            header_bytes: limits.header_bytes.count(),
            uri_bytes: 512,
            json_bytes: limits.body_bytes.count(),
            lines_bytes: limits.feed_body_bytes.count(),
            bodies: BODIES.max(4 * limits.feed_body_bytes.count()),
            bodies_per_organisation: (BODIES / 4).max(limits.feed_body_bytes.count()),
            streams: 64,
            stop: Duration::from_secs(10),
            reload: settings.tls.reload_seconds.seconds(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&Settings::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_default_is_what_the_shipped_settings_say() {
        // each key is shipped with its default
        let shipped = Settings::load(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").as_path()).unwrap();
        assert_eq!(Limits::default(), Limits::from(&shipped));
    }
}
