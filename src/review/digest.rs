//! By what the log's entries know a file of review: the first 16 bytes of SHA-256. Does not promise that what has the digest is any good.

use contactpoint_domain::Day;
use sha2::{Digest as _, Sha256};

/// The first 16 bytes of SHA-256 of a text: `sha256sum FILE` begins with them.
pub(crate) fn of_text(text: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(text).into();
    std::array::from_fn(|at| whole.get(at).copied().unwrap_or_default())
}

/// Which holidays they are, in whatever order they are given: the same of each of them once, the earliest first, as `2026-12-25` and a newline.
#[must_use]
pub fn digest_of_holidays(holidays: &[Day]) -> [u8; 16] {
    let mut days = holidays.to_vec();
    days.sort_unstable();
    days.dedup();
    of_text(&days.iter().map(|day| format!("{day}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rules;

    fn hex(digest: [u8; 16]) -> String {
        digest.map(|byte| format!("{byte:02x}")).concat()
    }

    #[test]
    fn holidays_are_known_by_their_days_in_whatever_order() {
        // F4; anybody can ask which they are: printf '2026-12-25\n2026-12-28\n' | sha256sum | head -c 32
        let of = |days: &[&str]| hex(digest_of_holidays(&days.iter().map(|day| day.parse().unwrap()).collect::<Vec<_>>()));
        assert_eq!(of(&["2026-12-25", "2026-12-28"]), "8d1e5f5bd7ee9caba7edec7b6efe8852");
        assert_eq!(of(&["2026-12-28", "2026-12-25", "2026-12-28"]), of(&["2026-12-25", "2026-12-28"]));
        assert_eq!(of(&[]), "e3b0c44298fc1c149afbf4c8996fb924", "printf '' | sha256sum");
        assert_ne!(of(&["2026-12-25"]), of(&["2026-12-28"]));
    }

    #[test]
    fn the_detection_rules_and_the_areas_that_adjoin_are_known_by_their_file() {
        // F4; sha256sum config/detection.toml
        let shipped = include_str!("../../config/detection.toml");
        let of = |text: &str| hex(Rules::parse(text).unwrap().digest());
        assert_eq!(of(shipped), hex(of_text(shipped)));
        let head = "time_zone = \"GMT0\"\nadjoining = [[2, 5]]\n";
        assert_eq!(of(head), "8626caa12e07f102fbe97c847538ebb8");
        assert_ne!(of(head), of(&head.replace("[2, 5]", "[2, 6]")), "areas stand in it");
    }
}
