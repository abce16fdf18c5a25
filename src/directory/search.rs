//! Search (rule D3): within the caller's own scope, at most twenty hits, no wildcards.

use crate::budgets::{Places, Wanted};
use crate::entries::{acting, with_outcome};
use crate::refused::Refused;
use crate::watch::{Flag, Looked};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{ChildNumber, DateOfBirth, FamilyName, GivenName, Instant, Postcode, Purpose};
use contactpoint_identity::Caller;
use contactpoint_matching::{answers_to, Sought};
use contactpoint_policy::{self as policy, ChildHit, Moment, Refusal, SearchPermit};
use contactpoint_store::{Snapshot, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most hits that are shown (rule D3).
pub const MOST_HITS: usize = 20;

/// The most records of one key that are opened; beyond, the answer is "too many" without looking.
const MOST_CANDIDATES: u32 = 2000;

/// What is sought: a family name or a child number, with a date of birth or a postcode.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"family_name": "Thornbury", "date_of_birth": "2014-03-09", "reason": "concern"}))]
pub struct SearchRequest {
    /// Family name, compared by sound.
    pub family_name: Option<FamilyName>,
    /// One given name, to narrow.
    pub given_name: Option<GivenName>,
    /// Child number.
    pub child_number: Option<ChildNumber>,
    /// Date of birth.
    pub date_of_birth: Option<DateOfBirth>,
    /// Postcode.
    pub postcode: Option<Postcode>,
    /// Why (rule D2).
    pub reason: Purpose,
}

/// The hits, at most twenty.
#[derive(Serialize, ToSchema)]
pub struct SearchAnswer {
    hits: Vec<ChildHit>,
}

impl Directory {
    /// Searches the caller's scope. Every child listed is in the entry, and so is the one asked for by number, found or not (rule F1).
    pub async fn search(&self, caller: &Caller, request: &SearchRequest, now: Instant) -> Answered<SearchAnswer> {
        let permit = sought(request).and_then(|sought| Ok((policy::search(caller, Moment::of(now), request.reason)?, sought)));
        let children = request.child_number.iter().cloned().collect();
        let blank = Entry { reason: Some(request.reason), children, ..acting(caller, Operation::Search, now) };
        self.watched(caller, blank, move |snapshot, blank| {
            let (permit, sought) = match permit {
                Ok(permitted) => permitted,
                Err(refusal) => return Ok(Looked::plainly(answer(Err(refusal.into()), blank))),
            };
            // INVARIANT: nothing is looked at before there is a place for whatever may be shown: the refusal tells nothing
            let wanted = request.child_number.as_ref().map_or(Wanted::Page, Wanted::Child);
            let places = match self.budgets.take(permit.by(), wanted, now) {
                Ok(places) => places,
                Err(refusal) => return Ok(Looked::over_budget(refusal, blank)),
            };
            let mut flags = Vec::new();
            let found = self.find(snapshot, caller, &permit, request, &sought, &mut flags)?;
            let looked = self.counted(caller, places, found, blank);
            flags.extend(looked.flags);
            Ok(Looked { flags, ..looked })
        })
        .await
    }
}

type Found = Result<Vec<(ChildNumber, ChildHit)>, Refused>;

/// The answer and its entry out of what was found.
fn answer(found: Found, blank: Entry) -> (Result<SearchAnswer, Refused>, Entry) {
    let entry = with_outcome(blank, &found);
    match found {
        Ok(found) => {
            let shown = if found.is_empty() { Vec::new() } else { SearchPermit::SHOWN.to_vec() };
            let mut children = entry.children;
            let mut hits = Vec::with_capacity(found.len());
            for (number, hit) in found {
                if !children.contains(&number) {
                    children.push(number);
                }
                hits.push(hit);
            }
            (Ok(SearchAnswer { hits }), Entry { children, shown, ..entry })
        }
        Err(refused) => (Err(refused), entry),
    }
}

/// Rule D3: a family name or a child number, with a date of birth or a postcode.
fn sought(request: &SearchRequest) -> Result<Sought<'_>, Refusal> {
    let who = request.family_name.is_some() || request.child_number.is_some();
    let narrowed = request.date_of_birth.is_some() || request.postcode.is_some();
    if !(who && narrowed) {
        return Err(Refusal::SearchTooWide);
    }
    Ok(Sought {
        family: request.family_name.as_ref(),
        given: request.given_name.as_ref(),
        date_of_birth: request.date_of_birth,
        postcode: request.postcode.as_ref(),
    })
}

impl Directory {
    /// Counts what was found against the day's ceiling, or as a look without a hit (rules D6, D7).
    fn counted(&self, caller: &Caller, places: Places<'_>, found: Found, blank: Entry) -> Looked<SearchAnswer> {
        let numbers: Vec<_> = found.iter().flatten().map(|(number, _)| number.clone()).collect();
        places.spend(&numbers);
        let is_miss = found.as_ref().is_ok_and(Vec::is_empty);
        let flags = if is_miss { self.missed(caller, blank.at) } else { None };
        // a miss is written as a change whether anything is raised or not: what is written does not tell
        Looked { flags: flags.into_iter().collect(), is_quiet: is_miss, ..Looked::plainly(answer(found, blank)) }
    }

    fn find(
        &self,
        snapshot: &Snapshot<'_>,
        caller: &Caller,
        permit: &SearchPermit,
        request: &SearchRequest,
        sought: &Sought<'_>,
        flags: &mut Vec<Flag>,
    ) -> Result<Found, StoreError> {
        let candidates = match (&request.child_number, sought.key()) {
            (Some(number), _) => snapshot.child(number)?.into_iter().collect(),
            (None, Some(key)) => snapshot.children_in_scope(permit.scope(), &key, MOST_CANDIDATES)?,
            (None, None) => Vec::new(),
        };
        let crowded = candidates.len() as u64 >= u64::from(MOST_CANDIDATES);
        let mut hits = Vec::new();
        for held in candidates.iter().filter(|held| answers_to(&held.record, permit.scope(), sought)) {
            let number = &held.record.number;
            flags.extend(policy::search_flag(caller, permit, &held.record).map(|kind| Flag::once(kind, Some(number.clone()))));
            hits.extend(permit.show(caller, &held.record, self.visible).map(|hit| (held.record.number.clone(), hit)));
        }
        if crowded || hits.len() > MOST_HITS {
            return Ok(Err(Refused::TooManyMatches));
        }
        hits.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Ok(hits))
    }
}
