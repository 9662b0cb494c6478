//! Facts about what Schannel, Windows' TLS, wrote to the System log.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// Which end of TLS the process was.
    SchannelRole {
        /// It accepted connections.
        Server = "server",
        /// It made connections: noise here.
        Client = "client",
    }
}

catalogue! {
    /// A TLS failure that Schannel logged. Schannel serves the whole machine: only what is attributed to Remote Desktop decides.
    "schannel.failure" => SchannelFailure Event (Absence::All(&[Subject::SchannelEvents])) {
        /// The event id, 36869 to 36888.
        event: u32,
        /// Which end; known from the event's own field or from what the event can only be.
        role: Known<SchannelRole>,
        /// The status in it.
        error: Option<Code>,
        /// Schannel's internal state; there is no official table of these.
        state: Option<u32>,
        /// The TLS alert sent or received.
        alert: Option<u32>,
        /// The protocol that the client asked for.
        protocol: Option<String>,
        /// Whether it stems from the Remote Desktop service.
        attributed: Known<bool>,
        /// Whether the client it failed for is locked out at the end.
        affected: Known<bool>,
        /// Whether a TLS handshake or a session succeeded after it.
        overcome: Known<bool>,
    }

    /// The refusals for want of a common cipher suite (36874), taken together.
    "schannel.suite_refusals" => SuiteRefusals State (Absence::Never(Subject::SchannelEvents)) {
        /// How many are attributed to Remote Desktop since the last success.
        attributed: Known<usize>,
        /// Whether three or more stand between the first failure and the end, with no success of that client after them.
        repeats_to_end: Known<bool>,
        /// Whether the suite lists that are known leave something in common with mainstream clients.
        lists_share: Known<bool>,
        /// Whether they speak for a mismatch: some are attributed, not all of them met clients that are not locked out, nobody is
        /// seen to get in after them, and no overlap was computed that would make them some other client's or a scanner's.
        telling: Known<bool>,
    }
}
