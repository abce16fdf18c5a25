//! `contactpointctl verifier-key`: the log's public key, read from the HSM, as C2SP signed-note writes it.

use crate::custody::{self, ApplianceError, HsmSigner};
use crate::error::OperatorError;
use contactpoint_audit::Signer as _;
use contactpoint_settings::{Directories, Settings};

pub(crate) fn run(directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let custody = custody::open_custody(directories, &settings)?;
    let signer = HsmSigner::new(custody, settings.log.origin.as_str()).map_err(ApplianceError::Origin)?;
    Ok(signer.verifier_key().to_string())
}
