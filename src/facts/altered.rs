//! Facts that rest on a file alone that is not what was collected, by the digest in the collection's manifest: what stands in it
//! counts, but proves nothing above likely.

use std::collections::BTreeSet;

use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::Gap;

/// Marks every fact whose sources all lie in these files, directly or through other facts.
pub fn mark(files: &BTreeSet<String>, facts: &mut FactSet) {
    if files.is_empty() {
        return;
    }
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: "not what was collected: its digest is not the one in the manifest".to_owned(),
        obtain: "run collect.ps1 again, and send the zip as it is".to_owned(),
    });
    let mut marked: BTreeSet<FactId> = BTreeSet::new();
    for fact in facts.facts() {
        if rests_on(fact, files, &marked) {
            marked.insert(fact.id);
        }
    }
    for id in marked {
        facts.mark_stale(id, gap);
    }
}

fn rests_on(fact: &Fact, files: &BTreeSet<String>, marked: &BTreeSet<FactId>) -> bool {
    let is_in = |source: &Source| match source {
        Source::Record { artifact, .. }
        | Source::Value { artifact, .. }
        | Source::Certificate { artifact, .. }
        | Source::Line { artifact, .. }
        | Source::File { artifact } => files.contains(artifact),
        Source::Derived(facts) => {
            !facts.is_empty() && facts.iter().all(|fact| marked.contains(fact))
        }
        Source::CommandLine { .. } => false,
    };
    !fact.sources.is_empty() && fact.sources.iter().all(is_in)
}
