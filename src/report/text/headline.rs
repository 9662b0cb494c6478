//! The head: which machine, how much was read of it, and what the verdict is.

use super::paper::{Ink, Paper};
use super::{count, thousands};
use crate::report::clock::Clock;
use crate::verdict::model::{Report, Status};

pub(super) fn write(paper: &mut Paper, report: &Report, clock: &Clock) {
    paper.pieces(0, Ink::Dim, &collection(report, clock));
    paper.blank();
    verdict(paper, report);
    if !report.verdict.summary.trim().is_empty() {
        paper.blank();
        paper.paragraph(2, Ink::Plain, &report.verdict.summary);
    }
    if let Some(error) = &report.verdict.client_error {
        paper.blank();
        paper.paragraph(
            2,
            Ink::Dim,
            &format!("Client error {}: {}", error.code, error.meaning),
        );
    }
}

/// The verdict in one line.
pub(super) fn one_line(paper: &mut Paper, report: &Report) {
    let verdict = &report.verdict;
    let mut rest = format!("  {}", verdict.title);
    if let Some(cause) = &verdict.cause {
        rest = format!("  {cause}: {}", verdict.title);
    }
    paper.line(
        0,
        &[
            (Ink::Plain, &format!("{}  ", host_name(report))),
            (ink(verdict.status), word(verdict.status)),
            (Ink::Plain, &rest),
        ],
    );
}

fn verdict(paper: &mut Paper, report: &Report) {
    let verdict = &report.verdict;
    let word = word(verdict.status);
    let beside = word.len() + 2;
    paper.labelled(
        0,
        (ink(verdict.status), word),
        beside,
        Ink::Strong,
        &verdict.title,
    );
    let mut pieces = Vec::new();
    if let Some(cause) = &verdict.cause {
        pieces.push(format!("rule {cause}"));
    }
    pieces.extend(
        verdict
            .family
            .as_ref()
            .map(|family| format!("family {family}")),
    );
    if let Some(error) = &verdict.client_error {
        pieces.push(format!("client error {}", error.code));
    }
    match &verdict.consequences[..] {
        [] => {}
        [one] => pieces.push(format!("explains {one}")),
        many => pieces.push(format!("explains {} more findings", many.len())),
    }
    paper.pieces(beside, Ink::Dim, &pieces);
}

/// The machine and what was read of it.
pub(in crate::report) fn collection(report: &Report, clock: &Clock) -> Vec<String> {
    let host = &report.host;
    let mut pieces = vec![host_name(report)];
    match (&host.product, host.build) {
        (Some(product), Some(build)) => pieces.push(format!("{product} ({build})")),
        (Some(product), None) => pieces.push(product.clone()),
        (None, Some(build)) => pieces.push(format!("build {build}")),
        (None, None) => {}
    }
    pieces.extend(report.layout.title.clone());
    pieces.push(count(report.artifacts.len() as u64, "file", "files"));
    let records: u64 = report
        .artifacts
        .iter()
        .filter_map(|artifact| artifact.records)
        .fold(0, u64::saturating_add);
    if records > 0 {
        pieces.push(format!("{} records", thousands(records)));
    }
    if let Some([first, last]) = &host.collected {
        let (first, last) = (clock.day(first), clock.day(last));
        let zone = clock.zone_name();
        pieces.push(match first == last {
            true => format!("{first} {zone}"),
            false => format!("{first} to {last} {zone}"),
        });
    }
    if !report.problems.is_empty() {
        pieces.push(count(report.problems.len() as u64, "problem", "problems"));
    }
    pieces
}

pub(in crate::report) fn host_name(report: &Report) -> String {
    let name = report.host.name.clone();
    name.unwrap_or_else(|| "unnamed machine".to_owned())
}

pub(in crate::report) fn word(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "CONFIRMED",
        Status::Likely => "LIKELY",
        Status::Possible => "POSSIBLE",
        Status::Inconclusive => "INCONCLUSIVE",
        Status::Healthy => "HEALTHY",
    }
}

fn ink(status: Status) -> Ink {
    match status {
        Status::Confirmed | Status::Likely => Ink::Bad,
        Status::Possible | Status::Inconclusive => Ink::Warning,
        Status::Healthy => Ink::Good,
    }
}
