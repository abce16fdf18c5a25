//! `contactpointctl check-config`: reads the settings, the suppliers' layouts, the witnesses' policy, the plan of reviews and the detection rules with the
//! daemon's own parsers, and prints what is in force.
//!
//! Looks at nothing else: not the HSM, not the certificates, not the store. So that the policy lists this log by its name is found here, and that it
//! does by its key at the start.

use crate::error::OperatorError;
use crate::layouts::layouts;
use crate::review_files::{detection_rules, review_plan};
use crate::witnesses::policy;
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
    let policy = policy(&arguments.directory, &settings)?;
    review_plan(&arguments.directory, &settings)?;
    let rules = detection_rules(&arguments.directory, &settings)?;
    let mut text = format!("{}\n# layouts, each one in order:\n", settings.effective().trim_end());
    for (name, layout) in &layouts {
        let warning = if layout.is_for_test_data() { " (moves birth years: for test data only)" } else { "" };
        let _ = writeln!(text, "#   {name}: {}{warning}", layout.title());
    }
    if let Some(policy) = policy {
        let names: Vec<&str> = policy.witnesses().map(|(name, _)| name).collect();
        let _ = writeln!(text, "# witnesses: {}", names.join(", "));
    }
    if let Some(rules) = rules {
        let _ = writeln!(text, "# detection rules: {}", rules.names().collect::<Vec<_>>().join(", "));
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
    fn a_plan_of_reviews_that_is_broken_or_not_there_exits_78_with_file_and_line() {
        // F4: the plan is data; style: unknown key = refuse to start (exit 78)
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "");
        site.write("configuration/review-plan.toml", "[[line]]\nwhy = \"w\"\nper_mille = 5\nevery = \"fortnight\"\nworking_days = 5\n");
        let error = check(&site).unwrap_err();
        assert_eq!(error.exit_status(), 78);
        assert!(error.to_string().contains("review-plan.toml, line 4: "), "{error}");
        std::fs::remove_file(site.path("configuration/review-plan.toml")).unwrap();
        let error = check(&site).unwrap_err();
        assert!(error.exit_status() == 78 && error.to_string().contains("review-plan.toml cannot be read"), "{error}");
    }

    #[test]
    fn detection_rules_that_are_broken_or_not_there_exit_78_and_good_ones_are_told() {
        // F4: detection rules as data; without the setting there are none
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "[review]\ndetection = \"\"\n");
        assert!(!check(&site).unwrap().contains("detection rules"));
        site.write("configuration/contactpointd.toml", "");
        std::fs::remove_file(site.path("configuration/detection.toml")).unwrap();
        let error = check(&site).unwrap_err();
        assert!(error.exit_status() == 78 && error.to_string().contains("detection.toml cannot be read"), "{error}");
        site.write("configuration/detection.toml", "time_zone = \"GMT0\"\nworking_days = 61\n");
        let error = check(&site).unwrap_err();
        assert!(error.exit_status() == 78 && error.to_string().contains("detection.toml, line 2: "), "{error}");
        site.write("configuration/detection.toml", include_str!("../../config/detection.toml"));
        assert!(check(&site).unwrap().contains("# detection rules: own-family, volume, hours, child-by-many, refused, police-far"));
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
    fn a_witnesses_policy_that_is_none_or_of_another_log_exits_78_and_a_good_one_is_told() {
        // F2: independent witnesses may cosign; check-config is the same parser as the daemon's
        let site = Site::without_token();
        site.write("configuration/contactpointd.toml", "[witnesses]\npolicy = \"log.policy\"\n");
        let refused = |text: Option<&str>| {
            text.iter().for_each(|text| site.write("configuration/log.policy", text));
            let error = check(&site).unwrap_err();
            assert_eq!(error.exit_status(), 78, "{error}");
            error.to_string()
        };
        assert!(refused(None).contains("log.policy cannot be read"));
        assert!(refused(Some("quorum w1\n")).contains("log.policy, line 1: w1 is not defined above it"));
        let key = |name: &str, kind| match kind {
            4 => contactpoint_audit::WitnessKey::ed25519(name, &public_key(WITNESS)).unwrap().to_string(),
            _ => contactpoint_audit::VerifierKey::ed25519(name, &public_key(LOG)).unwrap().to_string(),
        };
        let policy = |log: &str| format!("log {}\nwitness north {}\nquorum north\n", key(log, 1), key("north.example/w", 4));
        assert!(refused(Some(&policy("other.example/log"))).contains("does not list the log contactpoint.example/log"));
        let good = policy("contactpoint.example/log");
        assert!(refused(Some(&good.replace("quorum north", "quorum none"))).contains("leave [witnesses] policy empty"));
        site.write("configuration/log.policy", &good);
        assert!(check(&site).unwrap().contains("# witnesses: north"));
    }

    /// RFC 8032, 7.1, tests 1 and 2.
    const LOG: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    const WITNESS: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

    fn public_key(hex: &str) -> [u8; 32] {
        std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    #[test]
    fn the_shipped_settings_and_layouts_pass() {
        // Style: every shipped file passes it in a test
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
        let text = run(&Arguments { directory: shipped }).unwrap();
        assert!(text.contains("#   school-roll"), "{text}");
    }
}
