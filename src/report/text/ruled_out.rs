//! What it is not, and why not.

use super::evidence::Evidence;
use super::paper::Paper;
use super::table::{Column, Room};
use crate::verdict::model::{Finding, Level, Report, Role, TestEntry, TestRole, TruthValue};

pub(super) fn write(paper: &mut Paper, report: &Report, evidence: &Evidence<'_>) {
    let rows: Vec<Vec<String>> = report
        .findings
        .iter()
        .filter(|finding| finding.level == Level::RuledOut && finding.role == Role::None)
        .map(|finding| {
            let test = refutation(finding);
            vec![
                finding.cause.clone(),
                test.map(because).unwrap_or_default(),
                test.map(|test| evidence.numbers(&test.evidence))
                    .unwrap_or_default(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    paper.heading("Ruled out", "");
    let columns = [
        Column::untitled(Room::AtMost(32)),
        Column::untitled(Room::Rest),
        Column::untitled(Room::Content),
    ];
    paper.table(2, &columns, &rows);
}

/// The test that rules a finding out: an exclude that is true, else a require that is false, else the first decisive.
pub(in crate::report) fn refutation(finding: &Finding) -> Option<&TestEntry> {
    let of = |role: TestRole, truth: TruthValue| {
        finding
            .tests
            .iter()
            .find(move |test| test.role == role && test.truth == truth)
    };
    of(TestRole::Exclude, TruthValue::True)
        .or_else(|| of(TestRole::Require, TruthValue::False))
        .or_else(|| of(TestRole::Decisive, TruthValue::False))
}

pub(in crate::report) fn because(test: &TestEntry) -> String {
    match test.truth {
        TruthValue::True => test.name.clone(),
        TruthValue::False | TruthValue::Unknown => format!("not so: {}", test.name),
    }
}
