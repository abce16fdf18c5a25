//! Sessions with the token: one log-in, and a pool, since a session serves one thread at a time (PKCS#11 v2.40 section 2.6.7).

use crate::error::is_loss;
use crate::{Attachment, KeyError, Pin};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, Result as Answer, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Sessions that are used side by side; a software token gains nothing from more, and some HSMs allow sixteen in all.
const MOST: usize = 8;
/// How long a caller waits for a session before it is told that the HSM is busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pool of logged-in sessions that grows on demand to [`MOST`], or to what the HSM allows.
pub(crate) struct Sessions {
    module: Pkcs11,
    slot: Slot,
    pool: Mutex<Pool>,
    freed: Condvar,
    patience: Duration,
    // Closing the last session logs out and kills every private handle for good, so one stays open. It is the one that may write to the token.
    anchor: Mutex<Session>,
}

struct Pool {
    idle: Vec<Session>,
    open: usize,
    most: usize,
}

impl Sessions {
    /// Logs in, once. The PIN is not kept.
    pub(crate) fn open(attachment: &Attachment, pin: &Pin) -> Result<Self, KeyError> {
        let (module, slot) = attachment.attach()?;
        let anchor = module.open_rw_session(slot).map_err(KeyError::hsm("opening a session"))?;
        log_in(&module, slot, &anchor, &attachment.token, pin)?;
        let pool = Pool { idle: Vec::new(), open: 0, most: MOST };
        Ok(Self { module, slot, pool: Mutex::new(pool), freed: Condvar::new(), patience: PATIENCE, anchor: Mutex::new(anchor) })
    }

    /// Runs one operation on a session of its own. After an error the session is closed, since it may be stuck in the middle of an
    /// operation.
    pub(crate) fn run<T>(&self, doing: &'static str, operation: impl FnOnce(&Session) -> Answer<T>) -> Result<T, KeyError> {
        let session = self.take(doing)?;
        let answer = operation(&session);
        self.give_back(answer.is_ok().then_some(session));
        answer.map_err(KeyError::hsm(doing))
    }

    /// Looks at keys on a session; the errors are those of the look itself.
    pub(crate) fn inspect<T>(&self, look: impl FnOnce(&Session) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let session = self.take("opening a session")?;
        let seen = look(&session);
        self.give_back(seen.is_ok().then_some(session));
        seen
    }

    /// Writes to the token, one caller at a time, on the one session that may.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&Session) -> Result<T, KeyError>) -> Result<T, KeyError> {
        write(&self.anchor.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, doing: &'static str) -> Result<Session, KeyError> {
        let must_wait = |pool: &mut Pool| pool.idle.is_empty() && pool.open >= pool.most;
        loop {
            let waited = self.freed.wait_timeout_while(self.pool(), self.patience, must_wait).unwrap_or_else(PoisonError::into_inner);
            let (mut pool, timeout) = waited;
            if let Some(session) = pool.idle.pop() {
                return Ok(session);
            }
            if timeout.timed_out() {
                return Err(KeyError::Busy { waited_seconds: self.patience.as_secs() });
            }
            if let Some(session) = self.grow(&mut pool, doing)? {
                return Ok(session);
            }
        }
    }

    /// One session more; `None` where the HSM allows no more, which then is the pool's limit.
    fn grow(&self, pool: &mut Pool, doing: &'static str) -> Result<Option<Session>, KeyError> {
        match self.module.open_ro_session(self.slot) {
            Ok(session) => {
                pool.open += 1;
                Ok(Some(session))
            }
            Err(Error::Pkcs11(RvError::SessionCount, _)) if pool.open > 0 => {
                pool.most = pool.open;
                Ok(None)
            }
            Err(error) => Err(KeyError::hsm(doing)(error)),
        }
    }

    fn give_back(&self, session: Option<Session>) {
        let mut pool = self.pool();
        match session {
            Some(session) => pool.idle.push(session),
            None => pool.open -= 1,
        }
        drop(pool);
        self.freed.notify_one();
    }

    #[cfg(test)]
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs a session in; that logs in every session of this process with the token. A PIN is tried once and never again by itself.
pub(crate) fn log_in(module: &Pkcs11, slot: Slot, session: &Session, token: &str, pin: &Pin) -> Result<(), KeyError> {
    let info = module.get_token_info(slot).map_err(KeyError::hsm("reading the token's state"))?;
    let token = token.to_owned();
    if info.user_pin_locked() {
        return Err(KeyError::PinLocked { token });
    }
    if info.user_pin_final_try() {
        return Err(KeyError::PinLastTry { token });
    }
    match session.login(UserType::User, Some(pin.expose_to_hsm())) {
        // another Custody of this process logged in before; the HSM did not look at this PIN
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(refusal(error, token)),
    }
}

/// The PIN was handed over: whatever the HSM then answers, but that it is gone, may have counted as a wrong one.
fn refusal(source: Error, token: String) -> KeyError {
    let is_wrong = matches!(source, Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _));
    if is_wrong {
        KeyError::PinRefused { token }
    } else if matches!(source, Error::Pkcs11(RvError::PinLocked, _)) {
        KeyError::PinLocked { token }
    } else if is_loss(&source) {
        KeyError::TokenLost { doing: "logging in", source }
    } else {
        KeyError::LogInFailed { token, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn whatever_a_log_in_fails_with_the_pin_is_not_tried_again_unless_the_hsm_is_gone() {
        // keys: a refused PIN is never tried again by itself; systemd starts again what is away (exit status 69)
        let answered = |value| refusal(Error::Pkcs11(value, Function::Login), "contactpoint".to_owned());
        for value in [RvError::PinIncorrect, RvError::PinLocked, RvError::PinExpired, RvError::FunctionFailed, RvError::GeneralError] {
            assert!(!answered(value).is_away(), "{value}");
        }
        assert!(answered(RvError::DeviceRemoved).is_away());
        assert!(answered(RvError::GeneralError).to_string().contains("not tried again"));
    }
}
