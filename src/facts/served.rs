//! What the logs tell of the time of the listener's certificate: whether it served people after its end, and whether it was the
//! clock that passed that end.

use jiff::Timestamp;

use super::catalog::certificate::ListenerCertificate;
use super::clock_change::doubtful_leaps;
use super::gap::{Gap, GapId, Gaps};
use super::history::History;

/// What the logs tell of it.
#[derive(Debug, Clone, Default)]
pub struct Served {
    /// The last time that somebody who got in at least once got past TLS.
    pub last: Option<Timestamp>,
    /// Where the clock was set ahead, from and to, and nothing bears the new time out.
    leaps: Vec<(Timestamp, Timestamp)>,
}

impl Served {
    /// What the logs of a host tell of it.
    #[must_use]
    pub fn of(history: &History<'_>) -> Served {
        Served {
            last: history.last_served(),
            leaps: doubtful_leaps(history),
        }
    }

    /// The gap, where a certificate with this end has ended only because the clock was set ahead past it.
    pub(super) fn doubt(&self, end: Timestamp, gaps: &mut Gaps) -> Option<GapId> {
        let mut leaps = self.leaps.iter();
        let (from, to) = leaps.find(|(from, to)| *from <= end && end < *to)?;
        Some(gaps.record(Gap {
            about: ListenerCertificate::KIND.name.to_owned(),
            why: format!("the clock was set from {from} to {to}, past the end of the certificate: whether it has ended is as sure as the clock"),
            obtain: "compare the end of the collection with the true time".to_owned(),
        }))
    }
}
