//! Typed events: what the records of the watch list say, by writer, id and field name, free of how each Windows wrote it.

mod account;
mod read;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::catalog::firewall::NetworkKind;
pub use account::Account;

use super::catalog::key::StorageTrouble;
use super::catalog::load::Resource;
use super::catalog::schannel::SchannelRole;
use super::fact::Source;
use super::value::Code;
use crate::parse::event_log::{EventRecord, Integrity};

/// An event with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// The log file, by its path relative to the input.
    pub artifact: Arc<str>,
    /// The channel that the record names.
    pub channel: Arc<str>,
    /// `EventRecordID`.
    pub number: u64,
    /// Orders the records of one file: higher is newer, whatever the clock said.
    pub order: u64,
    /// Where the record begins in the file, in bytes.
    pub offset: u64,
    /// When it was written, by the clock of that moment.
    pub time: Timestamp,
    /// The process that wrote it.
    pub process_id: Option<u32>,
    /// Joins the events of one connection. Windows takes these from a small pool: the same one comes again later.
    pub activity: Option<Arc<str>>,
    /// The account on whose behalf it was written, a SID.
    pub user: Option<Arc<str>>,
    /// The account that it is about, where it tells of a logon or a session.
    pub account: Option<Arc<Account>>,
    /// What it says.
    pub event: Event,
}

impl LoggedEvent {
    /// The event of a record, if it is on the watch list and holds what such events hold. Of a torn record nothing is taken:
    /// its fields may read as empty that were not.
    #[must_use]
    pub fn read(artifact: &Arc<str>, record: &EventRecord) -> Option<Self> {
        EventReader::new(artifact).read(record)
    }

    /// Where it stands.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::Record {
            artifact: self.artifact.to_string(),
            number: self.number,
            offset: self.offset,
        }
    }
}

/// Reads the events of one log. All of a log's events are in memory until the verdict, and say the same few words again and again:
/// each is kept once.
#[derive(Debug)]
pub struct EventReader {
    artifact: Arc<str>,
    words: BTreeSet<Arc<str>>,
    accounts: BTreeSet<Arc<Account>>,
}

impl EventReader {
    /// For the log of that path.
    #[must_use]
    pub fn new(artifact: &Arc<str>) -> Self {
        EventReader {
            artifact: Arc::clone(artifact),
            words: BTreeSet::new(),
            accounts: BTreeSet::new(),
        }
    }

    /// As [`LoggedEvent::read`].
    pub fn read(&mut self, record: &EventRecord) -> Option<LoggedEvent> {
        if record.integrity == Integrity::Torn {
            return None;
        }
        let event = Event::read(record)?;
        Some(LoggedEvent {
            artifact: Arc::clone(&self.artifact),
            channel: self.word(&record.channel),
            number: record.number,
            order: record.order,
            offset: record.offset,
            time: record.time,
            process_id: record.process_id.filter(|process| *process != 0),
            activity: record.activity_id.as_deref().map(|id| self.word(id)),
            user: record.user_sid.as_deref().map(|sid| self.word(sid)),
            event,
            account: Account::read(record).map(|account| self.account(account)),
        })
    }

    /// A text that other records hold too.
    pub fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.words.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.words.insert(Arc::clone(&new));
        new
    }

    fn account(&mut self, account: Account) -> Arc<Account> {
        if let Some(known) = self.accounts.get(&account) {
            return Arc::clone(known);
        }
        let new = Arc::new(account);
        self.accounts.insert(Arc::clone(&new));
        new
    }
}

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// The main connection.
    Tcp,
    /// A side channel of a connection that stands already.
    Udp,
}

