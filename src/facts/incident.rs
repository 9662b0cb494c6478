//! The anchors: the moments that rules measure from, and how people's connections fare.

use jiff::Timestamp;

use super::gap::GapId;
use super::known::Known;
use super::value::choice;

choice! {
    /// How people's connections fare at the end of the collection.
    ConnectionState {
        /// Everybody who counts gets in.
        Succeeding = "succeeding",
        /// Some are locked out, others got in after them.
        Mixed = "mixed",
        /// They get in and are thrown out within minutes.
        Dropping = "dropping",
        /// Nobody gets in.
        Failing = "failing",
        /// Nobody has tried for longer than is usual, or at all.
        Silent = "silent",
        /// No log that records attempts covers the end.
        Unseen = "unseen",
    }
}

impl ConnectionState {
    /// Whether somebody who counts is locked out; none where nobody has tried, or the logs do not show it.
    #[must_use]
    pub fn prevents(self) -> Option<bool> {
        match self {
            ConnectionState::Failing | ConnectionState::Mixed => Some(true),
            ConnectionState::Succeeding | ConnectionState::Dropping => Some(false),
            ConnectionState::Silent | ConnectionState::Unseen => None,
        }
    }
}

choice! {
    /// A moment that tests are measured from.
    Anchor {
        /// The last time that somebody who counts got in (under `mixed`: of those locked out).
        LastSuccess = "last_success",
        /// The first failed attempt of a locked-out client after the last success.
        FirstFailure = "first_failure",
        /// The first failure, else the end of the collection; or what `--incident` says.
        Incident = "incident",
        /// The last start of Windows.
        LastBoot = "last_boot",
        /// The last start of the Remote Desktop service.
        ServiceStart = "service_start",
        /// The end of the collection.
        AsOf = "as_of",
        /// When this rule's own fault took effect.
        Fault = "fault",
    }
}

/// The anchors of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchors {
    /// How connections fare.
    pub state: ConnectionState,
    /// Known to be none when nobody ever got in.
    pub last_success: Known<Option<Timestamp>>,
    /// Known to be none when nobody is locked out.
    pub first_failure: Known<Option<Timestamp>>,
    /// The first failure, or what the user says, or the end of the collection.
    pub incident: Option<Timestamp>,
    /// The last boot.
    pub last_boot: Known<Timestamp>,
    /// The last start of the Remote Desktop service.
    pub service_start: Known<Timestamp>,
    /// The end of the collection; none when nothing in it carries a time.
    pub as_of: Option<Timestamp>,
    /// The oldest record of any log.
    pub oldest: Option<Timestamp>,
    /// Why an anchor is not known, where nothing better is.
    pub gap: GapId,
}
