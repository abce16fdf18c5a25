//! The decisions about organisations and people: two different people, nobody for themselves, no ring (rules B2, B4, C1 to C5).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod callers;

use callers::{caller, day, moment, organisation, HERE, ME, OFFICER, SPONSOR};
use contactpoint_audit::Operation;
use contactpoint_domain::{
    AccountState, Capability, Organisation, OrganisationId, OrganisationKind, PersonId, Role, Sponsorship, Verified,
};
use contactpoint_identity::{Caller, Confirmed};
use contactpoint_policy::{
    accept_agreement, accept_responsibilities, account_act, account_state, accredit, amend_person, certificates, enrol_person,
    resume_organisation, sponsor, supervisor, suspend_organisation, Candidate, CertificateChange, Refusal, Subject, LONGEST_CHAIN,
};

/// Another organisation, in the area of authority 3.
fn other(kind: OrganisationKind) -> Organisation {
    Organisation { id: OrganisationId(8), ..organisation(kind, &[Capability::Query]) }
}

/// The second factor of somebody, proved anew.
fn proof(caller: &Caller) -> Confirmed {
    Confirmed::dangerous_of(caller)
}

#[test]
fn sponsor_and_accrediting_officer_are_two_people_whichever_comes_first() {
    // B2: two separate gates; two different people for them
    let officer = caller(OrganisationKind::DataCentre, &[Role::SecurityOfficer]);
    let at = other(OrganisationKind::School).sponsorship.unwrap().at;
    let vouched_by = |by| Organisation { sponsorship: Some(Sponsorship { by, at }), ..other(OrganisationKind::School) };
    let expires = Some(day("2027-11-22"));
    assert!(accredit(&officer, moment(), &vouched_by(SPONSOR), expires, proof(&officer)).is_ok());
    assert_eq!(accredit(&officer, moment(), &vouched_by(ME), expires, proof(&officer)).err(), Some(Refusal::SamePerson));
    let applied = Organisation { sponsorship: None, ..other(OrganisationKind::School) };
    assert_eq!(accredit(&officer, moment(), &applied, expires, proof(&officer)).err(), Some(Refusal::NotSponsored));

    let owner = caller(OrganisationKind::DataCentre, &[Role::RiskOwner]);
    assert!(sponsor(&owner, moment(), &applied, false, proof(&owner)).is_ok());
    let mut accredited_by_me = other(OrganisationKind::School);
    accredited_by_me.accreditations[0].by = ME;
    assert_eq!(accredited_by_me.accreditations.len(), 1);
    assert_eq!(sponsor(&owner, moment(), &accredited_by_me, false, proof(&owner)).err(), Some(Refusal::SamePerson));
    let by_another = other(OrganisationKind::School);
    assert_eq!(
        sponsor(&owner, moment(), &by_another, true, proof(&owner)).err(),
        Some(Refusal::AlreadySponsored),
        "nobody takes a sponsorship over"
    );
    assert!(sponsor(&owner, moment(), &by_another, false, proof(&owner)).is_ok(), "whoever vouched for it has left");
    assert_eq!(other(OrganisationKind::School).accreditations[0].by, OFFICER);
}

#[test]
fn a_council_s_supervisor_vouches_for_bodies_of_its_own_area_and_nobody_for_their_own() {
    // B2: self-certification alone never suffices
    let council = caller(OrganisationKind::Council, &[Role::Supervisor]);
    let here = Organisation { authority: Some(HERE), ..other(OrganisationKind::School) };
    assert!(sponsor(&council, moment(), &here, false, proof(&council)).is_ok());
    assert_eq!(sponsor(&council, moment(), &other(OrganisationKind::School), true, proof(&council)).err(), Some(Refusal::OutsideScope));
    let own = Organisation { id: HERE, authority: Some(HERE), ..other(OrganisationKind::Council) };
    assert_eq!(sponsor(&council, moment(), &own, false, proof(&council)).err(), Some(Refusal::RoleForbids));
    let school = caller(OrganisationKind::School, &[Role::Supervisor]);
    assert_eq!(sponsor(&school, moment(), &here, false, proof(&school)).err(), Some(Refusal::RoleForbids));
}

#[test]
fn an_accreditation_has_an_end_within_three_years() {
    // B2: accreditation expires
    let officer = caller(OrganisationKind::DataCentre, &[Role::SecurityOfficer]);
    let to = |expires| accredit(&officer, moment(), &other(OrganisationKind::School), expires, proof(&officer)).err();
    assert_eq!(to(Some(day("2026-11-23"))), None);
    assert_eq!(to(Some(day("2029-11-22"))), None);
    assert_eq!(to(None), None, "it can always be taken back");
    for wrong in ["2026-11-22", "2020-01-01", "2029-11-23"] {
        assert_eq!(to(Some(day(wrong))), Some(Refusal::TermForbidden), "{wrong}");
    }
}

