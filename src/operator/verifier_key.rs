//! `contactpointctl verifier-key`: the log's public keys, read from the HSM, one a line, as C2SP signed-note writes them.

use crate::custody::{self, ApplianceError, HsmSigner};
use crate::error::OperatorError;
use contactpoint_settings::{Directories, Settings};

pub(crate) fn run(directories: &Directories) -> Result<String, OperatorError> {
    let settings = Settings::load(&directories.configuration)?;
    let custody = custody::open_custody(directories, &settings)?;
    let signer = HsmSigner::new(custody, settings.log.origin.as_str()).map_err(ApplianceError::Origin)?;
    Ok(custody::lines(&signer.verifier_keys()))
}
