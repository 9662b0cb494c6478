//! Facts about updates of Windows.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;
use jiff::Timestamp;

choice! {
    /// The end of a connection that an update's regression shows at.
    Side {
        /// The client that has the update.
        Client = "client",
        /// The server that has the update.
        Server = "server",
    }
}

catalogue! {
    /// An update was installed. WindowsUpdateClient 19 or Servicing 2 says so, or a package in SOFTWARE.
    "update.installed" => UpdateInstalled Event (Absence::All(&[Subject::SystemLog])) {
        /// Its number in Microsoft's knowledge base.
        article: String,
    }

    /// Whether an update that is known to break connections broke these.
    "update.regression" => UpdateRegression State (Absence::Never(Subject::SystemLog)) {
        /// Whether it did: the server's own, its fix not there, installed between the last success and the first failure, and attempts die
        /// at its stage with its codes.
        breaks: Known<bool>,
        /// The update, where one of the table is installed.
        article: Option<String>,
        /// When it was installed.
        installed: Option<Timestamp>,
        /// The update that cures it, where there is one.
        fixed_by: Option<String>,
        /// The end at which it shows.
        side: Option<Side>,
        /// What it does.
        symptom: Option<String>,
        /// Whether that lies between the last success and the first failure.
        in_bracket: Known<bool>,
        /// Whether attempts since then die at its stage with its codes.
        seen: Known<bool>,
    }

    /// New settings of group policy were applied to the computer. GroupPolicy 1502 says so.
    "policy.applied" => PolicyApplied Event (Absence::All(&[Subject::SystemLog])) {
        /// Who says so.
        provider: String,
    }
}
