//! Which settings differ from what the daemon would do without a file.

use crate::Settings;
use toml::{Table, Value};

impl Settings {
    /// The keys that are not at their default, in order: "hsm.token". An accreditor reads each of them with its reason.
    #[must_use]
    pub fn off_default(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let (Ok(set), Ok(default)) = (Table::try_from(self), Table::try_from(Self::default())) {
            differing("", &set, &default, &mut found);
        }
        found
    }
}

fn differing(above: &str, set: &Table, default: &Table, found: &mut Vec<String>) {
    for key in set.keys().chain(default.keys().filter(|key| !set.contains_key(*key))) {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match (set.get(key), default.get(key)) {
            (Some(Value::Table(set)), Some(Value::Table(default))) => differing(&path, set, default, found),
            (set, default) if set == default => {}
            _ => found.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(text: &str) -> Vec<String> {
        Settings::parse(text, Path::new("test")).unwrap().off_default()
    }

    #[test]
    fn what_differs_is_named_and_what_is_only_spelt_out_is_not() {
        // evidence: settings off their safe default
        assert!(of("").is_empty());
        assert!(of("[tls]\nreload_seconds = 60\n").is_empty());
        assert_eq!(of("[tls]\nreload_seconds = 61\n[hsm]\ntoken = \"trial\"\n"), ["hsm.token", "tls.reload_seconds"]);
    }

    #[test]
    fn the_shipped_file_is_the_default() {
        // Style, honest settings: each key is commented with its default
        assert!(of(include_str!("../../config/contactpointd.toml")).is_empty());
    }
}
