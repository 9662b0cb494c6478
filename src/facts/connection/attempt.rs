//! What an attempt to connect is, as far as records tell.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::facts::catalog::connection::{Ending, Stage};
use crate::facts::value::Code;

/// One attempt to connect.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it arrived.
    pub at: Timestamp,
    /// Who, where a log names it.
    pub client: Option<IpAddr>,
    /// Its records, as places in the arranged events.
    pub records: Vec<usize>,
    /// For each stage, the record that shows that it was passed.
    pub passed: BTreeMap<Stage, usize>,
    /// How it died, unless it got on nevertheless.
    pub death: Option<Death>,
    /// The session that it was given, or opened.
    pub session: Option<u32>,
    /// Whether it had a side channel over UDP.
    pub udp: bool,
    /// The record that says that the side channel failed.
    pub side_channel_failed: Option<usize>,
    /// RdpCoreTS gave it to a session, or a remote logon was audited: it may have got in where no log says more.
    pub admitted: Option<usize>,
    /// The last record that says that its session is over, or broken.
    pub left: Option<Left>,
    pub(super) arrival: Arrival,
}

/// How an attempt died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Where.
    pub ending: Ending,
    /// The code in the record.
    pub code: Option<Code>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// When it was first said to end.
    pub at: Timestamp,
    /// Whether the transport broke.
    pub broken: bool,
    /// Whether somebody wished it: a logoff, a closed window, another session, a limit.
    pub wished: bool,
    /// The codes with which it broke, in the order in which they were logged.
    pub codes: Vec<Code>,
}

/// What one record says of the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// The transport broke, with this code.
    Broken(Option<Code>),
    /// Somebody wished it.
    Wished,
    /// It ended; why, the record does not say.
    Quiet,
}

/// Which logs have shown its arrival.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arrival {
    pub transport: bool,
    pub listener: bool,
    pub address: bool,
    /// Its records bear an activity id.
    pub identified: bool,
}

impl Attempt {
    /// The furthest stage that it passed.
    #[must_use]
    pub fn reached(&self) -> Stage {
        self.passed
            .keys()
            .next_back()
            .copied()
            .unwrap_or(Stage::Arrived)
    }
}

/// Whether RdpCoreTS 226 tells of a failure of TLS: not of the transport's own transitions, and with a status of security.
#[must_use]
pub fn is_tls_failure(machine: &str, code: Code) -> bool {
    !machine.eq_ignore_ascii_case("RDP_TCP") && code.0 >> 16 == 0x8009
}
