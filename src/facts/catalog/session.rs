//! Facts about sessions: how they end, what limits them, who hands them on.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::Code;

catalogue! {
    /// Whether the path between client and server breaks sessions.
    "session.drops" => SessionDrops State (Absence::Never(Subject::RdpCoreTsLog)) {
        /// Whether it does so to the end for some client that counts: two or more of its last sessions, and more than half of them,
        /// broke off for want of an answer (121, 10060, STATUS_IO_TIMEOUT, LocalSessionManager 40 with a status), or were reset (10054)
        /// with the client back within a minute; and none of its attempts since then died in TLS.
        lately: Known<bool>,
        /// Whether it looks so, whatever the codes say: two or more of a client's last sessions, and more than half of them, ended without
        /// anybody's wish with the client back within a minute.
        torn: bool,
        /// Whether two or more sessions of one client did at any time.
        ever: Known<bool>,
        /// Whether people are being dropped (the state is dropping), and the last sessions of two clients or more broke off after the
        /// same time.
        together: Known<bool>,
        /// Whether a damaged place of the log that tells of broken lines, or times in it that were changed, may hide that the last sessions
        /// were broken: that people get in is then not all there is to know.
        hidden: bool,
        /// The clients.
        clients: Vec<String>,
        /// How many sessions broke off so.
        drops: usize,
        /// After how many seconds, where it was the same time for all.
        seconds: Option<i64>,
        /// The code that most of them ended with.
        code: Option<Code>,
        /// How they broke off, in words.
        how: String,
    }

    /// The side channel over UDP failed (RdpCoreTS 138).
    "udp.failure" => UdpFailure Event (Absence::All(&[Subject::RdpCoreTsLog])) {
        /// Its status.
        code: Option<Code>,
        /// Whether the session of that connection broke off within two minutes of it, unwished; falling back to TCP is none.
        dropped: Known<bool>,
        /// The client's address, where a log names it.
        client: Known<Option<String>>,
    }

    /// How side channels over UDP fare.
    "udp.transport" => UdpTransport State (Absence::Never(Subject::RdpCoreTsLog)) {
        /// Whether they take sessions with them: of some client that counts, the last session or the one before broke off so, and two or
        /// more did.
        failing: Known<bool>,
        /// How many side channels failed.
        failures: usize,
        /// How many sessions broke off with theirs.
        drops: usize,
        /// The status of the last one that failed.
        code: Option<Code>,
    }

    /// How many sessions the listener allows.
    "session.limit" => SessionLimit State (Absence::Never(Subject::SystemHive)) {
        /// `MaxInstanceCount` in effect; none where there is no limit.
        limit: Known<Option<u32>>,
        /// Whether so many sessions or more were connected when an attempt of somebody who is locked out died.
        reached: Known<bool>,
        /// The most sessions that were connected at such a time.
        connected: usize,
    }

    /// Whether a limit of time ends sessions.
    "session.time_limit" => SessionTimeLimit State (Absence::Never(Subject::LocalSessionManagerLog)) {
        /// Whether sessions were ended for it (LocalSessionManager 40, reason 3 or 4) while a limit is in effect.
        applies: Known<bool>,
        /// How many were.
        ended: usize,
        /// The limits in effect, with their minutes.
        limits: Known<Option<String>>,
    }

    /// The connection broker failed to hand a connection on (SessionBroker 2056, SessionBroker-Client 1296, 1306, 1308).
    "broker.failure" => BrokerFailure Event (Absence::All(&[Subject::SessionBrokerLog])) {
        /// The event id.
        event: u32,
    }
}
