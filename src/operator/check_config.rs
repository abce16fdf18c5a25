//! `contactpointctl check-config`: reads the settings and the suppliers' layouts with the daemon's own parser, and prints what is in force.
//!
//! Looks at nothing else: not the HSM, not the certificates, not the store.

use crate::error::OperatorError;
use contactpoint_settings::Settings;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of the check.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration directory
    #[arg(long, env = "CONFIGURATION_DIRECTORY", default_value = "/etc/contactpoint")]
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<String, OperatorError> {
    let settings = Settings::load(&arguments.directory)?;
    let layouts = contactpoint_intake::layouts(&settings.intake.layouts.below(&arguments.directory))?;
    let mut text = format!("{}\n# layouts, each one in order:\n", settings.effective().trim_end());
    for (name, layout) in &layouts {
        let warning = if layout.is_for_test_data() { " (moves birth years: for test data only)" } else { "" };
        let _ = writeln!(text, "#   {name}: {}{warning}", layout.title());
    }
    Ok(text.trim_end().to_owned())
}
