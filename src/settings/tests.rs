//! The parser against the shipped file and against what people type.

use crate::{Directories, LogOrigin, Settings, SettingsError, TokenLabel, Within, FILE_NAME};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

const SHIPPED: &str = include_str!("../../config/contactpointd.toml");

fn parse(text: &str) -> Result<Settings, SettingsError> {
    Settings::parse(text, Path::new("/etc/contactpoint/contactpointd.toml"))
}

fn refusal(text: &str) -> String {
    parse(text).err().unwrap().to_string()
}

/// "section.key" of every value.
fn keys_of(text: &str) -> BTreeSet<String> {
    let table: toml::Table = toml::from_str(text).unwrap();
    let keys = |(section, values): (&String, &toml::Value)| {
        values.as_table().unwrap().keys().map(|key| format!("{section}.{key}")).collect::<Vec<_>>()
    };
    table.iter().flat_map(keys).collect()
}

#[test]
fn the_shipped_file_holds_every_key_with_its_default() {
    // each key is commented with its default; every shipped file passes the same parser
    assert_eq!(parse(SHIPPED).unwrap(), Settings::default());
    assert_eq!(keys_of(SHIPPED), keys_of(&Settings::default().effective()));
}

#[test]
fn every_key_of_the_shipped_file_has_its_default_and_a_reason_above_it() {
    // each key is commented with its default
    let mut comment = String::new();
    for line in SHIPPED.lines() {
        match line.split_once(" = ") {
            _ if line.starts_with('#') => comment.push_str(line),
            Some((key, value)) => {
                assert!(comment.contains(&format!("Default: {}", value.trim_matches('"'))), "{key}: {comment}");
                assert!(comment.len() > 60, "{key} needs a reason");
                comment.clear();
            }
            None => comment.clear(),
        }
    }
}

#[test]
fn an_empty_file_is_the_defaults_and_a_missing_one_is_refused() {
    // each key has a default; a file that is not there is no decision
    assert_eq!(parse("").unwrap(), Settings::default());
    let directory = tempfile::tempdir().unwrap();
    let error = Settings::load(directory.path()).err().unwrap();
    assert!(matches!(error, SettingsError::Unreadable { .. }));
    assert!(error.to_string().contains(FILE_NAME));
    std::fs::write(directory.path().join(FILE_NAME), "[store]\nreaders = 9\n").unwrap();
    assert_eq!(Settings::load(directory.path()).unwrap().store.readers.get(), 9);
}

#[test]
fn there_is_no_key_for_a_pin_or_any_secret() {
    // Keys: the PIN comes only as a systemd credential, never from the settings file
    for (section, key) in
        [("hsm", "pin"), ("hsm", "user_pin"), ("hsm", "pin_file"), ("tls", "key"), ("tls", "private_key"), ("store", "passphrase")]
    {
        let sentence = refusal(&format!("[{section}]\n{key} = \"246813\"\n"));
        assert!(sentence.starts_with(&format!("/etc/contactpoint/contactpointd.toml, line 2, {key}: unknown field")), "{sentence}");
        assert!(!sentence.contains("246813"));
    }
    for key in keys_of(SHIPPED) {
        assert!(!["pin", "password", "secret", "passphrase"].iter().any(|word| key.contains(word)), "{key}");
    }
}

#[test]
fn an_unknown_key_or_section_refuses_to_start() {
    // unknown key = refuse to start
    assert!(refusal("[store]\nreaders = 4\npage_cache = 256\n").contains("line 3, page_cache: unknown field"));
    assert!(refusal("[stores]\nreaders = 4\n").contains("line 1, [stores]: unknown field `stores`"));
    assert!(refusal("readers = 4\n").contains("line 1, readers: unknown field"));
}

#[test]
fn a_value_out_of_range_is_refused_by_line_key_and_range() {
    // parsed once at the door; a refusal says file, line and key
    for (section, key, wrong, range) in [
        ("store", "page_cache_mib", "7", "between 8 and 65536"),
        ("store", "readers", "0", "between 1 and 64"),
        ("store", "group_commit_max", "-1", "between 1 and 1024"),
        ("limits", "feed_body_bytes", "1000", "between 131072 and 16777216"),
        ("limits", "header_seconds", "9223372036854775807", "between 1 and 120"),
        ("log", "checkpoint_seconds", "61", "between 1 and 60"),
        ("tls", "reload_seconds", "0", "between 1 and 3600"),
    ] {
        let sentence = refusal(&format!("# a comment\n[{section}]\n{key} = {wrong}\n"));
        assert!(sentence.contains(&format!("line 3, {key}: must be {range}")), "{sentence}");
    }
}

