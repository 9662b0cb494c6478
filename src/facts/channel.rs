//! The logs that events are read from: what to collect, so that every rule finds what it asks for.

use std::collections::BTreeSet;

use super::watch::{WATCH_LIST, Writer};

const SYSTEM: &str = "System";
const APPLICATION: &str = "Application";
const SECURITY: &str = "Security";

/// The logs that hold the events of a writer.
#[must_use]
pub fn channels_of(writer: Writer) -> &'static [&'static str] {
    match writer {
        Writer::RdpCoreTs => &[
            "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational",
            "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Admin",
        ],
        // Its classic events stand in System.
        Writer::ConnectionManager => &[
            "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
            "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin",
            SYSTEM,
        ],
        Writer::SessionManager => &[
            "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
            "Microsoft-Windows-TerminalServices-LocalSessionManager/Admin",
        ],
        Writer::Security => &[SECURITY],
        Writer::LogKeeper => &[SYSTEM, SECURITY],
        Writer::RdpClient => &["Microsoft-Windows-TerminalServices-RDPClient/Operational"],
        Writer::Crashes => &[APPLICATION],
        Writer::Wininit | Writer::SmartCards => &[APPLICATION, SYSTEM],
        Writer::Networks => &["Microsoft-Windows-NetworkProfile/Operational"],
        Writer::Ntlm => &["Microsoft-Windows-NTLM/Operational"],
        Writer::Broker => &[
            "Microsoft-Windows-TerminalServices-SessionBroker/Operational",
            "Microsoft-Windows-TerminalServices-SessionBroker/Admin",
        ],
        Writer::BrokerClient => {
            &["Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational"]
        }
        Writer::Servicing => &["Setup"],
        Writer::TermDd
        | Writer::Schannel
        | Writer::ServiceControl
        | Writer::Kernel
        | Writer::EventLog
        | Writer::Winlogon
        | Writer::FileSystem
        | Writer::Disk
        | Writer::NetLogon
        | Writer::GroupPolicy
        | Writer::LocalSecurity
        | Writer::KeyDistribution
        | Writer::FileServer
        | Writer::Tcpip
        | Writer::ResourceExhaustion
        | Writer::Update => &[SYSTEM],
    }
}

/// Every log that an event is read from, by name.
#[must_use]
pub fn channels() -> BTreeSet<&'static str> {
    WATCH_LIST
        .iter()
        .flat_map(|watched| channels_of(watched.writer))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::subject::Subject;

    /// What a report tells people to collect is among them.
    #[test]
    fn every_log_that_a_gap_names_is_collected() {
        let collected = channels();
        let mut named = 0;
        for subject in Subject::ALL {
            let mut words = subject.obtain().split(' ');
            while let Some(word) = words.next() {
                if word == "epl" {
                    let channel = words.next().unwrap();
                    assert!(collected.contains(channel), "{channel}");
                    named += 1;
                }
            }
        }
        assert!(named > 8, "only {named} commands were found");
    }
}
