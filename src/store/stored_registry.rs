//! What is inside the sealed rows of organisations and accounts: private mirrors of the domain's types, in postcard.
//!
//! Rows written by 0.2 and before (the first form) are read as well: an organisation of theirs has passed no gate, and an account has no
//! check and no supervisor, so that both are refused until somebody vouches for them (rules B2, C1).

use crate::codec::{decode, unknown, Form, StoredAddress, StoredName, Undecodable};
use crate::registry::Account;
use contactpoint_domain::{
    Acceptance, AccountState, Accreditation, Capability, Checks, Day, Factor, Instant, InvalidValue, Organisation, OrganisationId,
    OrganisationKind, PendingReset, PersonId, Role, Sponsorship,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An organisation and the keys of its certificates.
pub(crate) fn organisation(plain: &[u8], id: OrganisationId) -> Result<(Organisation, Vec<[u8; 32]>), Undecodable> {
    match Form::of(plain)? {
        Form::First(bytes) => decode::<FirstOrganisation<'_>>(bytes)?.open(id),
        Form::Second(bytes) => decode::<StoredOrganisation<'_>>(bytes)?.open(id),
    }
}

/// An account.
pub(crate) fn account(plain: &[u8], id: PersonId) -> Result<Account, Undecodable> {
    match Form::of(plain)? {
        Form::First(bytes) => decode::<FirstAccount<'_>>(bytes)?.open(id),
        Form::Second(bytes) => decode::<StoredAccount<'_>>(bytes)?.open(id),
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredOrganisation<'a> {
    name: &'a str,
    kind: u8,
    authority: Option<u32>,
    telephone: Option<&'a str>,
    email: Option<&'a str>,
    postcode: Option<&'a str>,
    heads: Vec<u32>,
    /// By whom, when.
    sponsorship: Option<(u32, u64)>,
    /// For what, by whom, to which day.
    accreditations: Vec<(u8, u32, i32)>,
    /// Which version, by whom, when.
    responsibilities: Option<(u16, u32, u64)>,
    suspended: bool,
    holds_new: bool,
    /// SHA-256 of the SubjectPublicKeyInfo of each of its certificates.
    keys: Vec<[u8; 32]>,
}

impl<'a> StoredOrganisation<'a> {
    pub(crate) fn of(organisation: &'a Organisation, keys: Vec<[u8; 32]>) -> Self {
        let Organisation {
            id: _,
            name,
            kind,
            authority,
            telephone,
            email,
            postcode,
            heads,
            sponsorship,
            accreditations,
            responsibilities,
            suspended,
            holds_new,
        } = organisation;
        Self {
            name: name.as_str(),
            kind: kind.number(),
            authority: authority.map(|id| id.0),
            telephone: telephone.as_ref().map(|number| number.as_str()),
            email: email.as_ref().map(|address| address.as_str()),
            postcode: postcode.as_ref().map(|postcode| postcode.as_str()),
            heads: heads.iter().map(|id| id.0).collect(),
            sponsorship: sponsorship.map(|Sponsorship { by, at }| (by.0, at.millis())),
            accreditations: accreditations
                .iter()
                .map(|Accreditation { capability, by, expires }| (capability.number(), by.0, expires.number()))
                .collect(),
            responsibilities: responsibilities.map(|Acceptance { version, by, at }| (version, by.0, at.millis())),
            suspended: *suspended,
            holds_new: *holds_new,
            keys,
        }
    }

    fn open(self, id: OrganisationId) -> Result<(Organisation, Vec<[u8; 32]>), Undecodable> {
        let organisation = Organisation {
            id,
            name: self.name.try_into()?,
            kind: OrganisationKind::of_number(self.kind).ok_or(unknown("organisation kind"))?,
            authority: self.authority.map(OrganisationId),
            telephone: self.telephone.map(TryInto::try_into).transpose()?,
            email: self.email.map(TryInto::try_into).transpose()?,
            postcode: self.postcode.map(TryInto::try_into).transpose()?,
            heads: self.heads.into_iter().map(PersonId).collect(),
            sponsorship: self.sponsorship.map(|(by, at)| Sponsorship { by: PersonId(by), at: Instant::of_millis(at) }),
            accreditations: self.accreditations.into_iter().map(accreditation).collect::<Result<_, _>>()?,
            responsibilities: self.responsibilities.map(|(version, by, at)| Acceptance {
                version,
                by: PersonId(by),
                at: Instant::of_millis(at),
            }),
            suspended: self.suspended,
            holds_new: self.holds_new,
        };
        Ok((organisation, self.keys))
    }
}

fn accreditation((capability, by, expires): (u8, u32, i32)) -> Result<Accreditation, InvalidValue> {
    let capability = Capability::of_number(capability).ok_or(unknown("capability"))?;
    Ok(Accreditation { capability, by: PersonId(by), expires: Day::of_number(expires)? })
}

/// An organisation as 0.2 and before wrote it. What it was allowed then has no day on which it ends, and so does not count.
#[derive(Serialize, Deserialize)]
struct FirstOrganisation<'a> {
    name: &'a str,
    kind: u8,
    authority: Option<u32>,
    _capabilities: Vec<u8>,
    telephone: Option<&'a str>,
    email: Option<&'a str>,
    postcode: Option<&'a str>,
    suspended: bool,
    keys: Vec<[u8; 32]>,
}

impl FirstOrganisation<'_> {
    fn open(self, id: OrganisationId) -> Result<(Organisation, Vec<[u8; 32]>), Undecodable> {
        let Self { name, kind, authority, _capabilities, telephone, email, postcode, suspended, keys } = self;
        let (heads, sponsorship, accreditations, responsibilities) = (Vec::new(), None, Vec::new(), None);
        StoredOrganisation {
            name,
            kind,
            authority,
            telephone,
            email,
            postcode,
            heads,
            sponsorship,
            accreditations,
            responsibilities,
            suspended,
            holds_new: false,
            keys,
        }
        .open(id)
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredAccount<'a> {
    organisation: u32,
    login: &'a str,
    #[serde(borrow)]
    name: StoredName<'a>,
    roles: Vec<u8>,
    password: &'a [u8],
    code_secret: &'a [u8],
    last_code_step: u64,
    failures: u32,
    delayed_until: u64,
    state: u8,
    supervisor: Option<u32>,
    checks: StoredChecks,
    #[serde(borrow)]
    home: Option<StoredAddress<'a>>,
    /// Factor, begun by whom, until when.
    reset: Option<(u8, u32, u64)>,
    resets: u32,
}

/// Day numbers; the agreement with its version.
#[derive(Serialize, Deserialize, Default)]
struct StoredChecks {
    vetted: Option<i32>,
    barring: Option<i32>,
    trained: Option<i32>,
    agreement: Option<(u16, i32)>,
}

impl StoredChecks {
    fn of(Checks { vetted, barring, trained, agreement }: &Checks) -> Self {
        let number = |day: &Option<Day>| day.map(Day::number);
        let agreement = agreement.map(|(version, day)| (version, day.number()));
        Self { vetted: number(vetted), barring: number(barring), trained: number(trained), agreement }
    }

    fn open(self) -> Result<Checks, InvalidValue> {
        let day = |number: Option<i32>| number.map(Day::of_number).transpose();
        let agreement = self.agreement.map(|(version, number)| Ok((version, Day::of_number(number)?))).transpose()?;
        Ok(Checks { vetted: day(self.vetted)?, barring: day(self.barring)?, trained: day(self.trained)?, agreement })
    }
}

impl<'a> StoredAccount<'a> {
    pub(crate) fn of(account: &'a Account) -> Self {
        let Account {
            id: _,
            organisation,
            login,
            name,
            roles,
            password,
            code_secret,
            last_code_step,
            failures,
            delayed_until,
            state,
            supervisor,
            checks,
            home,
            reset,
            resets,
        } = account;
        Self {
            organisation: organisation.0,
            login: login.as_str(),
            name: StoredName::of(name),
            roles: roles.iter().map(|role| role.number()).collect(),
            password,
            code_secret,
            last_code_step: *last_code_step,
            failures: *failures,
            delayed_until: delayed_until.millis(),
            state: state.number(),
            supervisor: supervisor.map(|id| id.0),
            checks: StoredChecks::of(checks),
            home: home.as_ref().map(StoredAddress::of),
            reset: reset.map(|PendingReset { factor, by, until }| (factor.number(), by.0, until.millis())),
            resets: *resets,
        }
    }

    fn open(self, id: PersonId) -> Result<Account, Undecodable> {
        let reset = |(number, by, until)| {
            let factor = Factor::of_number(number).ok_or(unknown("factor"))?;
            Ok::<_, InvalidValue>(PendingReset { factor, by: PersonId(by), until: Instant::of_millis(until) })
        };
        let role = |number| Role::of_number(number).ok_or(unknown("role"));
        Ok(Account {
            id,
            organisation: OrganisationId(self.organisation),
            login: self.login.try_into()?,
            name: self.name.open()?,
            roles: self.roles.into_iter().map(role).collect::<Result<_, _>>()?,
            password: Zeroizing::new(self.password.to_vec()),
            code_secret: Zeroizing::new(self.code_secret.to_vec()),
            last_code_step: self.last_code_step,
            failures: self.failures,
            delayed_until: Instant::of_millis(self.delayed_until),
            state: AccountState::of_number(self.state).ok_or(unknown("account state"))?,
            supervisor: self.supervisor.map(PersonId),
            checks: self.checks.open()?,
            home: self.home.map(StoredAddress::open).transpose()?,
            reset: self.reset.map(reset).transpose()?,
            resets: self.resets,
        })
    }
}

/// An account as 0.2 and before wrote it.
#[derive(Serialize, Deserialize)]
struct FirstAccount<'a> {
    organisation: u32,
    login: &'a str,
    #[serde(borrow)]
    name: StoredName<'a>,
    roles: Vec<u8>,
    password: &'a [u8],
    code_secret: &'a [u8],
    last_code_step: u64,
    failures: u32,
    delayed_until: u64,
    suspended: bool,
}

