//! Facts that rest on a doubtful hive alone: what stands in it counts, but proves nothing above likely. Doubtful is a dirty hive, the
//! last writes of which are in transaction logs that were not collected, and one that does not fit what the logs say.

use std::collections::BTreeSet;

use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::Gap;

/// Why what a hive says may not be what held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its last writes are missing.
    Dirty,
    /// The logs are of another Windows, or of another time.
    DoesNotFit,
}

impl Doubt {
    fn why(self) -> &'static str {
        match self {
            Doubt::Dirty => {
                "dirty: its last writes are in transaction logs that were not collected, so that what it says may be out of date"
            }
            Doubt::DoesNotFit => {
                "does not fit the logs: another build of Windows, or a time long after they end, so that it may be another machine's \
                 or another time's"
            }
        }
    }

    fn obtain(self) -> &'static str {
        match self {
            Doubt::Dirty => {
                "copy the .LOG1 and .LOG2 files beside the hive as well, or save it with reg save"
            }
            Doubt::DoesNotFit => "collect the hives and the logs of the machine anew, at one time",
        }
    }
}

/// Marks every fact whose sources all lie in these hives, directly or through other facts.
pub fn mark(hives: &BTreeSet<&str>, doubt: Doubt, facts: &mut FactSet) {
    if hives.is_empty() {
        return;
    }
    let names: Vec<&str> = hives.iter().copied().collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: doubt.why().to_owned(),
        obtain: doubt.obtain().to_owned(),
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
