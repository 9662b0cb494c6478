//! Values (`vk` cells): name, type and data, and the typed readings of the data.
//!
//! Source: "Windows registry file format specification" (M. Suhanov), sections "Key value" and "Big data"; the types:
//! Microsoft, "Registry value types".

use std::collections::BTreeSet;
use std::fmt;

use super::cell::{Cell, Cells};
use super::flaw::{Flaw, Why, WrongType};
use super::key_node::KeyNode;
use super::name::{Encoding, Name};

/// The most that one segment of big data holds.
const SEGMENT_SIZE: usize = 16344;

/// The newest minor version without big data: a value of whatever length stands in one cell there.
const LAST_WITHOUT_BIG_DATA: u32 = 3;

/// What a disk loses at once.
const SECTOR: u64 = 512;

/// The most zero bytes that a text may end in without being taken for zeroed.
const LONGEST_END: usize = 8;

/// The bit of the length that says that the data stands in the offset field itself.
const INLINE: u32 = 0x8000_0000;

const FLAG_LATIN1_NAME: u16 = 0x0001;

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name in the case it was given; empty for the key's default value.
    pub name: String,
    /// The type that was stored with it.
    pub kind: ValueKind,
    /// The data.
    pub bytes: Vec<u8>,
}

/// The type stored with a value. The data need not fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueKind {
    /// `REG_NONE`: no type.
    RegNone,
    /// `REG_SZ`: text.
    RegSz,
    /// `REG_EXPAND_SZ`: text with environment variables.
    RegExpandSz,
    /// `REG_BINARY`: bytes.
    RegBinary,
    /// `REG_DWORD`: a 32-bit number, little-endian.
    RegDword,
    /// `REG_DWORD_BIG_ENDIAN`: a 32-bit number, big-endian.
    RegDwordBigEndian,
    /// `REG_MULTI_SZ`: a list of texts.
    RegMultiSz,
    /// `REG_QWORD`: a 64-bit number, little-endian.
    RegQword,
    /// Any other type, by its number.
    Other(u32),
}

impl From<u32> for ValueKind {
    fn from(number: u32) -> Self {
        match number {
            0 => ValueKind::RegNone,
            1 => ValueKind::RegSz,
            2 => ValueKind::RegExpandSz,
            3 => ValueKind::RegBinary,
            4 => ValueKind::RegDword,
            5 => ValueKind::RegDwordBigEndian,
            7 => ValueKind::RegMultiSz,
            11 => ValueKind::RegQword,
            other => ValueKind::Other(other),
        }
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            ValueKind::RegNone => "REG_NONE",
            ValueKind::RegSz => "REG_SZ",
            ValueKind::RegExpandSz => "REG_EXPAND_SZ",
            ValueKind::RegBinary => "REG_BINARY",
            ValueKind::RegDword => "REG_DWORD",
            ValueKind::RegDwordBigEndian => "REG_DWORD_BIG_ENDIAN",
            ValueKind::RegMultiSz => "REG_MULTI_SZ",
            ValueKind::RegQword => "REG_QWORD",
            ValueKind::Other(number) => return write!(out, "type {number}"),
        })
    }
}

impl Value {
    /// The number of a `REG_DWORD` of either byte order.
    ///
    /// # Errors
    /// When the type is another, or the data is not four bytes long.
    pub fn dword(&self) -> Result<u32, WrongType> {
        match (self.kind, self.bytes.as_slice()) {
            (ValueKind::RegDword, &[a, b, c, d]) => Ok(u32::from_le_bytes([a, b, c, d])),
            (ValueKind::RegDwordBigEndian, &[a, b, c, d]) => Ok(u32::from_be_bytes([a, b, c, d])),
            _ => Err(self.wrong("REG_DWORD")),
        }
    }

    /// The number of a `REG_QWORD`.
    ///
    /// # Errors
    /// When the type is another, or the data is not eight bytes long.
    pub fn qword(&self) -> Result<u64, WrongType> {
        match (self.kind, self.bytes.first_chunk()) {
            (ValueKind::RegQword, Some(bytes)) if self.bytes.len() == 8 => {
                Ok(u64::from_le_bytes(*bytes))
            }
            _ => Err(self.wrong("REG_QWORD")),
        }
    }

