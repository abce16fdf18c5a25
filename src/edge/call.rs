//! One request on its way to its handler: the head is read, the body is not until somebody may send one.
//!
//! For: the parts that handlers ask for - bearer token, request id, number in the path, body - each refused in one way. A body is read
//! only from a proved caller, so that nobody without a session makes the daemon hold a megabyte; the log-in and a witness's note alone are read from others, small. Who
//! asks is proved again when the last byte has come, and a handler gets that [`Caller`] with the body, and no other (rule B4). All bodies
//! together, and those of one organisation, have so much memory: what a body may need is reserved before a byte of it is read.
//! Leaves to others: limits on connections and headers (`exchange`), what a body means (`json`, handlers).

use crate::json;
use crate::limits::Limits;
use crate::places::{Full, Place, Places};
use crate::problem::{Problem, ProblemCode};
use crate::route::{Found, Route};
use bytes::Bytes;
use contactpoint_audit::Operation;
use contactpoint_domain::OrganisationId;
use contactpoint_identity::{Caller, Channel, Identity, Now, RequestSeen};
use http::header::{HeaderName, HeaderValue, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Log-in bodies are three short texts.
const LOG_IN_BYTES: usize = 4096;
/// A head and some eighty cosignatures.
const NOTE_BYTES: usize = 16_384;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Seconds until a body for which there was no memory may be sent again.
const ROOM_RETRY: u64 = 2;

/// Memory for bodies, in bytes; connections whose organisation is not known share one part.
pub(crate) type Bodies = Places<Option<OrganisationId>>;

/// A request whose route is known.
pub(crate) struct Call<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) found: Found<'a>,
    pub(crate) channel: Channel,
    pub(crate) now: Now,
    pub(crate) limits: &'a Limits,
    /// Not yet read; what a handler leaves of it is discarded by `exchange`.
    pub(crate) body: &'a mut Coming,
    /// Where memory for the body comes from, and on whose account.
    pub(crate) room: (&'a Bodies, Option<OrganisationId>),
}

/// A body on its way, and whether it broke off: then nothing after it can be read as a request.
pub(crate) struct Coming {
    pub(crate) body: Incoming,
    pub(crate) is_broken: bool,
}

/// A whole request: what is asked, and who asks as the registry has them after its last byte.
pub(crate) struct Asked<T> {
    pub(crate) caller: Caller,
    pub(crate) request: T,
    /// When the last byte had come.
    pub(crate) now: Now,
}

/// What a body must be.
#[derive(Clone, Copy)]
struct Expected {
    media: &'static str,
    most: usize,
}

