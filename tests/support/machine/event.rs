//! One event as a forged machine logs it, before it becomes a record of some file.

use jiff::Timestamp;

/// A channel of the forged machine; each becomes a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    System,
    Application,
    Security,
    NetworkProfile,
    RdpCoreTs,
    RemoteConnectionManager,
    LocalSessionManager,
    RemoteConnectionManagerAdmin,
    SessionBrokerClient,
    Ntlm,
}

impl Channel {
    /// The logs that tell what becomes of connections.
    pub const OF_CONNECTIONS: [Channel; 4] = [
        Channel::System,
        Channel::RdpCoreTs,
        Channel::RemoteConnectionManager,
        Channel::LocalSessionManager,
    ];

    /// The channel's name in its records.
    pub fn name(self) -> &'static str {
        match self {
            Channel::System => "System",
            Channel::Application => "Application",
            Channel::NetworkProfile => "Microsoft-Windows-NetworkProfile/Operational",
            Channel::Security => "Security",
            Channel::RdpCoreTs => "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational",
            Channel::RemoteConnectionManager => {
                "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"
            }
            Channel::LocalSessionManager => {
                "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"
            }
            Channel::RemoteConnectionManagerAdmin => {
                "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin"
            }
            Channel::SessionBrokerClient => {
                "Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational"
            }
            Channel::Ntlm => "Microsoft-Windows-NTLM/Operational",
        }
    }

    /// The name Windows gives the file.
    pub fn file_name(self) -> String {
        format!("{}.evtx", self.name().replace('/', "%4"))
    }

    /// The number of the oldest record: logs of machines that have run for long do not begin at 1.
    pub fn first_record(self) -> u64 {
        match self {
            Channel::System => 48_113,
            Channel::Application => 20_118,
            Channel::NetworkProfile => 412,
            Channel::Security => 910_442,
            Channel::RdpCoreTs => 5_510,
            Channel::RemoteConnectionManager => 731,
            Channel::LocalSessionManager => 1_204,
            Channel::RemoteConnectionManagerAdmin => 12,
            Channel::SessionBrokerClient => 3,
            Channel::Ntlm => 1,
        }
    }
}

/// A provider: its name, GUID and, where it is a classic one, its source name.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    pub name: &'static str,
    pub guid: Option<&'static str>,
    pub source: Option<&'static str>,
}

pub const SCHANNEL: Provider = Provider {
    name: "Schannel",
    guid: Some("{1f678132-5938-4686-9fdc-c8ff68f15c85}"),
    source: None,
};
pub const RDP_CORE_TS: Provider = Provider {
    name: "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS",
    guid: Some("{1139c61b-b549-4251-8ed3-27250a1edec8}"),
    source: None,
};
pub const REMOTE_CONNECTION_MANAGER: Provider = Provider {
    name: "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
    guid: Some("{c76baa63-ae81-421c-b425-340b4b24157f}"),
    source: None,
};
pub const REMOTE_CONNECTION_MANAGER_CLASSIC: Provider = Provider {
    name: "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
    guid: Some("{c76baa63-ae81-421c-b425-340b4b24157f}"),
    source: Some("TermService"),
};
pub const LOCAL_SESSION_MANAGER: Provider = Provider {
    name: "Microsoft-Windows-TerminalServices-LocalSessionManager",
    guid: Some("{5d896912-022d-40aa-a3a8-4fa5515c76d7}"),
    source: None,
};
pub const TERM_DD: Provider = Provider {
    name: "TermDD",
    guid: None,
    source: None,
};
pub const TCPIP: Provider = Provider {
    name: "Tcpip",
    guid: None,
    source: None,
};
pub const UPDATE_CLIENT: Provider = Provider {
    name: "Microsoft-Windows-WindowsUpdateClient",
    guid: Some("{945a8954-c147-4acd-923f-40c45405a658}"),
    source: None,
};
pub const BROKER_CLIENT: Provider = Provider {
    name: "Microsoft-Windows-TerminalServices-SessionBroker-Client",
    guid: Some("{2184b5c9-1c83-4304-9c58-a9e76f718993}"),
    source: None,
};
pub const SERVICE_CONTROL: Provider = Provider {
    name: "Service Control Manager",
    guid: Some("{555908d1-a6d7-4695-8e1e-26931d2012f4}"),
    source: Some("Service Control Manager"),
};
pub const KERNEL_GENERAL: Provider = Provider {
    name: "Microsoft-Windows-Kernel-General",
    guid: Some("{a68ca8b7-004f-d7b6-a698-07e2de0f1f5d}"),
    source: None,
};
pub const EVENT_LOG: Provider = Provider {
    name: "EventLog",
    guid: None,
    source: Some("EventLog"),
};
pub const SECURITY_AUDITING: Provider = Provider {
    name: "Microsoft-Windows-Security-Auditing",
    guid: Some("{54849625-5478-4994-a5ba-3e3b0328c30d}"),
    source: None,
};

pub const APPLICATION_ERROR: Provider = Provider {
    name: "Application Error",
    guid: None,
    source: Some("Application Error"),
};
pub const WININIT: Provider = Provider {
    name: "Microsoft-Windows-Wininit",
    guid: Some("{206f6dea-d3c5-4d10-bc72-989f03c8b84b}"),
    source: Some("Wininit"),
};
pub const NETWORK_PROFILE: Provider = Provider {
    name: "Microsoft-Windows-NetworkProfile",
    guid: Some("{fbcfac3f-8459-419f-8e48-1f0b49cdb85e}"),
    source: None,
};
pub const NETLOGON: Provider = Provider {
    name: "NETLOGON",
    guid: None,
    source: Some("NETLOGON"),
};
pub const LSA_SRV: Provider = Provider {
    name: "LsaSrv",
    guid: Some("{199fe037-2b82-40a9-82ac-e1d46c792b99}"),
    source: Some("LsaSrv"),
};
pub const NTLM: Provider = Provider {
    name: "Microsoft-Windows-NTLM",
    guid: Some("{ac43300d-5fcc-4800-8e99-1bd3f85f0320}"),
    source: None,
};

/// A value in an event's data.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Text(String),
    U32(u32),
    U64(u64),
    Hex32(u32),
    Time(Timestamp),
    Sid(&'static str),
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Datum::Text(text.to_owned())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Datum::Text(text)
    }
}

impl From<u32> for Datum {
    fn from(number: u32) -> Self {
        Datum::U32(number)
    }
}

/// What stands in an event beside its System part.
#[derive(Debug, Clone)]
pub enum Payload {
    /// EventData with named Data.
    Named(Vec<(&'static str, Datum)>),
    /// EventData of a classic source: unnamed Data, and Binary.
    Classic(Vec<String>, Option<Vec<u8>>),
    /// UserData with an EventXML element.
    User(Vec<(&'static str, Datum)>),
}

/// One event.
#[derive(Debug, Clone)]
pub struct Logged {
    pub time: Timestamp,
    pub channel: Channel,
    pub provider: Provider,
    pub id: u16,
    pub qualifiers: Option<u16>,
    pub level: u8,
    pub process: u32,
    pub user: Option<&'static str>,
    pub activity: Option<String>,
    pub payload: Payload,
}
