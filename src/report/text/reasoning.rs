//! Every test of every rule, with what it came to: for whoever doubts the verdict.

use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use crate::verdict::model::{Finding, Level, Report, Role, TestEntry, TestRole, TruthValue};

pub(super) fn write(paper: &mut Paper, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    paper.heading(
        "Reasoning",
        "every test of every rule; f and g are facts and gaps of the JSON report",
    );
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| (finding.role == Role::None, std::cmp::Reverse(finding.level)));
    for finding in findings {
        paper.blank();
        let level = format!("  {}", level(finding.level));
        paper.line(2, &[(Ink::Strong, &finding.cause), (Ink::Dim, &level)]);
        let rows: Vec<Vec<String>> = finding.tests.iter().map(row).collect();
        let columns = [
            Column::untitled(Room::Content),
            Column::untitled(Room::Content),
            Column::untitled(Room::Rest),
            Column::untitled(Room::AtMost(paper.width() / 5)),
        ];
        paper.table(4, &columns, &rows);
    }
}

fn row(test: &TestEntry) -> Vec<String> {
    let truth = match test.truth {
        TruthValue::True => "true",
        TruthValue::False => "false",
        TruthValue::Unknown => "unknown",
    };
    let role = match test.role {
        TestRole::Require => "require",
        TestRole::Decisive => "decisive",
        TestRole::Support => "support",
        TestRole::Exclude => "exclude",
    };
    vec![
        truth.to_owned(),
        role.to_owned(),
        test.name.clone(),
        because(test),
    ]
}

/// How many names a test shows.
const NAMES: usize = 6;

fn because(test: &TestEntry) -> String {
    let all: Vec<&str> = test
        .evidence
        .iter()
        .chain(&test.gaps)
        .map(String::as_str)
        .collect();
    let shown = all
        .iter()
        .take(NAMES)
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    match all.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} +{more}"),
    }
}

pub(in crate::report) fn level(level: Level) -> &'static str {
    match level {
        Level::RuledOut => "ruled out",
        Level::Undetermined => "undetermined",
        Level::Possible => "possible",
        Level::Likely => "likely",
        Level::Confirmed => "confirmed",
    }
}
