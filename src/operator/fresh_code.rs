//! The second factor anew, for what lets somebody in (rules B2, C2): officers share a machine, and a session waits in a file of it.

use crate::error::OperatorError;

/// The one-time code of whoever acts.
#[derive(Debug, clap::Args)]
pub(crate) struct FreshCode {
    /// The six digits that your device shows now, not those of the log-in; asked for where absent
    #[arg(long)]
    code: Option<String>,
}

impl FreshCode {
    /// As given, or typed now.
    pub(crate) fn typed(&self) -> Result<String, OperatorError> {
        let code = match &self.code {
            Some(code) => code.clone(),
            None => rpassword::prompt_password("Code: ")?,
        };
        Ok(code.trim().to_owned())
    }
}
