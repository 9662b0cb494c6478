//! The screen of `explain`.

use super::TextOptions;
use super::paper::{Ink, Paper};
use crate::explain::{Answer, Cause, Explained, Subject};

/// The whole screen: every answer, one below the other.
pub(in crate::report) fn render(explained: &Explained, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.width, options.charset);
    if explained.answers.len() > 1 {
        let says = format!(
            "{} may be {} things; a name before it says which.",
            explained.asked,
            explained.answers.len()
        );
        paper.paragraph(0, Ink::Dim, &says);
    }
    for answer in &explained.answers {
        one(&mut paper, answer);
    }
    paper.into_text()
}

fn one(paper: &mut Paper, answer: &Answer) {
    let remark = match (answer.known, answer.official) {
        (true, true) => "",
        (true, false) => "unofficial: read from field reports",
        (false, _) => "not known here",
    };
    paper.heading(&answer.name, remark);
    paper.paragraph(2, Ink::Plain, &answer.meaning);
    if let Some(remark) = &answer.remark {
        paper.paragraph(2, Ink::Dim, remark);
    }
    let (own, others) = match (answer.subject, answer.behind.split_first()) {
        (Subject::Rule, Some((own, others))) => (Some(own), others),
        _ => (None, answer.behind.as_slice()),
    };
    if let Some(own) = own {
        paper.blank();
        paper.line(2, &[(Ink::Strong, "What proves it")]);
        proofs(paper, 4, own);
    }
    if !others.is_empty() {
        let title = match own {
            Some(_) => "What may explain it",
            None => "What usually lies behind it, and what would prove it",
        };
        paper.blank();
        paper.line(2, &[(Ink::Strong, title)]);
    }
    for cause in others {
        paper.line(4, &[(Ink::Plain, &cause.rule)]);
        paper.paragraph(6, Ink::Dim, &cause.title);
        proofs(paper, 6, cause);
    }
    if !answer.collect.is_empty() {
        paper.blank();
        paper.line(2, &[(Ink::Strong, "What to collect")]);
    }
    for collect in &answer.collect {
        paper.paragraph(4, Ink::Plain, &collect.what);
        paper.command(6, "", &collect.how);
    }
    if let Some(source) = &answer.source {
        paper.blank();
        match source.starts_with("https://") {
            // An address that is broken cannot be followed.
            true => paper.command(2, "source  ", &source.replace(", ", "\n")),
            false => paper.labelled(2, (Ink::Dim, "source"), 8, Ink::Dim, source),
        }
    }
}

fn proofs(paper: &mut Paper, indent: usize, cause: &Cause) {
    for proof in &cause.proof {
        paper.labelled(indent, (Ink::Dim, "-"), 2, Ink::Plain, proof);
    }
}
