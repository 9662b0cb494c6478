//! The watch list: which event records are read at all, by the name of whoever writes them and their ids. Data, not code: a
//! new event is a number here and a variant of [`Event`](super::event::Event).

use crate::parse::event_log::RecordKey;

/// Who writes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    /// The transport and security layers of Remote Desktop, from Windows 8 and Server 2012 on.
    RdpCoreTs,
    /// The listener and the authentication; its classic events stand in System under the name TermService.
    ConnectionManager,
    /// Sessions: logon, logoff, disconnect.
    SessionManager,
    /// The terminal driver of Windows 8.1, Server 2012 R2 and before.
    TermDd,
    /// Windows' TLS.
    Schannel,
    /// The audit of the Security log.
    Security,
    /// The service control manager.
    ServiceControl,
    /// The kernel: boots and the clock.
    Kernel,
    /// The event log service: its own starts, which mark boots.
    EventLog,
    /// The event log service: logs that were cleared.
    LogKeeper,
    /// Winlogon's customer experience notices, which mark sessions.
    Winlogon,
    /// The Remote Desktop client; a log of the client.
    RdpClient,
    /// The file system NTFS.
    FileSystem,
    /// The driver of disks.
    Disk,
    /// Windows' error reporting: programs that crashed.
    Crashes,
    /// The start of Windows, which also watches over critical processes.
    Wininit,
    /// The networks that the machine joins and leaves.
    Networks,
    /// The machine's channel to its domain.
    NetLogon,
    /// Group policy, which applies settings and notices when the domain cannot be reached.
    GroupPolicy,
    /// The local security authority.
    LocalSecurity,
    /// Authentication by NTLM, where it is restricted.
    Ntlm,
    /// The service for smart cards.
    SmartCards,
    /// The key distribution centre of a domain controller.
    KeyDistribution,
    /// The file server's driver, which also watches how much space is left, and memory pools.
    FileServer,
    /// The TCP/IP driver.
    Tcpip,
    /// The detector of exhausted memory.
    ResourceExhaustion,
    /// The connection broker of a farm.
    Broker,
    /// The part of a session host that asks the connection broker.
    BrokerClient,
    /// The client of Windows Update.
    Update,
    /// Servicing: packages that were installed.
    Servicing,
}

/// What is read of one writer.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// Whose events.
    pub writer: Writer,
    /// The names under which it writes: provider names and names of classic sources.
    pub names: &'static [&'static str],
    /// The event ids.
    pub events: &'static [u32],
}