#[test]
fn more_than_fifteen_idle_minutes_are_refused() {
    // C2: a session ends after 15 idle minutes
    assert_eq!(parse("[session]\nidle_seconds = 900").unwrap().session.idle_seconds.seconds().as_secs(), 15 * 60);
    assert!(refusal("[session]\nidle_seconds = 901").contains("line 2, idle_seconds: must be between 30 and 900"));
}

#[test]
fn a_wrong_type_is_refused_without_repeating_the_value() {
    // G1: no log line with a secret, not even one that was put in the wrong place
    for wrong in ["\"246813\"", "2.5", "true", "[246813]", "{ a = 246813 }"] {
        let sentence = refusal(&format!("[store]\nreaders = {wrong}\n"));
        assert!(sentence.contains("line 2, readers: ") && sentence.contains("expected"), "{sentence}");
        assert!(!sentence.contains("246813") && !sentence.contains("2.5"), "{sentence}");
    }
    assert!(!refusal("[hsm]\ntoken = 246813\n").contains("246813"));
    assert!(!refusal("hsm = \"246813\"\n").contains("246813"));
}

#[test]
fn what_is_no_toml_is_refused_by_line_without_repeating_it() {
    // G1: no log line with a secret, not even one that was put in the wrong place
    for (wrong, line) in [
        ("[store\n", 1),
        ("[store]\nreaders 246813\n", 2),
        ("[store]\nreaders = 4\nreaders = 246813\n", 3),
        ("\n\n= 246813", 3),
        ("[store]\n[store]\n", 2),
        ("[hsm]\ntoken = \"246813\n", 2),
    ] {
        let sentence = refusal(wrong);
        assert!(sentence.contains(&format!("line {line}, ")), "{sentence}");
        assert!(!sentence.contains("246813"), "{sentence}");
    }
}

#[test]
fn paths_stay_below_the_configuration_directory() {
    // G5: nothing is read from where the lock-down does not reach
    for wrong in ["/etc/shadow", "../secret.pem", "tls/../../secret.pem", "", "./server.pem"] {
        assert!(refusal(&format!("[tls]\ncertificate = \"{wrong}\"\n")).contains("line 2, certificate: must be a path below"));
    }
    let certificate = Settings::default().tls.certificate.below(Path::new("/etc/contactpoint"));
    assert_eq!(certificate, Path::new("/etc/contactpoint/tls/server.pem"));
    assert!(refusal("[hsm]\nmodule = \"libsofthsm2.so\"\n").contains("must be an absolute path"));
}

#[test]
fn labels_and_origins_have_the_shape_that_their_standards_ask_for() {
    // PKCS#11 CK_TOKEN_INFO; C2SP signed-note
    for wrong in ["", " blank", "blank ", "line\nbreak", &"x".repeat(33)] {
        assert!(TokenLabel::try_from(wrong.to_owned()).is_err());
    }
    for wrong in ["", "two words", "a+b", "line\nbreak", "no\u{a0}break", &"x".repeat(256)] {
        assert!(LogOrigin::try_from(wrong.to_owned()).is_err());
    }
    assert_eq!(TokenLabel::try_from("x".repeat(32)).unwrap().as_str().len(), 32);
}

#[test]
fn the_defaults_pass_their_own_checks() {
    // each key has a default, which the same parser takes
    let defaults = Settings::default();
    assert_eq!(parse(&defaults.effective()).unwrap(), defaults);
}

#[test]
fn one_organisation_cannot_be_allowed_more_than_all_together() {
    // two keys that contradict each other refuse to start
    let sentence = refusal("[limits]\nconnections_total = 10\nconnections_per_organisation = 11\n");
    assert!(sentence.contains("connections_per_organisation is larger than connections_total"));
}

#[test]
fn a_number_in_range_is_made_by_its_constructor_alone() {
    // a constructor that can refuse, then no more checks inside
    assert_eq!(Within::<1, 3>::new(3).unwrap().count(), 3);
    assert_eq!(Within::<1, 3>::new(4).err().unwrap().to_string(), "must be between 1 and 3");
    assert!(Within::<1, 3>::new(0).is_err());
}

