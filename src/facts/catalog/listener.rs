//! Facts about the listener, RDP-Tcp: what it asks of connections.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// What a well-known attempt at a repair leaves behind.
    Leftover {
        /// SecurityLayer 0 with MinEncryptionLevel 1: what the Azure agent's ResetRDPCert sets.
        ResetRdpCert = "reset-rdp-cert",
        /// A value whose name begins with a space, which nothing reads.
        SpacedName = "spaced-name",
        /// `SSLCertificateSHA1HashValue`, a name that nothing reads.
        MisnamedPin = "misnamed-pin",
        /// The group policy service is disabled.
        GroupPolicyOff = "group-policy-off",
        /// CredSSP takes unpatched clients (AllowEncryptionOracle 2).
        CredSspWeakened = "credssp-weakened",
        /// The limit of connections that are not yet authenticated was raised.
        FloodLimitRaised = "flood-limit-raised",
        /// A value was written to a control set that is not in use.
        OtherControlSet = "other-control-set",
        /// NETWORK SERVICE may read private keys of other programs.
        KeysOpened = "keys-opened",
    }
}

choice! {
    /// Where an effective setting comes from.
    SetBy {
        /// Group policy, in SOFTWARE.
        Policy = "policy",
        /// The machine's own setting, in SYSTEM.
        Local = "local",
        /// Neither is set: what Windows does then.
        Default = "default",
    }
}

