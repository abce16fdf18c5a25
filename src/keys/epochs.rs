//! The epochs of the data keys that are renewed: begun under a key of their own in the HSM, and erased by destroying that (rules F2, I2).
//!
//! For: that what was sealed under an epoch is unreadable everywhere once it ends, also for somebody who kept a copy of the store and of
//! data-keys.toml: what opened them was in the HSM alone. Each step leaves a file that opens what is still to be opened, so that one that was cut
//! off is taken up again. Leaves to others: who may do so, when, and the log's word on it (`operator`); what is sealed (`sealing`). Does not
//! promise: anything about a backup of the HSM's token that was made before; its keeper destroys the key there too.

use crate::data_keys::{Located, WrappedEpoch};
use crate::inspect::{checked, exists, objects};
use crate::kind::HsmKey;
use crate::wrapping::{fresh, wrap, Binding};
use crate::{ceremony, Custody, KeyError, Renewable, WrappedDataKeys};
use contactpoint_hardening::LockedBytes;

/// The data key of one epoch.
pub struct EpochKey {
    /// Which.
    pub epoch: u32,
    /// The key.
    pub key: LockedBytes<32>,
    /// It has a key of its own in the HSM, and can be erased without the rest of the store.
    pub own: bool,
}

impl Custody {
    /// Every epoch of a data key that is not erased, the oldest first, and the one in use last. One whose key in the HSM is gone is left out
    /// where that was being destroyed, and an error where it was not.
    ///
    /// # Errors
    /// As [`Self::unwrap`]; [`KeyError::Missing`].
    pub fn unwrap_epochs(&self, of: Renewable, wrapped: &WrappedDataKeys) -> Result<Vec<EpochKey>, KeyError> {
        let mut epochs = Vec::new();
        for key in wrapped.list(of) {
            let located = Located::renewed(of, key);
            if !key.ending || self.sessions.inspect(|session| exists(session, located.by))? {
                epochs.push(EpochKey { epoch: key.epoch, key: self.unwrap_located(&located)?, own: key.own });
            }
        }
        Ok(epochs)
    }

    /// The keys with one epoch more of this one, under a new key in the HSM. Nothing depends on it before the caller has put the file in its place
    /// ([`WrappedDataKeys::replace`]); a key that is in the HSM already, since an earlier try was cut off, is taken.
    ///
    /// # Errors
    /// Those that speak of single keys; [`KeyError::TokenLost`], [`KeyError::Hsm`], [`KeyError::Memory`].
    pub fn begin_epoch(&self, of: Renewable, wrapped: &WrappedDataKeys) -> Result<WrappedDataKeys, KeyError> {
        let name = of.name();
        let epoch = wrapped.epoch(name).checked_add(1).ok_or(KeyError::NoSuchEpoch { name, epoch: 0 })?;
        let by = HsmKey::Epoch(of, epoch);
        let key = self.sessions.write(|session| {
            if !exists(session, by)? {
                ceremony::make(session, by)?;
            }
            wrap(session, checked(session, by)?.handle(), &Binding { name, epoch, token: &self.token }, &fresh(session)?)
        })?;
        let mut next = wrapped.clone();
        next.list_mut(of).push(WrappedEpoch::new(key, true));
        Ok(next)
    }

    /// Destroys the HSM's key of an epoch that is marked as ending, and looks whether it is gone. From then on the epoch is erased.
    ///
    /// # Errors
    /// [`KeyError::EpochInUse`] where it is not marked; [`KeyError::NotDestroyed`]; [`KeyError::TokenLost`], [`KeyError::Hsm`].
    pub fn destroy_epoch(&self, of: Renewable, epoch: u32, wrapped: &WrappedDataKeys) -> Result<(), KeyError> {
        let (key, name) = (HsmKey::Epoch(of, epoch), of.name());
        if !wrapped.list(of).iter().any(|found| found.epoch == epoch && found.ending && found.own) {
            return Err(KeyError::EpochInUse { name, epoch });
        }
        self.sessions.write(|session| {
            let destroyed = objects(session, key)?.into_iter().try_for_each(|object| session.destroy_object(object));
            destroyed.map_err(KeyError::hsm("destroying a key"))
        })?;
        // asked on another session, which has no handle of it
        match self.sessions.inspect(|session| exists(session, key))? {
            false => Ok(()),
            true => Err(KeyError::NotDestroyed { label: key.label() }),
        }
    }
}

impl WrappedDataKeys {
    /// The same, with an epoch marked as ending: to be put in its place before its key in the HSM is destroyed.
    ///
    /// # Errors
    /// [`KeyError::NoSuchEpoch`], [`KeyError::EpochInUse`], [`KeyError::NotErasable`].
    pub fn ending(&self, of: Renewable, epoch: u32) -> Result<Self, KeyError> {
        let name = of.name();
        if epoch == self.epoch(name) {
            return Err(KeyError::EpochInUse { name, epoch });
        }
        let mut next = self.clone();
        let key = next.list_mut(of).iter_mut().find(|key| key.epoch == epoch).ok_or(KeyError::NoSuchEpoch { name, epoch })?;
        if !key.own {
            return Err(KeyError::NotErasable { name, epoch });
        }
        key.ending = true;
        Ok(next)
    }

    /// The same without an epoch that is over.
    #[must_use]
    pub fn without(&self, of: Renewable, epoch: u32) -> Self {
        let mut next = self.clone();
        next.list_mut(of).retain(|key| key.epoch != epoch || !key.ending);
        next
    }

    /// The same without an epoch of an older version, which nothing needs any more. What copies of the file hold of it opens there all the same.
    #[must_use]
    pub fn left(&self, of: Renewable, epoch: u32) -> Self {
        let mut next = self.clone();
        let in_use = self.epoch(of.name());
        next.list_mut(of).retain(|key| key.epoch != epoch || key.own || key.epoch == in_use);
        next
    }

    /// The epochs whose end was begun and not finished.
    #[must_use]
    pub fn unfinished(&self, of: Renewable) -> Vec<u32> {
        self.list(of).iter().filter(|key| key.ending).map(|key| key.epoch).collect()
    }
}
