//! What it is not, and why not.

use std::collections::BTreeMap;

use super::Detail;
use super::evidence::Evidence;
use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use crate::verdict::model::{Finding, Level, Report, Role, TestEntry, TestRole, TruthValue};

/// How many are shown with their reason on the screen; the rest is named.
const MOST_SUSPECTS: usize = 8;

/// From here on the rest is counted.
const MOST_NAMED: usize = 8;

pub(super) fn write(
    paper: &mut Paper,
    report: &Report,
    evidence: &Evidence<'_>,
    suspects: &[&Finding],
) {
    let rows: Vec<Vec<String>> = suspects
        .iter()
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
    let others: Vec<&Finding> = ruled_out(report)
        .filter(|finding| !suspects.iter().any(|shown| shown.cause == finding.cause))
        .collect();
    if rows.is_empty() && others.is_empty() {
        return;
    }
    paper.heading("Ruled out", "");
    let columns = [
        Column::untitled(Room::AtMost(32)),
        Column::untitled(Room::Rest),
        Column::untitled(Room::Content),
    ];
    if !rows.is_empty() {
        paper.table(2, &columns, &rows);
    }
    if !others.is_empty() {
        let (lead, other) = if rows.is_empty() {
            ("", "")
        } else {
            ("and ", "other ")
        };
        let says = format!("{lead}{} (each with its reason: -v)", named(&others, other));
        paper.paragraph(2, Ink::Dim, &says);
    }
}

/// A few by their names, many by how many there are of each family.
fn named(findings: &[&Finding], other: &str) -> String {
    if findings.len() <= MOST_NAMED {
        let causes: Vec<&str> = findings
            .iter()
            .map(|finding| finding.cause.as_str())
            .collect();
        return causes.join(", ");
    }
    let mut families: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in findings {
        *families.entry(&finding.family).or_default() += 1;
    }
    let families: Vec<String> = families
        .iter()
        .map(|(family, causes)| format!("{family} {causes}"))
        .collect();
    format!("{} {other}causes: {}", findings.len(), families.join(", "))
}

/// What is ruled out and plays no other part.
pub(in crate::report) fn ruled_out(report: &Report) -> impl Iterator<Item = &Finding> {
    report
        .findings
        .iter()
        .filter(|finding| finding.level == Level::RuledOut && finding.role == Role::None)
}

/// Those whose reason is shown: all of them with the reasoning; else what something speaks for all the same, and what is of the
/// verdict's own family, since that is what a reader would suspect.
pub(super) fn suspects(report: &Report, detail: Detail) -> Vec<&Finding> {
    if detail == Detail::Reasoning {
        return ruled_out(report).collect();
    }
    let spoken_for = ruled_out(report).filter(|finding| has_something_for_it(finding));
    let related = ruled_out(report).filter(|finding| {
        !has_something_for_it(finding) && report.verdict.family.as_ref() == Some(&finding.family)
    });
    let mut chosen: Vec<&Finding> = spoken_for.chain(related).take(MOST_SUSPECTS).collect();
    chosen.sort_by(|one, other| one.cause.cmp(&other.cause));
    chosen
}

fn has_something_for_it(finding: &Finding) -> bool {
    finding.tests.iter().any(|test| {
        matches!(test.role, TestRole::Decisive | TestRole::Support)
            && test.truth == TruthValue::True
    })
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