    /// The text of a `REG_SZ` or `REG_EXPAND_SZ`, up to its first NUL. What is no UTF-16 becomes U+FFFD.
    ///
    /// # Errors
    /// When the type is another.
    pub fn text(&self) -> Result<String, WrongType> {
        match self.kind {
            ValueKind::RegSz | ValueKind::RegExpandSz => {
                let units: Vec<u16> = self.units().take_while(|unit| *unit != 0).collect();
                Ok(String::from_utf16_lossy(&units))
            }
            _ => Err(self.wrong("REG_SZ")),
        }
    }

    /// The texts of a `REG_MULTI_SZ`, up to the empty one that ends the list.
    ///
    /// # Errors
    /// When the type is another.
    pub fn multi_text(&self) -> Result<Vec<String>, WrongType> {
        if self.kind != ValueKind::RegMultiSz {
            return Err(self.wrong("REG_MULTI_SZ"));
        }
        let units: Vec<u16> = self.units().collect();
        let texts = units.split(|unit| *unit == 0);
        let texts = texts.take_while(|text| !text.is_empty());
        Ok(texts.map(String::from_utf16_lossy).collect())
    }

    /// The data as UTF-16 units; an odd last byte is dropped.
    fn units(&self) -> impl Iterator<Item = u16> + '_ {
        let (units, _) = self.bytes.as_chunks();
        units.iter().map(|unit| u16::from_le_bytes(*unit))
    }

    fn wrong(&self, expected: &'static str) -> WrongType {
        WrongType {
            expected,
            found: self.kind,
            length: self.bytes.len(),
        }
    }
}

/// The values of one key, without their data.
#[derive(Debug, Default)]
pub(super) struct Values<'h> {
    /// Those that could be read, in the order of the list.
    pub nodes: Vec<ValueNode<'h>>,
    /// What was wrong with the list or with values on it.
    pub flaws: Vec<Flaw>,
}

/// Reads the list of the values of `key`.
pub(super) fn read<'h>(cells: Cells<'h>, key: &KeyNode<'_>) -> Values<'h> {
    let mut found = Values::default();
    if key.values.is_empty() {
        return found;
    }
    let list = match cells.at(key.values.offset) {
        Ok(list) => list,
        Err(flaw) => {
            found.flaws.push(flaw);
            return found;
        }
    };
    let (says, holds) = (u64::from(key.values.count), list.data.len() as u64 / 4);
    if says > holds {
        let what = "values";
        found
            .flaws
            .push(list.flaw(Why::Count { what, says, holds }));
    }
    let (offsets, _) = list.data.as_chunks();
    let mut met = BTreeSet::new();
    for offset in offsets
        .iter()
        .take(usize::try_from(says).unwrap_or(usize::MAX))
    {
        let offset = u32::from_le_bytes(*offset);
        if !met.insert(offset) {
            let what = "value";
            found.flaws.push(list.flaw(Why::Again { what }));
            continue;
        }
        match ValueNode::read(cells, offset) {
            Ok(node) => {
                if node.name.holds_nul() {
                    found.flaws.push(Flaw::new(node.position, Why::Name));
                }
                found.nodes.push(node);
            }
            Err(flaw) => found.flaws.push(flaw),
        }
    }
    found
}

/// One value as its cell describes it.
#[derive(Debug, Clone)]
pub(super) struct ValueNode<'h> {
    /// Where the cell begins in the file.
    pub position: u64,
    pub name: Name<'h>,
    pub kind: ValueKind,
    cell: Cell<'h>,
    length: u32,
    offset: u32,
}

impl<'h> ValueNode<'h> {
    fn read(cells: Cells<'h>, offset: u32) -> Result<Self, Flaw> {
        let cell = cells.at(offset)?;
        cell.expect("vk")?;
        let what = "the value";
        let encoding = match cell.u16(16, what)? & FLAG_LATIN1_NAME {
            0 => Encoding::Utf16,
            _ => Encoding::Latin1,
        };
        Ok(ValueNode {
            position: cell.position,
            name: Name::read(&cell, 20, cell.u16(2, what)?, encoding)?,
            kind: ValueKind::from(cell.u32(12, what)?),
            length: cell.u32(4, what)?,
            offset: cell.u32(8, what)?,
            cell,
        })
    }

