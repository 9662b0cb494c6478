//! File records: the entries of $MFT, and the attributes in them.

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
pub(super) const RECORD_NUMBER: u64 = 0xFFFF_FFFF_FFFF;

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
        /// Whether, and in units of how many clusters as a power of two, the value may be compressed.
        unit: Option<u16>,
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

    /// How often the record was used.
    pub(super) fn uses(&self) -> u16 {
        u16_le(&self.bytes, 16).unwrap_or_default()
    }

    /// The record that this one continues, if it does.
    pub(super) fn base(&self) -> Option<u64> {
        self.base_reference()
            .map(|reference| reference & RECORD_NUMBER)
    }

    /// The same, with how often that record was used.
    pub(super) fn base_reference(&self) -> Option<u64> {
        u64_le(&self.bytes, 32).filter(|reference| reference & RECORD_NUMBER != 0)
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
                unit: Some(u16_le(bytes, 34)?).filter(|unit| *unit > 0),
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

    /// The method by which it is compressed: 0 is none, 1 is LZNT1.
    pub(super) fn compression(&self) -> u16 {
        self.flags & 0xFF
    }

    /// Its name, where it has one.
    pub(super) fn name(&self) -> Option<String> {
        (!self.name.is_empty()).then(|| utf16_le(self.name))
    }
}

/// A name of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bundle::disk) struct FileName {
    pub(in crate::bundle::disk) name: String,
    /// Whether it is the short name that stands beside a long one.
    pub(super) is_short: bool,
    /// Whether it is a long name that a short one stands beside.
    pub(super) has_short: bool,
    /// Whether the file refers to something else: a junction, a link, data kept elsewhere.
    pub(in crate::bundle::disk) is_reparse: bool,
    pub(in crate::bundle::disk) is_folder: bool,
}

impl FileName {
    /// The value of a $FILE_NAME attribute, which is also the key of an entry in a folder.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let flags = u32_le(value, 56)?;
        let len = usize::from(*value.get(64)?) * 2;
        let name = value.get(66..66 + len)?;
        let space = *value.get(65)?;
        (space <= 3).then_some(())?;
        Some(FileName {
            name: utf16_le(name),
            is_short: space == 2,
            has_short: space == 1,
            is_reparse: flags & 0x400 != 0,
            is_folder: is_folder(value),
        })
    }
}

/// Whether the value of a $FILE_NAME attribute is a folder's.
pub(super) fn is_folder(value: &[u8]) -> bool {
    u32_le(value, 56).is_some_and(|flags| flags & 0x1000_0000 != 0)
}
