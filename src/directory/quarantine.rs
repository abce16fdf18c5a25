//! What a feed's statement meets (rule E4): children that it may be joined to, and guarded ones beside which it is never put.
//!
//! A record is guarded while it is shielded, in quarantine, or for named people alone. Only a source that spoke of it before, and says what is
//! clearly of the same child, speaks to it again. Whatever else may be of such a child becomes a record that its own source alone sees, until
//! the guarded child's authority says whose it is. The supplier cannot tell: it is counted as it would be if there were no such child.

use crate::feed::FeedPermitted;
use contactpoint_domain::alert::JUDGED_WITHIN_DAYS;
use contactpoint_domain::{Addressee, AlertKind, ChildRecord, NewAlert, OrganisationId, Statement};
use contactpoint_matching::{verdict, Verdict};
use contactpoint_store::{Held, StoreError, Transaction};

/// What a statement meets.
pub(crate) struct Met {
    /// Children that it may be joined to; those first that the source spoke of under a guard.
    pub(crate) open: Vec<Held>,
    /// The authority of a guarded child that it may be of.
    pub(crate) guarded_by: Option<OrganisationId>,
}

/// Looks for what a statement meets.
pub(crate) fn met(transaction: &Transaction<'_>, statement: &Statement) -> Result<Met, StoreError> {
    let candidates = transaction.candidates_for(statement)?;
    let (guarded, mut open): (Vec<Held>, Vec<Held>) =
        candidates.into_iter().partition(|held| held.record.is_guarded() && !is_spoken_to(&held.record, statement));
    // what is guarded among them is spoken to again
    open.sort_by_key(|held| !held.record.is_guarded());
    let guarded_by = guardian(transaction, statement, &open, &guarded)?;
    Ok(Met { open, guarded_by })
}

/// True where the statement's source spoke of this child before, and speaks of the same.
fn is_spoken_to(record: &ChildRecord, statement: &Statement) -> bool {
    record.said_by(statement.provenance.source).is_some() && verdict(record, statement) == Verdict::Same
}

fn guardian(
    transaction: &Transaction<'_>,
    statement: &Statement,
    open: &[Held],
    guarded: &[Held],
) -> Result<Option<OrganisationId>, StoreError> {
    if open.iter().any(|held| held.record.is_guarded()) {
        return Ok(None);
    }
    let authority = |held: &Held| held.record.authority;
    if let Some(held) = guarded.iter().find(|held| verdict(&held.record, statement) != Verdict::Different) {
        return Ok(Some(authority(held)));
    }
    // a child on record whom it is clearly of outweighs one whom it might be of
    if open.iter().any(|held| verdict(&held.record, statement) == Verdict::Same) {
        return Ok(None);
    }
    Ok(transaction.guarded_like(statement)?.first().map(authority))
}

/// Makes a record that only its own source sees, and asks the authority whose it is.
pub(crate) fn hold_back(
    transaction: &mut Transaction<'_>,
    permitted: &FeedPermitted<'_>,
    authority: OrganisationId,
    statement: Statement,
) -> Result<(), StoreError> {
    let now = statement.provenance.at;
    let by = permitted.permit.by();
    let number = transaction.free_child_number()?;
    // until it is settled it is the affair of the authority that settles it
    let record = ChildRecord { quarantined: Some(now), ..ChildRecord::new(number.clone(), authority, statement) };
    transaction.add_child(&record)?;
    transaction.raise_alert(&NewAlert {
        kind: AlertKind::Quarantine,
        person: by.person,
        organisation: by.organisation,
        child: Some(number),
        reason: None,
        at: now,
        to: Some(Addressee::Authority(authority)),
        due: now.day().plus_working_days(JUDGED_WITHIN_DAYS, &[]),
    })?;
    Ok(())
}
