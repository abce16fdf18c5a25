//! The ways in which identity cannot do its work. Nobody was refused; `edge` answers that the service is unavailable.

/// Identity could not do its work; nobody was refused.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The store did not commit the attempt. Look at the store's own report; no answer may leave.
    #[error(transparent)]
    Store(#[from] contactpoint_store::StoreError),
    /// The HSM did not answer, so no password can be checked. Look at the HSM; `contactpointctl status` probes it.
    #[error("the HSM could not pepper a password: {0}")]
    Pepper(#[from] contactpoint_keys::KeyError),
    /// Argon2 refused its input or a stored record. The record is damaged: restore it or enrol the person anew.
    #[error("a password record could not be worked out")]
    PasswordRecord,
    /// The kernel gave no randomness. The machine is not fit to run.
    #[error("the kernel gave no randomness")]
    Randomness(#[from] getrandom::Error),
    /// The process is ending, or a password check panicked.
    #[error("password checks are no longer taken")]
    Stopping,
}
