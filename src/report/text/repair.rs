//! The repair, step by step; and the popular advice that would do harm.

use super::in_role;
use super::paper::{Ink, Paper};
use crate::verdict::model::{Finding, Fix, Report, Role};

pub(super) fn write(paper: &mut Paper, report: &Report) {
    for finding in to_repair(report) {
        steps(paper, finding);
    }
    refuse(paper, report);
}

/// The verdict and the causes beside it; contributing faults after them.
pub(in crate::report) fn to_repair(report: &Report) -> impl Iterator<Item = &Finding> {
    [Role::RootCause, Role::Also, Role::Contributing]
        .into_iter()
        .flat_map(|role| in_role(report, role))
        .filter(|finding| !finding.fixes.is_empty())
}

fn steps(paper: &mut Paper, finding: &Finding) {
    paper.heading("Repair", &finding.cause);
    for (index, fix) in finding.fixes.iter().enumerate() {
        step(paper, index + 1, fix);
    }
}

fn step(paper: &mut Paper, number: usize, fix: &Fix) {
    paper.labelled(
        2,
        (Ink::Strong, &format!("{number}.")),
        4,
        Ink::Plain,
        &fix.step,
    );
    if let Some(run) = &fix.run {
        paper.command(6, "run     ", run);
    }
    if let Some(risk) = &fix.risk {
        paper.labelled(6, (Ink::Dim, "risk"), 8, Ink::Plain, risk);
    }
    if let Some(rollback) = &fix.rollback {
        paper.command(6, "undo    ", rollback);
    }
    if let Some(verify) = &fix.verify {
        paper.labelled(6, (Ink::Dim, "verify"), 8, Ink::Plain, verify);
    }
}

fn refuse(paper: &mut Paper, report: &Report) {
    if report.verdict.refuse.is_empty() {
        return;
    }
    paper.heading("Do not", "popular advice that would do harm here");
    for refusal in &report.verdict.refuse {
        paper.labelled(2, (Ink::Bad, "x"), 4, Ink::Strong, &refusal.advice);
        paper.paragraph(6, Ink::Plain, &refusal.why);
        paper.labelled(6, (Ink::Dim, "instead"), 9, Ink::Plain, &refusal.instead);
    }
}
