//! Puts the report together: what was judged here, and what others say of the host, its files and its connections.

use std::collections::BTreeSet;

use super::change::changes;
use super::cut::cut;
use super::listed::{self, Listed};
use super::model::{
    ArtifactEntry, ClientError, CollectionLayout, Connection, FactEntry, Finding, GapEntry, Host,
    Level, Negotiation, Problem, Refusal, Report, Role, SourceEntry, Status, TestEntry, TestRole,
    TruthValue, Verdict,
};
use super::rank::{Judged, Judgement};
use super::repair;
use super::timeline::timeline;
use super::words;
use crate::facts::fact::{Fact, FactId, FactSet, Source};
use crate::facts::gap::{Gap, GapId};
use crate::facts::value::{FieldState, Value};
use crate::rules::RuleSet;
use crate::rules::eval::Hold;
use crate::rules::level;
use crate::rules::model;
use crate::rules::template::Template;
use crate::rules::truth::Truth;

/// What the report says that is not judged: taken as it is.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The machine.
    pub host: Host,
    /// How its files are laid out.
    pub layout: CollectionLayout,
    /// How each client's connections fared.
    pub connections: Vec<Connection>,
    /// What the server offers in TLS and who can connect with it.
    pub negotiation: Negotiation,
    /// Every file.
    pub artifacts: Vec<ArtifactEntry>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// The client's code, explained.
    pub client_error: Option<ClientError>,
}

/// The report on one host.
#[must_use]
pub fn assemble(
    rules: &RuleSet,
    facts: &FactSet,
    judgement: &Judgement<'_>,
    surroundings: Surroundings,
) -> Report {
    let Surroundings {
        host,
        layout,
        connections,
        negotiation,
        artifacts,
        mut problems,
        client_error,
    } = surroundings;
    problems.extend(rules.replaced().iter().map(|replaced| Problem {
        artifact: None,
        at: None,
        message: format!(
            "the rule {} was replaced by {}, which the user gave",
            replaced.id, replaced.file
        ),
    }));
    let mut report = Report {
        host,
        verdict: verdict(facts, judgement, client_error),
        findings: judgement
            .findings
            .iter()
            .map(|finding| self::finding(finding, facts))
            .collect(),
        facts: Vec::new(),
        changes: changes(facts, judgement),
        timeline: timeline(facts),
        connections,
        negotiation,
        artifacts,
        problems,
        gaps: gaps(facts, judgement, &layout),
        layout,
    };
    let listed = Listed::choose(facts, || listed::named(&report));
    let entries = listed.facts.iter().map(|found| fact(found, &listed));
    report.facts = entries.collect();
    report.problems.extend(listed.problems);
    cut(&mut report);
    report
}

/// The exit status that these reports call for: 1 where a cause is confirmed or likely, else 3 where something is open, else 0.
/// Without a report nothing could be read, which is the caller's to say.
#[must_use]
pub fn exit_status(reports: &[Report]) -> u8 {
    let statuses: Vec<u8> = reports
        .iter()
        .map(|report| status_code(report.verdict.status))
        .collect();
    [1, 3]
        .into_iter()
        .find(|code| statuses.contains(code))
        .unwrap_or(0)
}

fn status_code(status: Status) -> u8 {
    match status {
        Status::Confirmed | Status::Likely => 1,
        Status::Possible | Status::Inconclusive => 3,
        Status::Healthy => 0,
    }
}

