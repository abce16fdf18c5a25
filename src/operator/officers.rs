//! Two officers of the data centre, each with both factors, for what one alone must not do to the keys (rules G2, I3).
//!
//! The daemon is stopped meanwhile: who they are is read from the store that was opened, and their log-ins are in its log like any others.
//! Leaves to others: what they order. Does not promise that they are two people in the room: that they hold two people's factors.

use crate::error::OperatorError;
use contactpoint_domain::{Checks, Instant, OrganisationId, OrganisationKind, PersonId, Role, Texts};
use contactpoint_identity::{Channel, Clock, Identity, Pepper};
use contactpoint_store::Store;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The arguments of a verb that takes two officers.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Log-in name of the security officer
    #[arg(long, default_value = "security-officer")]
    officer_login: String,
    /// Log-in name of the risk owner
    #[arg(long, default_value = "risk-owner")]
    owner_login: String,
    /// Read four lines from the standard input instead of asking: both passwords, then both codes, the security officer's first
    #[arg(long)]
    factors_stdin: bool,
}

/// What one of them typed.
pub struct Typed {
    /// Log-in name.
    pub login: String,
    /// Password.
    pub password: Zeroizing<String>,
    /// The six digits.
    pub code: String,
}

/// What the two typed: the security officer, the risk owner.
pub struct BothTyped {
    /// The security officer.
    pub officer: Typed,
    /// The risk owner.
    pub owner: Typed,
}

impl Arguments {
    /// Asks for what the arguments do not say.
    pub(crate) fn typed(self) -> Result<BothTyped, OperatorError> {
        let Self { officer_login, owner_login, factors_stdin } = self;
        let ask = |what: &str, who: &str, login: &str| -> Result<String, OperatorError> {
            match factors_stdin {
                true => one_line(),
                false => Ok(rpassword::prompt_password(format!("{what} of the {who} ({login}): "))?),
            }
        };
        // the codes last: they are good for half a minute
        let (officer, owner) = ("security officer", "risk owner");
        let passwords = [ask("Password", officer, &officer_login)?, ask("Password", owner, &owner_login)?].map(Zeroizing::new);
        let [of_officer, of_owner] = passwords;
        let code = |typed: String| typed.trim().to_owned();
        let officer_code = code(ask("Code", officer, &officer_login)?);
        let owner_code = code(ask("Code", owner, &owner_login)?);
        Ok(BothTyped {
            officer: Typed { login: officer_login, password: of_officer, code: officer_code },
            owner: Typed { login: owner_login, password: of_owner, code: owner_code },
        })
    }
}

fn one_line() -> Result<String, OperatorError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

/// One of the two, proved a moment ago.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Officer {
    pub(crate) person: PersonId,
    pub(crate) organisation: OrganisationId,
    pub(crate) role: Role,
}

/// Both, two people. Made by [`proved`] alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TwoOfficers {
    both: [Officer; 2],
}

impl TwoOfficers {
    /// The security officer, then the risk owner.
    pub(crate) const fn both(&self) -> [Officer; 2] {
        self.both
    }
}

/// Logs both in, and refuses unless one is a security officer of the data centre and the other, another person, its risk owner; both with checks
/// that have not lapsed and a signed agreement (rule C1).
pub(crate) async fn proved(store: &Store, pepper: Arc<dyn Pepper>, clock: &Clock, typed: &BothTyped) -> Result<TwoOfficers, OperatorError> {
    let identity = Identity::new(store.clone(), pepper, clock.clone(), Duration::from_secs(60));
    let officer = one(&identity, &typed.officer, Role::SecurityOfficer).await?;
    let owner = one(&identity, &typed.owner, Role::RiskOwner).await?;
    if officer.person == owner.person {
        return Err(OperatorError::NotTwoOfficers("they are one person".to_owned()));
    }
    Ok(TwoOfficers { both: [officer, owner] })
}

async fn one(identity: &Identity, Typed { login, password, code }: &Typed, role: Role) -> Result<Officer, OperatorError> {
    let refused = |why: String| OperatorError::NotTwoOfficers(format!("{login} {why}"));
    // as on the control socket: for the data centre's own people
    let channel = Channel::Local { uid: 0 };
    let now = identity.now();
    let ticket = identity.log_in(&channel, login, password.as_bytes(), code, now).await?.into_inner();
    let ticket =
        ticket.map_err(|_| refused("was not logged in: the name, the password or the code is wrong, or it was too early".to_owned()))?;
    let caller = identity.caller(&channel, ticket.expose_token(), now).map_err(|_| refused("may not act now".to_owned()))?;
    let is_ours = caller.organisation().kind == OrganisationKind::DataCentre;
    if !is_ours || !caller.roles().contains(&role) {
        return Err(refused(format!("is not the data centre's {}", role.code())));
    }
    if let Some(why) = lapsed(&caller.qualifications().checks, now.wall) {
        return Err(refused(why));
    }
    let officer = Officer { person: caller.person(), organisation: caller.organisation_id(), role };
    identity.log_out(&caller, now).await?.into_inner();
    Ok(officer)
}

fn lapsed(checks: &Checks, now: Instant) -> Option<String> {
    checks.lapsed(now.day(), Texts::IN_FORCE).map(|lapsed| format!("lacks what everybody must have: {lapsed:?}"))
}
