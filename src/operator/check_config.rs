//! `contactpointctl check-config`: reads the settings and the suppliers' layouts with the daemon's own parser, and prints what is in force.
//!
//! Looks at nothing else: not the HSM, not the certificates, not the store.

use crate::error::OperatorError;
use crate::layouts::layouts;
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
    let layouts = layouts(&arguments.directory, &settings)?;
    let mut text = format!("{}\n# layouts, each one in order:\n", settings.effective().trim_end());
    for (name, layout) in &layouts {
        let warning = if layout.is_for_test_data() { " (moves birth years: for test data only)" } else { "" };
        let _ = writeln!(text, "#   {name}: {}{warning}", layout.title());
    }
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::Site;
    use std::path::Path;

    fn check(site: &Site) -> Result<String, OperatorError> {
        run(&Arguments { directory: site.directories.configuration.clone() })
    }

    #[test]
    fn an_empty_file_is_good_and_what_is_in_force_is_shown() {
        // Style: honest settings; check-config is the same parser
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "");
        let text = check(&site).unwrap();
        assert!(text.contains("[hsm]") && text.contains("page_cache_mib"));
    }

    #[test]
    fn broken_settings_exit_78_with_file_line_and_key_and_without_the_value() {
        // Style: unknown key = refuse to start (exit 78)
        let site = Site::without_token();
        for (text, named) in [
            ("[hsm]\npin = \"123456\"\n", "pin"),
            ("[store]\npage_cache_mib = 123456\n", "page_cache_mib"),
            ("[log]\norigin = 123456\n", "origin"),
            ("[hsm\n", "line 1"),
        ] {
            site.write("configuration/contactpointd.toml", text);
            let error = check(&site).unwrap_err();
            assert_eq!(error.exit_status(), 78);
            let sentence = error.to_string();
            assert!(sentence.contains("contactpointd.toml, line") && sentence.contains(named), "{sentence}");
            assert!(!sentence.contains("123456"), "{sentence}");
        }
    }

    #[test]
    fn a_missing_file_and_a_broken_layout_exit_78() {
        // Style: check-config is the same parser
        let site = Site::without_token();
        assert_eq!(check(&site).unwrap_err().exit_status(), 78);
        site.write("configuration/contactpointd.toml", "");
        site.write("configuration/layouts/broken.toml", "name = \"broken\"\nsurprise = 1\n");
        let error = check(&site).unwrap_err();
        assert_eq!(error.exit_status(), 78);
        let sentence = error.to_string();
        assert!(sentence.contains("broken.toml") && sentence.contains("line 2") && sentence.contains("surprise"), "{sentence}");
        assert!(!sentence.contains('\n'), "a refusal is one line: {sentence}");
    }

    #[test]
    fn a_real_system_takes_no_test_layout_and_a_test_system_does() {
        // G7: test systems hold synthetic data only
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "");
        site.write("configuration/layouts/febrl.toml", include_str!("../../tests/interop/febrl/febrl.toml"));
        let error = check(&site).unwrap_err();
        assert_eq!(error.exit_status(), 78);
        assert!(error.to_string().contains("the layout febrl is made for test data"), "{error}");
        site.write("configuration/contactpointd.toml", "[appliance]\nfor_tests = true\n");
        assert!(check(&site).unwrap().contains("#   febrl: "));
    }

    #[test]
    fn the_shipped_settings_and_layouts_pass() {
        // Style: every shipped file passes it in a test
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        let text = run(&Arguments { directory: shipped }).unwrap();
        assert!(text.contains("#   school-roll"), "{text}");
    }
}
