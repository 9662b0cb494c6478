//! The events of one log that are kept: of each kind the newest, so that a flood of one kind neither fills the memory nor drives out
//! the others. A server that strangers try passwords on has millions of refused logons in its Security log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::facts::event::LoggedEvent;

/// Events of one kind. A System log of 20 MB, as Windows makes it, holds about 50,000 records.
const MOST: usize = 100_000;
/// The same in the logs of attempts, which become several facts each. Such a log of 1 MB, as Windows makes it, holds about a thousand.
const MOST_OF_ATTEMPTS: usize = 25_000;

/// Logs in which one attempt is many records of many kinds: half of an attempt would read as one that failed.
const LOGS_OF_ATTEMPTS: [&str; 3] = [
    "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational",
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
    "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
];

/// Who writes an event, and which.
type Kind = (Arc<str>, u32);

/// Keeps the newest events of each kind; they come oldest first.
#[derive(Default)]
pub(super) struct Newest {
    /// Each with its place among all that came.
    kinds: BTreeMap<Kind, VecDeque<(u64, Kept)>>,
    come: u64,
    /// With the place of the newest.
    left_out: Option<(u64, LeftOut)>,
}

/// An event that is kept.
pub(super) struct Kept {
    pub event: LoggedEvent,
    /// The computer that its record names.
    pub computer: Arc<str>,
}

/// What was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// How many.
    pub events: u64,
    /// The newest of them: only from then on everything is there.
    pub until: Timestamp,
}

impl Newest {
    pub fn add(&mut self, kind: Kind, kept: Kept) {
        let most = match is_of_attempts(&kept.event) {
            true => MOST_OF_ATTEMPTS,
            false => MOST,
        };
        let of_kind = self.kinds.entry(kind).or_default();
        if of_kind.len() >= most
            && let Some((place, oldest)) = of_kind.pop_front()
        {
            let until = oldest.event.time;
            let new = (place, LeftOut { events: 0, until });
            let (newest, left_out) = self.left_out.get_or_insert(new);
            *newest = place.max(*newest);
            left_out.events += 1;
            left_out.until = until.max(left_out.until);
        }
        of_kind.push_back((self.come, kept));
        self.come += 1;
    }

    /// Those that are kept, in the order in which they came, and what was left out.
    pub fn finish(self) -> (Vec<Kept>, Option<LeftOut>) {
        let mut kept: Vec<(u64, Kept)> = self.kinds.into_values().flatten().collect();
        kept.sort_unstable_by_key(|(place, _)| *place);
        let left_out = self.left_out.map(|(newest, left_out)| {
            let before = kept.len();
            kept.retain(|(place, kept)| *place > newest || !is_of_attempts(&kept.event));
            LeftOut {
                events: left_out.events + (before - kept.len()) as u64,
                ..left_out
            }
        });
        (kept.into_iter().map(|(_, kept)| kept).collect(), left_out)
    }
}

fn is_of_attempts(event: &LoggedEvent) -> bool {
    LOGS_OF_ATTEMPTS.contains(&&*event.channel)
}

impl LeftOut {
    /// What is said of it.
    pub fn told(&self) -> String {
        format!(
            "it holds more events of one kind than are kept: the {} oldest were left out, and what it does not hold counts only after {}",
            self.events, self.until
        )
    }
}
