//! What an absence is proved from: how much of a subject the collection holds.

use jiff::Timestamp;

use super::gap::GapId;

/// A stretch of time; an open end means "without limit" (states, whole hives).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The first moment, or none.
    pub from: Option<Timestamp>,
    /// The last moment, or none.
    pub to: Option<Timestamp>,
}

impl Window {
    /// All of time.
    pub const ALWAYS: Window = Window {
        from: None,
        to: None,
    };

    /// Whether the moment lies in it, ends included.
    #[must_use]
    pub fn holds(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time <= to)
    }

    /// Whether the other window lies wholly in this one.
    #[must_use]
    pub fn contains(&self, other: &Window) -> bool {
        let starts = match (self.from, other.from) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(asked)) => own <= asked,
        };
        let ends = match (self.to, other.to) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(asked)) => asked <= own,
        };
        starts && ends
    }

    /// Whether the two share a moment.
    #[must_use]
    pub fn meets(&self, other: &Window) -> bool {
        let before = |end: Option<Timestamp>, start: Option<Timestamp>| matches!((end, start), (Some(end), Some(start)) if end < start);
        !before(self.to, other.from) && !before(other.to, self.from)
    }
}

/// How much of a subject was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Everything in this window.
    Whole(Window),
    /// The window, but for these stretches that were damaged or lost.
    Holed {
        /// What it spans.
        window: Window,
        /// What is not in it.
        holes: Vec<Window>,
        /// Why.
        gap: GapId,
    },
    /// What stands there stands there; what does not may still have happened (an export by query, a channel that was off).
    PresenceOnly(GapId),
    /// Nothing was read.
    Missing(GapId),
}

impl Coverage {
    /// Whether an absence in the asked window is proved; else the gap that leaves it open. `short` is the gap to name
    /// when the window reaches further than what was read.
    ///
    /// # Errors
    /// The gap that keeps the absence from being proved.
    pub fn proves_absence(&self, asked: &Window, short: GapId) -> Result<(), GapId> {
        match self {
            Coverage::Whole(window) if window.contains(asked) => Ok(()),
            Coverage::Whole(_) => Err(short),
            Coverage::Holed { window, holes, gap } => {
                if holes.iter().any(|hole| hole.meets(asked)) {
                    Err(*gap)
                } else if window.contains(asked) {
                    Ok(())
                } else {
                    Err(short)
                }
            }
            Coverage::PresenceOnly(gap) | Coverage::Missing(gap) => Err(*gap),
        }
    }
}
