//! Who judges which alert, how, and what an alert about oneself does.

use super::{answer, table};
use crate::callers::{caller, day, moment, HERE, ME};
use contactpoint_domain::{
    Addressee, Alert, AlertId, AlertKind, Disposition, Finding, Judgement, OrganisationId, OrganisationKind, PersonId, Purpose, Role,
    SampleReview,
};
use contactpoint_identity::Confirmed;
use contactpoint_policy::{break_glass, judge, review_alert, Receiver, Refusal};

const ACTOR: PersonId = PersonId(71);
const SOMEBODY: PersonId = PersonId(72);

/// It waits for somebody who comes in, and has nobody above.
const NOBODY_ABOVE: Receiver<'static> = Receiver { above: &[], comes_in: true };

/// A case: the alert, who is above whom it was sent to, and who is above the caller.
type Case = (&'static str, Alert, &'static [PersonId], &'static [PersonId]);

fn alert(kind: AlertKind, to: Addressee) -> Alert {
    Alert {
        id: AlertId(1),
        place: 1,
        kind,
        person: ACTOR,
        organisation: HERE,
        child: None,
        reason: Some(Purpose::Missing),
        at: moment().now,
        to: Some(to),
        due: day("2026-11-27"),
        judgement: None,
        review: None,
    }
}

fn overdue(alert: Alert) -> Alert {
    Alert { due: day("2026-11-20"), ..alert }
}

fn judged(alert: Alert) -> Alert {
    Alert { judgement: Some(Judgement { disposition: Disposition::Justified, by: SOMEBODY, at: moment().now }), ..alert }
}

/// The roles that judge it, of any kind of body.
fn judges(alert: &Alert) -> String {
    let may = |role: &&Role| {
        let of = |kind: &&OrganisationKind| role.is_of(**kind);
        let verdict =
            |kind: &OrganisationKind, how: &Disposition| judge(&caller(*kind, &[**role]), moment(), alert, NOBODY_ABOVE, &[], *how).is_ok();
        OrganisationKind::ALL.iter().filter(of).any(|kind| Disposition::ALL.iter().any(|how| verdict(kind, how)))
    };
    Role::ALL.iter().filter(may).map(|role| role.code()).collect::<Vec<_>>().join(", ")
}

fn ways(alert: &Alert, by: OrganisationKind, role: Role) -> String {
    let may = |how: &&Disposition| judge(&caller(by, &[role]), moment(), alert, NOBODY_ABOVE, &[], **how).is_ok();
    Disposition::ALL.iter().filter(may).map(|how| how.code()).collect::<Vec<_>>().join(", ")
}

fn kinds() -> String {
    let lines = AlertKind::ALL.iter().map(|kind| {
        let (mine, authority) = (alert(*kind, Addressee::Supervisor(ME)), alert(*kind, Addressee::Authority(HERE)));
        let own = Alert { person: ME, ..alert(*kind, Addressee::Supervisor(SOMEBODY)) };
        let supervisor = caller(OrganisationKind::School, &[Role::Supervisor]);
        let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
        let on_own = judge(&supervisor, moment(), &own, NOBODY_ABOVE, &[], Disposition::Justified).map(drop);
        let again = break_glass(&teacher, moment(), Purpose::Missing, Ok(Confirmed::dangerous_of(&teacher)), &[overdue(own)]).map(drop);
        vec![
            kind.code().to_owned(),
            judges(&mine),
            judges(&authority),
            ways(&mine, OrganisationKind::School, Role::Supervisor),
            answer(on_own),
            answer(again),
        ]
    });
    table(
        "| alert | judged by, sent to a supervisor | sent to an authority | as | judged by whom it is about | their break-glass while it is overdue |",
        lines,
    )
}

fn cases() -> String {
    let sent = |to| alert(AlertKind::BreakGlass, to);
    let (mine, others) = (Addressee::Supervisor(ME), Addressee::Supervisor(SOMEBODY));
    let cases: Vec<Case> = vec![
        ("sent to oneself", sent(mine), &[], &[]),
        ("sent to oneself, overdue", overdue(sent(mine)), &[], &[]),
        ("sent to oneself, judged", judged(sent(mine)), &[], &[]),
        ("sent to oneself, of whoever is above oneself by now", sent(mine), &[], &[ACTOR]),
        ("sent to whom one supervises", sent(others), &[ME], &[]),
        ("sent to whom one supervises, overdue", overdue(sent(others)), &[ME], &[]),
        ("sent to whom one supervises, overdue, of whoever is above oneself by now", overdue(sent(others)), &[ME], &[ACTOR]),
        ("sent to others", sent(others), &[], &[]),
        ("sent to others, overdue", overdue(sent(others)), &[], &[]),
        ("sent to others, judged", judged(sent(others)), &[], &[]),
        ("sent to an authority", sent(Addressee::Authority(OrganisationId(8))), &[], &[]),
        ("sent to nobody", Alert { to: None, ..sent(mine) }, &[], &[]),
    ];
    let supervisor = caller(OrganisationKind::School, &[Role::Supervisor]);
    let verdict = |alert: &Alert, receiver: Receiver<'_>, over: &[PersonId]| {
        answer(judge(&supervisor, moment(), alert, receiver, over, Disposition::Justified).map(drop))
    };
    let away = Receiver { above: &[ME], comes_in: false };
    let lines = cases
        .into_iter()
        .map(|(case, alert, above, over)| vec![case.to_owned(), verdict(&alert, Receiver { above, comes_in: true }, over)])
        .chain([vec!["sent to whom one supervises, who cannot come in".to_owned(), verdict(&sent(others), away, &[])]]);
    table("| a broken glass, to a supervisor | answer |", lines)
}

fn reviews() -> String {
    let auditor = caller(OrganisationKind::Auditor, &[Role::Auditor]);
    let done = judged(alert(AlertKind::BreakGlass, Addressee::Supervisor(SOMEBODY)));
    let reviewed = Some(SampleReview { finding: Finding::Upheld, by: PersonId(90), at: moment().now });
    let open = Alert { judgement: None, ..done.clone() };
    let again = Alert { review: reviewed, ..done.clone() };
    let review =
        |alert: &Alert, is_drawn| -> Result<(), Refusal> { review_alert(&auditor, moment(), alert, is_drawn, Finding::Upheld).map(drop) };
    let lines = [
        ("judged and drawn", review(&done, true)),
        ("judged and not drawn", review(&done, false)),
        ("drawn and not judged", review(&open, true)),
        ("reviewed before", review(&again, true)),
    ];
    table("| an alert, to the auditor | review-alert |", lines.into_iter().map(|(case, verdict)| vec![case.to_owned(), answer(verdict)]))
}

pub(super) fn drawn() -> String {
    let head = "\n## Who judges which alert\n\nNobody their own act, nor that of anybody above them.\n\n";
    [head, &kinds(), "\n", &cases(), "\n", &reviews()].concat()
}
