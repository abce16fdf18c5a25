//! Request ids: the same `X-Request-ID` with the same body is the same request again, with another body a mistake or an attack.
//!
//! Remembered per session and bounded; the oldest is forgotten first. What to do about a repeated request is `edge`'s business.

use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Ids remembered of one session.
pub(crate) const REMEMBERED: usize = 256;

/// Whether a request id was seen before in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum RequestSeen {
    /// Never, or longer ago than is remembered.
    Fresh,
    /// With the same body.
    Again,
    /// With another body.
    Conflict,
}

/// The ids of one session, oldest first: SHA-256 of the id, SHA-256 of the body.
#[derive(Default)]
pub(crate) struct RequestIds(VecDeque<([u8; 32], [u8; 32])>);

impl RequestIds {
    pub(crate) fn note(&mut self, request: &str, body: &[u8; 32]) -> RequestSeen {
        let id: [u8; 32] = Sha256::digest(request).into();
        if let Some((_, seen)) = self.0.iter().find(|(known, _)| *known == id) {
            return if seen == body { RequestSeen::Again } else { RequestSeen::Conflict };
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((id, *body));
        RequestSeen::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_with_another_body_is_a_conflict() {
        // bad input: "replayed codes and request ids"
        let mut ids = RequestIds::default();
        assert_eq!(ids.note("a", &[1; 32]), RequestSeen::Fresh);
        assert_eq!(ids.note("a", &[1; 32]), RequestSeen::Again);
        assert_eq!(ids.note("a", &[2; 32]), RequestSeen::Conflict);
        assert_eq!(ids.note("b", &[2; 32]), RequestSeen::Fresh);
    }

    #[test]
    fn the_memory_of_request_ids_is_bounded() {
        let mut ids = RequestIds::default();
        for n in 0..1000 {
            assert_eq!(ids.note(&n.to_string(), &[0; 32]), RequestSeen::Fresh);
        }
        assert_eq!(ids.0.len(), REMEMBERED);
        assert_eq!(ids.note("999", &[0; 32]), RequestSeen::Again);
        assert_eq!(ids.note("0", &[0; 32]), RequestSeen::Fresh);
    }
}
