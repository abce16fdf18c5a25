//! One inspection as OSCAL assessment-results: what was looked at with the raw evidence, and a finding for each rule.

use super::shapes::{BackMatter, Link, Metadata, Property, Resource};
use super::{component_uuid, implementation, rule_control, rule_statement, uuid_of};
use crate::json::written;
use crate::{Evidence, Judgement, Report, ReportError, Rule, Standing};
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    assessment_results: Results,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Results {
    uuid: Uuid,
    metadata: Metadata,
    import_ap: Import,
    results: Vec<Outcome>,
    back_matter: BackMatter,
}

#[derive(Serialize)]
struct Import {
    href: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Outcome {
    uuid: Uuid,
    title: String,
    description: String,
    start: String,
    links: [Link; 1],
    local_definitions: LocalDefinitions,
    reviewed_controls: Reviewed,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observations: Vec<Observed>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct LocalDefinitions {
    components: Vec<SystemComponent>,
}

#[derive(Serialize)]
struct SystemComponent {
    uuid: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    description: String,
    status: Operational,
}

#[derive(Serialize)]
struct Operational {
    state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Reviewed {
    control_selections: [Selection; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Selection {
    description: &'static str,
    include_controls: Vec<Selected>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Selected {
    control_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Observed {
    uuid: Uuid,
    title: String,
    description: String,
    props: Vec<Property>,
    methods: [&'static str; 1],
    types: [&'static str; 1],
    origins: [Origin; 1],
    subjects: [Subject; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relevant_evidence: Vec<Relevant>,
    collected: String,
}

#[derive(Serialize)]
struct Origin {
    actors: [Actor; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Actor {
    #[serde(rename = "type")]
    kind: &'static str,
    actor_uuid: Uuid,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Subject {
    subject_uuid: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// What was read, raw, in `remarks`; where, in `description`.
#[derive(Serialize)]
struct Relevant {
    description: String,
    remarks: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Finding {
    uuid: Uuid,
    title: String,
    description: String,
    props: Vec<Property>,
    target: Target,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_observations: Vec<Related>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Target {
    #[serde(rename = "type")]
    kind: &'static str,
    target_id: String,
    status: Status,
    implementation_status: Implemented,
}

#[derive(Serialize)]
struct Status {
    state: &'static str,
    reason: &'static str,
}

#[derive(Serialize)]
struct Implemented {
    state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Related {
    observation_uuid: Uuid,
}

impl Report {
    /// As OSCAL assessment-results. A rule is satisfied where it holds and in no other case; what was not seen is never counted as holding.
    ///
    /// # Errors
    /// [`ReportError::Unwritable`], which no report is known to cause.
    pub fn oscal(&self) -> Result<String, ReportError> {
        let plan = Resource::new(
            "What an inspection looks at",
            "The checks of the controls catalogue (docs/controls.md); `contactpointctl inspect` looks at each on the running system.",
            None,
        );
        let run = Run { report: self, identity: uuid_of(&format!("inspection/{}", self.json()?)) };
        let facts = self.facts();
        let results = Results {
            uuid: run.uuid_of("assessment-results"),
            metadata: Metadata::new("contactpoint: inspection of a running system".to_owned(), facts.at, &facts.version),
            import_ap: Import { href: format!("#{}", plan.uuid) },
            results: vec![run.outcome(plan.uuid)],
            back_matter: BackMatter { resources: vec![plan] },
        };
        written(&Document { assessment_results: results })
    }
}

/// A report and the identifier of all that it says: of two runs that say different things, no part has the same identifier.
struct Run<'r> {
    report: &'r Report,
    identity: Uuid,
}

impl Run<'_> {
    /// The identifier of what has that name within this run.
    fn uuid_of(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.identity, name.as_bytes())
    }

    fn outcome(&self, plan: Uuid) -> Outcome {
        let facts = self.report.facts();
        let counts: Vec<String> =
            Standing::ALL.iter().map(|standing| format!("{} {}", self.report.count(*standing), standing.words())).collect();
        let rules = self.report.catalogue().rules();
        Outcome {
            uuid: self.uuid_of("result"),
            title: "contactpointctl inspect".to_owned(),
            description: format!("contactpoint {} on {}: of {} rules {}.", facts.version, facts.host, rules.len(), counts.join(", ")),
            start: facts.at.to_string(),
            links: [Link { href: format!("#{plan}"), rel: "reference" }],
            local_definitions: LocalDefinitions { components: vec![self.system(), self.tool()] },
            reviewed_controls: reviewed(rules),
            observations: (0..self.report.observations().len()).filter_map(|at| self.observed(at)).collect(),
            findings: rules.iter().zip(self.report.judgements()).map(|(rule, judgement)| self.finding(rule, judgement)).collect(),
        }
    }

    fn system(&self) -> SystemComponent {
        let description = format!("contactpoint {} as it runs on {}.", self.report.facts().version, self.report.facts().host);
        SystemComponent {
            uuid: component_uuid(),
            kind: "software",
            title: "contactpoint",
            description,
            status: Operational { state: "operational" },
        }
    }

    fn tool(&self) -> SystemComponent {
        let description = "Looks at the running system and changes nothing.".to_owned();
        let (uuid, status) = (tool_uuid(), Operational { state: "operational" });
        SystemComponent { uuid, kind: "software", title: "contactpointctl inspect", description, status }
    }

    /// The observation at that place of the list; a check may be looked at several times.
    fn observed(&self, at: usize) -> Option<Observed> {
        let observation = self.report.observations().get(at)?;
        let check = self.report.catalogue().check(&observation.check)?;
        Some(Observed {
            uuid: self.observation_uuid(at),
            title: observation.check.to_string(),
            description: format!("{}\n\nExpected: {}", check.text, observation.expected),
            props: vec![Property::ours("check", observation.check.as_str()), Property::ours("verdict", observation.verdict.word())],
            methods: ["EXAMINE"],
            types: ["control-objective"],
            origins: [Origin { actors: [Actor { kind: "tool", actor_uuid: tool_uuid() }] }],
            subjects: [Subject { subject_uuid: component_uuid(), kind: "component" }],
            relevant_evidence: observation.evidence.iter().map(relevant).collect(),
            collected: self.report.facts().at.to_string(),
        })
    }

    fn observation_uuid(&self, at: usize) -> Uuid {
        self.uuid_of(&format!("observation/{at}"))
    }

    fn finding(&self, rule: &Rule, judgement: &Judgement) -> Finding {
        let of_rule = |at: &usize| self.report.observations().get(*at).is_some_and(|observation| rule.checks.contains(&observation.check));
        let related = (0..self.report.observations().len()).filter(of_rule);
        Finding {
            uuid: self.uuid_of(&format!("finding/{}", rule.id)),
            title: format!("Rule {}", rule.id),
            description: self.said_of(rule, judgement.standing),
            props: vec![Property::ours("standing", judgement.standing.words())],
            target: Target {
                kind: "statement-id",
                target_id: rule_statement(&rule.id),
                status: status(judgement.standing),
                implementation_status: Implemented { state: implementation(rule) },
            },
            related_observations: related.map(|at| Related { observation_uuid: self.observation_uuid(at) }).collect(),
        }
    }

    /// The rule, and why it has its standing.
    fn said_of(&self, rule: &Rule, standing: Standing) -> String {
        let checks = |word: &str| {
            rule.checks.iter().filter(|check| self.report.verdict(check).word() == word).map(ToString::to_string).collect::<Vec<_>>()
        };
        let why = match standing {
            Standing::Fails => format!("Fails: {}.", checks("fails").join(", ")),
            Standing::Open => format!("Open: {}", rule.open.as_deref().unwrap_or_default()),
            Standing::Unseen => format!("Not seen: {}.", checks("unseen").join(", ")),
            Standing::TestedOnly => {
                "Enforced and tested; nothing of a running system shows it, so an inspection cannot say that it holds.".to_owned()
            }
            Standing::Holds => format!("Holds: {}.", checks("holds").join(", ")),
        };
        format!("{}\n\n{why}", rule.text)
    }
}

fn tool_uuid() -> Uuid {
    uuid_of("tool/inspect")
}

fn reviewed(rules: &[Rule]) -> Reviewed {
    let include_controls = rules.iter().map(|rule| Selected { control_id: rule_control(&rule.id) }).collect();
    Reviewed {
        control_selections: [Selection { description: "The rules that this inspection looked at, of rule-book.json.", include_controls }],
    }
}

fn relevant(evidence: &Evidence) -> Relevant {
    Relevant { description: evidence.source.clone(), remarks: evidence.value.clone() }
}

const fn status(standing: Standing) -> Status {
    match standing {
        Standing::Holds => Status { state: "satisfied", reason: "pass" },
        Standing::Fails | Standing::Open => Status { state: "not-satisfied", reason: "fail" },
        Standing::Unseen | Standing::TestedOnly => Status { state: "not-satisfied", reason: "other" },
    }
}
