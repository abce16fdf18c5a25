//! The rules, parsed once at the door: an unknown key, a number out of range, a rule without its reason is refused.

use crate::calendar::{Calendar, Zone};
use crate::digest;
use contactpoint_domain::{Areas, Day, Instant, OrganisationId, OrganisationKind, RuleName};
use contactpoint_settings::Within;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Days that a rule may look back: what bounds its memory.
pub(crate) type Days = Within<1, 90>;
/// Days before a day on which a rule with so many days tells of the same no second time: what it tells next rests on other days.
pub(crate) fn quiet(within: Days) -> i32 {
    i32::try_from(within.get()).unwrap_or(i32::MAX) - 1
}

/// A number of looks, days, children or people.
pub(crate) type Count = Within<1, 1000>;
/// A share in thousandths.
pub(crate) type PerMille = Within<0, 1000>;
/// A share in hundredths.
pub(crate) type Percent = Within<1, 100>;

/// The rules cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Not TOML, an unknown key, a wrong type or a number out of range. Mend the line.
    #[error("line {line}: {why}")]
    Refused {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Two rules have one name. Findings would not tell them apart.
    #[error("two rules are called {0}")]
    Twice(String),
    /// A rule does not say why it is there.
    #[error("the rule {0} does not say why")]
    WithoutReason(String),
    /// An area is said to adjoin itself. Of the other areas nothing is said then.
    #[error("adjoining: area {0} adjoins others, not itself")]
    AdjoinsItself(u32),
}

/// The whole file: config/detection.toml explains each key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub(crate) time_zone: Zone,
    #[serde(default = "ten")]
    working_days: Within<1, 60>,
    #[serde(default)]
    adjoining: Vec<(OrganisationId, OrganisationId)>,
    #[serde(default)]
    pub(crate) rule: Vec<Rule>,
    /// Of the file's text.
    #[serde(skip)]
    digest: [u8; 16],
}

fn ten() -> Within<1, 60> {
    Within::default_of(10)
}

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub(crate) name: RuleName,
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) organisations: Option<BTreeSet<OrganisationKind>>,
    pub(crate) find: Find,
}

/// What a rule looks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Find {
    OwnFamily(OwnFamily),
    Volume(Volume),
    Hours(Hours),
    ChildByMany(ChildByMany),
    Refused(Refused),
    FarAway(FarAway),
}

/// Looks at somebody of the looker's own home; or, of a child whom the organisation does not work with, of their name, on several days.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnFamily {
    pub(crate) days_by_name: Count,
    pub(crate) within_days: Days,
}

/// More children in a day than peers see, and than the person does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Volume {
    pub(crate) at_least: Count,
    pub(crate) times_peers: Count,
    pub(crate) times_own: Count,
}

/// Looks at an hour at which neither the person nor, mostly, their peers look.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hours {
    pub(crate) looks: Count,
    pub(crate) own_per_mille: PerMille,
    pub(crate) peers_per_mille: PerMille,
    pub(crate) newcomers_per_mille: PerMille,
    pub(crate) known_after: Count,
}

/// Many people look at one child whom their organisations do not work with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChildByMany {
    pub(crate) people: Count,
    pub(crate) within_days: Days,
}

/// Most of a day's looks end without a hit or are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) looks: Count,
    pub(crate) percent: Percent,
}

/// Looks at children far from the organisation's area, on several days or at several children.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FarAway {
    pub(crate) on_days: Count,
    pub(crate) children: Count,
    pub(crate) within_days: Days,
}

