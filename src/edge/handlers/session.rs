//! Logging in and out (rules C2, C6, J5).

use super::{Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::Call;
use crate::problem::ProblemDocument;
use contactpoint_audit::Operation;
use contactpoint_domain::{Name, OrganisationId, OrganisationKind, OrganisationName, PersonId, Role};
use contactpoint_identity::SessionTicket;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What everybody is reminded of at log-in (rule J5).
const DUTIES: &str = "Look only at children you work with, state the true reason, and tell nobody outside your work. \
    Every look is recorded under your name and reviewed. Misuse ends access and may be a crime.";

/// Two factors.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"login": "i.sato", "password": "fog-latch-oboe-quill", "code": "492817"}))]
pub(crate) struct LogInRequest {
    /// Log-in name.
    login: String,
    /// Password.
    #[schema(format = Password)]
    password: String,
    /// The six digits that the authenticator shows now; each works once.
    code: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogInAnswer {
    /// For `Authorization: Bearer`; on this certificate only.
    token: String,
    /// Seconds without a request after which the session ends.
    idle_seconds: u64,
    person: LoggedIn,
    organisation: LoggedInAt,
    /// What everybody is reminded of.
    duties: &'static str,
}

#[derive(Serialize, ToSchema)]
struct LoggedIn {
    id: PersonId,
    name: Name,
    roles: Vec<Role>,
}

#[derive(Serialize, ToSchema)]
struct LoggedInAt {
    id: OrganisationId,
    name: OrganisationName,
    kind: OrganisationKind,
}

impl From<SessionTicket> for LogInAnswer {
    fn from(ticket: SessionTicket) -> Self {
        let token = ticket.expose_token().to_owned();
        let organisation =
            LoggedInAt { id: ticket.organisation.id, name: ticket.organisation.name.clone(), kind: ticket.organisation.kind };
        let person = LoggedIn { id: ticket.person, name: ticket.name, roles: ticket.roles };
        Self { token, idle_seconds: ticket.idle.as_secs(), person, organisation, duties: DUTIES }
    }
}

/// Begins a session: password and one-time code.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = LogInRequest, security(("certificate" = [])),
    responses((status = 201, description = "The session.", body = LogInAnswer),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn log_in(desk: &Handlers, call: Call<'_>) -> Handled {
    let (channel, now) = (call.channel, call.now);
    // from a suspended organisation not even the attempt is read
    desk.identity.may_try(&channel, now).await??;
    let LogInRequest { login, password, code } = call.json_of_nobody().await?;
    let tried = desk.identity.log_in(&channel, &login, password.as_bytes(), &code, desk.identity.now()).await?;
    Ok(Answer::settled(Success::Created, tried.map(|result| result.map(LogInAnswer::from))))
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session", security(("certificate" = [], "session" = [])),
    responses((status = 204, description = "The session has ended."),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn log_out(desk: &Handlers, call: Call<'_>) -> Handled {
    let now = call.now;
    let caller = call.caller(&desk.identity, Operation::LogOut).await?;
    Ok(Answer::done(desk.identity.log_out(&caller, now).await?))
}
