//! The findings around the verdict: what it explains, what stands beside it, what may come; and what changed before it broke.

use super::evidence::Evidence;
use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use super::{finding, in_role};
use crate::report::clock::Clock;
use crate::report::left_behind;
use crate::verdict::model::{Change, Finding, Level, Report, Role};

/// How many changes are shown.
const MOST_CHANGES: usize = 8;

pub(super) fn write(paper: &mut Paper, report: &Report, clock: &Clock, evidence: &Evidence<'_>) {
    changes(paper, report, clock, evidence);
    consequences(paper, report);
    let parts = [
        (Role::Also, "Also broken", "causes that stand beside it"),
        (
            Role::Candidate,
            "It is one of these",
            "the evidence cannot tell them apart",
        ),
        (
            Role::Contributing,
            "Makes it worse",
            "never the verdict by itself",
        ),
        (
            Role::Latent,
            "Not harmful yet",
            "would break Remote Desktop later",
        ),
    ];
    for (role, title, remark) in parts {
        let rows: Vec<Vec<String>> = in_role(report, role)
            .map(|finding| row(finding, clock))
            .collect();
        listed(paper, title, remark, &rows);
    }
    left(paper, report);
}

/// What attempts at a repair left behind, each with the command that takes it back.
fn left(paper: &mut Paper, report: &Report) {
    let mut found = left_behind::found(report).peekable();
    if found.peek().is_none() {
        return;
    }
    paper.heading(left_behind::HEADING, left_behind::REMARK);
    for (says, undo) in found {
        paper.paragraph(2, Ink::Plain, says);
        if let Some(undo) = undo {
            paper.command(4, "undo  ", undo);
        }
    }
}

/// The verdict names its consequences in order; each is shown with its level.
fn consequences(paper: &mut Paper, report: &Report) {
    let rows: Vec<Vec<String>> = report
        .verdict
        .consequences
        .iter()
        .map(|cause| match finding(report, cause) {
            Some(finding) => vec![cause.clone(), finding.title.clone()],
            None => vec![cause.clone(), String::new()],
        })
        .collect();
    listed(paper, "It explains", "found too, and cured with it", &rows);
}

fn listed(paper: &mut Paper, title: &str, remark: &str, rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    paper.heading(title, remark);
    let columns = [
        Column::untitled(Room::AtMost(32)),
        Column::untitled(Room::Rest),
    ];
    paper.table(2, &columns, rows);
}

fn row(finding: &Finding, clock: &Clock) -> Vec<String> {
    let level = match finding.level {
        Level::Confirmed => "confirmed",
        Level::Likely => "likely",
        Level::Possible => "possible",
        Level::Undetermined => "open",
        Level::RuledOut => "ruled out",
    };
    let says = match (&finding.strikes, finding.role) {
        (Some(time), _) => format!("{} ({level}); strikes {}", finding.title, clock.full(time)),
        (None, _) => format!("{} ({level})", finding.title),
    };
    vec![finding.cause.clone(), says]
}

/// What changed between the last success and the first failure; and what waits for a restart, whenever it was set.
fn changes(paper: &mut Paper, report: &Report, clock: &Clock, evidence: &Evidence<'_>) {
    let telling: Vec<&Change> = report
        .changes
        .iter()
        .filter(|change| change.is_telling())
        .collect();
    if telling.is_empty() {
        return;
    }
    paper.heading(
        "What changed",
        "between the last success and the first failure",
    );
    let rows: Vec<Vec<String>> = telling
        .iter()
        .take(MOST_CHANGES)
        .map(|change| {
            vec![
                clock.short(&change.time),
                what(change),
                evidence.numbers(&change.evidence),
            ]
        })
        .collect();
    let columns = [
        Column::untitled(Room::Content),
        Column::untitled(Room::Rest),
        Column::untitled(Room::Content),
    ];
    paper.table(2, &columns, &rows);
    let more = telling.len().saturating_sub(MOST_CHANGES);
    if more > 0 {
        paper.line(
            2,
            &[(
                Ink::Dim,
                &format!("and {more} more, all in the JSON report"),
            )],
        );
    }
}

pub(in crate::report) fn what(change: &Change) -> String {
    let mut says = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{}: {before} → {after}", change.what),
        (None, Some(after)) => format!("{}: now {after}", change.what),
        (Some(before), None) => format!("{}: was {before}", change.what),
        (None, None) => change.what.clone(),
    };
    if change.pending_restart {
        says.push_str(" (takes effect at the next restart)");
    }
    says
}
