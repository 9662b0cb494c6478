//! File records: the entries of $MFT, and the attributes in them.

use jiff::Timestamp;

use super::NtfsError;
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le, utf16_le};

pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const SECURITY_DESCRIPTOR: u32 = 0x50;
pub(super) const VOLUME_INFORMATION: u32 = 0x70;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xA0;
pub(super) const BITMAP: u32 = 0xB0;
pub(super) const REPARSE_POINT: u32 = 0xC0;
const END: u32 = 0xFFFF_FFFF;
/// What a sector's last two bytes are checked against is a multiple of this, whatever the disk's sectors.
const FIXUP_STEP: usize = 512;
/// The part of a file reference that is the record's number; the rest is how often the record was used.
const RECORD_NUMBER: u64 = 0xFFFF_FFFF_FFFF;

/// A file record whose sectors are from one write.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) number: u64,
    bytes: Vec<u8>,
}

/// An attribute in a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'r> {
    pub(super) kind: u32,
    pub(super) flags: u16,
    name: &'r [u8],
    pub(super) value: Value<'r>,
}

/// Where an attribute's value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'r> {
    /// In the record.
    Resident(&'r [u8]),
    /// In clusters.
    Clusters {
        /// The first cluster of the value that these runs tell of.
        first: u64,
        /// The runs, packed.
        runs: &'r [u8],
        /// The size of the value; only told with its first cluster.
        size: u64,
        /// How much of it was ever written.
        initialized: u64,
        /// Whether the clusters are compressed in units.
        packed: bool,
    },
}

impl Record {
    /// Checks a record and puts its sectors' ends back in place. `bytes` is the whole record.
    pub(super) fn read(number: u64, mut bytes: Vec<u8>) -> Result<Record, NtfsError> {
        let bad = |flaw| NtfsError::BadRecord { number, flaw };
        match bytes.first_chunk::<4>() {
            Some(b"FILE") => {}
            Some(b"BAAD") => return Err(bad("was marked as torn by chkdsk")),
            Some([0, 0, 0, 0]) => return Err(bad("is empty")),
            _ => return Err(bad("is overwritten")),
        }
        if !fix_up(&mut bytes) {
            return Err(bad("is torn: its sectors are from different writes"));
        }
        Ok(Record { number, bytes })
    }

    fn flags(&self) -> u16 {
        u16_le(&self.bytes, 22).unwrap_or_default()
    }

    pub(super) fn is_used(&self) -> bool {
        self.flags() & 1 != 0
    }

    pub(super) fn is_folder(&self) -> bool {
        self.flags() & 2 != 0
    }

    pub(super) fn sequence(&self) -> u16 {
        u16_le(&self.bytes, 16).unwrap_or_default()
    }

    /// The record that this one continues, if it does.
    pub(super) fn base(&self) -> Option<u64> {
        u64_le(&self.bytes, 32)
            .map(|reference| reference & RECORD_NUMBER)
            .filter(|number| *number != 0)
    }

    /// Its attributes, as far as their lengths make sense.
    pub(super) fn attributes(&self) -> Attributes<'_> {
        let used = u32_le(&self.bytes, 24).unwrap_or_default() as usize;
        Attributes {
            bytes: self.bytes.get(..used).unwrap_or(&self.bytes),
            at: usize::from(u16_le(&self.bytes, 20).unwrap_or(u16::MAX)),
        }
    }

    pub(super) fn find(&self, kind: u32, name: &str) -> Option<Attribute<'_>> {
        self.attributes()
            .find(|attribute| attribute.kind == kind && attribute.is_named(name))
    }

    pub(super) fn resident(&self, kind: u32) -> Option<&[u8]> {
        self.attributes()
            .find_map(|attribute| match attribute.value {
                Value::Resident(value) if attribute.kind == kind => Some(value),
                _ => None,
            })
    }
}

/// Puts the last two bytes of each sector back from the array that keeps them; false where one was not written with the rest.
pub(super) fn fix_up(bytes: &mut [u8]) -> bool {
    let header = || {
        let at = usize::from(u16_le(bytes, 4)?);
        let count = usize::from(u16_le(bytes, 6)?);
        let array = bytes.get(at..at.checked_add(count.checked_mul(2)?)?)?;
        let sectors = count.checked_sub(1)?;
        (sectors.checked_mul(FIXUP_STEP)? == bytes.len()).then(|| array.to_vec())
    };
    let Some(array) = header() else {
        return false;
    };
    let (kept, _) = array.as_chunks::<2>();
    let Some((check, kept)) = kept.split_first() else {
        return false;
    };
    for (sector, kept) in bytes.chunks_mut(FIXUP_STEP).zip(kept) {
        let Some(end) = sector.last_chunk_mut::<2>() else {
            return false;
        };
        if end != check {
            return false;
        }
        *end = *kept;
    }
    true
}

/// The attributes of a record, in their order.
pub(super) struct Attributes<'r> {
    bytes: &'r [u8],
    at: usize,
}

impl<'r> Iterator for Attributes<'r> {
    type Item = Attribute<'r>;

