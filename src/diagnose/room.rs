//! How much of what was read is kept until its host is in work: all of it where there is one host, so much of a fleet's files as fits.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::facts::grouping::{self, Says};

/// Bytes that are kept of the files of several hosts.
const MOST: u64 = 32 << 20;

/// What is kept so far.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: AtomicU64,
    /// The first host that was met.
    first: Mutex<Option<String>>,
    several: AtomicBool,
}

impl Room {
    /// Whether to keep the content of a file that says this of its host. Which files are kept depends on which thread was first; what
    /// becomes of them does not.
    pub(super) fn keeps(&self, says: &Says, weight: u64) -> bool {
        self.meet(says);
        let taken = self.taken.fetch_add(weight, Ordering::Relaxed);
        let fits = weight == 0
            || !self.several.load(Ordering::Relaxed)
            || taken.saturating_add(weight) <= MOST;
        if !fits {
            self.taken.fetch_sub(weight, Ordering::Relaxed);
        }
        fits
    }

    fn meet(&self, says: &Says) {
        let name = match says {
            Says::Hive { name, .. } => name,
            Says::Log(names) => match names.first() {
                Some(newest) => &newest.name,
                None => return,
            },
            Says::Forwarded(_) | Says::Nothing => return,
        };
        let label = grouping::key(name);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        match first.as_ref() {
            None => *first = Some(label),
            Some(first) if *first != label => self.several.store(true, Ordering::Relaxed),
            Some(_) => {}
        }
    }
}
