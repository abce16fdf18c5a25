//! What was accepted before a text changed: stored, read back, and no longer enough (rules B3, C1, J5).

use crate::rig::{House, SCHOOL};
use contactpoint_audit::Operation;
use contactpoint_domain::{Acceptance, Accreditation, Capability, Checks, Organisation, Sponsorship, Texts};
use contactpoint_policy::{admit, Moment, Refusal};

impl House {
    /// The school let in and the teacher checked, each with this version of its text.
    async fn accepted(&self, responsibilities: u16, agreement: u16) {
        let (at, by, made) = (self.clock.now().wall, self.officer.account.id, "2026-01-01".parse().unwrap());
        let school = Organisation {
            sponsorship: Some(Sponsorship { by, at }),
            accreditations: vec![Accreditation { capability: Capability::Query, by, expires: "2026-12-31".parse().unwrap() }],
            responsibilities: Some(Acceptance { version: responsibilities, by, at }),
            ..self.school.clone()
        };
        let mut account = self.account(&self.teacher);
        account.checks = Checks { vetted: Some(made), barring: Some(made), trained: Some(made), agreement: Some((agreement, made)) };
        account.supervisor = Some(by);
        let put = self.store.change(move |tx| {
            tx.put_organisation(&school)?;
            Ok((tx.put_account(&account)?, crate::rig::entry(Operation::AmendPerson)))
        });
        put.await.unwrap().into_inner();
    }
}

#[tokio::test]
async fn who_accepted_an_earlier_version_is_asked_again_at_the_next_request() {
    // B3: again whenever the text changes; C1, J5: a signed user agreement, asked to accept again
    let house = House::new().await;
    let token = house.token().await;
    let Texts { responsibilities, agreement } = Texts::IN_FORCE;
    for (accepted, signed, refusal) in [
        (responsibilities, agreement, None),
        (responsibilities - 1, agreement, Some(Refusal::ResponsibilitiesPending)),
        (responsibilities, agreement - 1, Some(Refusal::AgreementPending)),
        (responsibilities, agreement, None),
    ] {
        house.accepted(accepted, signed).await;
        let caller = house.identity.caller(&SCHOOL, &token, house.clock.now()).unwrap();
        assert_eq!(admit(&caller, Operation::View, Moment::of(house.clock.now().wall)).err(), refusal, "{accepted} {signed}");
    }
}