/// Every event that is read.
pub const WATCH_LIST: &[Watched] = &[
    Watched {
        writer: Writer::RdpCoreTs,
        names: &["Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"],
        events: &[
            65, 66, 98, 102, 103, 106, 131, 138, 139, 140, 142, 143, 149, 153, 226,
        ],
    },
    Watched {
        writer: Writer::ConnectionManager,
        names: &[
            "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
            "TermService",
        ],
        events: &[
            258, 260, 261, 1003, 1004, 1006, 1035, 1036, 1051, 1053, 1054, 1055, 1056, 1057, 1058,
            1059, 1063, 1064, 1065, 1068, 1069, 1136, 1149, 1158,
        ],
    },
    Watched {
        writer: Writer::SessionManager,
        names: &["Microsoft-Windows-TerminalServices-LocalSessionManager"],
        events: &[21, 22, 23, 24, 25, 34, 39, 40],
    },
    Watched {
        writer: Writer::TermDd,
        names: &["TermDD"],
        events: &[50, 56],
    },
    Watched {
        writer: Writer::Schannel,
        names: &["Schannel"],
        events: &[
            36869, 36870, 36871, 36872, 36874, 36880, 36881, 36886, 36887, 36888,
        ],
    },
    Watched {
        writer: Writer::Security,
        names: &["Microsoft-Windows-Security-Auditing"],
        events: &[4616, 4624, 4625, 4653, 4654, 4740, 4825, 4984, 5058, 5061],
    },
    Watched {
        writer: Writer::ServiceControl,
        names: &[
            "Service Control Manager",
            "Microsoft-Windows-Service Control Manager",
        ],
        events: &[
            7000, 7001, 7009, 7011, 7022, 7023, 7024, 7031, 7034, 7036, 7040,
        ],
    },
    Watched {
        writer: Writer::Kernel,
        names: &["Microsoft-Windows-Kernel-General"],
        events: &[1, 12],
    },
    Watched {
        writer: Writer::EventLog,
        names: &["EventLog"],
        events: &[6005, 6009],
    },
    Watched {
        writer: Writer::LogKeeper,
        names: &["Microsoft-Windows-Eventlog"],
        events: &[104, 1102],
    },
    Watched {
        writer: Writer::Winlogon,
        names: &["Microsoft-Windows-Winlogon"],
        events: &[7001],
    },
    Watched {
        writer: Writer::RdpClient,
        names: &["Microsoft-Windows-TerminalServices-ClientActiveXCore"],
        events: &[226, 1024, 1026],
    },
    Watched {
        writer: Writer::FileSystem,
        names: &["Ntfs", "Microsoft-Windows-Ntfs"],
        events: &[55, 57, 137],
    },
    Watched {
        writer: Writer::Disk,
        names: &["disk", "Disk"],
        events: &[7, 11, 51],
    },
    Watched {
        writer: Writer::Crashes,
        names: &["Application Error"],
        events: &[1000],
    },
    Watched {
        writer: Writer::Wininit,
        names: &["Microsoft-Windows-Wininit", "Wininit"],
        events: &[1015],
    },
    Watched {
        writer: Writer::Networks,
        names: &["Microsoft-Windows-NetworkProfile"],
        events: &[10000, 10001],
    },
    Watched {
        writer: Writer::FileServer,
        names: &["srv", "Srv"],
        events: &[2013, 2019, 2020],
    },
    Watched {
        writer: Writer::Tcpip,
        names: &["Tcpip"],
        events: &[4227, 4231],
    },
    Watched {
        writer: Writer::ResourceExhaustion,
        names: &["Microsoft-Windows-Resource-Exhaustion-Detector"],
        events: &[2004],
    },
    Watched {
        writer: Writer::Broker,
        names: &["Microsoft-Windows-TerminalServices-SessionBroker"],
        events: &[2056],
    },
    Watched {
        writer: Writer::BrokerClient,
        names: &["Microsoft-Windows-TerminalServices-SessionBroker-Client"],
        events: &[1296, 1306, 1308],
    },
    Watched {
        writer: Writer::Update,
        names: &["Microsoft-Windows-WindowsUpdateClient"],
        events: &[19],
    },
    Watched {
        writer: Writer::Servicing,
        names: &["Microsoft-Windows-Servicing"],
        events: &[2],
    },
    Watched {
        writer: Writer::NetLogon,
        names: &["NETLOGON"],
        events: &[3210, 5719, 5783],
    },
    Watched {
        writer: Writer::GroupPolicy,
        names: &["Microsoft-Windows-GroupPolicy"],
        events: &[1129, 1502],
    },
    Watched {
        writer: Writer::LocalSecurity,
        names: &["LsaSrv"],
        events: &[6041, 6167],
    },
    Watched {
        writer: Writer::Ntlm,
        names: &["Microsoft-Windows-NTLM"],
        events: &[4002, 4003],
    },
    Watched {
        writer: Writer::SmartCards,
        names: &["SCardSvr", "Microsoft-Windows-SCardSvr"],
        events: &[624],
    },
    Watched {
        writer: Writer::KeyDistribution,
        names: &[
            "Microsoft-Windows-Kerberos-Key-Distribution-Center",
            "Kdcsvc",
        ],
        events: &[21, 39, 41, 45],
    },
];

/// Whether a record is on the list. Asked before the rest of the record is looked at.
#[must_use]
pub fn wants(key: &RecordKey<'_>) -> bool {
    watched(key.provider, key.source_name, key.event_id).is_some()
}

/// Who wrote an event of the list; none for what is not on it.
#[must_use]
pub fn watched(provider: &str, source_name: Option<&str>, event_id: u32) -> Option<Writer> {
    let named = |names: &[&str]| {
        names.iter().any(|name| {
            name.eq_ignore_ascii_case(provider)
                || source_name.is_some_and(|source| name.eq_ignore_ascii_case(source))
        })
    };
    WATCH_LIST
        .iter()
        .find(|watched| watched.events.contains(&event_id) && named(watched.names))
        .map(|watched| watched.writer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_events_are_known_by_provider_and_by_source_name() {
        let provider = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
        for (provider, source) in [
            (provider, Some("TermService")),
            (provider, None),
            ("TermService", None),
        ] {
            assert_eq!(
                watched(provider, source, 1058),
                Some(Writer::ConnectionManager)
            );
        }
        assert_eq!(watched("Schannel", None, 36874), Some(Writer::Schannel));
        assert_eq!(watched("Schannel", None, 36867), None);
        assert_eq!(watched("Something else", None, 1058), None);
    }
}
