//! A report for people: how many rules hold, each rule in a line, and below what was looked at with the raw evidence.

use crate::{Check, CheckId, Judgement, Observation, Report, Rule, Standing, Verdict};
use std::fmt::Write;

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";
/// How much of a rule's text stands beside its number.
const MOST_WORDS: usize = 100;
/// Where what is below a rule's line begins.
const INDENT: &str = "                   ";
/// Columns of a paragraph.
const WIDEST: usize = 120;

impl Report {
    /// As text, with colours for a terminal or without. What was read is shown raw, but for control characters, which are escaped.
    #[must_use]
    pub fn text(&self, colour: bool) -> String {
        let mut text = self.heading();
        text.push_str("\nRules\n");
        for (rule, judgement) in self.catalogue().rules().iter().zip(self.judgements()) {
            text.push_str(&self.rule_lines(rule, judgement, colour));
        }
        text.push_str("\nWhat was looked at\n");
        for check in self.catalogue().checks() {
            text.push_str(&self.check_lines(check, colour));
        }
        text
    }

    fn heading(&self) -> String {
        let facts = self.facts();
        let counts = Standing::ALL.iter().map(|standing| format!("{} {}", self.count(*standing), standing.words()));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let (version, host) = (printable(&facts.version), printable(&facts.host));
        let rules = match self.judgements().len() {
            1 => "1 rule".to_owned(),
            several => format!("{several} rules"),
        };
        format!("contactpoint {version} on {host} at {}\n{rules}: {counts}\n", facts.at)
    }

    /// The rule in a line, and below it why it is not simply holding.
    fn rule_lines(&self, rule: &Rule, judgement: &Judgement, colour: bool) -> String {
        let standing = painted(&format!("{:<11}", judgement.standing.words()), shade(judgement.standing), colour);
        let mut lines = format!("  {:<3} {standing}  {}\n", rule.id.as_str(), beginning(&rule.text));
        if let Some(open) = &rule.open {
            lines.push_str(&below("open", open));
        }
        // that what is there of an open rule holds is worth a line; of any other, its standing says it
        let words =
            if judgement.standing == Standing::Open { &[Verdict::Unseen, Verdict::Holds][..] } else { &[Verdict::Fails, Verdict::Unseen] };
        for verdict in words {
            let checks: Vec<&str> = rule.checks.iter().filter(|check| self.verdict(check) == *verdict).map(CheckId::as_str).collect();
            if !checks.is_empty() {
                lines.push_str(&below(verdict.word(), &checks.join(", ")));
            }
        }
        lines
    }

    /// The check in a line, and below it each look with what should be and what was read.
    fn check_lines(&self, check: &Check, colour: bool) -> String {
        let verdict = self.verdict(&check.id);
        let mut lines = format!("  {}  {}\n", painted(&format!("{:<6}", verdict.word()), tint(verdict), colour), check.id);
        for observation in self.observations().iter().filter(|observation| observation.check == check.id) {
            lines.push_str(&observation_lines(observation));
        }
        lines
    }
}

fn observation_lines(observation: &Observation) -> String {
    let mut lines = format!("            {}: expected {}\n", observation.verdict.word(), printable(&observation.expected));
    for evidence in &observation.evidence {
        let source = printable(&evidence.source);
        match evidence.value.trim_end().split_once('\n') {
            None => {
                let _ = writeln!(lines, "              {source}: {}", printable(evidence.value.trim_end()));
            }
            Some(_) => {
                let _ = writeln!(lines, "              {source}:");
                for line in evidence.value.trim_end().lines() {
                    let _ = writeln!(lines, "                {}", printable(line));
                }
            }
        }
    }
    lines
}

/// A paragraph below a rule's line: `title: text`, in lines that fit.
fn below(title: &str, text: &str) -> String {
    let mut lines = format!("{INDENT}{title}:");
    let mut width = lines.chars().count();
    for word in text.split(' ') {
        if width + 1 + word.chars().count() > WIDEST {
            let _ = write!(lines, "\n{INDENT} ");
            width = INDENT.len() + 1;
        }
        let _ = write!(lines, " {word}");
        width += 1 + word.chars().count();
    }
    lines + "\n"
}

/// `text` without anything that would move a terminal's cursor; a tab is a space.
fn printable(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\t' => vec![' '],
        other if other.is_control() => other.escape_default().collect(),
        other => vec![other],
    };
    text.chars().flat_map(shown).collect()
}

/// The beginning of a rule's text, up to a whole word.
fn beginning(text: &str) -> String {
    if text.chars().count() <= MOST_WORDS {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MOST_WORDS).collect();
    format!("{} ...", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole))
}

const fn shade(standing: Standing) -> &'static str {
    match standing {
        Standing::Fails => RED,
        Standing::Open | Standing::Unseen => YELLOW,
        Standing::TestedOnly => PLAIN,
        Standing::Holds => GREEN,
    }
}

const fn tint(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fails => RED,
        Verdict::Unseen => YELLOW,
        Verdict::Holds => GREEN,
    }
}

fn painted(text: &str, colour: &str, on: bool) -> String {
    if on {
        format!("{colour}{text}{PLAIN}")
    } else {
        text.to_owned()
    }
}
