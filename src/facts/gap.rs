//! Gaps: what could not be checked, why, and how to collect it.

use super::subject::Subject;

/// Names one gap of one host's evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GapId(usize);

/// One thing that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is missing: the fact kind or the artifact that the report names, such as `key_file.access` or `SOFTWARE hive`.
    pub about: String,
    /// Why it could not be checked, a clause for people.
    pub why: String,
    /// The command or step that would settle it.
    pub obtain: String,
}

/// All gaps of one host. The same gap is kept once.
#[derive(Debug, Clone, Default)]
pub struct Gaps(Vec<Gap>);

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
        let found = self.0.iter().position(|known| *known == gap);
        GapId(found.unwrap_or_else(|| {
            self.0.push(gap);
            self.0.len() - 1
        }))
    }

    /// The gap of that name.
    #[must_use]
    pub fn gap(&self, id: GapId) -> &Gap {
        &self.0[id.0]
    }

    /// Every gap, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = (GapId, &Gap)> {
        self.0
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