/// What a record of the watch list says. The number is the event id.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// RdpCoreTS 131: a connection was accepted.
    Accepted {
        /// TCP or UDP.
        transport: Transport,
        /// From where.
        client: Option<IpAddr>,
    },
    /// RdpCoreTS 65, 98: the connection got its place.
    Created,
    /// RdpCoreTS 66: the connection was given to a session.
    Assigned {
        /// The session's number.
        session: Option<u32>,
    },
    /// RdpCoreTS 153: TLS was negotiated.
    TlsNegotiated {
        /// The version as the event has it.
        version: Option<String>,
    },
    /// RdpCoreTS 139: the security layer detected an error.
    SecurityLayerError {
        /// Its status.
        code: Option<Code>,
        /// From where.
        client: Option<IpAddr>,
    },
    /// RdpCoreTS 226: an error in a transition of its state machine.
    TransitionFailed {
        /// The state machine, such as `RDP_TCP` or `RDP_SEC`.
        machine: String,
        /// Its status.
        code: Option<Code>,
    },
    /// RdpCoreTS 140: the user name or password is not correct.
    PasswordRefused {
        /// From where.
        client: Option<IpAddr>,
    },
    /// RdpCoreTS 142 and 143: the socket broke while reading or writing.
    TransportBroken {
        /// The Windows error.
        code: Option<Code>,
    },
    /// RdpCoreTS 102, 103: the connection ended.
    Ended {
        /// The reason, in 103.
        reason: Option<u32>,
    },
    /// RemoteConnectionManager 261: the listener received a connection.
    ListenerReached,
    /// RemoteConnectionManager 1158: a connection from an address was accepted.
    AcceptedFrom {
        /// From where.
        client: Option<IpAddr>,
    },
    /// RemoteConnectionManager 1149: user authentication succeeded.
    Authenticated {
        /// From where.
        client: Option<IpAddr>,
    },
    /// RemoteConnectionManager 258: the listener started.
    ListenerStarted,
    /// RdpCoreTS 106: a connection was ended because the listener is disabled.
    ListenerRefused {
        /// The event id.
        event: u32,
    },
    /// RemoteConnectionManager 260, 1035, 1036: the listener failed.
    ListenerFailed {
        /// The event id.
        event: u32,
        /// Its status.
        code: Option<Code>,
    },
    /// RemoteConnectionManager 1136: the role of a session host is not installed. Written when the service starts.
    NoSessionHost,
    /// LocalSessionManager 21, 22, 25: somebody got a session. Without an address it was at the console.
    SessionOpened {
        /// 21 logon, 22 shell start, 25 reconnection.
        event: u32,
        /// The session's number.
        session: Option<u32>,
        /// From where.
        client: Option<IpAddr>,
    },
    /// LocalSessionManager 34: no logon is accepted because setup is running.
    SetupRefuses,
    /// LocalSessionManager 23, 24, 39, 40: a session ended, or lost its client.
    SessionLeft {
        /// 23 logoff, 24 disconnected, 39 disconnected by another session, 40 disconnected for a reason.
        event: u32,
        /// The session's number.
        session: Option<u32>,
        /// The reason, in 40.
        reason: Option<u32>,
    },
    /// TermDD 50, 56: the driver detected an error and disconnected the client.
    DriverError {
        /// 50 or 56.
        event: u32,
        /// The status, in its usual form.
        code: Option<Code>,
        /// From where.
        client: Option<IpAddr>,
    },
    /// Security 4624 and 4625 over the network: a logon.
    Logon {
        /// 3 network, 7 unlock, 10 remote interactive.
        kind: u32,
        /// From where.
        client: Option<IpAddr>,
        /// Why it was refused; none where it succeeded.
        refused: Option<Code>,
    },
    /// Security 4740: an account was locked after too many wrong passwords.
    AccountLocked {
        /// The computer that the wrong passwords came from, as it names itself.
        caller: Option<String>,
    },
    /// Security 4825: somebody with valid credentials may not use Remote Desktop.
    DesktopDenied {
        /// From where.
        client: Option<IpAddr>,
    },
    /// NTLM 4002, 4003: this machine refused a logon by NTLM.
    NtlmRefused {
        /// The event id.
        event: u32,
    },
    /// NETLOGON 3210, 5719, 5783, GroupPolicy 1129: the domain could not be reached, or did not accept the machine.
    DomainFailed {
        /// Who says so, by name.
        provider: &'static str,
        /// The event id.
        event: u32,
    },
    /// LsaSrv 6041: this machine, as a client, refused a server's version of CredSSP.
    CredSspRefused {
        /// The server, as a service's name or as the user wrote it.
        server: String,
    },
    /// LsaSrv 6167 without values: a machine with the same identifier as this one asked to be let in.
    MachineSidRefused,
    /// RdpCoreTS 149, SCardSvr 624, events of the key distribution centre: a certificate for logging on was refused.
    SmartCardRefused {
        /// Who says so, by name.
        provider: &'static str,
        /// The event id.
        event: u32,
    },
    /// A Schannel event.
    Schannel(SchannelEvent),
    /// RemoteConnectionManager 1056, 1057, 1058, 1063, 1064, 1065: a certificate was made, or not.
    Renewal {
        /// The event id.
        event: u32,
        /// What it says beside its id: a localized status text, a code, or a name.
        text: Option<String>,
    },
    /// RemoteConnectionManager 1051, 1053, 1054, 1055, 1059: something about the certificate's configuration.
    CertificateNotice {
        /// The event id.
        event: u32,
    },
    /// Security 5058, 5061: an operation on a key.
    KeyOperation {
        /// 5058 or 5061.
        event: u32,
        /// The container.
        container: String,
        /// Who asked, a SID.
        account: Option<String>,
        /// The key file, in 5058.
        path: Option<String>,
        /// The return code.
        result: Code,
    },
    /// Service control 7000 to 7034: a service failed.
    ServiceFailed {
        /// The event id.
        event: u32,
        /// The service.
        service: ServiceName,
        /// The error.
        code: Option<Code>,
    },
    /// Service control 7036: a service started or stopped.
    ServiceRan {
        /// The service.
        service: ServiceName,
        /// 4 running, 1 stopped, where the record's bytes say so.
        state: Option<u32>,
        /// The localized word for it.
        word: String,
    },
    /// Service control 7040: somebody changed how a service starts.
    ServiceChanged {
        /// The service.
        service: ServiceName,
        /// The localized words for how it starts now.
        words: String,
    },
    /// Kernel-General 12, EventLog 6005 and 6009: Windows started.
    Booted {
        /// The event id.
        event: u32,
        /// The build that started, where the event names it.
        build: Option<u32>,
    },
    /// Kernel-General 1, Security 4616: the clock was set.
    ClockSet {
        /// The time before.
        from: Timestamp,
        /// The time after.
        to: Timestamp,
    },
    /// Eventlog 104, 1102: a log was cleared.
    LogCleared {
        /// The channel.
        channel: String,
    },
    /// Winlogon 7001: somebody logged on at a desktop.
    DesktopBegan {
        /// The session's number.
        session: u32,
    },
    /// Ntfs 55, 57, 137, disk 7, 11, 51, srv 2013: storage failed, or has no space left.
    StorageFailed {
        /// What went wrong.
        trouble: StorageTrouble,
        /// Who says so, by name.
        provider: &'static str,
        /// The event id.
        event: u32,
    },
    /// Application Error 1000, Wininit 1015: a program crashed.
    Crashed {
        /// The event id.
        event: u32,
        /// The program's file name; of a service in a host of its own, as `svchost.exe_TermService`.
        program: String,
        /// The module that it crashed in.
        module: Option<String>,
        /// The exception.
        code: Option<Code>,
    },
    /// NetworkProfile 10000, 10001: the machine joined or left a network.
    NetworkChanged {
        /// What kind of network it is.
        kind: NetworkKind,
        /// Whether it joined it.
        joined: bool,
        /// The network's own id.
        network: Option<String>,
    },
    /// Security 4653, 4654, 4984: a negotiation of IPsec failed.
    IpsecFailed {
        /// The event id.
        event: u32,
    },
    /// RdpCoreTS 138: the side channel over UDP failed.
    SideChannelFailed {
        /// Its status.
        code: Option<Code>,
    },
    /// RemoteConnectionManager 1006: the listener turned connections away, for too many were not complete.
    TooManyIncomplete,
    /// RemoteConnectionManager 1003, 1004, 1068, 1069: licensing complains.
    Licensing {
        /// The event id.
        event: u32,
    },
    /// Tcpip 4227, 4231, srv 2019, 2020, Resource-Exhaustion-Detector 2004: something ran out.
    Exhausted {
        /// What.
        resource: Resource,
        /// Who says so, by name.
        provider: &'static str,
        /// The event id.
        event: u32,
    },
    /// SessionBroker 2056, SessionBroker-Client 1296, 1306, 1308: the connection broker failed.
    BrokerFailed {
        /// The event id.
        event: u32,
    },
    /// WindowsUpdateClient 19, Servicing 2: an update was installed.
    Updated {
        /// Its number in Microsoft's knowledge base, such as `KB5018419`.
        article: String,
    },
    /// GroupPolicy 1502: new settings for the computer were applied.
    PolicyApplied,
    /// RDPClient 1024: the client connects to this server.
    ClientConnects {
        /// The server, as the user wrote it.
        server: String,
    },
    /// RDPClient 226: a transition of the client's state machine failed.
    ClientTransitionFailed {
        /// Its status.
        code: Code,
    },
    /// RDPClient 1026: the client was disconnected.
    ClientDisconnected {
        /// Its disconnect reason.
        reason: Option<Code>,
    },
}

/// How an event names a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName {
    /// Its key name, where the record holds it.
    pub key: Option<String>,
    /// The name shown to people, in the system's language.
    pub shown: String,
}

/// What a Schannel event says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchannelEvent {
    /// The event id.
    pub event: u32,
    /// Which end of TLS, where the event's field or its id say so.
    pub role: Option<SchannelRole>,
    /// `ErrorCode`.
    pub error: Option<Code>,
    /// `ErrorStatus` or `ErrorState`: Schannel's internal state.
    pub state: Option<u32>,
    /// `AlertDesc`.
    pub alert: Option<u32>,
    /// `Protocol`.
    pub protocol: Option<String>,
    /// `CipherSuite` of 36880, its number in the registry of TLS.
    pub suite: Option<u32>,
    /// `CallerProcessId`, from Windows 11 21H2 and Server 2022 on.
    pub caller: Option<u32>,
    /// `CallerProcessImageName`, from the same.
    pub image: Option<String>,
}
