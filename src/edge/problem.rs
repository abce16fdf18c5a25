//! What a caller is told when there is no answer: RFC 9457 `application/problem+json` with a code from a closed list.
//!
//! For: the list of codes, the one status and title of each, and their written form. Every layer's refusal is mapped here, each variant
//! by name, so that a new one forces a decision. Leaves to others: why something was refused, which is in the log.
//! Does not say: anything that helps an attacker (rule J3) - no value, no member name, no path, no version, no cause.
//!
//! <https://www.rfc-editor.org/rfc/rfc9457>; the same list for readers is docs/problems.md, which a test compares with this one.

use contactpoint_audit::Logged;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident = $code:tt, $status:literal, $title:literal;)+) => {
        /// The closed list of problem codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
        pub enum ProblemCode { $($(#[$doc])* #[serde(rename = $code)] $variant),+ }

        impl ProblemCode {
            /// Every code, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The code as written in answers.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            /// The HTTP status it is answered with (RFC 9110).
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }
            /// One sentence for people; the same for each occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
            /// The problem type: a name, not a page (RFC 9457, 3.1.1).
            const fn urn(self) -> &'static str {
                match self { $(Self::$variant => concat!("urn:contactpoint:problem:", $code)),+ }
            }
        }
    };
}

problems! {
    /// The request is no HTTP, JSON or CSV of the documented shape.
    MalformedRequest = "malformed_request", 400, "The request is not of the documented shape.";
    /// The body has a member or column that the route does not know (rule A3).
    UnknownMember = "unknown_member", 400, "The request has a member that is not known here.";
    /// No session was named, one that never was, or one that began on another certificate.
    NotAuthenticated = "not_authenticated", 401, "Log in first.";
    /// The session was idle for too long, or was ended.
    SessionEnded = "session_ended", 401, "The session has ended. Log in again.";
    /// Name, password and code do not belong together; which of them is not said (rule C6).
    LogInFailed = "log_in_failed", 401, "The log-in failed.";
    /// The client certificate was revoked after the connection began.
    CertificateRevoked = "certificate_revoked", 403, "The client certificate has been revoked.";
    /// The client certificate expired after the connection began.
    CertificateExpired = "certificate_expired", 403, "The client certificate has expired.";
    /// The certificate's key belongs to no enrolled organisation.
    OrganisationNotEnrolled = "organisation_not_enrolled", 403, "The organisation is not enrolled.";
    /// The organisation is suspended (rule B4).
    OrganisationSuspended = "organisation_suspended", 403, "The organisation is suspended.";
    /// The caller's role, organisation or reason does not allow the request.
    Forbidden = "forbidden", 403, "The request is not allowed.";
    /// Nobody vouches for the organisation yet (rule B2).
    NotSponsored = "not_sponsored", 403, "The organisation has no sponsor.";
    /// The organisation is accredited for nothing, or no longer (rule B2).
    NotAccredited = "not_accredited", 403, "The organisation is not accredited.";
    /// The organisation is not accredited for this (rule B2).
    CapabilityMissing = "capability_missing", 403, "The organisation is not accredited for this.";
    /// The organisation's accreditation for this has expired (rule B2).
    AccreditationExpired = "accreditation_expired", 403, "The organisation's accreditation for this has expired.";
    /// The statement of responsibilities in force is not accepted (rule B3).
    ResponsibilitiesPending = "responsibilities_pending", 403, "The organisation has to accept the statement of responsibilities.";
    /// The caller's vetting check is older than three years (rule C1).
    VettingLapsed = "vetting_lapsed", 403, "Your vetting check has lapsed.";
    /// The caller is not registered with the barring scheme (rule C1).
    BarringLapsed = "barring_lapsed", 403, "You are not registered with the barring scheme.";
    /// The caller's training has lapsed (rule C1).
    TrainingLapsed = "training_lapsed", 403, "Your training has lapsed.";
    /// The caller has not signed the agreement in force within a year (rules C1, J5).
    AgreementPending = "agreement_pending", 403, "You have to sign the user agreement.";
    /// The caller has no supervisor (rule C3).
    NoSupervisor = "no_supervisor", 403, "You have no supervisor.";
    /// Nobody does this to their own account (rules C1, C4).
    OwnAccount = "own_account", 403, "Nobody does this to their own account.";
    /// Two different people are needed (rule B2).
    SamePerson = "same_person", 403, "Somebody else has to do this.";
    /// The second factor, asked for anew, is not good, was used, or came too early (rule C2); `retry_after` says when to try again.
    NotConfirmed = "not_confirmed", 403, "The code is not good.";
    /// The day's ceiling of records seen is reached (rule D6); the supervisor is told.
    OverBudget = "over_budget", 403, "The day's ceiling leaves no room for this.";
    /// An alert about an earlier break-glass waits to be judged, for longer than it may (rule D5).
    AlertsOverdue = "alerts_overdue", 403, "An earlier break-glass of yours waits for your supervisor's judgement.";
    /// Nobody judges their own act, nor that of whoever supervises them (rules C3, D5).
    OwnAct = "own_act", 403, "Somebody else has to judge this.";
    /// No line of the note is of a witness that this log's policy knows (rule F2).
    NotAWitness = "not_a_witness", 403, "No line is of a witness that this log asks.";
    /// There is no such child, or not for this caller: never distinguishable.
    NotFoundOrNotYours = "not_found_or_not_yours", 404, "There is no such record, or none that you may see.";
    /// The log's newest signed head does not cover the entry, whether there is one or not; `retry_after` says when to ask again.
    NotYetCovered = "not_yet_covered", 404, "No signed head of the log covers this entry yet.";
    /// No head of the log has the witnesses' quorum yet; `retry_after` says when to ask again (rule F2).
    NotCosigned = "not_cosigned", 404, "No head of the log has the witnesses' quorum yet.";
    /// No policy names witnesses of this log (rule F2).
    NotWitnessed = "not_witnessed", 404, "This log asks no witnesses.";
    /// There is no such address.
    NoSuchRoute = "no_such_route", 404, "There is nothing at this address.";
    /// The address exists, but not for this method.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed at this address.";
    /// The request's body took too long to arrive.
    RequestTimeout = "request_timeout", 408, "The request took too long to arrive.";
    /// The lines do not begin where the feed stands; `next_line` says where it does.
    FeedOutOfStep = "feed_out_of_step", 409, "The lines do not begin where the feed stands.";
    /// The request id was used before, for another request.
    RequestIdReused = "request_id_reused", 409, "The request id was used for another request.";
    /// Another version of the text is in force (rules B3, J5).
    OtherText = "other_text", 409, "Another version of the text is in force.";
    /// Somebody vouches for the organisation already (rule B2).
    AlreadySponsored = "already_sponsored", 409, "Somebody vouches for the organisation already.";
    /// The alert has a judgement, or is none that can be judged so (rule D5); the task of review has an outcome (rule F4).
    AlreadyJudged = "already_judged", 409, "It is judged already, or is none to be judged so.";
    /// No second auditor has approved the evidence yet (rule F5).
    NotApproved = "not_approved", 409, "A second auditor has to approve this first.";
    /// Evidence is approved within seven days, and fetched within seven of that (rule F5).
    EvidenceExpired = "evidence_expired", 409, "The days for this are over. Ask anew.";
    /// What the second auditor says again is not what the first one asked for (rule F5).
    OtherRequest = "other_request", 409, "This is not what was asked for.";
    /// The daemon notes the month's end a quarter of an hour after it, and signs over that; nobody's asking brings it about (rule D5).
    SeedNotFixed = "seed_not_fixed", 409, "The seed of this month's sample is not fixed yet.";
    /// The note that was brought is not of a head that this log signed (rule F2).
    NotOurHead = "not_our_head", 409, "This log signed no such head.";
    /// The body is larger than the route takes.
    BodyTooLarge = "body_too_large", 413, "The body is too large.";
    /// The address is longer than any that exists here.
    UriTooLong = "uri_too_long", 414, "The address is too long.";
    /// The body's media type is not the one that the route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "The body has the wrong media type.";
    /// More records match than may be listed (rule D3).
    TooManyMatches = "too_many_matches", 422, "Too many records match. Say more.";
    /// The search says too little (rule D3).
    SearchTooWide = "search_too_wide", 422, "The search says too little.";
    /// A value is not of its documented form.
    InvalidValue = "invalid_value", 422, "A value is not of its documented form.";
    /// The roles cannot be held by one person, or not in this organisation (rule C4).
    RolesClash = "roles_clash", 422, "These roles cannot be held together here.";
    /// The supervisor would be the person themselves, be supervised by them, or may not supervise (rule C3).
    SupervisorForbidden = "supervisor_forbidden", 422, "This person cannot be the supervisor.";
    /// An accreditation ends after today and within three years, a shield is reviewed within one (rules B2, E1).
    TermForbidden = "term_forbidden", 422, "The day has to be after today, and within three years for an accreditation or one for a shield's review.";
    /// Too few of the scripted questions were answered (rule C5).
    NotVerified = "not_verified", 422, "The caller was not verified by the scripted questions.";
    /// Too many connections or requests of this organisation; `retry_after` says when to try again.
    TooManyRequests = "too_many_requests", 429, "Too many requests. Try again later.";
    /// The request's headers are larger than allowed.
    HeadersTooLarge = "headers_too_large", 431, "The headers are too large.";
    /// A fault of the directory, which is in its log.
    Internal = "internal", 500, "The directory failed to answer.";
    /// The store or the security module does not answer at present.
    Unavailable = "unavailable", 503, "The directory is not available at present.";
    /// Answers wait for the witnesses' quorum, and it is late; `retry_after` says when to ask again (rule F2).
    QuorumLate = "quorum_late", 503, "Answers wait until the log's witnesses have seen it.";
    /// The list of revoked certificates has expired, so no certificate can be trusted (rule B1).
    RevocationListExpired = "revocation_list_expired", 503, "The list of revoked certificates has expired.";
}

