//! The subjects that can be covered or missing: logs, hives, listings, stores.

/// Something that a collection may hold, whole, in part or not at all; what an absence is proved from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The System log.
    SystemLog,
    /// The Application log.
    ApplicationLog,
    /// The Security log.
    SecurityLog,
    /// Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational.
    RdpCoreTsLog,
    /// Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational.
    RemoteConnectionManagerLog,
    /// Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin.
    RemoteConnectionManagerAdminLog,
    /// Microsoft-Windows-TerminalServices-LocalSessionManager/Operational.
    LocalSessionManagerLog,
    /// Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational and SessionBroker/Operational.
    SessionBrokerLog,
    /// Microsoft-Windows-TerminalServices-RDPClient/Operational, a log of the client.
    RdpClientLog,
    /// Microsoft-Windows-NetworkProfile/Operational: which networks were joined, and of what kind.
    NetworkProfileLog,
    /// Schannel's events in the System log; none are written where `EventLogging` is 0.
    SchannelEvents,
    /// Any log that shows a connection arriving (RdpCoreTS 131, RemoteConnectionManager 261).
    Arrivals,
    /// Any log that shows whether an attempt got past TLS.
    TlsOutcomes,
    /// Any log that shows whether an attempt's credentials were accepted.
    CredentialOutcomes,
    /// Any log that shows people getting a session.
    Sessions,
    /// The SYSTEM hive.
    SystemHive,
    /// The SOFTWARE hive.
    SoftwareHive,
    /// The SECURITY hive.
    SecurityHive,
    /// The certificate that the listener uses.
    ListenerCertificate,
    /// The certificate store named "Remote Desktop".
    RemoteDesktopStore,
    /// The machine's store named MY.
    PersonalStore,
    /// A complete listing of the folder that holds the listener's key file.
    KeyFolderListing,
    /// The key file itself.
    KeyFile,
    /// The key file's permissions, taken on the machine.
    KeyFilePermissions,
    /// The permissions of the MachineKeys folder, taken on the machine.
    MachineKeysPermissions,
    /// The DPAPI master keys of the machine account.
    MasterKeyFolder,
    /// What the client offers in TLS.
    ClientOffer,
    /// When people tried to connect, and how they fared.
    ConnectionState,
    /// Why the logons of those who are locked out were refused; whole where nobody is.
    Refusals,
    /// Logons that NTLM refused; whole where nobody is locked out, or NTLM is not restricted.
    NtlmRefusals,
    /// Who may log on through Remote Desktop; whole where nobody is locked out.
    LogonRights,
}

