//! Feeds (rules H1, H5): begun once, sent in pieces of whole records, resumed where they were cut off.

use super::{Handled, Handlers};
use crate::answer::{Answer, Success};
use crate::call::{Asked, Call};
use crate::problem::{Problem, ProblemCode, ProblemDocument};
use contactpoint_audit::Operation;
use contactpoint_directory::{BeginFeed, FeedBegun, FeedReport, FinishFeed, LinesTaken};
use contactpoint_store::FeedId;

/// Begins the feed of a file, or says where it goes on.
#[utoipa::path(post, path = "/v1/feeds", tag = "feeds", request_body = BeginFeed, security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The feed, new or resumed.", body = FeedBegun),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn begin(desk: &Handlers, call: Call<'_>) -> Handled {
    let Asked { caller, request, now } = call.json(&desk.identity, Operation::Feed).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.begin_feed(&caller, request, now.wall).await?))
}

/// Takes in whole records, at most 1,000 and 1 MiB, from where the feed stands.
#[utoipa::path(post, path = "/v1/feeds/{id}/lines", tag = "feeds", request_body(content = String, content_type = "text/csv",
        example = "Thornbury,Amelia,09/03/2014\n"),
    params(("id" = u64, Path), ("first_line" = u32, Query, description = "The first record of the body; the header is 1.")),
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "What became of the records.", body = LinesTaken),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn lines(desk: &Handlers, call: Call<'_>) -> Handled {
    let (feed, first_line) = (feed(&call), call.number("first_line"));
    let Asked { caller, request: body, now } = call.lines(&desk.identity, Operation::Feed).await?;
    let first_line = u32::try_from(first_line?).map_err(|_| ProblemCode::MalformedRequest)?;
    Ok(Answer::settled(Success::Ok, desk.directory.feed_lines(&caller, feed?, first_line, body, now.wall).await?))
}

/// Says what became of a feed so far.
#[utoipa::path(get, path = "/v1/feeds/{id}", tag = "feeds", params(("id" = u64, Path)), security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The report so far.", body = FeedReport),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn report(desk: &Handlers, call: Call<'_>) -> Handled {
    let (feed, now) = (feed(&call), call.now.wall);
    let caller = call.caller(&desk.identity, Operation::Feed).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.feed_report(&caller, feed?, now).await?))
}

/// Says that no record is left.
#[utoipa::path(post, path = "/v1/feeds/{id}/finish", tag = "feeds", params(("id" = u64, Path)), request_body = FinishFeed,
    security(("certificate" = [], "session" = [])),
    responses((status = 200, description = "The whole report.", body = FeedReport),
        (status = "default", description = "Refused; see `code`.", body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn finish(desk: &Handlers, call: Call<'_>) -> Handled {
    let feed = feed(&call);
    let Asked { caller, request, now } = call.json::<FinishFeed>(&desk.identity, Operation::Feed).await?;
    Ok(Answer::settled(Success::Ok, desk.directory.finish_feed(&caller, feed?, request.lines, now.wall).await?))
}

fn feed(call: &Call<'_>) -> Result<FeedId, Problem> {
    i64::try_from(call.id()?).map(FeedId).map_err(|_| ProblemCode::NotFoundOrNotYours.into())
}
