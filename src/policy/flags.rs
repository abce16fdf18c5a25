//! Which looks somebody else is told of, without the looker's noticing (rules D7, D8), and the alert about them.

use crate::gate::Moment;
use crate::look::{Breadth, Grant};
use crate::permit::{breadth_for, SearchPermit};
use crate::refusal::Refusal;
use crate::shielding::AskContactPermit;
use contactpoint_domain::{Address, Addressee, AlertKind, ChildNumber, ChildRecord, Day, Kin, NewAlert, Purpose, Statement};
use contactpoint_identity::Caller;
use contactpoint_matching::fold_alike;

/// Looks without a hit within [`MISSES_MINUTES`] that make an alert (rule D7: repeated near misses).
pub const MISSES: usize = 5;
/// Minutes within which they are counted.
pub const MISSES_MINUTES: u64 = 10;

/// Looks without a hit after which they are told of once more on the same day, having been told of `times` already: twice as many each time, and
/// after the first time however long they take. (rule D7)
#[must_use]
pub fn misses_to_tell(times: usize) -> usize {
    u32::try_from(times).ok().and_then(|times| 2usize.checked_pow(times)).map_or(usize::MAX, |factor| MISSES.saturating_mul(factor))
}

/// The flags that a look raises: of what was found, and what was shown of it or why nothing was. (rules D7, D8)
#[must_use]
pub fn flags(caller: &Caller, record: Option<&ChildRecord>, shown: Result<Breadth, Refusal>) -> Vec<AlertKind> {
    let Some(record) = record else { return Vec::new() };
    let is_small = is_small_audience(record, shown);
    let is_family = shown.is_ok_and(|breadth| is_own_family(caller, record, breadth));
    let raised = [(is_small, AlertKind::SmallAudience), (is_family, AlertKind::OwnFamily)];
    raised.into_iter().filter(|(is_raised, _)| *is_raised).map(|(_, kind)| kind).collect()
}

/// The flags that a search raises about a record that answers to it, whether or not the caller is shown it. (rules D7, D8)
#[must_use]
pub fn search_flags(caller: &Caller, permit: &SearchPermit, record: &ChildRecord) -> Vec<AlertKind> {
    flags(caller, Some(record), breadth_for(caller, permit.by(), Some(record), Grant::None))
}

/// Only named people may know of the record, and the look was one of theirs or an attempt of somebody else's.
fn is_small_audience(record: &ChildRecord, shown: Result<Breadth, Refusal>) -> bool {
    record.audience.is_some() && matches!(shown, Ok(_) | Err(Refusal::NotOfAudience))
}

/// Same family name or address as the looker.
fn is_own_family(caller: &Caller, record: &ChildRecord, breadth: Breadth) -> bool {
    kin(caller, record, breadth) != Kin::None
}

/// What the looker has in common with the family, by the vetting record. Of a shielded record only the name that is shown is compared: whoever
/// reads the alert must not learn a hidden field from it (rules E2, E3).
pub(crate) fn kin(caller: &Caller, record: &ChildRecord, breadth: Breadth) -> Kin {
    let record = &*record.as_known_to(caller.organisation_id());
    let is_own = |family: &str| fold_alike(family, caller.qualifications().family.as_str());
    let (is_home, is_name) = match breadth {
        Breadth::Narrow => (false, record.newest_first().next().is_some_and(|newest| is_own(newest.name.family.as_str()))),
        Breadth::Full => {
            let home = caller.qualifications().home.as_ref();
            let is_home = |said: &Statement| home.zip(said.address.as_ref()).is_some_and(|(home, there)| is_same_place(home, there));
            let is_name = |said: &Statement| {
                let carers = said.carers.iter().map(|carer| &carer.name);
                let mut names = std::iter::once(&said.name).chain(&said.former_names).chain(carers);
                names.any(|name| is_own(name.family.as_str()))
            };
            (record.statements.iter().any(is_home), record.statements.iter().any(is_name))
        }
    };
    match (is_home, is_name) {
        (true, _) => Kin::Home,
        (false, true) => Kin::Name,
        (false, false) => Kin::None,
    }
}

/// Same postcode and same first line, however they are written. Without both there is nothing to compare.
fn is_same_place(one: &Address, other: &Address) -> bool {
    let (Some(here), Some(there)) = (&one.postcode, &other.postcode) else { return false };
    let (Some(first), Some(line)) = (one.lines.first(), other.lines.first()) else { return false };
    here == there && fold_alike(first.as_str(), line.as_str())
}

/// What an alert about a look says, beside what was done.
pub struct About {
    /// What happened.
    pub kind: AlertKind,
    /// Which child, where it is about one.
    pub child: Option<ChildNumber>,
    /// The stated reason (rule D2).
    pub reason: Option<Purpose>,
}

/// The request to the authority of a child to broker contact (rule E6); to nobody, where there is no such child, so that it leaves as much
/// behind. `due`: its last day.
#[must_use]
pub fn contact_wanted(permit: &AskContactPermit, moment: Moment, child: &ChildNumber, record: Option<&ChildRecord>, due: Day) -> NewAlert {
    NewAlert {
        kind: AlertKind::Contact,
        person: permit.by().person,
        organisation: permit.by().organisation,
        child: Some(child.clone()),
        reason: Some(permit.reason()),
        at: moment.now,
        to: record.map(|record| Addressee::Authority(record.authority)),
        due,
    }
}

/// The alert to the caller's supervisor about a look of theirs. `due`: its last day.
#[must_use]
pub fn alert(caller: &Caller, moment: Moment, about: About, due: Day) -> NewAlert {
    let About { kind, child, reason } = about;
    NewAlert {
        kind,
        person: caller.person(),
        organisation: caller.organisation_id(),
        child,
        reason,
        at: moment.now,
        to: caller.qualifications().supervisor.map(Addressee::Supervisor),
        due,
    }
}
