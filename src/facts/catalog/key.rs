//! Facts about the listener's private key.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// What is found where the key file should be.
    KeyFileState {
        /// A whole key file, and the certificate's.
        Good = "good",
        /// None, in a complete listing.
        Missing = "missing",
        /// Only one of another MachineGuid.
        Foreign = "foreign",
        /// Only one in a folder beside, such as MachineKeys_old.
        Relocated = "relocated",
        /// A file of no bytes.
        Empty = "empty",
        /// A file of zero bytes, wholly or from some place on.
        Zeroed = "zeroed",
        /// A file that ends too early.
        Cut = "cut",
        /// Something that is no key file.
        Garbage = "garbage",
        /// A key file with more behind it.
        Trailing = "trailing",
        /// A key file of another container.
        OtherName = "other-name",
        /// A whole key file whose public key is not the certificate's.
        Mismatch = "mismatch",
        /// It is listed; its content was not collected.
        Listed = "listed",
    }
}

catalogue! {
    /// A cryptographic operation on a key, audited in the Security log (5058, 5061).
    "key.operation" => KeyOperation Event (Absence::All(&[Subject::SecurityLog])) {
        /// 5058 (key file) or 5061 (operation).
        event: u32,
        /// The container.
        container: String,
        /// Whether it is the container of the listener's certificate.
        listener: Known<bool>,
        /// Who asked, a SID.
        account: Option<String>,
        /// The key file, where the event names it.
        path: Option<String>,
        /// The return code; 0 is success.
        result: Code,
        /// Whether it succeeded.
        succeeded: bool,
        /// Whether a later operation on the same container succeeded.
        superseded: Known<bool>,
    }

    /// What an account may do with a key file, from its permissions as they stood on the machine.
    "key_file.access" => KeyFileAccess State (Absence::All(&[Subject::KeyFilePermissions])) {
        /// Whether it is the listener's key file.
        listener: bool,
        /// The file.
        path: String,
        /// The account, a SID.
        account: String,
        /// Whether it may read.
        can_read: Known<bool>,
        /// Whether it may write.
        can_write: Known<bool>,
        /// Whether an entry that denies is what refuses it.
        denied: Known<bool>,
    }

    /// What stands where a key file should be.
    "key_file.state" => KeyFile State (Absence::All(&[Subject::KeyFolderListing])) {
        /// Whether it is the listener's key file.
        listener: bool,
        /// The expected name, or path.
        path: String,
        /// What is found.
        state: Known<KeyFileState>,
        /// The container.
        container: Option<String>,
    }
}