fn verdict(
    facts: &FactSet,
    judgement: &Judgement<'_>,
    client_error: Option<ClientError>,
) -> Verdict {
    let cause = judgement.cause.and_then(|id| judgement.finding(id));
    let (title, mut summary) = match cause {
        Some(found) => {
            let evidence = found.evaluation.evidence();
            (
                found.rule.title.fill(facts, &evidence),
                found.rule.summary.fill(facts, &evidence),
            )
        }
        None => words::without_a_cause(judgement.status, facts),
    };
    summary = summary.trim().to_owned();
    if let Some(strangers) = words::strangers(facts) {
        summary.push(' ');
        summary.push_str(&strangers);
    }
    let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let anchors = &facts.anchors;
    Verdict {
        status: judgement.status,
        cause: cause.map(|found| found.rule.id.clone()),
        family: cause.map(|found| found.rule.family.to_string()),
        title,
        summary,
        consequences: owned(&judgement.consequences),
        also: owned(&judgement.also),
        contributing: owned(&judgement.contributing),
        latent: owned(&judgement.latent),
        candidates: owned(&judgement.candidates),
        last_success: anchors
            .last_success
            .settled()
            .copied()
            .flatten()
            .map(|at| at.to_string()),
        first_failure: anchors
            .first_failure
            .settled()
            .copied()
            .flatten()
            .map(|at| at.to_string()),
        state: anchors.state.to_string(),
        client_error,
        refuse: refusals(facts, judgement),
    }
}

/// The advice that the verdict's rule warns of, then that of what stands beside it and of what it explains; each once.
fn refusals(facts: &FactSet, judgement: &Judgement<'_>) -> Vec<Refusal> {
    let named = judgement
        .cause
        .iter()
        .chain(&judgement.also)
        .chain(&judgement.candidates)
        .chain(&judgement.consequences);
    let mut seen = BTreeSet::new();
    let mut refusals = Vec::new();
    for found in named.filter_map(|id| judgement.finding(id)) {
        let evidence = found.evaluation.evidence();
        for refused in &found.rule.refuse {
            let advice = refused.advice.fill(facts, &evidence);
            if seen.insert(advice.clone()) {
                let why = refused.why.fill(facts, &evidence);
                refusals.push(Refusal {
                    advice,
                    why,
                    instead: refused.instead.fill(facts, &evidence),
                });
            }
        }
    }
    refusals
}

fn finding(found: &Judged<'_>, facts: &FactSet) -> Finding {
    let Judged {
        rule,
        evaluation,
        role,
    } = found;
    let evidence = evaluation.evidence();
    let fill = |text: &Template| text.fill(facts, &evidence);
    let tests = rule.tests.iter().zip(&evaluation.truths);
    let latent = *role == Role::Latent || evaluation.hold == Hold::Latent;
    let strikes = rule
        .strikes
        .filter(|_| latent)
        .and_then(|field| field.value(facts, &evidence).cloned());
    Finding {
        cause: rule.id.clone(),
        family: rule.family.to_string(),
        title: fill(&rule.title),
        level: evaluation.level.into(),
        role: *role,
        strikes: strikes.map(|date| date.to_string()),
        tests: tests
            .map(|(test, truth)| TestEntry {
                name: test.name.clone(),
                role: test.role.into(),
                truth: truth.into(),
                evidence: truth.facts().iter().map(ToString::to_string).collect(),
                gaps: truth.gaps().iter().map(ToString::to_string).collect(),
            })
            .collect(),
        fixes: repair::steps(found, facts),
    }
}

