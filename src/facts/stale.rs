//! Facts that rest on a dirty hive alone: its last writes are in transaction logs that were not collected, so what stands in it
//! counts, but proves nothing above likely.

use std::collections::BTreeSet;

use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::Gap;

/// Marks every fact whose sources all lie in these hives, directly or through other facts.
pub fn mark(hives: &BTreeSet<&str>, facts: &mut FactSet) {
    if hives.is_empty() {
        return;
    }
    let names: Vec<&str> = hives.iter().copied().collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: "dirty: its last writes are in transaction logs that were not collected, so that what it says may be out of date"
            .to_owned(),
        obtain: "copy the .LOG1 and .LOG2 files beside the hive as well, or save it with reg save".to_owned(),
    });
    let mut stale: BTreeSet<FactId> = BTreeSet::new();
    for fact in facts.facts() {
        if rests_on(fact, hives, &stale) {
            stale.insert(fact.id);
        }
    }
    for id in stale {
        facts.mark_stale(id, gap);
    }
}

fn rests_on(fact: &Fact, hives: &BTreeSet<&str>, stale: &BTreeSet<FactId>) -> bool {
    let is_stale = |source: &Source| match source {
        Source::Value { artifact, .. } | Source::Certificate { artifact, .. } => {
            hives.contains(artifact.as_str())
        }
        Source::Derived(facts) => {
            !facts.is_empty() && facts.iter().all(|fact| stale.contains(fact))
        }
        Source::Record { .. }
        | Source::Line { .. }
        | Source::File { .. }
        | Source::CommandLine { .. } => false,
    };
    !fact.sources.is_empty() && fact.sources.iter().all(is_stale)
}
