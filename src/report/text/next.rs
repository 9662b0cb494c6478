//! What to do next; always the last thing on the screen.

use super::open::missing;
use super::paper::{Ink, Paper};
use super::repair::to_repair;
use crate::verdict::model::{Report, Role, Status};

pub(super) fn write(paper: &mut Paper, report: &Report) {
    paper.heading("Next", "");
    let repair = to_repair(report).find(|finding| finding.role == Role::RootCause);
    let settle = missing(report).into_iter().next().map(|piece| piece.obtain);
    match (report.verdict.status, repair) {
        (Status::Confirmed, Some(_)) => {
            paper.paragraph(
                2,
                Ink::Plain,
                "Do the repair above from step 1, and stop as soon as its check succeeds.",
            );
        }
        (Status::Likely, Some(_)) => {
            paper.paragraph(2, Ink::Plain, "Do the repair above from step 1; where a step is not harmless, settle the cause first:");
            collect(paper, settle);
        }
        (Status::Confirmed | Status::Likely, None)
        | (Status::Possible | Status::Inconclusive, _) => {
            match settle {
                Some(_) => paper.paragraph(2, Ink::Plain, "Collect this on the machine, add it to the collection, and run rdptriage again:"),
                None => paper.paragraph(
                    2,
                    Ink::Plain,
                    "Name what you know of a failed attempt with --incident, --client-address and --client-error, and run rdptriage again.",
                ),
            }
            collect(paper, settle);
        }
        (Status::Healthy, _) => {
            paper.paragraph(
                2,
                Ink::Plain,
                "Nothing to repair on this machine. If somebody still cannot connect, say who and when with --client-address and \
                 --incident; otherwise look at what lies between: the network, a gateway, the client.",
            );
        }
    }
    paper.paragraph(
        2,
        Ink::Dim,
        "Every test behind this: -v. Everything, for a program: -f json.",
    );
}

fn collect(paper: &mut Paper, obtain: Option<&str>) {
    if let Some(obtain) = obtain {
        paper.command(4, obtain);
    }
}