impl Subject {
    /// Every subject, in the order of declaration.
    pub const ALL: &'static [Subject] = &[
        Subject::SystemLog,
        Subject::ApplicationLog,
        Subject::SecurityLog,
        Subject::RdpCoreTsLog,
        Subject::RemoteConnectionManagerLog,
        Subject::RemoteConnectionManagerAdminLog,
        Subject::LocalSessionManagerLog,
        Subject::SessionBrokerLog,
        Subject::RdpClientLog,
        Subject::NetworkProfileLog,
        Subject::SchannelEvents,
        Subject::Arrivals,
        Subject::TlsOutcomes,
        Subject::CredentialOutcomes,
        Subject::Sessions,
        Subject::SystemHive,
        Subject::SoftwareHive,
        Subject::SecurityHive,
        Subject::ListenerCertificate,
        Subject::RemoteDesktopStore,
        Subject::PersonalStore,
        Subject::KeyFolderListing,
        Subject::KeyFile,
        Subject::KeyFilePermissions,
        Subject::MachineKeysPermissions,
        Subject::MasterKeyFolder,
        Subject::ClientOffer,
        Subject::ConnectionState,
        Subject::Refusals,
        Subject::NtlmRefusals,
        Subject::LogonRights,
    ];

    /// The word for it in the cases of rules.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Subject::SystemLog => "system-log",
            Subject::ApplicationLog => "application-log",
            Subject::SecurityLog => "security-log",
            Subject::RdpCoreTsLog => "rdpcorets-log",
            Subject::RemoteConnectionManagerLog => "remote-connection-manager-log",
            Subject::RemoteConnectionManagerAdminLog => "remote-connection-manager-admin-log",
            Subject::LocalSessionManagerLog => "local-session-manager-log",
            Subject::SessionBrokerLog => "session-broker-log",
            Subject::RdpClientLog => "rdp-client-log",
            Subject::NetworkProfileLog => "network-profile-log",
            Subject::SchannelEvents => "schannel-events",
            Subject::Arrivals => "arrivals",
            Subject::TlsOutcomes => "tls-outcomes",
            Subject::CredentialOutcomes => "credential-outcomes",
            Subject::Sessions => "sessions",
            Subject::SystemHive => "system-hive",
            Subject::SoftwareHive => "software-hive",
            Subject::SecurityHive => "security-hive",
            Subject::ListenerCertificate => "listener-certificate",
            Subject::RemoteDesktopStore => "remote-desktop-store",
            Subject::PersonalStore => "personal-store",
            Subject::KeyFolderListing => "key-folder-listing",
            Subject::KeyFile => "key-file",
            Subject::KeyFilePermissions => "key-file-permissions",
            Subject::MachineKeysPermissions => "machine-keys-permissions",
            Subject::MasterKeyFolder => "master-key-folder",
            Subject::ClientOffer => "client-offer",
            Subject::ConnectionState => "connection-state",
            Subject::Refusals => "refusals",
            Subject::NtlmRefusals => "ntlm-refusals",
            Subject::LogonRights => "logon-rights",
        }
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.described().0
    }

    /// How to collect it on the machine, read-only.
    #[must_use]
    pub fn obtain(self) -> &'static str {
        self.described().1
    }

    fn described(self) -> (&'static str, &'static str) {
        match self {
            Subject::SystemLog => ("System log", "wevtutil epl System System.evtx"),
            Subject::ApplicationLog => (
                "Application log",
                "wevtutil epl Application Application.evtx",
            ),
            Subject::SecurityLog | Subject::Refusals => {
                ("Security log", "wevtutil epl Security Security.evtx")
            }
            Subject::NtlmRefusals => (
                "NTLM log",
                "wevtutil epl Microsoft-Windows-NTLM/Operational NTLM.evtx",
            ),
            Subject::RdpCoreTsLog | Subject::TlsOutcomes => (
                "RdpCoreTS log",
                "wevtutil epl Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational RdpCoreTS.evtx",
            ),
            Subject::RemoteConnectionManagerLog
            | Subject::Arrivals
            | Subject::CredentialOutcomes => (
                "RemoteConnectionManager log",
                "wevtutil epl Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational RemoteConnectionManager.evtx",
            ),
            Subject::RemoteConnectionManagerAdminLog => (
                "RemoteConnectionManager Admin log",
                "wevtutil epl Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin RemoteConnectionManagerAdmin.evtx",
            ),
            Subject::LocalSessionManagerLog | Subject::Sessions | Subject::ConnectionState => (
                "LocalSessionManager log",
                "wevtutil epl Microsoft-Windows-TerminalServices-LocalSessionManager/Operational LocalSessionManager.evtx",
            ),
            Subject::SessionBrokerLog => (
                "SessionBroker-Client log",
                "wevtutil epl Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational SessionBrokerClient.evtx",
            ),
            Subject::RdpClientLog => (
                "RDPClient log of the client",
                "on the client: wevtutil epl Microsoft-Windows-TerminalServices-RDPClient/Operational RDPClient.evtx",
            ),
            Subject::NetworkProfileLog => (
                "NetworkProfile log",
                "wevtutil epl Microsoft-Windows-NetworkProfile/Operational NetworkProfile.evtx",
            ),
            Subject::SchannelEvents => (
                "Schannel events",
                "wevtutil epl System System.evtx (and the SYSTEM hive, for SCHANNEL\\EventLogging)",
            ),
            Subject::SystemHive => ("SYSTEM hive", "reg save HKLM\\SYSTEM SYSTEM.hiv"),
            Subject::SoftwareHive => ("SOFTWARE hive", "reg save HKLM\\SOFTWARE SOFTWARE.hiv"),
            Subject::SecurityHive | Subject::LogonRights => (
                "SECURITY hive",
                "reg save HKLM\\SECURITY SECURITY.hiv (from an elevated prompt)",
            ),
            Subject::ListenerCertificate | Subject::RemoteDesktopStore => (
                "Remote Desktop certificate store",
                "reg save HKLM\\SOFTWARE SOFTWARE.hiv",
            ),
            Subject::PersonalStore => (
                "personal certificate store of the machine",
                "reg save HKLM\\SOFTWARE SOFTWARE.hiv",
            ),
            Subject::KeyFolderListing | Subject::KeyFilePermissions => (
                "MachineKeys listing with permissions",
                "icacls \"C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\*\" /save MachineKeys.acl /c & dir /a /q C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys > MachineKeys.txt (as SYSTEM: from build 17763 on icacls may not show an administrator the key file)",
            ),
            Subject::KeyFile => (
                "private key file",
                "robocopy C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys MachineKeys f686aace6942fb7f7ceb231212eef4a4_* /B",
            ),
            Subject::MachineKeysPermissions => (
                "permissions of the MachineKeys folder",
                "icacls C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys /save MachineKeysFolder.acl",
            ),
            Subject::MasterKeyFolder => (
                "DPAPI master keys of the machine",
                "dir /a /s C:\\Windows\\System32\\Microsoft\\Protect\\S-1-5-18 > Protect.txt (as SYSTEM)",
            ),
            Subject::ClientOffer => (
                "TLS settings of the client",
                "name the client with --client, or collect its SYSTEM and SOFTWARE hives",
            ),
        }
    }
}
