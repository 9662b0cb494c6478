//! Facts about the licensing of the Session Host role.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;

catalogue! {
    /// Whether the machine is a Session Host, which needs licences for its users.
    "licensing.role" => LicensingRole State (Absence::Never(Subject::SystemHive)) {
        /// Whether the role is there: `TSAppCompat` is 1; not where RemoteConnectionManager 1136 says at the last boot that it is not.
        session_host: Known<bool>,
        /// The licensing mode in effect: 2 per device, 4 per user, 5 not configured; none where it is not set.
        mode: Known<Option<u32>>,
    }

    /// Licensing complains (RemoteConnectionManager 1003, 1004, 1068, 1069).
    "licensing.event" => LicensingEvent Event (Absence::All(&[Subject::RemoteConnectionManagerAdminLog])) {
        /// 1003 a client's licence is not valid, 1004 none can be issued, 1068 no mode is set, 1069 the grace period has ended.
        event: u32,
    }

    /// The certificate by which the machine proves itself to licence servers.
    "licensing.certificate" => LicensingCertificate State (Absence::Never(Subject::SystemHive)) {
        /// Whether its values are damaged: empty, nothing but zeros, or of a type that Windows does not read.
        damaged: Known<bool>,
        /// Whether licences failed (1003, 1004, TermDD 50) since the last success.
        reported: Known<bool>,
        /// Both.
        breaks: Known<bool>,
        /// The values that are damaged.
        values: Vec<String>,
    }
}
