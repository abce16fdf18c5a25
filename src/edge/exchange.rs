//! From a request's head to its answer: the refusals that need no handler, the deadline, and the one line in the log.
//!
//! For: asking again, for each request, whether the connection's certificate still stands (rule B1: an open connection outlives a new
//! list); sizes of address and headers; finding the route. The log line holds the route's template, status, organisation and time, and
//! never a path, a name or a value (rule G1); refusals at `info`, our faults at `warn`, the rest at `debug`, because every look at a
//! record is in the audit log already. Leaves to others: bodies (`call`), operations (`handlers`).

use crate::answer::Answer;
use crate::call::{Bodies, Call, Coming};
use crate::certificate::PeerCertificate;
use crate::limits::Limits;
use crate::problem::{Problem, ProblemCode};
use crate::revocation::Revocation;
use crate::route::{Route, Side};
use bytes::Bytes;
use contactpoint_domain::OrganisationId;
use contactpoint_identity::{Channel, Now};
use http::request::Parts;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What stands behind the door: the handlers, or in tests of the door itself a stand-in.
pub(crate) trait Desk: Send + Sync + 'static {
    /// Both clocks, read once a request.
    fn now(&self) -> Now;
    /// The organisation of a connection, for its places and its lines in the log.
    fn organisation(&self, channel: &Channel) -> Option<OrganisationId>;
    /// The operation of a route.
    fn answer(&self, call: Call<'_>) -> impl Future<Output = Answer> + Send;
}

/// What is known of a connection for as long as it is open.
pub(crate) struct Peer {
    pub(crate) side: Side,
    pub(crate) channel: Channel,
    pub(crate) organisation: Option<OrganisationId>,
    /// What the certificate says and the lists it is held against; `None` on the control socket, where the peer's credentials count.
    pub(crate) certificate: Option<(PeerCertificate, Arc<Revocation>)>,
    /// Memory for bodies, shared by all connections of a listener.
    pub(crate) bodies: Bodies,
    /// The organisation has as many connections as it may: this one is told so, and closed.
    pub(crate) is_one_too_many: bool,
}

/// Seconds until an organisation with too many connections may try again.
const CONNECTIONS_RETRY: u64 = 5;
/// Bytes and time for which a refused body is still read.
const DISCARDED: usize = 4 << 20;
const DISCARDING: Duration = Duration::from_secs(2);

/// Answers one request and writes its line. The second value says that the connection must end.
pub(crate) async fn exchange<D: Desk>(desk: &D, limits: &Limits, peer: &Peer, request: Request<Incoming>) -> (Response<Full<Bytes>>, bool) {
    let began = Instant::now();
    let version = request.version();
    let (head, body) = request.into_parts();
    let (route, answer) = decide(desk, limits, peer, &head, body).await;
    write_line(route, &answer, peer, began);
    let closes = answer.closes();
    (answer.into_response(version), closes)
}

async fn decide<D: Desk>(desk: &D, limits: &Limits, peer: &Peer, head: &Parts, body: Incoming) -> (Option<Route>, Answer) {
    let now = desk.now();
    if let Err(code) = refuse_early(limits, peer, head, now) {
        return (None, refusal(code));
    }
    let found = match Route::find(peer.side, &head.method, head.uri.path()) {
        Ok(found) => found,
        Err(none) => return (None, Answer::problem(none.code).allowing(none.allow)),
    };
    if head.uri.query().is_some() && found.route != Route::FeedLines {
        return (Some(found.route), Answer::problem(ProblemCode::MalformedRequest));
    }
    let mut coming = Coming { body, is_broken: false };
    let call = Call { head, found, channel: peer.channel, now, limits, body: &mut coming, room: (&peer.bodies, peer.organisation) };
    // the deadline frees the caller, not the operation: what was handed to the store is carried out or not, and its entry says which
    let answered = tokio::time::timeout(limits.body + limits.answer, desk.answer(call)).await;
    let answer = answered.unwrap_or_else(|_| Answer::problem(Problem::retry_after(ProblemCode::Unavailable, CONNECTIONS_RETRY)));
    let answer = if coming.is_broken || answer.code().is_some_and(ends_connection) { answer.closing() } else { answer };
    if head.version <= Version::HTTP_11 && answer.code().is_some_and(|code| code != ProblemCode::RequestTimeout) {
        discard(&mut coming.body).await;
    }
    (Some(found.route), answer)
}

/// Reads on past a refusal, keeping nothing: closing on bytes that are still coming would reset the connection, and the sender would
/// lose the answer that tells it why. Bounded in bytes and in time; HTTP/2 has no need of it.
async fn discard(body: &mut Incoming) {
    if hyper::body::Body::is_end_stream(body) {
        return;
    }
    let reading = async {
        let mut most = DISCARDED;
        while let Some(Ok(frame)) = body.frame().await {
            most = most.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if most == 0 {
                return;
            }
        }
    };
    drop(tokio::time::timeout(DISCARDING, reading).await);
}

fn refuse_early(limits: &Limits, peer: &Peer, head: &Parts, now: Now) -> Result<(), Problem> {
    if let Some((certificate, revocation)) = &peer.certificate {
        revocation.standing(certificate, now.wall)?;
    }
    if peer.is_one_too_many {
        return Err(Problem::retry_after(ProblemCode::TooManyRequests, CONNECTIONS_RETRY));
    }
    if address_bytes(head) > limits.uri_bytes {
        return Err(ProblemCode::UriTooLong.into());
    }
    // 4 octets for ": " and the line's end, as they were sent in HTTP/1.1
    let header_bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if header_bytes > limits.header_bytes {
        return Err(ProblemCode::HeadersTooLarge.into());
    }
    Ok(())
}

fn address_bytes(head: &Parts) -> usize {
    head.uri.path_and_query().map_or(0, |path| path.as_str().len())
}

fn refusal(problem: Problem) -> Answer {
    let answer = Answer::problem(problem);
    if ends_connection(problem.code) {
        answer.closing()
    } else {
        answer
    }
}

/// After these the rest of what the client sends is not worth reading, or must not be read.
fn ends_connection(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::CertificateRevoked
            | ProblemCode::CertificateExpired
            | ProblemCode::TooManyRequests
            | ProblemCode::RequestTimeout
            | ProblemCode::BodyTooLarge
            | ProblemCode::UriTooLong
            | ProblemCode::HeadersTooLarge
    )
}

fn write_line(route: Option<Route>, answer: &Answer, peer: &Peer, began: Instant) {
    let status = answer.status().as_u16();
    let level = match status {
        0..=399 => log::Level::Debug,
        400..=499 => log::Level::Info,
        500.. => log::Level::Warn,
    };
    if !log::log_enabled!(target: "contactpoint::request", level) {
        return;
    }
    let route = route.map_or("-", Route::template);
    let organisation = peer.organisation.map_or(0, |id| id.0);
    let code = answer.code().map_or("-", ProblemCode::code);
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::log!(target: "contactpoint::request", level, route, status, code, organisation, micros; "answered");
}
