//! Facts that rest on doubtful files alone: what stands in them counts, but proves nothing above likely. Doubtful is a dirty hive, the
//! last writes of which are in transaction logs that were not collected; a hive that does not fit what the logs say; and a file that is
//! not what was collected, by the digest in the collection's manifest.
//!
//! In a part of an event log in which some record is not as it was written, what a single record says is doubtful.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::Gap;

/// Why what a file says may not be what held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// A hive: its last writes are missing.
    Dirty,
    /// A hive: the logs are of another Windows, or of another time.
    DoesNotFit,
    /// It was changed after it was collected.
    Altered,
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
            Doubt::Altered => "not what was collected: its digest is not the one in the manifest",
        }
    }

    fn obtain(self) -> &'static str {
        match self {
            Doubt::Dirty => {
                "copy the .LOG1 and .LOG2 files beside the hive as well, or save it with reg save"
            }
            Doubt::DoesNotFit => "collect the hives and the logs of the machine anew, at one time",
            Doubt::Altered => "run collect.ps1 again, and send the zip as it is",
        }
    }
}

/// Marks every fact whose sources all lie in these files, directly or through other facts.
pub fn mark(files: &BTreeSet<&str>, doubt: Doubt, facts: &mut FactSet) {
    if files.is_empty() {
        return;
    }
    let names: Vec<&str> = files.iter().copied().collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: doubt.why().to_owned(),
        obtain: doubt.obtain().to_owned(),
    });
    let mut stale: BTreeSet<FactId> = BTreeSet::new();
    for fact in facts.facts() {
        if rests_on(fact, files, &stale) {
            stale.insert(fact.id);
        }
    }
    for id in stale {
        facts.mark_stale(id, gap);
    }
}

fn rests_on(fact: &Fact, files: &BTreeSet<&str>, stale: &BTreeSet<FactId>) -> bool {
    let is_stale = |source: &Source| match source {
        Source::Record { artifact, .. }
        | Source::Value { artifact, .. }
        | Source::Certificate { artifact, .. }
        | Source::Line { artifact, .. }
        | Source::File { artifact } => files.contains(artifact.as_str()),
        Source::Derived(facts) => {
            !facts.is_empty() && facts.iter().all(|fact| stale.contains(fact))
        }
        Source::CommandLine { .. } => false,
    };
    !fact.sources.is_empty() && fact.sources.iter().all(is_stale)
}

/// Parts of logs, in bytes from their start: in order, and none within another.
pub type Parts<'a> = BTreeMap<&'a str, Vec<Range<u64>>>;

/// Marks every fact that rests on one record alone, in a part of a log in which some record is not as it was written.
pub fn mark_doubtful(parts: &Parts<'_>, facts: &mut FactSet) {
    if parts.is_empty() {
        return;
    }
    let names: Vec<&str> = parts.keys().copied().collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: "damaged: some of its records are not as they were written, and nothing tells which"
            .to_owned(),
        obtain: "export the log anew with wevtutil epl".to_owned(),
    });
    let doubtful = facts
        .facts()
        .iter()
        .filter(|fact| match fact.sources.as_slice() {
            [
                Source::Record {
                    artifact, offset, ..
                },
            ] => parts.get(artifact.as_str()).is_some_and(|parts| {
                let behind = parts.partition_point(|part| part.start <= *offset);
                let last = behind.checked_sub(1).and_then(|last| parts.get(last));
                last.is_some_and(|part| part.contains(offset))
            }),
            _ => false,
        });
    let doubtful: Vec<FactId> = doubtful.map(|fact| fact.id).collect();
    for id in doubtful {
        facts.mark_doubtful(id, gap);
    }
}
