//! Which facts a report lists: all of them, unless a flooded log makes more of one kind than anybody reads. Then the newest of that
//! kind, and those that it names.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Problem, Report};
use crate::facts::fact::{Fact, FactId, FactSet};

/// Facts of one kind.
const MOST: usize = 10_000;

/// The facts that are listed, and what is said of those that are not.
pub(super) struct Listed<'f> {
    /// In their order.
    pub facts: Vec<&'f Fact>,
    pub problems: Vec<Problem>,
}

impl<'f> Listed<'f> {
    /// Of these facts; `named` are those that must be listed, asked for where there are too many.
    pub fn choose(facts: &'f FactSet, named: impl FnOnce() -> BTreeSet<String>) -> Self {
        let mut of_kind: BTreeMap<&str, Vec<&Fact>> = BTreeMap::new();
        for fact in facts.facts() {
            of_kind.entry(fact.kind.name).or_default().push(fact);
        }
        of_kind.retain(|_, facts| facts.len() > MOST);
        let mut listed = Listed {
            facts: facts.facts().iter().collect(),
            problems: Vec::new(),
        };
        if of_kind.is_empty() {
            return listed;
        }
        let named = named();
        let mut left_out: BTreeSet<FactId> = BTreeSet::new();
        for (kind, mut of_kind) in of_kind {
            of_kind.sort_by_key(|fact| std::cmp::Reverse((fact.at, fact.id)));
            let older = of_kind.iter().skip(MOST).map(|fact| fact.id);
            let older: Vec<FactId> = older
                .filter(|id| !named.contains(&id.to_string()))
                .collect();
            if !older.is_empty() {
                let count = older.len();
                listed.problems.push(Problem {
                    artifact: None,
                    at: None,
                    message: format!(
                        "there are too many facts {kind} to list them all: {count} older ones were counted and are left out"
                    ),
                });
            }
            left_out.extend(older);
        }
        listed.facts.retain(|fact| !left_out.contains(&fact.id));
        listed
    }

    /// Of facts that another one was computed from, those that are listed. The list is in the order of the ids.
    pub fn among(&self, facts: &[FactId]) -> Vec<FactId> {
        let is_listed = |id: &&FactId| self.facts.binary_search_by_key(*id, |fact| fact.id).is_ok();
        facts.iter().filter(is_listed).copied().collect()
    }
}

/// The facts that the report names.
pub(super) fn named(report: &Report) -> BTreeSet<String> {
    let tests = report.findings.iter().flat_map(|finding| &finding.tests);
    tests
        .flat_map(|test| &test.evidence)
        .chain(report.changes.iter().flat_map(|change| &change.evidence))
        .chain(report.timeline.iter().flat_map(|entry| &entry.evidence))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::catalog::service::ServiceFailure;
    use crate::facts::fact::Source;

    #[test]
    fn the_newest_of_a_kind_are_listed_and_those_that_are_named() {
        let mut facts = FactSet::of_nothing();
        let at = |second: usize| jiff::Timestamp::from_second(second as i64).ok();
        let source = Source::File {
            artifact: "a.evtx".to_owned(),
        };
        // The newest come first: what counts is when it happened.
        let ids: Vec<FactId> = (0..MOST + 5)
            .map(|index| {
                let body = ServiceFailure {
                    event: 7034,
                    service: "TermService".to_owned(),
                    code: None,
                };
                facts.add(at(MOST + 5 - index), body, vec![source.clone()])
            })
            .collect();
        let named = ids[MOST + 2];
        let listed = Listed::choose(&facts, || BTreeSet::from([named.to_string()]));
        assert_eq!(listed.facts.len(), MOST + 1);
        assert!(listed.facts.is_sorted_by_key(|fact| fact.id));
        let left_out = [ids[MOST], ids[MOST + 1], ids[MOST + 3], ids[MOST + 4]];
        assert_eq!(listed.among(&left_out), []);
        assert_eq!(listed.among(&ids[..9]), ids[..9]);
        assert_eq!(listed.among(&[named]), [named]);
        assert_eq!(
            listed.problems[0].message,
            "there are too many facts service.failure to list them all: 4 older ones were counted and are left out"
        );
    }
}
