//! Shields, audiences, quarantine and the end of work with a child (rules D1, D8, E1, E4).
//!
//! Each decides on the record as its transaction finds it and writes one entry, refused or not. A record whose statements were settled to be
//! another's is as if it were not there. Nothing here lists anything: whoever decides names the child by its number.

use crate::connect::{still, OrganisationStanding};
use crate::entries::{acting, with_outcome};
use crate::quarantine::{hold_others, Others};
use crate::refused::Refused;
use crate::watch::raise_once;
use crate::{Answered, Directory};
use contactpoint_audit::{Entry, Operation, Outcome, RefusalCode};
use contactpoint_domain::{
    AccountState, AlertId, AlertKind, Audience, ChildNumber, ChildRecord, Day, Disposition, HeldFor, Instant, Judgement, OrganisationId,
    PersonId, Role, Shield, ShieldReason,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{self as policy, About, By, Keepers, Moment, Refusal, State};
use contactpoint_store::{Account, Committed, Held, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most people that an audience names.
const MOST_PEOPLE: usize = 200;

/// Alerts that are looked through at a time.
const ALERTS_AT_A_TIME: u32 = 256;

/// The child to be shielded, or whose shield is to have another reason or day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShieldChild {
    /// The child's number.
    pub child_number: ChildNumber,
    /// risk-of-harm, domestic-violence, adoption, witness-protection, court-order.
    pub reason: ShieldReason,
    /// By when the authority decides anew, within a year. A shield does not fall by itself.
    pub review: Day,
}

/// The child whose shield is to be lifted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnshieldChild {
    /// The child's number.
    pub child_number: ChildNumber,
    /// A fresh one-time code.
    pub code: String,
}

/// Who alone may know that there is a record of a child.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAudience {
    /// The child's number.
    pub child_number: ChildNumber,
    /// Who; to let everybody know takes a word of its own.
    pub audience: AudienceWanted,
    /// A fresh one-time code.
    pub code: String,
}

/// Who may know of a record: `"everybody"`, or `{"people": [14, 31]}`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AudienceWanted {
    /// Everybody who may otherwise.
    Everybody,
    /// Their numbers, at most 200, a shielding officer of the authority among them.
    People(Vec<PersonId>),
}

/// Which child a record in quarantine is of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleRecord {
    /// The number of the record in quarantine.
    pub child_number: ChildNumber,
    /// The child that it is of; absent: a child of its own.
    pub child: Option<ChildNumber>,
    /// A child of its own is shielded from the start.
    pub shield: Option<ShieldTerms>,
}

/// Why a child is shielded, and for how long before the authority decides anew.
#[derive(Deserialize, ToSchema, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub struct ShieldTerms {
    /// As in `ShieldChild`.
    pub reason: ShieldReason,
    /// As in `ShieldChild`.
    pub review: Day,
}

/// The child with whom the caller's organisation works no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndInvolvement {
    /// The child's number.
    pub child_number: ChildNumber,
}

/// Whether new records of the authority's area wait for its officer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldNew {
    /// They do.
    pub hold: bool,
}

/// What is set of a record now: nothing that anybody said of the child.
#[derive(Serialize, ToSchema)]
pub struct ShieldStanding {
    child_number: ChildNumber,
    shielded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ShieldReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<Day>,
    /// The only people who may know of the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<Vec<PersonId>>,
}

impl ShieldStanding {
    fn of(record: &ChildRecord) -> Self {
        Self {
            child_number: record.number.clone(),
            shielded: record.shield.is_some(),
            reason: record.shield.as_ref().map(|shield| shield.reason),
            review: record.shield.as_ref().map(|shield| shield.review),
            people: record.audience.as_ref().map(|audience| audience.people.clone()),
        }
    }
}

/// The child of which the caller's organisation is no contact any more.
#[derive(Serialize, ToSchema)]
pub struct InvolvementEnded {
    child_number: ChildNumber,
    ended: Day,
}

impl Directory {
    /// Shields a child of the caller's authority, or sets another reason and day of review (rule E1).
    pub async fn shield(&self, caller: &Caller, request: ShieldChild, now: Instant) -> Answered<ShieldStanding> {
        let (number, due) = (request.child_number.clone(), self.due(now));
        let numbers = [request.child_number.clone()];
        let shielded = self.change_child(caller, Operation::Shield, &numbers, now, move |transaction, by, [held], others| {
            let permit = policy::shield(by, Moment::of(now), record(held.as_ref()), request.reason, request.review)?;
            let shield = Shield { reason: permit.reason(), review: permit.review(), by: permit.by().person, at: now };
            // whom the authority settled to be others when the shield was set are not asked about again when it is renewed
            let new = record(held.as_ref()).filter(|record| record.shield.is_none());
            let held_back = hold_others(transaction, new, now, due, others)?;
            Ok((put(transaction, held, |record| record.shield = Some(shield))?, held_back))
        });
        self.with_rest(caller, Operation::Shield, number, now, shielded.await?).await
    }

