//! What to do next; always the last thing on the screen.

use super::open::missing;
use super::paper::{Ink, Paper};
use super::repair::to_repair;
use crate::verdict::model::{Report, Role, Status};

pub(super) fn write(paper: &mut Paper, report: &Report) {
    paper.heading("Next", "");
    let first_step = to_repair(report)
        .find(|finding| finding.role == Role::RootCause)
        .and_then(|finding| finding.fixes.first());
    match (report.verdict.status, first_step) {
        (Status::Healthy, _) => say(
            paper,
            "Nothing to repair on this machine. If somebody still cannot connect, say who and when with --client-address and \
             --incident; otherwise look at what lies between: the network, a gateway, the client.",
        ),
        (Status::Confirmed, Some(fix)) => {
            say(
                paper,
                &format!(
                    "Start with step 1 of the repair: {}.",
                    first_clause(&fix.step)
                ),
            );
        }
        (Status::Likely, Some(fix)) if report.verdict.candidates.is_empty() => {
            say(
                paper,
                &format!(
                    "Start with step 1 of the repair: {}.",
                    first_clause(&fix.step)
                ),
            );
            let settles = missing(report)
                .into_iter()
                .find(|piece| piece.settles_verdict());
            if let Some(piece) = settles {
                say(
                    paper,
                    "To be sure before anything is changed, collect this and run rdptriage again:",
                );
                paper.command(4, "", piece.obtain);
            }
        }
        _ => collect(paper, report),
    }
    paper.paragraph(
        2,
        Ink::Dim,
        "Every test behind this: -v. Everything, for a program: -f json.",
    );
}

fn collect(paper: &mut Paper, report: &Report) {
    match missing(report).first() {
        Some(piece) => {
            say(
                paper,
                "Collect this on the machine, add it to the collection, and run rdptriage again:",
            );
            paper.command(4, "", piece.obtain);
        }
        None => say(
            paper,
            "Say what you know of a failed attempt with --incident and --client-address, and run rdptriage again.",
        ),
    }
}

fn say(paper: &mut Paper, text: &str) {
    paper.paragraph(2, Ink::Plain, text);
}

/// What a step is about: its first clause. The repair has the whole.
fn first_clause(step: &str) -> &str {
    let ends = [": ", "; ", ". ", " ("];
    let end = ends.iter().filter_map(|end| step.find(end)).min();
    step.get(..end.unwrap_or(step.len()))
        .unwrap_or(step)
        .trim_end_matches('.')
}
