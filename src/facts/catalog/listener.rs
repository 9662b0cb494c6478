//! Facts about the listener, RDP-Tcp: what it asks of connections.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

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

    /// Whether Windows' own setup is still running.
    "host.setup" => HostSetup State (Absence::Never(Subject::SystemHive)) {
        /// Whether `OOBEInProgress` or `SystemSetupInProgress` is 1.
        in_progress: Known<bool>,
    }
}