/// A problem to be answered: its code, the two facts that some codes carry, and where the log tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// What the caller learns.
    pub code: ProblemCode,
    /// Seconds until another attempt can succeed; also sent as `Retry-After`.
    pub retry_after: Option<u64>,
    /// Where the feed stands, with `feed_out_of_step` only.
    pub next_line: Option<u64>,
    /// The entry that tells of it; in the headers of the answer, not in its body.
    pub entry: Option<Logged>,
}

impl Problem {
    /// A problem that asks to wait for so many seconds (at least one).
    #[must_use]
    pub fn retry_after(code: ProblemCode, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..Self::from(code) }
    }

    /// A feed that stands at another record.
    #[must_use]
    pub fn out_of_step(next_line: u64) -> Self {
        Self { next_line: Some(next_line), ..Self::from(ProblemCode::FeedOutOfStep) }
    }

    /// The same, told of by this entry.
    #[must_use]
    pub fn entered(self, entry: Logged) -> Self {
        Self { entry: Some(entry), ..self }
    }

    /// The members as they are written.
    pub(crate) fn document(&self) -> ProblemDocument {
        let code = self.code;
        ProblemDocument {
            r#type: code.urn(),
            title: code.title(),
            status: code.status(),
            code,
            retry_after: self.retry_after,
            next_line: self.next_line,
        }
    }
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self { code, retry_after: None, next_line: None, entry: None }
    }
}