catalogue! {
    /// Whether connections use TLS, as the listener is set.
    "listener.tls" => ListenerTls State (Absence::Never(Subject::SystemHive)) {
        /// Whether TLS is in use: SecurityLayer 2, or 1 with network level authentication, or proved by what was logged.
        in_use: Known<bool>,
        /// Whether clients could do without the TLS that is in use: open with SecurityLayer 1 alone, or where a policy that was not
        /// collected may say so.
        avoidable: Known<bool>,
        /// The effective SecurityLayer: 0 RDP, 1 negotiate, 2 TLS.
        security_layer: Known<u32>,
        /// The effective UserAuthentication: 1 asks for network level authentication.
        user_authentication: Known<u32>,
        /// Where the SecurityLayer comes from.
        set_by: Known<SetBy>,
        /// Whether SecurityLayer 0 stands together with UserAuthentication 1.
        conflict: Known<bool>,
        /// Whether the two conflict and, since they were set so, attempts arrive and end before TLS without a trace of it.
        ends_before_tls: Known<bool>,
    }

    /// The switch "allow remote connections to this computer".
    "listener.switch" => ListenerSwitch State (Absence::Never(Subject::SystemHive)) {
        /// Whether Remote Desktop is switched off.
        off: Known<bool>,
        /// What switches it off.
        set_by: Known<SetBy>,
        /// Whether it was never switched on: the default of the client editions.
        never_on: Known<bool>,
    }

    /// The listener's own key and values.
    "listener.values" => ListenerValues State (Absence::Never(Subject::SystemHive)) {
        /// Whether WinStations\\RDP-Tcp is there.
        present: Known<bool>,
        /// Whether the listener is switched off by `fEnableWinStation` 0 or `fLogonDisabled` 1.
        disabled: Known<bool>,
        /// Whether SecurityLayer, UserAuthentication or MinEncryptionLevel in effect lies outside of its range.
        out_of_range: Known<bool>,
        /// Which value does, and what it is.
        which: Known<Option<String>>,
        /// The port that it listens on.
        port: Known<Option<u32>>,
    }

    /// The listener failed (RemoteConnectionManager 260, 1035, 1036).
    "listener.failure" => ListenerFailure Event (Absence::All(&[Subject::SystemLog, Subject::RemoteConnectionManagerLog])) {
        /// The event id.
        event: u32,
        /// The status in it.
        code: Option<Code>,
        /// Whether the status says that the port is taken (10048, WSAEADDRINUSE).
        port_taken: bool,
    }

    /// The server ended a connection because the listener is disabled (RdpCoreTS 106).
    "listener.refusal" => ListenerRefusal Event (Absence::All(&[Subject::RdpCoreTsLog])) {
        /// The event id.
        event: u32,
    }

    /// The listener started (RemoteConnectionManager 258).
    "listener.started" => ListenerStarted Event (Absence::All(&[Subject::RemoteConnectionManagerLog])) {
        /// The event id.
        event: u32,
    }

    /// Whether the listener started when the service did.
    "listener.start" => ListenerStart State (Absence::Never(Subject::RemoteConnectionManagerLog)) {
        /// Whether the service ran after the last start of Windows.
        service_ran: Known<bool>,
        /// Whether the listener started after it (258), or `qwinsta` shows it listening.
        started: Known<bool>,
        /// Whether it did not although the service ran, Remote Desktop is on, and no failure of it was logged.
        missing: Known<bool>,
    }

    /// Whether the listener listened when `qwinsta` was asked. Such a text does not say when that was. Asked beside the registry, which
    /// says how the listener is set.
    "listener.session" => ListenerSession State (Absence::All(&[Subject::SystemHive])) {
        /// Whether RDP-Tcp was listed as listening; false also where a whole list does not name it.
        listens: Known<bool>,
        /// Its state in the list's own word; none where it is not listed.
        state: Option<String>,
    }

    /// Whether the machine takes new sessions.
    "listener.logons" => ListenerLogons State (Absence::Never(Subject::SystemHive)) {
        /// Whether it is a session host in drain mode (`TSServerDrainMode` 1 or 2).
        drained: Known<bool>,
        /// Whether logons over the network are switched off for all (`WinStationsDisabled` 1).
        switched_off: Known<bool>,
        /// Whether people authenticated since somebody last got a new session, and got none.
        refused: Known<bool>,
        /// Whether it is drained and they are refused.
        drained_and_refused: Known<bool>,
        /// Whether logons are switched off and they are refused.
        switched_off_and_refused: Known<bool>,
    }

    /// The adapter that the listener is bound to.
    "listener.adapter" => ListenerAdapter State (Absence::Never(Subject::SystemHive)) {
        /// Whether it is bound to one alone (`LanAdapter` other than 0).
        bound: Known<bool>,
        /// The adapter's id, by way of `LanaTable`.
        adapter: Option<String>,
        /// Whether Windows no longer knows that adapter.
        absent: Known<bool>,
        /// Whether it was bound so after the service last started, which reads it then.
        pending_restart: bool,
    }

    /// Whose the listener is.
    "listener.owner" => ListenerOwner State (Absence::Never(Subject::SystemHive)) {
        /// The class of the protocol that serves it, where one is named.
        protocol: Known<Option<String>>,
        /// Whether another maker's product serves it or has changed it.
        other: Known<bool>,
        /// Whose, where that can be told.
        maker: Option<String>,
        /// Whether it does, and that product's own services failed since people last got in.
        fails: Known<bool>,
    }

    /// Whether this edition of Windows can be connected to at all.
    "host.edition" => HostEdition State (Absence::Never(Subject::SoftwareHive)) {
        /// The edition's own name for itself, such as ServerStandard.
        edition: Known<Option<String>>,
        /// Whether it comes without a Remote Desktop host, and no other maker's stands in its place.
        without_host: Known<bool>,
    }

    /// Something that a well-known attempt at a repair leaves in the registry. It is never a cause by itself.
    "repair.residue" => RepairResidue State (Absence::All(&[Subject::SystemHive, Subject::SoftwareHive])) {
        /// What kind of thing.
        left: Leftover,
        /// What stands there, and what it does.
        says: String,
        /// How to take it back, where that is one command.
        undo: Option<String>,
    }

    /// A logon was not accepted because setup is running (LocalSessionManager 34).
    "host.setup_refusal" => SetupRefusal Event (Absence::All(&[Subject::LocalSessionManagerLog])) {
        /// The event id.
        event: u32,
    }

    /// Whether Windows' own setup is still running.
    "host.setup" => HostSetup State (Absence::Never(Subject::SystemHive)) {
        /// Whether `OOBEInProgress` or `SystemSetupInProgress` is 1.
        in_progress: Known<bool>,
    }
}