impl Call<'_> {
    /// The route's number in braces.
    pub(crate) fn id(&self) -> Result<u64, Problem> {
        self.found.parameter.parse().map_err(|_| ProblemCode::NotFoundOrNotYours.into())
    }

    /// What is the same for everybody is for organisations that are let in (rules B1, B4), and for whoever may open the control socket.
    pub(crate) fn let_in(&self, identity: &Identity) -> Result<(), Problem> {
        match self.channel {
            Channel::Certificate { .. } => Ok(identity.organisation(&self.channel).map(drop)?),
            Channel::Local { .. } => Ok(()),
        }
    }

    /// Who sends this, which has no body (rules B1, B4, C2). Nobody, or somebody who may not come in, is in the log as such (rule F1).
    pub(crate) async fn caller(self, identity: &Identity, operation: Operation) -> Result<Caller, Problem> {
        Ok(identity.caller_for(operation, &self.channel, token(self.head)?, self.now).await?)
    }

    /// A JSON body, and who sends it; with `X-Request-ID`, an id used before for another body is refused.
    pub(crate) async fn json<T: DeserializeOwned>(self, identity: &Identity, operation: Operation) -> Result<Asked<T>, Problem> {
        let expected = Expected { media: "application/json", most: self.limits.json_bytes };
        let Asked { caller, request: body, now } = self.body_from(identity, operation, expected).await?;
        Ok(Asked { caller, request: json::read(&body)?, now })
    }

    /// Feed lines, and who sends them.
    pub(crate) async fn lines(self, identity: &Identity, operation: Operation) -> Result<Asked<Bytes>, Problem> {
        let expected = Expected { media: "text/csv", most: self.limits.lines_bytes };
        self.body_from(identity, operation, expected).await
    }

    /// The body of a log-in: the one that is read from somebody unknown.
    pub(crate) async fn json_of_nobody<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let expected = Expected { media: "application/json", most: LOG_IN_BYTES };
        Ok(json::read(&self.read(expected).await?)?)
    }

    /// A signed note: it is read from any organisation that is let in, since its signatures say whose it is.
    pub(crate) async fn note(self) -> Result<Bytes, Problem> {
        self.read(Expected { media: "text/plain", most: NOTE_BYTES }).await
    }

    /// The one query parameter of a route that has one: a decimal number.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Problem> {
        let query = self.head.uri.query().and_then(|query| query.strip_prefix(name)).and_then(|rest| rest.strip_prefix('='));
        let digits = query.filter(|value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|value| value.parse().ok()).ok_or_else(|| ProblemCode::MalformedRequest.into())
    }

    async fn body_from(self, identity: &Identity, operation: Operation, expected: Expected) -> Result<Asked<Bytes>, Problem> {
        let (head, address, channel) = (self.head, self.found, self.channel);
        let token = token(head)?;
        // for nobody, and for nobody who may not come in, is a byte of the body read
        drop(identity.caller_for(operation, &channel, token, self.now).await?);
        let id = request_id(one(head, &REQUEST_ID)?)?;
        let body = self.read(expected).await?;
        // INVARIANT: a body may take its time to come, so what the registry said before it counts for nothing (rule B4)
        let now = identity.now();
        let caller = identity.caller_for(operation, &channel, token, now).await?;
        match id.map(|id| identity.note_request(&caller, id, &digest_of(address, &body))) {
            // a repetition is carried out again: every operation is either a look or refuses to happen twice by itself
            None | Some(RequestSeen::Fresh | RequestSeen::Again) => Ok(Asked { caller, request: body, now }),
            Some(RequestSeen::Conflict) => Err(ProblemCode::RequestIdReused.into()),
        }
    }

    async fn read(self, expected: Expected) -> Result<Bytes, Problem> {
        refuse_media(self.head, expected.media)?;
        let most = stated_length(self.head, expected.most)?;
        let (bodies, organisation) = self.room;
        let place = bodies.take(organisation, most).map_err(no_room)?;
        let gathered = tokio::time::timeout(self.limits.body, gather(&mut self.body.body, most)).await;
        let bytes = gathered.unwrap_or(Err(ProblemCode::RequestTimeout));
        self.body.is_broken = matches!(bytes, Err(ProblemCode::MalformedRequest));
        Ok(Bytes::from_owner(Held { bytes: bytes?, _place: place }))
    }
}

/// A body and its share of the memory for bodies: given back when the last part of the body is dropped, wherever it went.
struct Held {
    bytes: Vec<u8>,
    _place: Place<Option<OrganisationId>>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// One piece of memory, however many frames the body comes in: a frame of one byte must not cost more than a byte.
async fn gather(body: &mut Incoming, most: usize) -> Result<Vec<u8>, ProblemCode> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ProblemCode::MalformedRequest)?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        if data.len() > most - bytes.len() {
            return Err(ProblemCode::BodyTooLarge);
        }
        bytes.extend_from_slice(data);
    }
    Ok(bytes)
}

fn no_room(full: Full) -> Problem {
    let code = match full {
        Full::OfOne => ProblemCode::TooManyRequests,
        Full::InAll => ProblemCode::Unavailable,
    };
    Problem::retry_after(code, ROOM_RETRY)
}

/// A header that may be there once.
fn one<'a>(head: &'a Parts, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = head.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(ProblemCode::MalformedRequest.into()),
    }
}

/// The session's token; what is no bearer token is as good as none.
fn token(head: &Parts) -> Result<&str, Problem> {
    Ok(bearer(one(head, &AUTHORIZATION)?).unwrap_or_default())
}

