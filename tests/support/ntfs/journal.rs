//! $UsnJrnl:$J (winioctl.h, USN_RECORD_V2).

use jiff::Timestamp;

use super::{file_time, record::wide};

pub const MADE: u32 = 0x100;
pub const DELETED: u32 = 0x200;
pub const PERMISSIONS: u32 = 0x800;
pub const OLD_NAME: u32 = 0x1000;
pub const NEW_NAME: u32 = 0x2000;
pub const CLOSED: u32 = 0x8000_0000;

/// One record of the journal.
#[derive(Debug, Clone)]
pub struct Change {
    pub at: Timestamp,
    pub reasons: u32,
    /// References, with their counts.
    pub file: u64,
    pub folder: u64,
    pub name: String,
    pub is_folder: bool,
}

/// The records as they lie in the stream, the first at `start`.
pub fn stream(changes: &[Change], start: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for change in changes {
        let name = wide(&change.name);
        let len = (60 + name.len()).next_multiple_of(8);
        // No record crosses the border of a page.
        let left = 4096 - bytes.len() % 4096;
        if left < len {
            bytes.resize(bytes.len() + left, 0);
        }
        let begin = bytes.len();
        bytes.extend((len as u32).to_le_bytes());
        bytes.extend(2_u16.to_le_bytes());
        bytes.extend(0_u16.to_le_bytes());
        bytes.extend(change.file.to_le_bytes());
        bytes.extend(change.folder.to_le_bytes());
        bytes.extend((start + begin as u64).to_le_bytes());
        bytes.extend(file_time(change.at).to_le_bytes());
        bytes.extend(change.reasons.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(if change.is_folder { 0x10_u32 } else { 0x20 }.to_le_bytes());
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend(60_u16.to_le_bytes());
        bytes.extend(name);
        bytes.resize(begin + len, 0);
    }
    bytes
}