#[test]
fn the_data_centre_is_neither_let_in_nor_shut_out_by_itself() {
    // B4: suspended at any time; an officer who suspends the data centre shuts everybody out for good
    let officer = caller(OrganisationKind::DataCentre, &[Role::SecurityOfficer]);
    let (school, centre) = (other(OrganisationKind::School), other(OrganisationKind::DataCentre));
    assert!(suspend_organisation(&officer, moment(), &school).is_ok());
    assert!(resume_organisation(&officer, moment(), &school, proof(&officer)).is_ok());
    assert_eq!(suspend_organisation(&officer, moment(), &centre).err(), Some(Refusal::RoleForbids));
    assert_eq!(resume_organisation(&officer, moment(), &centre, proof(&officer)).err(), Some(Refusal::RoleForbids));
    for change in [CertificateChange::Add, CertificateChange::Remove] {
        assert!(certificates(&officer, moment(), &school, change, proof(&officer)).is_ok());
        let own = certificates(&officer, moment(), &centre, change, proof(&officer));
        assert_eq!(own.err(), Some(Refusal::RoleForbids), "a key of the data centre's would be a second way in to it");
    }
}

#[test]
fn whatever_lets_somebody_in_takes_the_second_factor_anew() {
    // B2, C2: sensitive acts ask for the token again; a session that lies in a file of the machine opens neither gate
    let at_centre = |role| caller(OrganisationKind::DataCentre, &[role]);
    let [officer, owner, administrator] = [Role::SecurityOfficer, Role::RiskOwner, Role::Administrator].map(at_centre);
    let (school, expires) = (other(OrganisationKind::School), Some(day("2027-11-22")));
    // the proof of a colleague
    let borrowed = || proof(&Caller::dangerous_new(SPONSOR, organisation(OrganisationKind::DataCentre, &[]), callers::qualified(&[])));
    let subject = Subject { person: PersonId(9), organisation: HERE, state: AccountState::Active };
    let roles = [Role::RiskOwner];
    for verdict in [
        sponsor(&owner, moment(), &school, false, borrowed()).err(),
        accredit(&officer, moment(), &school, expires, borrowed()).err(),
        resume_organisation(&officer, moment(), &school, borrowed()).err(),
        certificates(&officer, moment(), &school, CertificateChange::Add, borrowed()).err(),
        enrol_person(&administrator, moment(), &roles, Some(borrowed())).err(),
        enrol_person(&administrator, moment(), &roles, None).err(),
        amend_person(&administrator, moment(), &subject, &roles, Some(borrowed())).err(),
        amend_person(&administrator, moment(), &subject, &roles, None).err(),
    ] {
        assert_eq!(verdict, Some(Refusal::NotConfirmed));
    }
    assert!(enrol_person(&administrator, moment(), &roles, Some(proof(&administrator))).is_ok());
    assert!(amend_person(&administrator, moment(), &subject, &roles, Some(proof(&administrator))).is_ok());
}

#[test]
fn only_the_text_in_force_is_accepted() {
    // B3, J5: a version that is not in force says nothing about the one that is
    let administrator = caller(OrganisationKind::School, &[Role::Administrator]);
    assert!(accept_responsibilities(&administrator, moment(), 3).is_ok());
    assert!(accept_agreement(&administrator, moment(), 2).is_ok());
    for version in [0, 1, 4] {
        assert_eq!(accept_responsibilities(&administrator, moment(), version).err(), Some(Refusal::OtherText));
        assert_eq!(accept_agreement(&administrator, moment(), version).err(), Some(Refusal::OtherText));
    }
}

#[test]
fn nobody_is_given_roles_that_let_one_person_act_and_judge_or_that_their_organisation_does_not_have() {
    // C4: roles that would let one person both act and judge the act cannot be combined
    for kind in OrganisationKind::ALL {
        let administrator = caller(*kind, &[Role::Administrator]);
        let give = |roles: &[Role]| enrol_person(&administrator, moment(), roles, Some(proof(&administrator))).err();
        for one in Role::ALL {
            for two in Role::ALL {
                let expected = one.is_of(*kind) && two.is_of(*kind) && one.goes_with(*two);
                assert_eq!(give(&[*one, *two]).is_none(), expected, "{kind} {one} {two}");
            }
        }
        assert_eq!(give(&[]), Some(Refusal::RolesClash));
    }
    let teacher = caller(OrganisationKind::School, &[Role::Practitioner]);
    assert_eq!(enrol_person(&teacher, moment(), &[Role::Practitioner], None).err(), Some(Refusal::RoleForbids));
}

