//! What a test comes to: true, false or unknown, each with why.

use crate::facts::fact::FactId;
use crate::facts::gap::GapId;
use crate::facts::subject::Subject;

/// What one test comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// These facts make it so. Empty only where what makes it true is an absence.
    True(Vec<FactId>),
    /// It is not so.
    False(Refutation),
    /// These gaps leave it open.
    Unknown(Vec<GapId>),
}

/// Why a test is false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refutation {
    /// These facts say otherwise.
    Contradicted(Vec<FactId>),
    /// These subjects cover the time in question and hold no such thing.
    Absent(Vec<Subject>),
}

impl Truth {
    /// Whether it is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Truth::True(_))
    }

    /// Whether it is false.
    #[must_use]
    pub fn is_false(&self) -> bool {
        matches!(self, Truth::False(_))
    }

    /// The facts it rests on.
    #[must_use]
    pub fn facts(&self) -> &[FactId] {
        match self {
            Truth::True(facts) | Truth::False(Refutation::Contradicted(facts)) => facts,
            Truth::False(Refutation::Absent(_)) | Truth::Unknown(_) => &[],
        }
    }

    /// The gaps that leave it open.
    #[must_use]
    pub fn gaps(&self) -> &[GapId] {
        match self {
            Truth::Unknown(gaps) => gaps,
            _ => &[],
        }
    }

    /// Unknown for these gaps, each once.
    pub(super) fn unknown(mut gaps: Vec<GapId>) -> Self {
        gaps.sort_unstable();
        gaps.dedup();
        Truth::Unknown(gaps)
    }
}
