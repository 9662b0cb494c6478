//! Facts that rest on doubtful files alone, or on doubtful places in them: what stands there counts, but proves nothing above likely.
//! Doubtful is a dirty hive, the last writes of which are in transaction logs that were not collected; a hive that does not fit what the
//! logs say; a file that is not what was collected, by the digest in the collection's manifest; and a chunk of an event log in which some
//! record is not as it was written.

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
    /// A part of a log: one of its records at least is not as it was written, and nothing tells which.
    Changed,
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
            Doubt::Changed => {
                "damaged: some of its records are not as they were written, and nothing tells which"
            }
        }
    }

    fn obtain(self) -> &'static str {
        match self {
            Doubt::Dirty => {
                "copy the .LOG1 and .LOG2 files beside the hive as well, or save it with reg save"
            }
            Doubt::DoesNotFit => "collect the hives and the logs of the machine anew, at one time",
            Doubt::Altered => "run collect.ps1 again, and send the zip as it is",
            Doubt::Changed => "export the log anew with wevtutil epl",
        }
    }
}

/// Places of files, in bytes from their start: in order, and none within another.
pub type Places<'a> = BTreeMap<&'a str, Vec<Range<u64>>>;

/// Marks every fact whose sources all lie in these files, directly or through other facts.
pub fn mark(files: &BTreeSet<&str>, doubt: Doubt, facts: &mut FactSet) {
    let whole = files.iter().map(|file| (*file, vec![0..u64::MAX]));
    mark_places(&whole.collect(), doubt, facts);
}

/// The same of facts whose sources all lie in these places. A source that names no place lies in none.
pub fn mark_places(places: &Places<'_>, doubt: Doubt, facts: &mut FactSet) {
    if places.is_empty() {
        return;
    }
    let names: Vec<&str> = places.keys().copied().collect();
    let gap = facts.gaps.record(Gap {
        about: names.join(", "),
        why: doubt.why().to_owned(),
        obtain: doubt.obtain().to_owned(),
    });
    let mut stale: BTreeSet<FactId> = BTreeSet::new();
    for fact in facts.facts() {
        if rests_on(fact, places, &stale) {
            stale.insert(fact.id);
        }
    }
    for id in stale {
        facts.mark_stale(id, gap);
    }
}

fn rests_on(fact: &Fact, places: &Places<'_>, stale: &BTreeSet<FactId>) -> bool {
    let of = |artifact: &String| places.get(artifact.as_str()).into_iter().flatten();
    let is_stale = |source: &Source| match source {
        Source::Record {
            artifact, offset, ..
        } => places.get(artifact.as_str()).is_some_and(|places| {
            let behind = places.partition_point(|place| place.start <= *offset);
            let last = behind.checked_sub(1).and_then(|last| places.get(last));
            last.is_some_and(|place| place.contains(offset))
        }),
        Source::Value { artifact, .. }
        | Source::Certificate { artifact, .. }
        | Source::Line { artifact, .. }
        | Source::File { artifact } => of(artifact).any(|place| *place == (0..u64::MAX)),
        Source::Derived(facts) => {
            !facts.is_empty() && facts.iter().all(|fact| stale.contains(fact))
        }
        Source::CommandLine { .. } => false,
    };
    !fact.sources.is_empty() && fact.sources.iter().all(is_stale)
}