    /// Holds back the rest of the others that may be a child who was hidden just now, where they were too many for one change.
    async fn with_rest(
        &self,
        caller: &Caller,
        operation: Operation,
        number: ChildNumber,
        now: Instant,
        hidden: Committed<Result<(ShieldStanding, Others), Refused>>,
    ) -> Answered<ShieldStanding> {
        if let Ok((_, Others::Full)) = hidden.get() {
            self.hold_rest(acting(caller, operation, now), number, now).await?;
        }
        Ok(hidden.map(|hidden| hidden.map(|(standing, _)| standing)))
    }

    /// Lifts the shield of a child of the caller's authority (rule E1). `proof`: what came of their code; where it was refused, the entry says for
    /// which child they tried (rule F1).
    pub async fn unshield(
        &self,
        caller: &Caller,
        number: ChildNumber,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<ShieldStanding> {
        self.change_child(caller, Operation::Unshield, &[number], now, move |transaction, by, [held], _| {
            let _permit = policy::unshield(by, Moment::of(now), record(held.as_ref()), proof?)?;
            put(transaction, held, |record| record.shield = None)
        })
        .await
    }

    /// Names the only people who may know of a record, or lets everybody know again who may otherwise (rule D8). `proof`: as in
    /// `unshield`.
    pub async fn set_audience(
        &self,
        caller: &Caller,
        number: ChildNumber,
        wanted: AudienceWanted,
        proof: Result<Confirmed, Refusal>,
        now: Instant,
    ) -> Answered<ShieldStanding> {
        let due = self.due(now);
        let numbers = [number.clone()];
        let set = self.change_child(caller, Operation::SetAudience, &numbers, now, move |transaction, by, [held], others| {
            let proof = proof?;
            let keepers = keepers(transaction, record(held.as_ref()))?;
            let permit = policy::set_audience(by, Moment::of(now), record(held.as_ref()), keepers, proof)?;
            let (audience, held_back) = match wanted {
                AudienceWanted::Everybody => (None, Others::All),
                AudienceWanted::People(people) => {
                    let people = named(transaction, permit.by().organisation, people)?;
                    let new = record(held.as_ref()).filter(|record| record.audience.is_none());
                    let held_back = hold_others(transaction, new, now, due, others)?;
                    (Some(Audience { people, by: permit.by().person, at: now }), held_back)
                }
            };
            Ok((put(transaction, held, |record| record.audience = audience)?, held_back))
        });
        self.with_rest(caller, Operation::SetAudience, number, now, set.await?).await
    }

    /// Says which child a record in quarantine is of (rule E4). Its statements go to the child that was named, whose shield stays; or it becomes
    /// a child of its own, shielded from the start where that is asked.
    pub async fn settle(&self, caller: &Caller, request: SettleRecord, now: Instant) -> Answered<ShieldStanding> {
        let SettleRecord { child_number, child, shield } = request;
        match child {
            Some(child) => {
                self.change_child(caller, Operation::SettleRecord, &[child_number, child], now, move |transaction, by, [held, child], _| {
                    // a child that is not on record is none that the record could be of
                    let child = child.ok_or(Refusal::OutsideScope)?;
                    let permit = policy::settle(by, Moment::of(now), record(held.as_ref()), Some(&child.record))?;
                    join(transaction, &permit.by(), held, &child, now)
                })
                .await
            }
            None => {
                self.change_child(caller, Operation::SettleRecord, &[child_number], now, move |transaction, by, [held], _| {
                    let permit = policy::settle(by, Moment::of(now), record(held.as_ref()), None)?;
                    let mut released = released(transaction, held.as_ref())?;
                    if let Some(ShieldTerms { reason, review }) = shield {
                        let permit = policy::shield(by, Moment::of(now), Some(&released), reason, review)?;
                        released.shield =
                            Some(Shield { reason: permit.reason(), review: permit.review(), by: permit.by().person, at: now });
                    }
                    close_alert(transaction, &permit.by(), &released.number, now)?;
                    put(transaction, held, |record| *record = released)
                })
                .await
            }
        }
    }

    /// Says that the caller's organisation works with a child no more: out of its scope from the next request on (rule D1).
    pub async fn end_involvement(&self, caller: &Caller, request: EndInvolvement, now: Instant) -> Answered<InvolvementEnded> {
        self.change_child(caller, Operation::EndInvolvement, &[request.child_number], now, move |transaction, by, [held], _| {
            let permit = policy::end_involvement(by, Moment::of(now), record(held.as_ref()))?;
            let source = permit.by().organisation;
            let standing = put(transaction, held, |record| {
                for statement in record.statements.iter_mut().filter(|statement| statement.provenance.source == source) {
                    statement.involvement.ended = Some(now);
                }
            })?;
            Ok(InvolvementEnded { child_number: standing.child_number, ended: now.day() })
        })
        .await
    }

    /// Has new records of the caller's area wait for its officer, or no longer (rule E4).
    pub async fn hold_new(&self, caller: &Caller, request: &HoldNew, now: Instant) -> Answered<OrganisationStanding> {
        let hold = request.hold;
        self.change_organisation(caller, Operation::HoldNew, caller.organisation_id(), now, move |_, caller, organisation| {
            organisation.holds_new = policy::hold_new(caller, Moment::of(now), hold)?.hold();
            Ok(())
        })
        .await
    }

    /// One change of the records under these numbers. What is decided is decided in the transaction, of the caller as they are then; the entry names every number, and those of
    /// other records that it held back. Who asks for a record that only others may know of is told what they are told of one that is not there,
    /// and their supervisor is told of it (rules D7, D8).
    async fn change_child<T: Send + 'static, const N: usize>(
        &self,
        caller: &Caller,
        operation: Operation,
        numbers: &[ChildNumber; N],
        now: Instant,
        change: impl FnOnce(&mut Transaction<'_>, &Caller, [Option<Held>; N], &mut Vec<ChildNumber>) -> Result<T, Why> + Send + 'static,
    ) -> Answered<T> {
        let mut blank = Entry { children: numbers.to_vec(), ..acting(caller, operation, now) };
        // who may not ask at all is told so before anything is looked for
        if let Err(refusal) = policy::admit(caller, operation, Moment::of(now)) {
            return self.refuse(blank, refusal.into()).await;
        }
        let (by, numbers, due) = (caller.clone(), numbers.clone(), self.due(now));
        self.store
            .change(move |transaction| {
                let by = match still(transaction, &by)? {
                    Ok(by) => by,
                    Err(refused) => return Ok((Err(refused.clone()), with_outcome(blank, &Err::<(), _>(refused)))),
                };
                let mut held = [const { None }; N];
                let mut for_others = Vec::new();
                for (held, number) in held.iter_mut().zip(&numbers) {
                    *held = transaction.child(number)?.filter(|held| !held.record.statements.is_empty());
                    if State::of(record(held.as_ref()), by.person()) == State::ForOthers {
                        for_others.push(number.clone());
                    }
                }
                let is_on_record = held.iter().all(Option::is_some);
                match change(transaction, &by, held, &mut blank.children) {
                    Ok(done) => Ok((Ok(done), Entry { outcome: Outcome::Answered, ..blank })),
                    // the log tells a child of another authority from one that is not on record; the caller is not told
                    Err(Why::Policy(Refusal::OutsideScope)) if !is_on_record => {
                        Ok((Err(Refused::NotFoundOrNotYours), Entry { outcome: Outcome::NotFound, ..blank }))
                    }
                    Err(Why::Policy(refusal)) => {
                        if refusal == Refusal::NotOfAudience {
                            for child in for_others {
                                let about = About { kind: AlertKind::SmallAudience, child: Some(child), reason: None };
                                raise_once(transaction, &policy::alert(&by, Moment::of(now), about, due))?;
                            }
                        }
                        Ok((Err(refusal.into()), Entry { outcome: Outcome::Refused(RefusalCode::from(refusal)), ..blank }))
                    }
                    Err(Why::Refused(refused)) => {
                        let outcome = refused.outcome();
                        Ok((Err(refused), Entry { outcome, ..blank }))
                    }
                    Err(Why::Store(fault)) => Err(fault),
                }
            })
            .await
    }
}

/// Why a change did not come about.
enum Why {
    Policy(Refusal),
    Refused(Refused),
    Store(StoreError),
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        Self::Policy(refusal)
    }
}