    /// How many bytes of data the value says it has.
    pub fn length(&self) -> usize {
        (self.length & !INLINE) as usize
    }

    /// Whether the data stands where nt-hive looks for it: it takes all that is long for big data, which older hives do not
    /// have, and it follows the offset of empty data, which there need not be.
    pub fn suits_library(&self, minor_version: u32) -> bool {
        let length = self.length();
        length > 0 && (length <= SEGMENT_SIZE || minor_version > LAST_WITHOUT_BIG_DATA)
    }

    /// The data, wherever it stands.
    pub fn data(&self, cells: Cells<'h>, minor_version: u32) -> Result<Vec<u8>, Flaw> {
        let length = self.length();
        let what = "the data";
        if self.length & INLINE != 0 {
            let has = 4;
            let needs = length as u64;
            if needs > has {
                return Err(self.cell.flaw(Why::TooLong { what, needs, has }));
            }
            return Ok(self.cell.slice(8, length, what)?.to_vec());
        }
        if length == 0 {
            return Ok(Vec::new());
        }
        let (needs, has) = (length as u64, cells.len() as u64);
        if needs > has {
            return Err(self.cell.flaw(Why::TooLong { what, needs, has }));
        }
        let cell = cells.at(self.offset)?;
        if length > SEGMENT_SIZE && minor_version > LAST_WITHOUT_BIG_DATA {
            return big_data(cells, &cell, length);
        }
        let data = cell.slice(0, length, what)?;
        match self.zeroed(data, cell.position + 4) {
            Some(at) => Err(Flaw::new(at, Why::Zeroed)),
            None => Ok(data.to_vec()),
        }
    }

    /// Where a text breaks off at a sector that holds nothing but zeroes: a lost sector looks like the end of a text that
    /// is shorter than the real one. `start` is the place of the data in the file.
    fn zeroed(&self, data: &[u8], start: u64) -> Option<u64> {
        let ended: &[u8] = match self.kind {
            ValueKind::RegSz | ValueKind::RegExpandSz => &[0, 0],
            ValueKind::RegMultiSz => &[0, 0, 0, 0],
            _ => return None,
        };
        let end = start.saturating_add(data.len() as u64);
        let mut at = start.next_multiple_of(SECTOR);
        while at < end {
            let (before, from) = data.split_at_checked(usize::try_from(at - start).ok()?)?;
            let sector = from.get(..SECTOR as usize).unwrap_or(from);
            if sector.len() > LONGEST_END && sector.iter().all(|byte| *byte == 0) {
                let (units, _) = before.as_chunks::<2>();
                let over = units
                    .windows(ended.len() / 2)
                    .any(|window| window.as_flattened() == ended);
                return (!over).then_some(at);
            }
            at = at.saturating_add(SECTOR);
        }
        None
    }
}

/// Joins the segments of a value that is too long for one cell.
fn big_data(cells: Cells<'_>, header: &Cell<'_>, length: usize) -> Result<Vec<u8>, Flaw> {
    header.expect("db")?;
    let what = "segments";
    let says = usize::from(header.u16(2, what)?);
    let needed = length.div_ceil(SEGMENT_SIZE);
    if says < needed {
        let (says, holds) = (needed as u64, says as u64);
        return Err(header.flaw(Why::Count { what, says, holds }));
    }
    let list = cells.at(header.u32(4, what)?)?;
    let mut data = Vec::with_capacity(length);
    let mut met = BTreeSet::new();
    for at in 0..needed {
        let offset = list.u32(4 * at, what)?;
        if !met.insert(offset) {
            let what = "segment";
            return Err(list.flaw(Why::Again { what }));
        }
        let rest = length.saturating_sub(data.len()).min(SEGMENT_SIZE);
        data.extend_from_slice(cells.at(offset)?.slice(0, rest, "the segment")?);
    }
    Ok(data)
}
