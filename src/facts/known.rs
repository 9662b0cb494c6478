//! What the evidence settles, and what it leaves open.

use super::gap::GapId;

/// A value that the evidence settles, or the gap that leaves it open. Never an `Option`: that a value is absent is
/// something known (`Known::Is(None)`), that nobody could look is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// The evidence settles it.
    Is(T),
    /// It stays open, because of this gap.
    Open(GapId),
}

impl<T> Known<T> {
    /// Changes the value, if there is one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Known::Is(value) => Known::Is(change(value)),
            Known::Open(gap) => Known::Open(gap),
        }
    }

    /// Goes on with the value, if there is one, to something that may be open itself.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Known::Is(value) => next(value),
            Known::Open(gap) => Known::Open(gap),
        }
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Known::Is(value) => Known::Is(value),
            Known::Open(gap) => Known::Open(*gap),
        }
    }

    /// The value, if it is settled. Only for showing: whoever decides must look at the gap too.
    pub fn settled(&self) -> Option<&T> {
        match self {
            Known::Is(value) => Some(value),
            Known::Open(_) => None,
        }
    }

    /// The gap, if it is open.
    pub fn gap(&self) -> Option<GapId> {
        match self {
            Known::Is(_) => None,
            Known::Open(gap) => Some(*gap),
        }
    }
}

impl Known<bool> {
    /// And, in three values: one settled `false` settles it.
    #[must_use]
    pub fn and(self, other: Known<bool>) -> Known<bool> {
        match (self, other) {
            (Known::Is(false), _) | (_, Known::Is(false)) => Known::Is(false),
            (Known::Open(gap), _) | (_, Known::Open(gap)) => Known::Open(gap),
            (Known::Is(true), Known::Is(true)) => Known::Is(true),
        }
    }

    /// Or, in three values: one settled `true` settles it.
    #[must_use]
    pub fn or(self, other: Known<bool>) -> Known<bool> {
        match (self, other) {
            (Known::Is(true), _) | (_, Known::Is(true)) => Known::Is(true),
            (Known::Open(gap), _) | (_, Known::Open(gap)) => Known::Open(gap),
            (Known::Is(false), Known::Is(false)) => Known::Is(false),
        }
    }

    /// Not, in three values.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn not(self) -> Known<bool> {
        self.map(|value| !value)
    }
}