/// The body of a problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// `urn:contactpoint:problem:` and the code.
    r#type: &'static str,
    /// One sentence for people.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// The code, from the closed list.
    code: ProblemCode,
    /// Seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The record that a feed expects next (1 is the header).
    #[serde(skip_serializing_if = "Option::is_none")]
    next_line: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_documented_with_its_status() {
        // architecture, interfaces: errors are RFC 9457 application/problem+json
        let document = include_str!("../../docs/problems.md");
        for code in ProblemCode::ALL {
            let row = format!("| `{}` | {} |", code.code(), code.status());
            assert!(document.contains(&row), "docs/problems.md lacks: {row}");
        }
        assert_eq!(document.lines().filter(|line| line.starts_with("| `")).count(), ProblemCode::ALL.len());
    }

    #[test]
    fn a_problem_is_written_with_its_code_and_nothing_of_the_request() {
        // J3: errors to a caller are terse
        let written = serde_json::to_value(Problem::retry_after(ProblemCode::LogInFailed, 0).document()).unwrap();
        let expected = serde_json::json!({"type": "urn:contactpoint:problem:log_in_failed", "title": "The log-in failed.",
            "status": 401, "code": "log_in_failed", "retry_after": 1});
        assert_eq!(written, expected);
        let written = serde_json::to_value(Problem::out_of_step(7).document()).unwrap();
        assert_eq!(written["next_line"], 7);
    }

    #[test]
    fn codes_are_unique_and_their_statuses_are_errors() {
        // the edge: a code from a closed list
        for (at, code) in ProblemCode::ALL.iter().enumerate() {
            assert!((400..600).contains(&code.status()));
            assert!(ProblemCode::ALL[at + 1..].iter().all(|other| other.code() != code.code()));
            assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        }
    }
}
