//! A report for programs: one JSON document that needs no other. docs/controls.md has the meaning of each standing.

use crate::{CheckId, Facts, Judgement, Observation, Report, ReportError, Rule, RuleId, Standing, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    facts: &'a Facts,
    counts: BTreeMap<Standing, usize>,
    rules: Vec<JudgedRule<'a>>,
    observations: &'a [Observation],
}

#[derive(Serialize)]
struct JudgedRule<'a> {
    id: &'a RuleId,
    standing: Standing,
    checks: BTreeMap<&'a CheckId, Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<&'a str>,
    text: &'a str,
    nist: &'a [String],
    caf: &'a [String],
    iso27001: &'a [String],
}

impl Report {
    /// As JSON: `{at, host, version, counts: {standing: number}, rules: [{id, standing, checks: {check: verdict}, open?, text, nist, caf,
    /// iso27001}], observations: [{check, verdict, expected, evidence: [{source, value}]}]}`.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`], which no report is known to cause.
    pub fn json(&self) -> Result<String, ReportError> {
        let counts = Standing::ALL.iter().map(|standing| (*standing, self.count(*standing))).collect();
        let rules = self.catalogue().rules().iter().zip(self.judgements()).map(|(rule, judgement)| self.judged(rule, judgement)).collect();
        written(&Document { facts: self.facts(), counts, rules, observations: self.observations() })
    }

    fn judged<'a>(&self, rule: &'a Rule, judgement: &Judgement) -> JudgedRule<'a> {
        JudgedRule {
            id: &rule.id,
            standing: judgement.standing,
            checks: rule.checks.iter().map(|check| (check, self.verdict(check))).collect(),
            open: rule.open.as_deref(),
            text: &rule.text,
            nist: &rule.nist,
            caf: &rule.caf,
            iso27001: &rule.iso27001,
        }
    }
}

/// `document` with two spaces of indentation and a line break at its end.
pub(crate) fn written(document: &impl Serialize) -> Result<String, ReportError> {
    let text = serde_json::to_string_pretty(document).map_err(|fault| ReportError::Unwritable(fault.to_string()))?;
    Ok(text + "\n")
}
