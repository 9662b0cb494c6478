//! What could not be checked and how to collect it; what could not be read.

use std::collections::{BTreeMap, BTreeSet};

use super::paper::{Ink, Paper};
use super::{Detail, count};
use crate::verdict::model::{CONTRADICTS, Finding, GapEntry, Level, Problem, Report, Role};

/// How many problems are shown.
const MOST_PROBLEMS: usize = 6;

/// How many missing pieces are shown with all they would settle; the rest is named. All that would settle the verdict are shown.
const MOST_PIECES: usize = 4;

/// How much the verdict's own open tests weigh; more than all that is merely open.
const OF_THE_VERDICT: usize = 10_000;

/// How many rules are named that one missing piece keeps open.
const MOST_RULES: usize = 4;

/// One thing to collect, and what it would settle.
pub(in crate::report) struct Missing<'a> {
    pub(in crate::report) obtain: &'a str,
    pub(in crate::report) about: BTreeSet<(&'a str, &'a str)>,
    pub(in crate::report) rules: Vec<&'a str>,
    weight: usize,
}

impl Missing<'_> {
    /// Whether it would settle the verdict itself.
    pub(in crate::report) fn settles_verdict(&self) -> bool {
        self.weight >= OF_THE_VERDICT
    }
}

pub(super) fn write(paper: &mut Paper, report: &Report, detail: Detail) {
    let missing = missing(report);
    if missing.is_empty() {
        return;
    }
    let settling = missing.iter().filter(|piece| piece.settles_verdict());
    let shown = match detail {
        Detail::Reasoning => missing.len(),
        Detail::Screen | Detail::Verdict => settling.count().max(MOST_PIECES),
    };
    let (missing, others) = missing.split_at(shown.min(missing.len()));
    paper.heading("Could not check", "and what to collect, most telling first");
    for (index, piece) in missing.iter().enumerate() {
        if index > 0 {
            paper.blank();
        }
        for (kind, why) in &piece.about {
            paper.paragraph(2, Ink::Plain, &format!("{kind}: {why}"));
        }
        paper.labelled(
            4,
            (Ink::Dim, "keeps open"),
            12,
            Ink::Plain,
            &rules(&piece.rules),
        );
        paper.command(4, "collect     ", piece.obtain);
    }
    if !others.is_empty() {
        let named: BTreeSet<&str> = others
            .iter()
            .flat_map(|piece| &piece.about)
            .map(|(kind, _)| *kind)
            .collect();
        let named: Vec<&str> = named.into_iter().collect();
        let says = format!("and what would settle less (-v): {}", named.join(", "));
        paper.blank();
        paper.paragraph(2, Ink::Dim, &says);
    }
}

/// What is missing, by what would settle it; what keeps the verdict's own tests or the most rules open comes first.
pub(in crate::report) fn missing(report: &Report) -> Vec<Missing<'_>> {
    let gaps: BTreeMap<&str, &GapEntry> = report
        .gaps
        .iter()
        .map(|gap| (gap.id.as_str(), gap))
        .collect();
    let mut pieces: Vec<Missing<'_>> = Vec::new();
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.level != Level::RuledOut)
    {
        let open: BTreeSet<&str> = finding
            .tests
            .iter()
            .flat_map(|test| &test.gaps)
            .map(String::as_str)
            .collect();
        for gap in open.iter().filter_map(|id| gaps.get(id)) {
            let at = pieces
                .iter()
                .position(|piece| piece.obtain == gap.obtain)
                .unwrap_or_else(|| {
                    pieces.push(Missing {
                        obtain: &gap.obtain,
                        about: BTreeSet::new(),
                        rules: Vec::new(),
                        weight: 0,
                    });
                    pieces.len() - 1
                });
            let piece = &mut pieces[at];
            piece.about.insert((&gap.kind, &gap.why));
            if !piece.rules.contains(&finding.cause.as_str()) {
                piece.rules.push(&finding.cause);
                piece.weight += weight(finding);
            }
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.weight));
    pieces
}

/// How much it matters that a finding is open.
fn weight(finding: &Finding) -> usize {
    match (finding.role, finding.level) {
        (Role::Candidate, _) => 10 * OF_THE_VERDICT,
        (Role::RootCause, _) => OF_THE_VERDICT,
        (_, Level::Possible) => 10,
        _ => 1,
    }
}

fn rules(rules: &[&str]) -> String {
    let named = rules
        .iter()
        .take(MOST_RULES)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match rules.len().saturating_sub(MOST_RULES) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What was logged against what the settings come to, all of it; then what could not be read, and what that hides.
pub(super) fn problems(paper: &mut Paper, report: &Report) {
    let (contradictions, damage): (Vec<&Problem>, Vec<&Problem>) = report
        .problems
        .iter()
        .partition(|problem| problem.message.starts_with(CONTRADICTS));
    if !contradictions.is_empty() {
        let says = count(
            contradictions.len() as u64,
            "contradiction",
            "contradictions",
        );
        paper.heading("Does not fit together", &says);
        for problem in contradictions {
            one(paper, problem);
        }
    }
    if damage.is_empty() {
        return;
    }
    let says = count(damage.len() as u64, "problem", "problems");
    paper.heading("Could not read", &says);
    for problem in damage.iter().take(MOST_PROBLEMS) {
        one(paper, problem);
    }
    if damage.len() > MOST_PROBLEMS {
        let more = format!(
            "and {} more, all in the JSON report",
            damage.len() - MOST_PROBLEMS
        );
        paper.line(2, &[(Ink::Dim, &more)]);
    }
}

fn one(paper: &mut Paper, problem: &Problem) {
    let place: Vec<&str> = [&problem.artifact, &problem.at]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    match place.is_empty() {
        true => paper.paragraph(2, Ink::Plain, &problem.message),
        false => paper.paragraph(
            2,
            Ink::Plain,
            &format!("{}: {}", place.join(", "), problem.message),
        ),
    }
}
