//! Gaps: what could not be checked, why, and how to collect it.

use std::collections::BTreeMap;

use super::subject::Subject;

/// Names one gap of one host's evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GapId(usize);

/// One thing that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What is missing: the fact kind or the artifact that the report names, such as `key_file.access` or `SOFTWARE hive`.
    pub about: String,
    /// Why it could not be checked, a clause for people.
    pub why: String,
    /// The command or step that would settle it.
    pub obtain: String,
}

/// All gaps of one host. The same gap is kept once: a forged hive may open one for each of its thousands of keys.
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    found: Vec<Gap>,
    places: BTreeMap<Gap, GapId>,
}

impl Gaps {
    /// Records that a subject could not be looked at.
    pub fn open(&mut self, subject: Subject, why: impl Into<String>) -> GapId {
        self.record(Gap {
            about: subject.name().to_owned(),
            why: why.into(),
            obtain: subject.obtain().to_owned(),
        })
    }

    /// Records a gap, or finds the one that is the same.
    pub fn record(&mut self, gap: Gap) -> GapId {
        if let Some(known) = self.places.get(&gap) {
            return *known;
        }
        let id = GapId(self.found.len());
        self.found.push(gap.clone());
        self.places.insert(gap, id);
        id
    }

    /// The gap of that name.
    #[must_use]
    pub fn gap(&self, id: GapId) -> &Gap {
        &self.found[id.0]
    }

    /// Every gap, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (GapId, &Gap)> {
        self.found
            .iter()
            .enumerate()
            .map(|(index, gap)| (GapId(index), gap))
    }
}

impl std::fmt::Display for GapId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "g{}", self.0 + 1)
    }
}
