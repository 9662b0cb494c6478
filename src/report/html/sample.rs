//! The JSON that goes into the page: all of it where it is small, else without most of what repeats, and it says so.

use std::collections::BTreeSet;

use crate::report::json;
use crate::verdict::model::{Report, TestEntry};

/// The page must open at once: more bytes than these are not put into it.
const LARGEST: usize = 1_500_000;
/// How many names a list keeps.
const MOST_NAMES: usize = 20;
/// How many facts, entries of the timeline and clients are kept.
const MOST_FACTS: usize = 800;
const MOST_ENTRIES: usize = 300;
const MOST_FILES: usize = 400;
/// How long a text may be, in letters.
const LONGEST: usize = 400;

/// The JSON of one report, and what to say of it.
pub(super) struct Sampled {
    pub(super) text: String,
    pub(super) note: String,
}

pub(super) fn json(report: &Report) -> Sampled {
    let whole = rendered(report);
    if whole.len() <= LARGEST {
        return Sampled {
            text: whole,
            note: "The whole report, for programs.".to_owned(),
        };
    }
    let small = reduced(report);
    let note = format!(
        "Too large for this page, so what repeats is sampled: {} of {} facts, {} of {} entries of the timeline, {} of {} \
         clients; long lists and texts are cut. The whole of it: -o case.json.",
        small.facts.len(),
        report.facts.len(),
        small.timeline.len(),
        report.timeline.len(),
        small.connections.len(),
        report.connections.len(),
    );
    let mut text = rendered(&small);
    if text.len() > LARGEST {
        let mut end = LARGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n… cut here");
    }
    Sampled { text, note }
}

fn rendered(report: &Report) -> String {
    String::from_utf8_lossy(&json::render(std::slice::from_ref(report))).into_owned()
}

fn reduced(report: &Report) -> Report {
    let mut small = Report {
        host: report.host.clone(),
        layout: report.layout.clone(),
        verdict: report.verdict.clone(),
        findings: report.findings.clone(),
        facts: Vec::new(),
        changes: report.changes.iter().take(MOST_ENTRIES).cloned().collect(),
        timeline: report.timeline.iter().take(MOST_ENTRIES).cloned().collect(),
        connections: report
            .connections
            .iter()
            .take(MOST_ENTRIES)
            .cloned()
            .collect(),
        negotiation: report.negotiation.clone(),
        artifacts: report.artifacts.iter().take(MOST_FILES).cloned().collect(),
        problems: report.problems.iter().take(MOST_ENTRIES).cloned().collect(),
        gaps: report.gaps.clone(),
    };
    let tests = small
        .findings
        .iter_mut()
        .flat_map(|finding| &mut finding.tests);
    tests.for_each(|test: &mut TestEntry| test.evidence.truncate(MOST_NAMES));
    let cited: BTreeSet<&str> = small
        .findings
        .iter()
        .flat_map(|finding| &finding.tests)
        .flat_map(|test| &test.evidence)
        .map(String::as_str)
        .collect();
    let (named, others): (Vec<_>, Vec<_>) = report
        .facts
        .iter()
        .partition(|fact| cited.contains(fact.id.as_str()));
    let rest = MOST_FACTS.saturating_sub(named.len());
    let mut facts: Vec<_> = named
        .into_iter()
        .take(MOST_FACTS)
        .chain(others.into_iter().take(rest))
        .cloned()
        .collect();
    for fact in &mut facts {
        fact.sources.truncate(MOST_NAMES);
        for source in &mut fact.sources {
            if let Some(names) = &mut source.facts {
                names.truncate(MOST_NAMES);
            }
        }
        for (_, value) in &mut fact.fields {
            match value {
                serde_json::Value::String(text) => cut(text),
                serde_json::Value::Array(values) => values.truncate(MOST_NAMES),
                _ => {}
            }
        }
    }
    small.facts = facts;
    for entry in &mut small.timeline {
        entry.evidence.truncate(MOST_NAMES);
        cut(&mut entry.title);
    }
    for change in &mut small.changes {
        change.evidence.truncate(MOST_NAMES);
        cut(&mut change.what);
        change
            .before
            .iter_mut()
            .chain(&mut change.after)
            .for_each(cut);
    }
    for artifact in &mut small.artifacts {
        artifact.problems.truncate(MOST_NAMES);
        artifact.gaps.truncate(MOST_NAMES);
    }
    small
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
}
