//! What a feed's statement meets (rule E4): children that it may be joined to, and guarded ones beside which it is never put.
//!
//! A record is guarded while it is shielded, in quarantine, or for named people alone. Only a source that spoke of it before, and says what is
//! clearly of the same child, speaks to it again. Whatever else may be of such a child becomes a record that its own source alone sees, until
//! the guarded child's authority says whose it is. The supplier cannot tell: it is counted as it would be if there were no such child.

use crate::feed::FeedPermitted;
use crate::Directory;
use contactpoint_audit::{Entry, Outcome};
use contactpoint_domain::{
    Addressee, AlertKind, ChildNumber, ChildRecord, Day, HeldFor, Instant, NewAlert, OrganisationId, Provenance, Quarantine, Statement,
};
use contactpoint_matching::{verdict, Verdict};
use contactpoint_store::{Held, StoreError, Transaction};

/// What a statement meets.
pub(crate) enum Met {
    /// A child that the source speaks of again, guarded or not.
    Again(Held),
    /// A number in common with what the source itself said of a child, and nothing else.
    Conflict,
    /// Children without a guard that it may be joined to, and the authority of a guarded one that it may be of.
    Others {
        /// Those.
        open: Vec<Held>,
        /// That authority.
        guarded_by: Option<OrganisationId>,
    },
}

/// Looks for what a statement meets.
pub(crate) fn met(transaction: &Transaction<'_>, statement: &Statement) -> Result<Met, StoreError> {
    let mut candidates = transaction.candidates_for(statement)?;
    let own = |held: &Held| own_words(&held.record, statement);
    // first of all what the source itself said, of guarded children and of others alike: a guarded one that also fits changes nothing then
    if let Some(at) = candidates.iter().position(|held| own(held) == Some(Verdict::Same)) {
        return Ok(Met::Again(candidates.swap_remove(at)));
    }
    if candidates.iter().any(|held| own(held) == Some(Verdict::Conflict)) {
        return Ok(Met::Conflict);
    }
    let (guarded, open): (Vec<Held>, Vec<Held>) = candidates.into_iter().partition(|held| held.record.is_guarded());
    let guarded_by = guardian(transaction, statement, &open, &guarded)?;
    Ok(Met::Others { open, guarded_by })
}

/// How a statement fits what its own source said of the child. What others said is not asked: whether it fits would tell the source what they
/// said (rule E3).
fn own_words(record: &ChildRecord, statement: &Statement) -> Option<Verdict> {
    let said = record.said_by(statement.provenance.source)?;
    Some(verdict(&ChildRecord::new(record.number.clone(), record.authority, said.clone()), statement))
}

fn guardian(
    transaction: &Transaction<'_>,
    statement: &Statement,
    open: &[Held],
    guarded: &[Held],
) -> Result<Option<OrganisationId>, StoreError> {
    let authority = |held: &Held| held.record.authority;
    if let Some(held) = guarded.iter().find(|held| verdict(&held.record, statement) != Verdict::Different) {
        return Ok(Some(authority(held)));
    }
    // a child on record whom it is clearly of outweighs one whom it might be of
    if open.iter().any(|held| verdict(&held.record, statement) == Verdict::Same) {
        return Ok(None);
    }
    Ok(transaction.guarded_like(statement)?.as_ref().map(authority))
}

/// Makes a record that only its own source sees, and asks the authority whose it is.
pub(crate) fn hold_back(
    transaction: &mut Transaction<'_>,
    permitted: &FeedPermitted<'_>,
    authority: OrganisationId,
    statement: Statement,
) -> Result<(), StoreError> {
    let said = statement.provenance;
    let now = said.at;
    let number = transaction.free_child_number()?;
    // until it is settled it is the affair of the authority that settles it
    // where each new record is held for its authority, one that is held for another looks like the rest to whoever brought it
    let why = if permitted.holds_new { HeldFor::FirstLook } else { HeldFor::Likeness };
    let quarantined = Some(Quarantine { since: now, why });
    let record = ChildRecord { quarantined, ..ChildRecord::new(number.clone(), authority, statement) };
    transaction.add_child(&record)?;
    ask_whose(transaction, said, number, authority, now, permitted.due)
}

/// Other records that one change holds back at most: its entry names each of them, and must fit its leaf.
const OTHERS_AT_A_TIME: usize = 200;

/// What one change held back of the other records.
#[must_use]
pub(crate) enum Others {
    /// All there were.
    All,
    /// As many as one change may: there may be more, which [`Directory::hold_rest`] holds back.
    Full,
}

/// Holds back the other records of the authority that may be of this child, which is about to be hidden: otherwise they would show what is
/// hidden. Each waits for the authority like one that a feed brings, and is seen by its sources alone. Puts their numbers into the entry's.
pub(crate) fn hold_others(
    transaction: &mut Transaction<'_>,
    record: Option<&ChildRecord>,
    now: Instant,
    due: Day,
    told: &mut Vec<ChildNumber>,
) -> Result<Others, StoreError> {
    let Some(record) = record else { return Ok(Others::All) };
    let others = transaction.others_like(record, OTHERS_AT_A_TIME)?;
    let held = if others.len() < OTHERS_AT_A_TIME { Others::All } else { Others::Full };
    for other in others {
        let number = other.record.number.clone();
        transaction.put_child(
            &other,
            &ChildRecord { quarantined: Some(Quarantine { since: now, why: HeldFor::Beside }), ..other.record.clone() },
        )?;
        // about whoever said it last, as where it was held back from the start: an alert about the officer's own act would wait for others
        if let Some(said) = other.record.newest_first().next() {
            ask_whose(transaction, said.provenance, number.clone(), record.authority, now, due)?;
        }
        told.push(number);
    }
    Ok(held)
}

impl Directory {
    /// Holds back what was too much for the change that hid this child: so many at a time, each time with an entry of the same act. What a fault
    /// cuts short is told to the caller, though the child itself is hidden.
    pub(crate) async fn hold_rest(&self, act: Entry, number: ChildNumber, now: Instant) -> Result<(), StoreError> {
        let due = self.due(now);
        loop {
            let (number, act) = (number.clone(), act.clone());
            let change = move |transaction: &mut Transaction<'_>| {
                let child = transaction.child(&number)?.filter(|held| held.record.is_guarded());
                let mut children = vec![number];
                let held = hold_others(transaction, child.as_ref().map(|held| &held.record), now, due, &mut children)?;
                Ok((held, Entry { children, outcome: Outcome::Answered, ..act }))
            };
            if let Others::All = self.store.change(change).await?.into_inner() {
                return Ok(());
            }
        }
    }
}

fn ask_whose(
    transaction: &mut Transaction<'_>,
    said: Provenance,
    number: ChildNumber,
    authority: OrganisationId,
    now: Instant,
    due: Day,
) -> Result<(), StoreError> {
    transaction.raise_alert(&NewAlert {
        kind: AlertKind::Quarantine,
        person: said.author,
        organisation: said.source,
        child: Some(number),
        reason: None,
        at: now,
        to: Some(Addressee::Authority(authority)),
        due,
    })?;
    Ok(())
}
