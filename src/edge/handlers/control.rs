//! The control socket's own routes about the appliance: the state of its parts and the evidence of it. No child is within reach.

use super::{Handled, Handlers};
use crate::answer::{Answer, Health, Public, WitnessesHealth};
use crate::call::Call;
use crate::problem::ProblemCode;
use std::sync::Arc;
use std::time::Duration;

/// How long the HSM may take for the signature that shows that it works.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether store and keys work. Who may open the control socket may know.
pub(crate) async fn status(desk: &Handlers, _: Call<'_>) -> Handled {
    Ok(Answer::public(Public::Health(desk.health().await)))
}

/// How keys, store, log, door, settings and locks stand, for the accreditor. Who may open the control socket may know.
pub(crate) async fn evidence(desk: &Handlers, _: Call<'_>) -> Handled {
    let keys = Arc::clone(&desk.custody);
    let keys = tokio::task::spawn_blocking(move || keys.attributes()).await.map_err(|_| ProblemCode::Internal)?;
    let evidence = desk.standing.evidence(keys, desk.store.cipher().await, &desk.store, &desk.revocation);
    Ok(Answer::public(Public::Evidence(Box::new(evidence))))
}

impl Handlers {
    /// A real commit and a real signature.
    pub(crate) async fn health(&self) -> Health {
        let custody = Arc::clone(&self.custody);
        let probe = tokio::task::spawn_blocking(move || custody.probe().is_ok());
        // an HSM that hangs is one that does not work, and whoever asks is told so
        let keys = tokio::time::timeout(PATIENCE, probe).await.is_ok_and(|probed| probed.unwrap_or(false));
        let store = self.store.probe().await.is_ok();
        let now = self.identity.now().wall;
        // a store that does not answer is told as such, and then nothing is known of its witnesses
        let standing = self.witnesses.as_deref().and_then(|witnesses| witnesses.standing(now).ok());
        Health {
            store,
            keys,
            entries: self.store.log_size(),
            revoked: self.revocation.revoked(),
            entry_epochs: self.store.entry_epochs(),
            record_epochs: self.store.record_epochs(),
            witnesses: standing.map(WitnessesHealth::from),
            overdue_reviews: self.store.registry(|registry| registry.overdue_reviews(now.day())).ok(),
            detected_to: self.store.registry(|registry| registry.detected_to()).ok().flatten(),
        }
    }
}
