//! Facts about settings that were exported as text, which holds no last-write times: since when they are so, nothing says.

use std::collections::BTreeSet;

use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::Gap;

/// Marks every fact that rests on such a setting, directly or through other facts. What a certificate says of itself has its own
/// dates.
pub fn mark(facts: &mut FactSet) {
    let mut undated: BTreeSet<FactId> = BTreeSet::new();
    for fact in facts.facts() {
        if rests_on_text(fact, &undated) {
            undated.insert(fact.id);
        }
    }
    if undated.is_empty() {
        return;
    }
    let gap = facts.gaps.record(Gap {
        about: "when settings were written".to_owned(),
        why: "they were exported as text, which holds no times".to_owned(),
        obtain: "the hive itself with its .LOG1 and .LOG2, or saved with reg save".to_owned(),
    });
    for id in undated {
        facts.mark_undated(id, gap);
    }
}

fn rests_on_text(fact: &Fact, undated: &BTreeSet<FactId>) -> bool {
    let has_dates = |source: &Source| matches!(source, Source::Certificate { .. });
    let is_undated = |source: &Source| match source {
        Source::Value { line, written, .. } => line.is_some() && written.is_none(),
        Source::Derived(facts) => facts.iter().any(|fact| undated.contains(fact)),
        Source::Certificate { .. }
        | Source::Record { .. }
        | Source::Line { .. }
        | Source::File { .. }
        | Source::CommandLine { .. } => false,
    };
    !fact.sources.iter().any(has_dates) && fact.sources.iter().any(is_undated)
}