impl From<Refused> for Why {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for Why {
    fn from(fault: StoreError) -> Self {
        Self::Store(fault)
    }
}

fn record(held: Option<&Held>) -> Option<&ChildRecord> {
    held.map(|held| &held.record)
}

/// Puts the record's next state, and says how it stands then. No permit is for a record that is not there.
fn put(transaction: &mut Transaction<'_>, held: Option<Held>, change: impl FnOnce(&mut ChildRecord)) -> Result<ShieldStanding, Why> {
    let held = held.ok_or(Refusal::OutsideScope)?;
    let mut next = held.record.clone();
    change(&mut next);
    transaction.put_child(&held, &next)?;
    Ok(ShieldStanding::of(&next))
}

/// These people, each once, all of whom there are, and one of whom decides on the record from now on. An audience without such a one would hide
/// it from whoever could say so.
fn named(transaction: &Transaction<'_>, authority: OrganisationId, mut people: Vec<PersonId>) -> Result<Vec<PersonId>, Why> {
    people.sort_unstable();
    people.dedup();
    let mut is_known = people.len() <= MOST_PEOPLE;
    let mut is_kept = false;
    for person in people.iter().take(MOST_PEOPLE) {
        let account = transaction.account(*person)?;
        is_known &= account.is_some();
        is_kept |= account.is_some_and(|account| decides_for(&account, authority));
    }
    if is_known && is_kept {
        Ok(people)
    } else {
        Err(Refused::Unknown("person").into())
    }
}

/// Who of those that may know of a record can still decide on it (rule D8).
fn keepers(transaction: &Transaction<'_>, record: Option<&ChildRecord>) -> Result<Keepers, StoreError> {
    let named = record.and_then(|record| record.audience.as_ref().map(|audience| (record.authority, &audience.people)));
    let Some((authority, people)) = named else { return Ok(Keepers::Some) };
    for person in people {
        if transaction.account(*person)?.is_some_and(|account| decides_for(&account, authority)) {
            return Ok(Keepers::Some);
        }
    }
    Ok(Keepers::None)
}

fn decides_for(account: &Account, authority: OrganisationId) -> bool {
    account.organisation == authority && account.roles.contains(&Role::ShieldingOfficer) && account.state != AccountState::Closed
}

/// Gives the statements of a record in quarantine to the child that they are of. The emptied record stays in quarantine, where nobody sees it,
/// with its history; the child keeps its own, and its shield.
fn join(transaction: &mut Transaction<'_>, by: &By, held: Option<Held>, child: &Held, now: Instant) -> Result<ShieldStanding, Why> {
    let held = held.ok_or(Refusal::OutsideScope)?;
    let mut joined = child.record.clone();
    for statement in &held.record.statements {
        // of two words of one source the newer one counts, and an end stays an end (rules A6, D1); the other is in the history with its row
        let said = joined.said_by(statement.provenance.source);
        let ended = said.and_then(|said| said.involvement.ended);
        if said.is_none_or(|said| said.provenance.at <= statement.provenance.at) {
            let mut statement = statement.clone();
            statement.involvement.ended = statement.involvement.ended.or(ended);
            drop(joined.accept(statement));
        }
    }
    joined.statements.sort_by_key(|statement| statement.provenance.at);
    transaction.put_child(child, &joined)?;
    close_alert(transaction, by, &held.record.number, now)?;
    transaction.put_child(&held, &ChildRecord { statements: Vec::new(), ..held.record.clone() })?;
    Ok(ShieldStanding::of(&joined))
}

/// A record in quarantine as a child of its own: of the authority in whose area its source works, or whose it was before (rule A7).
fn released(transaction: &Transaction<'_>, held: Option<&Held>) -> Result<ChildRecord, Why> {
    let record = record(held).ok_or(Refusal::OutsideScope)?;
    if record.quarantined.is_some_and(|quarantine| quarantine.why == HeldFor::Beside) {
        return Ok(ChildRecord { quarantined: None, ..record.clone() });
    }
    let source = record.statements.first().map(|statement| statement.provenance.source);
    let source = source.map(|source| transaction.organisation(source)).transpose()?.flatten();
    let authority: OrganisationId = source.and_then(|source| source.authority).unwrap_or(record.authority);
    Ok(ChildRecord { authority, quarantined: None, ..record.clone() })
}

/// Closes the alert that asked for this record to be settled.
fn close_alert(transaction: &mut Transaction<'_>, by: &By, number: &ChildNumber, now: Instant) -> Result<(), Why> {
    let mut after = AlertId(0);
    loop {
        let page = transaction.alerts_for_authority(by.organisation, None, after, ALERTS_AT_A_TIME)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let asks = page.into_iter().find(|alert| alert.kind == AlertKind::Quarantine && alert.child.as_ref() == Some(number));
        if let Some(mut alert) = asks {
            alert.judgement = Some(Judgement { disposition: Disposition::Settled, by: by.person, at: now });
            transaction.put_alert(&alert)?;
            return Ok(());
        }
    }
}
