//! What happened, in order.

use jiff::Timestamp;

use super::model::TimelineEntry;
use crate::facts::catalog::Nature;
use crate::facts::fact::{Fact, FactSet};
use crate::facts::value::{FieldState, Value};

/// Every event, but those of strangers, which are many on a machine that the Internet can reach. What happens again and again
/// with nothing else between is told once.
#[must_use]
pub fn timeline(facts: &FactSet) -> Vec<TimelineEntry> {
    let mut events: Vec<(Timestamp, &Fact)> = facts
        .facts()
        .iter()
        .filter(|fact| fact.kind.nature == Nature::Event && !of_a_stranger(fact))
        .filter_map(|fact| fact.at.map(|at| (at, fact)))
        .collect();
    events.sort_by_key(|(at, fact)| (*at, fact.id));
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (at, fact) in events {
        let title = title(fact);
        match runs.last_mut() {
            Some(run)
                if run.title == title
                    && run
                        .facts
                        .first()
                        .is_some_and(|first| first.kind == fact.kind) =>
            {
                run.last = at;
                run.facts.push(fact);
            }
            _ => runs.push(Run {
                first: at,
                last: at,
                title,
                facts: vec![fact],
            }),
        }
    }
    runs.into_iter().filter_map(Run::entry).collect()
}

struct Run<'a> {
    first: Timestamp,
    last: Timestamp,
    title: String,
    facts: Vec<&'a Fact>,
}

impl Run<'_> {
    fn entry(self) -> Option<TimelineEntry> {
        let kind = self.facts.first()?.kind.name.to_owned();
        let title = match self.facts.len() {
            1 => self.title,
            count => format!("{} ({count} times until {})", self.title, self.last),
        };
        Some(TimelineEntry {
            time: self.first.to_string(),
            kind,
            title,
            evidence: self.facts.iter().map(|fact| fact.id.to_string()).collect(),
        })
    }
}

fn of_a_stranger(fact: &Fact) -> bool {
    fact.field("stranger") == Some(&FieldState::Is(Value::Bool(true)))
}

/// One line for a fact: what its kind is, and the fields that say more than no.
#[must_use]
pub fn title(fact: &Fact) -> String {
    let what = fact
        .kind
        .doc
        .trim()
        .split(['.', ':'])
        .next()
        .unwrap_or_default();
    let told: Vec<String> = fact
        .fields
        .iter()
        .filter_map(|(name, state)| match state {
            FieldState::Is(Value::Bool(true)) => Some(name.replace('_', " ")),
            FieldState::Is(Value::Bool(false)) | FieldState::Nothing | FieldState::Open(_) => None,
            FieldState::Is(value) => Some(format!("{} {value}", name.replace('_', " "))),
        })
        .collect();
    if told.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", told.join(", "))
    }
}