impl Rules {
    /// Reads the text of a file of rules.
    ///
    /// # Errors
    /// [`RulesError`].
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let mut rules: Self = toml::from_str(text).map_err(|error| {
            let (line, why) = refusal(&error, text);
            RulesError::Refused { line, why }
        })?;
        if let Some((one, _)) = rules.adjoining.iter().find(|(one, other)| one == other) {
            return Err(RulesError::AdjoinsItself(one.0));
        }
        let mut names = BTreeSet::new();
        for rule in &rules.rule {
            if !names.insert(&rule.name) {
                return Err(RulesError::Twice(rule.name.as_str().to_owned()));
            }
            if rule.why.trim().is_empty() {
                return Err(RulesError::WithoutReason(rule.name.as_str().to_owned()));
            }
        }
        rules.digest = digest::of_text(text);
        Ok(rules)
    }

    /// Which rules they are, and which areas adjoin: the first 16 bytes of SHA-256 of the file that they were read from.
    #[must_use]
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// The names of the rules, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rule.iter().map(|rule| rule.name.as_str())
    }

    /// The same without one of them.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let rule = self.rule.iter().filter(|rule| rule.name.as_str() != name).cloned().collect();
        Self { rule, ..self.clone() }
    }

    /// The day on the wall's calendar, in days since 1970-01-01.
    #[must_use]
    pub fn day_of(&self, at: Instant) -> i32 {
        Calendar::of(&self.time_zone, &[]).local(at).day
    }

    /// The last day on which a task that is made on a day is not overdue.
    #[must_use]
    pub fn due(&self, made: Day, holidays: &[Day]) -> Day {
        made.plus_working_days(u16::try_from(self.working_days.get()).unwrap_or(u16::MAX), holidays)
    }

    /// The areas that adjoin.
    #[must_use]
    pub fn areas(&self) -> Areas {
        Areas::adjoining(self.adjoining.iter().copied())
    }

    /// Whether what a rule finds tells something of a child beside what was shown: its family, its home, or that there is a record.
    #[must_use]
    pub fn tells_of_the_child(&self, name: &RuleName) -> bool {
        self.rule.iter().filter(|rule| rule.name == *name).any(|rule| match rule.find {
            Find::OwnFamily(_) | Find::ChildByMany(_) | Find::FarAway(_) => true,
            Find::Volume(_) | Find::Hours(_) | Find::Refused(_) => false,
        })
    }
}

impl Rule {
    /// What findings call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn is_about(&self, kind: OrganisationKind) -> bool {
        self.organisations.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// Line from 1, and the parser's first sentence.
pub(crate) fn refusal(error: &toml::de::Error, text: &str) -> (usize, String) {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    (line, error.message().lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "time_zone = \"GMT0BST,M3.5.0/1,M10.5.0\"\n";

    fn refused(rule: &str) -> RulesError {
        Rules::parse(&format!("{HEAD}[[rule]]\n{rule}")).unwrap_err()
    }

    #[test]
    fn the_shipped_rules_are_taken_and_each_says_why() {
        // F4: detection rules as data
        let rules = Rules::parse(include_str!("../../config/detection.toml")).unwrap();
        assert_eq!(rules.names().count(), 6);
        assert_eq!(rules.without("volume").names().count(), 5);
        let explained = |rule: &&Rule| rule.why.split_whitespace().count() > 5;
        assert_eq!(rules.rule.iter().filter(explained).count(), 6);
    }

    #[test]
    fn what_the_file_should_not_have_is_refused_with_its_line() {
        // A3, and style: unknown keys are refused, never dropped in silence
        let line_of = |rule: &str| match refused(rule) {
            RulesError::Refused { line, .. } => line,
            other @ (RulesError::Twice(_) | RulesError::WithoutReason(_) | RulesError::AdjoinsItself(_)) => panic!("{other}"),
        };
        let good = "name = \"n\"\nwhy = \"w\"\n";
        assert_eq!(line_of(&format!("{good}find.refused = {{ looks = 3, percent = 60, more = 1 }}")), 5);
        assert_eq!(line_of(&format!("{good}find.refused = {{ looks = 0, percent = 60 }}")), 5);
        assert_eq!(line_of(&format!("{good}find.refused = {{ looks = 3, percent = 101 }}")), 5);
        assert_eq!(line_of(&format!("{good}find.child-by-many = {{ people = 3, within_days = 91 }}")), 5);
        assert_eq!(line_of(&format!("{good}find.elsewhere = {{ looks = 3 }}")), 5);
        assert_eq!(line_of(&format!("{good}organisations = [\"castle\"]\nfind.refused = {{ looks = 3, percent = 60 }}")), 5);
        assert_eq!(line_of(&format!("{good}threshold = 3\nfind.refused = {{ looks = 3, percent = 60 }}")), 5);
        assert!(matches!(Rules::parse("time_zone = \"here\""), Err(RulesError::Refused { line: 1, .. })));
        assert!(matches!(Rules::parse(""), Err(RulesError::Refused { .. })));
    }

    #[test]
    fn a_rule_without_a_reason_and_two_of_one_name_are_refused() {
        // style: security policy is data with a reason on each line
        let rule = "name = \"n\"\nwhy = \" \"\nfind.refused = { looks = 3, percent = 60 }\n";
        assert_eq!(refused(rule), RulesError::WithoutReason("n".to_owned()));
        let good = rule.replace("\" \"", "\"w\"");
        assert_eq!(refused(&format!("{good}[[rule]]\n{good}")), RulesError::Twice("n".to_owned()));
        let itself = Rules::parse(&format!("{HEAD}adjoining = [[2, 5], [7, 7]]"));
        assert_eq!(itself.unwrap_err(), RulesError::AdjoinsItself(7));
    }
}
