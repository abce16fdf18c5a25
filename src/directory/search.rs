//! Search (rule D3): within the caller's own scope, at most twenty hits, no wildcards.

use crate::budgets::{Places, Wanted};
use crate::entries::{acting, with_facts, with_outcome};
use crate::refused::Refused;
use crate::sensitive::Shown;
use crate::watch::{Flag, Looked};
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation};
use contactpoint_domain::{AlertKind, ChildNumber, DateOfBirth, Facts, FamilyName, GivenName, Instant, Postcode, Purpose};
use contactpoint_identity::Caller;
use contactpoint_matching::{answers_to, Sought};
use contactpoint_policy::{self as policy, ChildHit, Moment, Refusal, SearchPermit};
use contactpoint_store::{Held, Snapshot, StoreError};
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
        let generation = self.store.registry_generation();
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
            let candidates = self.candidates(snapshot, generation, &permit, request, &sought)?;
            let found = self.find(caller, &permit, &candidates, &sought, &mut flags);
            let looked = self.counted(caller, places, found, blank);
            flags.extend(looked.flags);
            let known = self.facts(caller, &permit, &candidates, &looked.entry.children);
            let entry = with_facts(looked.entry, &known);
            Ok(Looked { flags, entry, ..looked })
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

    fn candidates(
        &self,
        snapshot: &Snapshot<'_>,
        generation: u64,
        permit: &SearchPermit,
        request: &SearchRequest,
        sought: &Sought<'_>,
    ) -> Result<Candidates, StoreError> {
        let (mut held, named) = match (&request.child_number, sought.key()) {
            (Some(number), _) => (snapshot.child(number)?.into_iter().collect(), Vec::new()),
            (None, Some(key)) => {
                let in_scope = snapshot.children_in_scope(permit.scope(), &key, MOST_CANDIDATES)?;
                (in_scope, snapshot.for_named_people_in_scope(permit.scope(), &key)?)
            }
            (None, None) => (Vec::new(), Vec::new()),
        };
        // a record that only named people may know of does not count (rule D8)
        let are_too_many = held.len() as u64 >= u64::from(MOST_CANDIDATES);
        held.extend(named);
        for held in &mut held {
            self.mark_sensitive(snapshot, generation, &mut held.record, Shown::Everything)?;
        }
        Ok(Candidates { held, are_too_many })
    }

    /// What is known of the children that the entry names.
    fn facts(&self, caller: &Caller, permit: &SearchPermit, candidates: &Candidates, named: &[ChildNumber]) -> Vec<(ChildNumber, Facts)> {
        let records = candidates.held.iter().map(|held| &held.record).filter(|record| named.contains(&record.number));
        records.map(|record| (record.number.clone(), policy::search_facts(caller, permit, &self.areas, Some(record)))).collect()
    }

    fn find(&self, caller: &Caller, permit: &SearchPermit, candidates: &Candidates, sought: &Sought<'_>, flags: &mut Vec<Flag>) -> Found {
        let mut hits = Vec::new();
        let mut own_family = None;
        for held in candidates.held.iter().filter(|held| answers_to(&held.record, permit.scope(), sought)) {
            let number = &held.record.number;
            for kind in policy::search_flags(caller, permit, &held.record) {
                let flag = Flag::once(kind, Some(number.clone()));
                if kind == AlertKind::OwnFamily {
                    own_family.get_or_insert(flag);
                } else {
                    flags.push(flag);
                }
            }
            hits.extend(permit.show(caller, &held.record, self.visible).map(|hit| (number.clone(), hit)));
        }
        if candidates.are_too_many || hits.len() > MOST_HITS {
            return Err(Refused::TooManyMatches);
        }
        // one of the family that it lists, after what is told also where nothing is listed
        flags.extend(own_family);
        hits.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(hits)
    }
}

/// What stands under the key that is asked by.
struct Candidates {
    held: Vec<Held>,
    are_too_many: bool,
}
