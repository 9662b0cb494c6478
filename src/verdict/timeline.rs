//! What happened, in order.

use jiff::Timestamp;

use super::model::TimelineEntry;
use crate::facts::catalog::Nature;
use crate::facts::fact::{Fact, FactSet};
use crate::facts::value::{FieldState, Value};

/// How long the text of one field may be in a line that sums up a fact.
const LONGEST: usize = 120;

/// Every event, but those of strangers, which are many on a machine that the Internet can reach, and the stages that an attempt
/// passed, which it tells itself. What happens again and again with nothing else between is told once.
#[must_use]
pub fn timeline(facts: &FactSet) -> Vec<TimelineEntry> {
    let mut events: Vec<(Timestamp, &Fact)> = facts
        .facts()
        .iter()
        .filter(|fact| {
            fact.kind.nature == Nature::Event && !fact.kind.success() && !of_a_stranger(fact)
        })
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
    fact.is("stranger", true)
}

/// One line for a fact: what its kind is, and the fields that say more than no.
#[must_use]
pub fn title(fact: &Fact) -> String {
    // A fact that tells an event in words of its own.
    if let (Nature::Event, Some(FieldState::Is(Value::Text(says)))) =
        (fact.kind.nature, fact.field("says"))
    {
        return says.clone();
    }
    let what = fact
        .kind
        .doc
        .trim()
        .split(['.', ':'])
        .next()
        .unwrap_or_default();
    let told = fields(fact);
    if told.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {told}")
    }
}

/// The fields of a fact that say more than no, in one line; long lists are left to the fact itself.
#[must_use]
pub fn fields(fact: &Fact) -> String {
    let told: Vec<String> = fact
        .fields
        .iter()
        .filter_map(|(name, state)| match state {
            FieldState::Is(Value::Bool(true)) => Some(name.replace('_', " ")),
            FieldState::Is(Value::Bool(false)) | FieldState::Nothing | FieldState::Open(_) => None,
            FieldState::Is(value) => Some(format!("{} {value}", name.replace('_', " ")))
                .filter(|text| text.len() <= LONGEST),
        })
        .collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::catalog::connection::{Attempt, Carrier, Stage};
    use crate::facts::catalog::service::ServiceFailure;
    use crate::facts::fact::Source;
    use crate::facts::known::Known;

    fn source() -> Vec<Source> {
        vec![Source::File {
            artifact: "made up".to_owned(),
        }]
    }

    #[test]
    fn what_repeats_is_told_once_and_in_order() {
        let mut facts = FactSet::of_nothing();
        for (event, second) in [(7031, 30), (7034, 10), (7034, 20), (7034, 40)] {
            let body = ServiceFailure {
                service: "TermService".to_owned(),
                event,
                code: None,
            };
            facts.add(Timestamp::from_second(second).ok(), body, source());
        }
        let titles: Vec<String> = timeline(&facts)
            .into_iter()
            .map(|entry| entry.title)
            .collect();
        assert_eq!(titles.len(), 3);
        assert!(
            titles[0]
                .ends_with("service TermService, event 7034 (2 times until 1970-01-01T00:00:20Z)"),
            "{titles:?}"
        );
        assert!(titles[1].ends_with("event 7031"), "{titles:?}");
        assert!(titles[2].ends_with("event 7034"), "{titles:?}");
    }

    #[test]
    fn strangers_are_left_out() {
        let mut facts = FactSet::of_nothing();
        for stranger in [true, false] {
            let body = Attempt {
                client: Known::Is(Some("198.51.100.7".to_owned())),
                transport: Known::Is(Carrier::Tcp),
                session: None,
                reached: Stage::Arrived,
                ended: Known::Is(None),
                code: None,
                affected: Known::Is(false),
                stranger,
            };
            facts.add(Timestamp::from_second(1).ok(), body, source());
        }
        assert_eq!(timeline(&facts).len(), 1);
    }
}