fn environment(changed: &str, value: Option<&str>) -> impl Fn(&str) -> Option<OsString> {
    let (changed, value) = (changed.to_owned(), value.map(OsString::from));
    move |name| if name == changed { value.clone() } else { Some(format!("/run/{}", name.to_lowercase()).into()) }
}

#[test]
fn the_directories_are_those_that_systemd_names() {
    // systemd.exec(5): CONFIGURATION_DIRECTORY, STATE_DIRECTORY, CREDENTIALS_DIRECTORY
    let directories = Directories::from_environment(environment("", None)).unwrap();
    assert_eq!(directories.configuration, Path::new("/run/configuration_directory"));
    assert_eq!(directories.state, Path::new("/run/state_directory"));
    assert_eq!(directories.credentials, Path::new("/run/credentials_directory"));
}

#[test]
fn a_missing_relative_or_doubled_directory_is_a_sentence_that_says_what_to_do() {
    // Style: each failure is one sentence on what to do
    for (variable, directive) in [
        ("CONFIGURATION_DIRECTORY", "ConfigurationDirectory="),
        ("STATE_DIRECTORY", "StateDirectory="),
        ("CREDENTIALS_DIRECTORY", "LoadCredentialEncrypted="),
    ] {
        for (value, why) in
            [(None, "is not set"), (Some(""), "is not set"), (Some("here"), "is not an absolute path"), (Some("/a:/b"), "names several")]
        {
            let sentence = Directories::from_environment(environment(variable, value)).err().unwrap().to_string();
            assert!(sentence.contains(variable) && sentence.contains(why) && sentence.contains(directive), "{sentence}");
        }
    }
}

#[test]
fn an_hsm_s_paths_lead_to_no_device_no_home_and_no_mounted_medium() {
    // G5: no way to physical media, no device access
    let reads = |path: &str| parse(&format!("[hsm]\nreads = [\"{path}\"]\n")).is_ok();
    assert!(reads("/var/lib/contactpoint-softhsm") && reads("/opt/vendor/data"));
    for of_usb in ["/dev/bus/usb", "/sys/bus/usb", "/sys/devices"] {
        assert!(parse(&format!("[hsm]\nattachment = \"usb\"\nwrites = [\"{of_usb}\"]\n")).is_ok(), "{of_usb}");
        assert!(!reads(of_usb) && parse(&format!("[hsm]\nattachment = \"unix-socket\"\nwrites = [\"{of_usb}\"]\n")).is_err(), "{of_usb}");
    }
    for path in [
        "/",
        "/var",
        "/dev/sda",
        "/dev/sdb1",
        "/media/stick",
        "/mnt/stick",
        "/run/media/stick",
        "/home/a",
        "/root/x",
        "/proc/1/mem",
        "/sys/block",
    ] {
        assert!(!reads(path), "{path}");
    }
    for path in ["relative/path", "/var/lib/../../dev/sda"] {
        assert!(!reads(path), "{path}");
    }
}

#[test]
fn a_port_is_for_a_network_hsm_and_a_network_hsm_has_one() {
    // B5: no outbound connection but those that are named
    assert!(parse("[hsm]\nattachment = \"network\"\nport = 9004\n").is_ok());
    assert!(parse("[hsm]\nattachment = \"network\"\n").is_err());
    assert!(parse("[hsm]\nport = 9004\n").is_err());
    assert!(parse("[hsm]\nattachment = \"telephone\"\n").is_err());
}

#[test]
fn answers_that_wait_for_witnesses_need_a_policy_that_names_them() {
    // F2: independent witnesses may cosign; a setting that can never be met is refused
    assert!(refusal("[witnesses]\nanswers_wait = true\n").contains("there is no policy"));
    let settings = parse("[witnesses]\npolicy = \"log.policy\"\nanswers_wait = true\n").unwrap();
    let etc = Path::new("/etc/contactpoint");
    assert_eq!(settings.witnesses.policy.below(etc), Some(etc.join("log.policy")));
    assert_eq!(Settings::default().witnesses.policy.below(etc), None);
    assert!(refusal("[witnesses]\npolicy = \"../log.policy\"\n").contains("line 2, policy: must be a path below"));
    assert!(refusal("[witnesses]\nlate_seconds = 0\n").contains("between 1 and 604800"));
}