/// RFC 6750, 2.1; the scheme in any case (RFC 9110, 11.1).
fn bearer(value: Option<&HeaderValue>) -> Option<&str> {
    let (scheme, token) = value?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn request_id(value: Option<&HeaderValue>) -> Result<Option<&str>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let allowed = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    value.to_str().ok().filter(allowed).map(Some).ok_or_else(|| ProblemCode::MalformedRequest.into())
}

/// SHA-256 over the address and the body: the same id at another address is another request.
fn digest_of(address: Found<'_>, body: &[u8]) -> [u8; 32] {
    let Found { route, parameter } = address;
    let mut digest = Sha256::new();
    for part in [Route::template(route).as_bytes(), route.method().as_str().as_bytes(), parameter.as_bytes()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(body);
    digest.finalize().into()
}

/// The media type without its parameters; UTF-8 is the only charset, and nothing is unpacked.
fn refuse_media(head: &Parts, media: &str) -> Result<(), Problem> {
    let stated = one(head, &CONTENT_TYPE)?.and_then(|value| value.to_str().ok()).unwrap_or("");
    let (essence, parameters) = stated.split_once(';').unwrap_or((stated, ""));
    let charset = parameters.trim();
    let plain = charset.is_empty() || charset.eq_ignore_ascii_case("charset=utf-8");
    if essence.trim().eq_ignore_ascii_case(media) && plain && !head.headers.contains_key(CONTENT_ENCODING) {
        Ok(())
    } else {
        Err(ProblemCode::UnsupportedMediaType.into())
    }
}

/// How long the body is at most: as it says, or as it may be where it does not say. Refuses what says too much, before a byte of it is read.
fn stated_length(head: &Parts, most: usize) -> Result<usize, Problem> {
    let stated = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    match stated {
        Some(length) if length > most as u64 => Err(ProblemCode::BodyTooLarge.into()),
        Some(length) => Ok(usize::try_from(length).unwrap_or(most)),
        None => Ok(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> Parts {
        let request = fields.iter().fold(http::Request::builder(), |builder, (name, value)| builder.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_header_that_decides_may_be_there_once() {
        // bad input: malformed HTTP
        let two = head(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
        assert_eq!(one(&two, &AUTHORIZATION).unwrap_err().code, ProblemCode::MalformedRequest);
    }

    #[test]
    fn a_token_is_read_from_a_bearer_header_alone() {
        // C2: a session is bound to the client certificate it began on; the token comes in a header, never in an address
        let read = |value: &'static str| bearer(one(&head(&[("authorization", value)]), &AUTHORIZATION).unwrap()).map(str::to_owned);
        assert_eq!(read("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(read("bearer abc"), Some("abc".to_owned()));
        assert_eq!(read("Basic abc"), None);
        assert_eq!(read("abc"), None);
    }

    #[test]
    fn media_types_and_lengths_are_refused_before_the_body_is_read() {
        // bad input: oversize
        let media = |value: &'static str| refuse_media(&head(&[("content-type", value)]), "application/json").is_ok();
        assert!(media("application/json") && media("Application/JSON; charset=UTF-8"));
        assert!(!media("text/plain") && !media("application/json; charset=latin1") && !media("application/jsonp") && !media(""));
        assert!(refuse_media(&head(&[("content-type", "application/json"), ("content-encoding", "gzip")]), "application/json").is_err());
        assert_eq!(stated_length(&head(&[("content-length", "11")]), 10).unwrap_err().code, ProblemCode::BodyTooLarge);
        assert_eq!(stated_length(&head(&[("content-length", "9")]), 10), Ok(9));
        assert_eq!(stated_length(&head(&[]), 10), Ok(10));
    }

    #[test]
    fn a_request_id_is_of_a_small_alphabet() {
        // architecture, interfaces: X-Request-ID makes a retry the same request
        let read = |value: &'static str| request_id(one(&head(&[("x-request-id", value)]), &REQUEST_ID).unwrap()).is_ok();
        assert!(read("0b4a7d10-3f2e-4a53-9d8e-1f2f3a4b5c6d"));
        assert!(!read("") && !read("a b") && !read("a_b"));
    }
}
