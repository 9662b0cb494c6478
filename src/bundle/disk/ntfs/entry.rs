//! An entry of $MFT by itself: what it tells of a file that is there, or was. A deleted file's entry stays as it was, but for the
//! mark that it is free, until another file takes it.

use jiff::Timestamp;

use super::record::{
    ATTRIBUTE_LIST, Attributes, DATA, FILE_NAME, FileName, Record, STANDARD_INFORMATION, Value,
    is_folder,
};
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};
use crate::bundle::file_time::file_time;

/// An entry of $MFT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Where it stands, or the entry that it continues.
    pub place: EntryPlace,
    /// Whether a file uses it.
    pub in_use: bool,
    /// Whether that is a folder.
    pub is_folder: bool,
    /// The times of the file itself ($STANDARD_INFORMATION); the entry that continues another has none.
    pub times: Option<FileTimes>,
    /// Its names, without the short ones that stand beside long ones.
    pub names: Vec<EntryName>,
    /// The length of its content, where it has one and this entry tells.
    pub bytes: Option<u64>,
    /// Whether other entries continue it, which may hold its names.
    pub is_continued: bool,
}

/// A place in $MFT, and how often it has been used: a reference that counts otherwise is to an earlier file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryPlace {
    /// The number of the entry.
    pub number: u64,
    /// How often it has been used. Freeing it counts as well.
    pub uses: u16,
}

impl EntryPlace {
    /// From a file reference as it lies on a disk: 48 bits of number, 16 of uses.
    #[must_use]
    pub fn of_reference(reference: u64) -> EntryPlace {
        EntryPlace {
            number: reference & 0xFFFF_FFFF_FFFF,
            uses: u16::try_from(reference >> 48).unwrap_or_default(),
        }
    }
}

/// Times of a file; none where they are not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileTimes {
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its content, or a folder's list of files, was last written.
    pub modified: Option<Timestamp>,
    /// When anything of it last changed: content, name, permissions, attributes.
    pub changed: Option<Timestamp>,
}

impl FileTimes {
    /// The latest of them.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.created.max(self.modified).max(self.changed)
    }
}

/// A name of a file, with the folder that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName {
    /// The folder.
    pub folder: EntryPlace,
    /// The name.
    pub name: String,
    /// The file's times at the moment when it got this name ($FILE_NAME).
    pub times: FileTimes,
}

impl FileEntry {
    /// Reads the entry of that number, all of its bytes.
    ///
    /// # Errors
    /// What is wrong with it; an entry that was never used is empty.
    pub fn read(number: u64, bytes: Vec<u8>) -> Result<FileEntry, super::NtfsError> {
        let record = Record::read(number, bytes)?;
        let place = match record.base_reference() {
            Some(reference) => EntryPlace::of_reference(reference),
            None => EntryPlace {
                number,
                uses: record.uses(),
            },
        };
        let mut entry = FileEntry {
            place,
            in_use: record.is_used(),
            is_folder: record.is_folder(),
            times: None,
            names: Vec::new(),
            bytes: None,
            is_continued: false,
        };
        entry.take(record.attributes());
        Ok(entry)
    }

    fn take(&mut self, attributes: Attributes<'_>) {
        for attribute in attributes {
            match (attribute.kind, attribute.value) {
                (ATTRIBUTE_LIST, _) => self.is_continued = true,
                (STANDARD_INFORMATION, Value::Resident(value)) => self.times = times(value, 0),
                (FILE_NAME, Value::Resident(value)) => {
                    let Some(name) = FileName::read(value).filter(|name| !name.is_short) else {
                        continue;
                    };
                    self.is_folder |= is_folder(value);
                    if let (Some(folder), Some(times)) = (u64_le(value, 0), times(value, 8)) {
                        self.names.push(EntryName {
                            folder: EntryPlace::of_reference(folder),
                            name: name.name,
                            times,
                        });
                    }
                }
                (DATA, Value::Resident(value)) if attribute.is_named("") => {
                    self.bytes = Some(value.len() as u64);
                }
                (DATA, Value::Clusters { first: 0, size, .. }) if attribute.is_named("") => {
                    self.bytes = Some(size);
                }
                _ => {}
            }
        }
    }
}

/// Both attributes have their times in the same order: created, modified, changed, read.
fn times(value: &[u8], at: usize) -> Option<FileTimes> {
    Some(FileTimes {
        created: file_time(u64_le(value, at)?),
        modified: file_time(u64_le(value, at + 8)?),
        changed: file_time(u64_le(value, at + 16)?),
    })
}

/// The length of the entries of a file table, told by its first; none where the bytes do not begin as $MFT does: with the entry of
/// a file of that name.
#[must_use]
pub fn entry_bytes(head: &[u8]) -> Option<usize> {
    let bytes = usize::try_from(u32_le(head, 28)?).ok()?;
    (head.starts_with(b"FILE") && (512..=4096).contains(&bytes) && bytes.is_power_of_two())
        .then_some(())?;
    (u16_le(head, 4)? < 512).then_some(())?;
    let first = FileEntry::read(0, head.get(..bytes)?.to_vec()).ok()?;
    first
        .names
        .iter()
        .any(|name| name.name == "$MFT")
        .then_some(bytes)
}