impl FirstAccount<'_> {
    fn open(self, id: PersonId) -> Result<Account, Undecodable> {
        let Self { organisation, login, name, roles, password, code_secret, last_code_step, failures, delayed_until, suspended } = self;
        let state = if suspended { AccountState::Suspended } else { AccountState::Active }.number();
        let (supervisor, checks, home) = (None, StoredChecks::default(), None);
        StoredAccount {
            organisation,
            login,
            name,
            roles,
            password,
            code_secret,
            last_code_step,
            failures,
            delayed_until,
            state,
            supervisor,
            checks,
            home,
            reset: None,
            resets: 0,
        }
        .open(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_organisation() -> Vec<u8> {
        let first = FirstOrganisation {
            name: "Oak School",
            kind: 2,
            authority: Some(1),
            _capabilities: vec![1],
            telephone: None,
            email: Some("duty@oak.example"),
            postcode: None,
            suspended: false,
            keys: vec![[7; 32]],
        };
        postcard::to_stdvec(&first).unwrap()
    }

    #[test]
    fn an_organisation_of_the_first_form_keeps_what_it_is_and_has_passed_no_gate() {
        // B2: two separate gates, and accreditation expires: what never had a day does not count
        let (organisation, keys) = organisation(&first_organisation(), OrganisationId(5)).unwrap();
        assert_eq!((organisation.name.as_str(), organisation.kind, keys.len()), ("Oak School", OrganisationKind::School, 1));
        assert!(organisation.sponsorship.is_none() && organisation.accreditations.is_empty() && organisation.responsibilities.is_none());
    }

    #[test]
    fn an_account_of_the_first_form_keeps_its_factors_and_has_no_check() {
        // C1: what is missing has lapsed
        let name = contactpoint_domain::Name { given: "Ruth".try_into().unwrap(), family: "Okafor".try_into().unwrap() };
        let first = FirstAccount {
            organisation: 1,
            login: "r.okafor",
            name: StoredName::of(&name),
            roles: vec![1],
            password: b"$argon2id$",
            code_secret: &[3; 20],
            last_code_step: 9,
            failures: 1,
            delayed_until: 4,
            suspended: true,
        };
        let opened = account(&postcard::to_stdvec(&first).unwrap(), PersonId(2)).unwrap();
        assert_eq!((opened.last_code_step, opened.failures, opened.state), (9, 1, AccountState::Suspended));
        assert_eq!((opened.supervisor, opened.checks), (None, Checks::default()));
    }

    #[test]
    fn what_is_of_no_known_form_is_refused() {
        // G3: a row that is not what was sealed does not open
        for plain in [&[][..], &[0], &[0, 3, 1], &[0, 1]] {
            assert!(organisation(plain, OrganisationId(1)).is_err(), "{plain:?}");
        }
    }
}