    fn next(&mut self) -> Option<Attribute<'r>> {
        let kind = u32_le(self.bytes, self.at)?;
        let len = usize::try_from(u32_le(self.bytes, self.at.checked_add(4)?)?).ok()?;
        if kind == END || len < 24 {
            return None;
        }
        let end = self.at.checked_add(len)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        let name_len = usize::from(*bytes.get(9)?) * 2;
        let name_at = usize::from(u16_le(bytes, 10)?);
        let name = match name_len {
            0 => &[],
            len => bytes.get(name_at..name_at + len)?,
        };
        let value = match bytes.get(8)? {
            0 => {
                let len = usize::try_from(u32_le(bytes, 16)?).ok()?;
                let at = usize::from(u16_le(bytes, 20)?);
                Value::Resident(bytes.get(at..at.checked_add(len)?)?)
            }
            _ => Value::Clusters {
                first: u64_le(bytes, 16)?,
                runs: bytes.get(usize::from(u16_le(bytes, 32)?)..)?,
                size: u64_le(bytes, 48)?,
                initialized: u64_le(bytes, 56)?,
                packed: u16_le(bytes, 34)? != 0,
            },
        };
        Some(Attribute {
            kind,
            flags: u16_le(bytes, 12)?,
            name,
            value,
        })
    }
}

impl Attribute<'_> {
    pub(super) fn is_named(&self, name: &str) -> bool {
        let (pairs, _) = self.name.as_chunks::<2>();
        pairs
            .iter()
            .map(|pair| u16::from_le_bytes(*pair))
            .eq(name.encode_utf16())
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 0x4000 != 0
    }
}

/// The four times of a file; each of the two attributes that have them keeps its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileTimes {
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When its data was written.
    pub written: Option<Timestamp>,
    /// When its record was changed: by a rename, a move, new permissions.
    pub changed: Option<Timestamp>,
}

impl FileTimes {
    /// Three times, of eight bytes each, at a place.
    fn read(bytes: &[u8], at: usize) -> Self {
        let time = |index: usize| u64_le(bytes, at.checked_add(index * 8)?).and_then(file_time);
        FileTimes {
            created: time(0),
            written: time(1),
            changed: time(2),
        }
    }
}

/// A FILETIME: 100 nanoseconds since 1601 (MS-DTYP section 2.3.3). Zero is none.
pub(in crate::bundle::disk) fn file_time(ticks: u64) -> Option<Timestamp> {
    const TO_1970: i128 = 11_644_473_600 * 10_000_000;
    if ticks == 0 {
        return None;
    }
    Timestamp::from_nanosecond((i128::from(ticks) - TO_1970) * 100).ok()
}

/// A name of a file, with the folder that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameOnDisk {
    /// The record number of the folder.
    pub folder: u64,
    /// How often the folder's record was used when the name was given.
    pub folder_sequence: u16,
    /// The name.
    pub name: String,
    /// The times that stand with the name; they are taken over when it is given, and hardly ever after.
    pub times: FileTimes,
    /// Whether it is the short name that stands beside a long one.
    pub(in crate::bundle::disk) is_short: bool,
    /// Whether the file refers to something else: a junction, a link, data kept elsewhere.
    pub(in crate::bundle::disk) is_reparse: bool,
    /// Whether it is a folder.
    pub(in crate::bundle::disk) is_folder: bool,
}

impl NameOnDisk {
    /// The value of a $FILE_NAME attribute, or the key of an entry in a folder.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let reference = u64_le(value, 0)?;
        let flags = u32_le(value, 56)?;
        let len = usize::from(*value.get(64)?) * 2;
        let name = value.get(66..66 + len)?;
        Some(NameOnDisk {
            folder: reference & RECORD_NUMBER,
            folder_sequence: (reference >> 48) as u16,
            name: utf16_le(name),
            times: FileTimes::read(value, 8),
            is_short: *value.get(65)? == 2,
            is_reparse: flags & 0x400 != 0,
            is_folder: flags & 0x1000_0000 != 0,
        })
    }
}

/// What one entry of $MFT says, in use or not: for whoever asks what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRecord {
    /// Its number.
    pub number: u64,
    /// How often the entry was used, counted up when a file is deleted.
    pub sequence: u16,
    /// Whether it is a file that is there.
    pub is_used: bool,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its names, without short ones.
    pub names: Vec<NameOnDisk>,
    /// The times of the file itself.
    pub times: FileTimes,
    /// The size of its data, where the entry tells it.
    pub bytes: Option<u64>,
}

impl TableRecord {
    /// Reads an entry of $MFT from its bytes, as they lie there; none where it is no whole record with a name.
    #[must_use]
    pub fn read(number: u64, bytes: &[u8]) -> Option<Self> {
        let record = Record::read(number, bytes.to_vec()).ok()?;
        let times = FileTimes::read(record.resident(STANDARD_INFORMATION)?, 0);
        let mut names = Vec::new();
        let mut size = None;
        for attribute in record.attributes() {
            match (attribute.kind, attribute.value) {
                (FILE_NAME, Value::Resident(value)) => {
                    names.extend(NameOnDisk::read(value).filter(|name| !name.is_short));
                }
                (DATA, value) if attribute.is_named("") => {
                    size = match value {
                        Value::Resident(value) => Some(value.len() as u64),
                        Value::Clusters { first: 0, size, .. } => Some(size),
                        Value::Clusters { .. } => size,
                    };
                }
                _ => {}
            }
        }
        (!names.is_empty()).then(|| TableRecord {
            number,
            sequence: record.sequence(),
            is_used: record.is_used(),
            is_folder: record.is_folder(),
            names,
            times,
            bytes: size,
        })
    }
}