fn fact(fact: &Fact, listed: &Listed<'_>) -> FactEntry {
    let fields = fact.fields.iter().map(|(name, state)| {
        let value = match state {
            FieldState::Is(value) => json(value),
            FieldState::Nothing => serde_json::Value::Null,
            FieldState::Open(gap) => serde_json::json!({ "gap": gap.to_string() }),
        };
        ((*name).to_owned(), value)
    });
    FactEntry {
        id: fact.id.to_string(),
        kind: fact.kind.name.to_owned(),
        time: fact.at.map(|at| at.to_string()),
        fields: fields.collect(),
        sources: fact
            .sources
            .iter()
            .map(|found| source(found, listed))
            .collect(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => (*value).into(),
        Value::Number(value) => (*value).into(),
        Value::List(values) => values.iter().map(json).collect(),
        other => other.to_string().into(),
    }
}

fn source(source: &Source, listed: &Listed<'_>) -> SourceEntry {
    let none = SourceEntry::default();
    match source.clone() {
        Source::Record {
            artifact,
            number,
            offset,
        } => SourceEntry {
            artifact: Some(artifact),
            record: Some(number),
            offset: Some(offset),
            ..none
        },
        Source::Value {
            artifact,
            key,
            name,
            written,
            line,
        } => SourceEntry {
            artifact: Some(artifact),
            key: Some(key),
            value: name,
            written: written.map(|at| at.to_string()),
            line,
            ..none
        },
        Source::Certificate {
            artifact,
            thumbprint,
        } => SourceEntry {
            artifact: Some(artifact),
            thumbprint: Some(thumbprint),
            ..none
        },
        Source::Line { artifact, line } => SourceEntry {
            artifact: Some(artifact),
            line: Some(line),
            ..none
        },
        Source::File { artifact } => SourceEntry {
            artifact: Some(artifact),
            ..none
        },
        Source::CommandLine { option } => SourceEntry {
            option: Some(option),
            ..none
        },
        Source::Derived(facts) => SourceEntry {
            facts: Some(listed.among(&facts).iter().map(FactId::to_string).collect()),
            ..none
        },
    }
}

/// The gaps that leave a test or a field open, or that make a fact stale.
/// Why something could not be checked; where the collector never takes it, that too, so that nobody collects the same again.
fn why(gap: &Gap, layout: &CollectionLayout) -> String {
    let refused = layout.refused.iter().find(|one| one.what == gap.about);
    match (&layout.title, refused) {
        (_, Some(refused)) if gap.why.ends_with("in the collection") => {
            format!("{}: {}", gap.why, refused.why)
        }
        (Some(title), _)
            if gap.why.ends_with("in the collection")
                && layout.never_holds.contains(&gap.about) =>
        {
            format!("{}, and a {title} never holds it", gap.why)
        }
        _ => gap.why.clone(),
    }
}

fn gaps(facts: &FactSet, judgement: &Judgement<'_>, layout: &CollectionLayout) -> Vec<GapEntry> {
    let tests = judgement
        .findings
        .iter()
        .flat_map(|found| &found.evaluation.truths);
    let mut used: BTreeSet<GapId> = tests.flat_map(Truth::gaps).copied().collect();
    for fact in facts.facts() {
        used.extend(fact.stale.or(fact.doubtful));
        used.extend(fact.fields.iter().filter_map(|(_, state)| match state {
            FieldState::Open(gap) => Some(*gap),
            FieldState::Is(_) | FieldState::Nothing => None,
        }));
    }
    facts
        .gaps
        .iter()
        .filter(|(id, _)| used.contains(id))
        .map(|(id, gap)| GapEntry {
            id: id.to_string(),
            kind: gap.about.clone(),
            why: why(gap, layout),
            obtain: gap.obtain.clone(),
        })
        .collect()
}

impl From<level::Level> for Level {
    fn from(level: level::Level) -> Self {
        match level {
            level::Level::RuledOut => Level::RuledOut,
            level::Level::Undetermined => Level::Undetermined,
            level::Level::Possible => Level::Possible,
            level::Level::Likely => Level::Likely,
            level::Level::Confirmed => Level::Confirmed,
        }
    }
}

impl From<model::TestRole> for TestRole {
    fn from(role: model::TestRole) -> Self {
        match role {
            model::TestRole::Require => TestRole::Require,
            model::TestRole::Decisive => TestRole::Decisive,
            model::TestRole::Support => TestRole::Support,
            model::TestRole::Exclude => TestRole::Exclude,
        }
    }
}

impl From<&Truth> for TruthValue {
    fn from(truth: &Truth) -> Self {
        match truth {
            Truth::True(_) => TruthValue::True,
            Truth::False(_) => TruthValue::False,
            Truth::Unknown(_) => TruthValue::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