#[test]
fn nobody_changes_their_own_account_nor_another_organisation_s() {
    // C1: never by themselves; C4: a person has exactly one organisation
    let administrator = caller(OrganisationKind::School, &[Role::Administrator]);
    let subject = |person, organisation| Subject { person, organisation, state: AccountState::Active };
    let amend = |subject| amend_person(&administrator, moment(), &subject, &[Role::Practitioner], None).err();
    assert_eq!(amend(subject(PersonId(9), HERE)), None);
    assert_eq!(amend(subject(ME, HERE)), Some(Refusal::OwnAccount));
    assert_eq!(amend(subject(PersonId(9), OrganisationId(8))), Some(Refusal::OutsideScope));
    for state in [AccountState::Suspended, AccountState::Closed] {
        let verdict = account_state(&administrator, moment(), &subject(ME, HERE), state, &[]);
        assert_eq!(verdict.err(), Some(Refusal::OwnAccount), "{state}");
    }
}

#[test]
fn each_state_of_an_account_is_reached_by_the_one_whose_act_it_is() {
    // C5: helpdesk can unlock and suspend ... ; a closed account stays closed
    use AccountState::{Active, Closed, Locked, Suspended};
    let (helpdesk, administrator, either): (&[Role], &[Role], &[Role]) =
        (&[Role::Helpdesk], &[Role::Administrator], &[Role::Helpdesk, Role::Administrator]);
    for (from, to, roles) in [
        (Active, Locked, helpdesk),
        (Locked, Active, helpdesk),
        (Active, Active, helpdesk),
        (Active, Suspended, either),
        (Locked, Suspended, either),
        (Suspended, Active, administrator),
        (Active, Closed, administrator),
        (Suspended, Closed, administrator),
        (Closed, Active, &[]),
        (Closed, Suspended, &[]),
        (Closed, Locked, &[]),
        // else the helpdesk would lock what is suspended, unlock it, and so resume it
        (Suspended, Locked, &[]),
    ] {
        for acting in Role::ALL {
            let subject = Subject { person: PersonId(9), organisation: HERE, state: from };
            let verdict = account_state(&caller(OrganisationKind::School, &[*acting]), moment(), &subject, to, Verified::ALL);
            assert_eq!(verdict.is_ok(), roles.contains(acting), "{from} to {to} by {acting}");
        }
    }
}

#[test]
fn what_happens_to_an_account_has_its_own_name_in_the_log() {
    // F1: the operation; an unlocking is the helpdesk's, a resumption the administrator's
    use AccountState::{Active, Locked, Suspended};
    assert_eq!(account_act(Locked, Active), Some(Operation::UnlockPerson));
    assert_eq!(account_act(Suspended, Active), Some(Operation::ResumePerson));
    assert_eq!(account_act(Locked, Suspended), Some(Operation::SuspendPerson));
}

#[test]
fn nobody_supervises_themselves_or_whoever_supervises_them_however_far_up() {
    // C3: nobody supervises themselves; no two supervise each other; no ring
    let candidate = Candidate {
        person: PersonId(20),
        organisation: HERE,
        roles: vec![Role::Supervisor],
        state: AccountState::Active,
        chain: vec![PersonId(21), PersonId(22)],
    };
    let fits = |person: u32, candidate: &Candidate| supervisor(Some(PersonId(person)), HERE, candidate).is_ok();
    assert!(fits(9, &candidate));
    assert!(supervisor(None, HERE, &candidate).is_ok(), "of an account that is still to be made");
    for ring in [20, 21, 22] {
        assert!(!fits(ring, &candidate), "{ring}");
    }
    let without = |roles: &[Role]| Candidate { roles: roles.to_vec(), ..candidate.clone() };
    for role in Role::ALL {
        assert_eq!(fits(9, &without(&[*role])), role.may_supervise(), "{role}");
    }
    for state in AccountState::ALL {
        assert_eq!(fits(9, &Candidate { state: *state, ..candidate.clone() }), *state == AccountState::Active, "{state}");
    }
    assert!(!fits(9, &Candidate { organisation: OrganisationId(8), ..candidate.clone() }));
    assert!(!fits(9, &Candidate { chain: (100..100 + LONGEST_CHAIN as u32).map(PersonId).collect(), ..candidate }), "endless");
}
