//! What an absence is proved from: how much of a subject the collection holds.

use jiff::{SignedDuration, Timestamp};

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

    /// Whether a moment lies in both.
    #[must_use]
    pub fn overlaps(&self, other: &Window) -> bool {
        let before = |end: Option<Timestamp>, start: Option<Timestamp>| match (end, start) {
            (Some(end), Some(start)) => end < start,
            _ => false,
        };
        !before(self.to, other.from) && !before(other.to, self.from)
    }

    /// What is left of it without the other.
    #[must_use]
    pub fn without(&self, hole: &Window) -> Vec<Window> {
        if !self.meets(hole) {
            return vec![*self];
        }
        let tick = SignedDuration::from_nanos(1);
        let before = hole.from.and_then(|start| start.checked_sub(tick).ok());
        let after = hole.to.and_then(|end| end.checked_add(tick).ok());
        let mut left = Vec::new();
        if let Some(end) = before.filter(|end| self.from.is_none_or(|from| from <= *end)) {
            left.push(Window {
                from: self.from,
                to: Some(end),
            });
        }
        if let Some(start) = after.filter(|start| self.to.is_none_or(|to| *start <= to)) {
            left.push(Window {
                from: Some(start),
                to: self.to,
            });
        }
        left
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
    /// The stretches of time that it covers.
    #[must_use]
    pub fn covered(&self) -> Vec<Window> {
        match self {
            Coverage::Whole(window) => vec![*window],
            Coverage::Holed { window, holes, .. } => {
                holes.iter().fold(vec![*window], |left, hole| {
                    left.iter().flat_map(|piece| piece.without(hole)).collect()
                })
            }
            Coverage::PresenceOnly(_) | Coverage::Missing(_) => Vec::new(),
        }
    }

    /// What keeps it from covering the asked window, where it says so itself.
    #[must_use]
    pub fn gap(&self, asked: &Window) -> Option<GapId> {
        match self {
            Coverage::Whole(_) => None,
            Coverage::Holed { holes, gap, .. } => {
                holes.iter().any(|hole| hole.meets(asked)).then_some(*gap)
            }
            Coverage::PresenceOnly(gap) | Coverage::Missing(gap) => Some(*gap),
        }
    }
}

/// Whether these parts together cover the asked window: two halves of a log that touch cover what both span.
#[must_use]
pub fn join_covers(parts: &[Coverage], asked: &Window) -> bool {
    let mut windows: Vec<Window> = parts.iter().flat_map(Coverage::covered).collect();
    windows.sort_unstable();
    let mut joined: Option<Window> = None;
    for window in windows {
        joined = match joined {
            Some(reach) if reach.meets(&window) => Some(Window {
                from: reach.from,
                to: match (reach.to, window.to) {
                    (Some(one), Some(other)) => Some(one.max(other)),
                    _ => None,
                },
            }),
            _ => Some(window),
        };
        if joined.is_some_and(|reach| reach.contains(asked)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::gap::{Gap, Gaps};

    fn window(from: i64, to: i64) -> Window {
        Window {
            from: Timestamp::from_second(from).ok(),
            to: Timestamp::from_second(to).ok(),
        }
    }

    fn gap() -> GapId {
        Gaps::default().record(Gap {
            about: "System log".to_owned(),
            why: "damaged".to_owned(),
            obtain: String::new(),
        })
    }

    #[test]
    fn two_halves_that_touch_cover_both() {
        let halves = [
            Coverage::Whole(window(0, 50)),
            Coverage::Whole(window(50, 90)),
        ];
        assert!(join_covers(&halves, &window(10, 80)));
        assert!(!join_covers(&halves, &window(10, 95)));
        assert!(!join_covers(
            &[
                Coverage::Whole(window(0, 40)),
                Coverage::Whole(window(50, 90))
            ],
            &window(10, 80)
        ));
    }

    #[test]
    fn a_hole_hides_what_lies_in_it_and_another_part_fills_it() {
        let holed = Coverage::Holed {
            window: window(0, 100),
            holes: vec![window(40, 60)],
            gap: gap(),
        };
        assert!(join_covers(std::slice::from_ref(&holed), &window(70, 90)));
        assert!(!join_covers(std::slice::from_ref(&holed), &window(30, 90)));
        assert_eq!(holed.gap(&window(30, 90)), Some(gap()));
        assert!(join_covers(
            &[holed, Coverage::Whole(window(35, 65))],
            &window(30, 90)
        ));
    }

    #[test]
    fn presence_alone_never_proves_an_absence() {
        assert!(!join_covers(
            &[Coverage::PresenceOnly(gap())],
            &window(1, 2)
        ));
    }
}
