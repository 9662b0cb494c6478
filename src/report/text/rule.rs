//! The screen of `rules show`: a rule as a person would read it.

use super::TextOptions;
use super::paper::{Ink, Paper};
use crate::rules::model::{FixStep, Rule, TestRole, TestStanding};
use crate::rules::needs::{names, needs};
use crate::rules::show::question;

/// The whole screen.
pub(in crate::report) fn render(rule: &Rule, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.width, options.charset);
    let standing = match rule.standing.to_string().as_str() {
        "cause" => "a cause".to_owned(),
        "symptom" => "a symptom: the verdict only where nothing explains it".to_owned(),
        other => format!("{other}: never the verdict by itself"),
    };
    paper.heading(&rule.id, &format!("{}; {standing}", rule.family));
    paper.paragraph(2, Ink::Strong, &rule.title.spoken());
    paper.paragraph(2, Ink::Plain, &rule.summary.spoken());
    tests(&mut paper, rule);
    paper.heading("Needs", "to be decided");
    paper.paragraph(2, Ink::Plain, &names(&needs(rule)).join(", "));
    if !rule.explains.is_empty() {
        paper.heading("Explains", "");
        paper.paragraph(2, Ink::Plain, &rule.explains.join(", "));
    }
    if !rule.fixes.is_empty() {
        paper.heading("Repair", "");
    }
    for (index, fix) in rule.fixes.iter().enumerate() {
        step(&mut paper, rule, index + 1, fix);
    }
    if !rule.refuse.is_empty() {
        paper.heading("Do not", "popular advice that would do harm");
    }
    for refused in &rule.refuse {
        paper.labelled(2, (Ink::Bad, "x"), 4, Ink::Strong, &refused.advice.spoken());
        paper.paragraph(6, Ink::Plain, &refused.why.spoken());
        let instead = refused.instead.spoken();
        paper.labelled(6, (Ink::Dim, "instead"), 9, Ink::Plain, &instead);
    }
    paper.into_text()
}

fn tests(paper: &mut Paper, rule: &Rule) {
    for (role, title, remark) in [
        (
            TestRole::Require,
            "Must be so (require)",
            "all of these; where one is not, it is ruled out",
        ),
        (
            TestRole::Decisive,
            "Proves it (decisive)",
            "one of these is enough; where all are refuted, it is ruled out",
        ),
        (
            TestRole::Support,
            "Speaks for it (support)",
            "makes it likely or possible, and never proves it",
        ),
        (
            TestRole::Exclude,
            "Refutes it (exclude)",
            "one of these is enough",
        ),
    ] {
        let mut of_role = rule.tests_of(role).peekable();
        if of_role.peek().is_some() {
            paper.heading(title, remark);
        }
        for (_, test) in of_role {
            paper.labelled(2, (Ink::Plain, "-"), 2, Ink::Plain, &test.name);
            paper.paragraph(5, Ink::Dim, &question(test));
            let means = match (test.standing, role) {
                (None, _) => continue,
                (Some(TestStanding::Contributing), _) => "with nothing else, it only contributes",
                (Some(TestStanding::Latent), TestRole::Require) => {
                    "where this alone is not so, the fault is hidden and not gone"
                }
                (Some(TestStanding::Latent), _) => "with nothing else, it does no harm yet",
            };
            paper.paragraph(5, Ink::Dim, means);
        }
    }
}

fn step(paper: &mut Paper, rule: &Rule, number: usize, fix: &FixStep) {
    let when = fix.when.and_then(|place| rule.tests.get(place));
    let what = match when {
        Some(test) => format!("{} (where: {})", fix.step.spoken(), test.name),
        None => fix.step.spoken(),
    };
    paper.labelled(
        2,
        (Ink::Strong, &format!("{number}.")),
        4,
        Ink::Plain,
        &what,
    );
    if let Some(run) = &fix.run {
        paper.command(6, "run     ", &run.spoken());
    }
    if let Some(risk) = &fix.risk {
        paper.labelled(6, (Ink::Dim, "risk"), 8, Ink::Plain, &risk.spoken());
    }
    if let Some(rollback) = &fix.rollback {
        paper.command(6, "undo    ", &rollback.spoken());
    }
    if let Some(verify) = &fix.verify {
        paper.labelled(6, (Ink::Dim, "verify"), 8, Ink::Plain, &verify.spoken());
    }
}
