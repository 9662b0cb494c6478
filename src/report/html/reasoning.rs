//! Every rule with every test: true, false or unknown, and what makes it so.

use super::clean;
use crate::report::text::evidence::Evidence;
use crate::report::text::reasoning::level;
use crate::verdict::model::{Finding, Level, Report, Role, TestEntry, TestRole, TruthValue};

/// How many names a test shows; the rest is counted.
const MOST_NAMES: usize = 6;

pub(super) struct Reasoned {
    pub(super) cause: String,
    pub(super) title: String,
    pub(super) level: &'static str,
    /// The level as the style knows it.
    pub(super) class: &'static str,
    pub(super) is_open: bool,
    pub(super) parts: Vec<Part>,
}

/// The tests of one role.
pub(super) struct Part {
    pub(super) heading: &'static str,
    pub(super) tests: Vec<Tested>,
}

pub(super) struct Tested {
    pub(super) truth: &'static str,
    pub(super) name: String,
    /// Rows of the evidence.
    pub(super) numbers: Vec<usize>,
    /// Facts that no row shows.
    pub(super) facts: String,
    /// What leaves it open.
    pub(super) gaps: Vec<String>,
}

pub(super) fn reasoning(report: &Report, evidence: &Evidence<'_>) -> Vec<Reasoned> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| {
        (
            finding.role != Role::RootCause,
            finding.role == Role::None,
            std::cmp::Reverse(finding.level),
        )
    });
    findings
        .into_iter()
        .map(|finding| Reasoned {
            cause: clean(&finding.cause),
            title: clean(&finding.title),
            level: level(finding.level),
            class: match finding.level {
                Level::Confirmed => "confirmed",
                Level::Likely => "likely",
                Level::Possible => "possible",
                Level::Undetermined => "undetermined",
                Level::RuledOut => "ruled-out",
            },
            is_open: finding.role == Role::RootCause,
            parts: parts(report, finding, evidence),
        })
        .collect()
}

fn parts(report: &Report, finding: &Finding, evidence: &Evidence<'_>) -> Vec<Part> {
    [
        (TestRole::Require, "All of these must hold"),
        (TestRole::Decisive, "One of these proves it"),
        (TestRole::Support, "These speak for it"),
        (TestRole::Exclude, "One of these refutes it"),
    ]
    .into_iter()
    .map(|(role, heading)| Part {
        heading,
        tests: finding
            .tests
            .iter()
            .filter(|test| test.role == role)
            .map(|test| tested(report, test, evidence))
            .collect(),
    })
    .filter(|part| !part.tests.is_empty())
    .collect()
}

fn tested(report: &Report, test: &TestEntry, evidence: &Evidence<'_>) -> Tested {
    let mut numbers = evidence.numbers_of(&test.evidence);
    numbers.truncate(MOST_NAMES);
    let unseen: Vec<&str> = match numbers.is_empty() {
        true => test.evidence.iter().map(String::as_str).collect(),
        false => Vec::new(),
    };
    let mut facts = clean(
        &unseen
            .iter()
            .take(MOST_NAMES)
            .copied()
            .collect::<Vec<_>>()
            .join(", "),
    );
    if unseen.len() > MOST_NAMES {
        facts.push_str(&format!(" and {} more", unseen.len() - MOST_NAMES));
    }
    Tested {
        truth: match test.truth {
            TruthValue::True => "true",
            TruthValue::False => "false",
            TruthValue::Unknown => "unknown",
        },
        name: clean(&test.name),
        numbers,
        facts,
        gaps: test
            .gaps
            .iter()
            .filter_map(|id| report.gaps.iter().find(|gap| gap.id == *id))
            .take(MOST_NAMES)
            .map(|gap| clean(&format!("{}: {}", gap.kind, gap.why)))
            .collect(),
    }
}
