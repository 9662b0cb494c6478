//! Facts about load: floods of connections, and resources that ran out.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

choice! {
    /// What a machine can run out of.
    Resource {
        /// Ports for outgoing connections (Tcpip 4227, 4231).
        Ports = "ports",
        /// The nonpaged pool (srv 2019).
        NonpagedPool = "nonpaged-pool",
        /// The paged pool (srv 2020).
        PagedPool = "paged-pool",
        /// Virtual memory (Resource-Exhaustion-Detector 2004).
        Memory = "memory",
    }
}

catalogue! {
    /// Whether more connections come in than the listener takes.
    "connection.flood" => Flood State (Absence::Never(Subject::RemoteConnectionManagerAdminLog)) {
        /// Whether the listener turned connections away (1006) while people who count failed: most attempts of locked-out clients that died
        /// before TLS, of nothing that a log names, did so within ten minutes of such a record.
        harms: Known<bool>,
        /// Whether, without such a record, connections came in faster than the limit, none of them authenticated, and those who count
        /// stopped arriving.
        crowds_out: Known<bool>,
        /// How many records say that connections were turned away, since the last success.
        refusals: usize,
        /// How many addresses connected since the last success.
        sources: usize,
        /// How many connections came in the busiest minute since then.
        busiest_minute: usize,
        /// The limit, `MaxOutstandingConnections`, where it is set.
        limit: Known<Option<u32>>,
    }

    /// A resource ran out.
    "resource.exhausted" => Exhausted Event (Absence::All(&[Subject::SystemLog])) {
        /// What.
        resource: Resource,
        /// Who says so.
        provider: String,
        /// The event id.
        event: u32,
        /// Whether, within half an hour of it, people began to fail of nothing that a log accounts for otherwise (credentials, the broker, what
        /// Schannel says), or the Remote Desktop service failed and did not come back.
        prevents: Known<bool>,
    }
}
