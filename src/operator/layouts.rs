//! The suppliers' layouts, read once and the same for the daemon's start and for `check-config`.
//!
//! Leaves to others: what a layout says (`intake`), and the other half of rule G7, who may reach a test system (the daemon's start).

use contactpoint_intake::{Layout, LayoutError};
use contactpoint_settings::Settings;
use std::collections::BTreeMap;
use std::path::Path;

/// Why the layouts cannot be used. Exit status 78.
#[derive(Debug, thiserror::Error)]
pub enum LayoutsRefused {
    /// The folder or a file in it; mend it.
    #[error("a layout cannot be used: {0}")]
    Layout(#[from] LayoutError),
    /// Test data on a real system. Take the file away.
    #[error("the layout {0} is made for test data, and this is no test system ([appliance] for_tests); take its file away (rule G7)")]
    ForTests(String),
}

/// The layouts below the configuration directory, by name. A real system takes none that is made for test data (rule G7).
///
/// # Errors
/// [`LayoutsRefused`], with the first that is at fault.
pub fn layouts(configuration: &Path, settings: &Settings) -> Result<BTreeMap<String, Layout>, LayoutsRefused> {
    let layouts = contactpoint_intake::layouts(&settings.intake.layouts.below(configuration))?;
    match layouts.iter().find(|(_, layout)| layout.is_for_test_data()) {
        Some((name, _)) if !settings.appliance.for_tests => Err(LayoutsRefused::ForTests(name.clone())),
        Some(_) | None => Ok(layouts),
    }
}
