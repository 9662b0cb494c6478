//! What each layout never holds, so that a gap says whether asking for the same collection again would help.

use crate::bundle::Layout;

use super::subject::Subject;

const PERMISSIONS: &[Subject] = &[Subject::KeyFilePermissions, Subject::MachineKeysPermissions];

/// Copies of logs and hives, as the collector's usual targets take them.
const KEYS: &[Subject] = &[
    Subject::KeyFolderListing,
    Subject::KeyFile,
    Subject::KeyFilePermissions,
    Subject::MachineKeysPermissions,
];

/// Logs, and the registry in parts, as text.
const HIVES_AND_KEYS: &[Subject] = &[
    Subject::SystemHive,
    Subject::SoftwareHive,
    Subject::SecurityHive,
    Subject::KeyFile,
    Subject::KeyFilePermissions,
    Subject::MachineKeysPermissions,
    Subject::MasterKeyFolder,
];

/// What a collection of this layout does not hold, however complete it is. A copy of a file has its copier's permissions, which are
/// not looked at, so that even a whole disk has none. Velociraptor takes key files where it was asked for them.
#[must_use]
pub fn never_holds(layout: Layout) -> &'static [Subject] {
    match layout {
        Layout::Plain | Layout::Collected => &[],

        Layout::Disk | Layout::DriveTree | Layout::Velociraptor => PERMISSIONS,
        Layout::Kape | Layout::Cylr | Layout::InspectDisk => KEYS,
        Layout::MsrdCollect | Layout::PsSdp | Layout::Tss => HIVES_AND_KEYS,
    }
}
