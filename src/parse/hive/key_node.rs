//! Key nodes (`nk` cells): the name, last-write time and lists of a key.
//!
//! Our own walk over the bytes: nt-hive keeps the times and the security descriptors to itself. Source: "Windows registry
//! file format specification" (M. Suhanov), section "Key node".

use jiff::Timestamp;

use super::base_block::timestamp;
use super::cell::{Cell, Cells, NIL};
use super::flaw::{Flaw, Why};
use super::name::{Encoding, Name};

/// The size of a key node without its name.
pub(super) const FIXED_SIZE: usize = 76;

const FLAG_ROOT: u16 = 0x0004;
const FLAG_LATIN1_NAME: u16 = 0x0020;

/// One key as its cell describes it.
#[derive(Debug, Clone)]
pub(super) struct KeyNode<'h> {
    /// Where the cell begins in the file.
    pub position: u64,
    pub name: Name<'h>,
    pub written: Option<Timestamp>,
    /// Whether the key is marked as the root of its hive.
    pub is_root: bool,
    pub parent: u32,
    pub subkeys: Reference,
    pub values: Reference,
    /// The offset of the `sk` cell.
    pub security: u32,
    /// The offset of the class name, and its length in bytes.
    pub class: (u32, u16),
}

/// A list that a key refers to: where it stands and how many entries it should have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub offset: u32,
    pub count: u32,
}

impl<'h> KeyNode<'h> {
    /// The key node at `offset`.
    pub fn read(cells: Cells<'h>, offset: u32) -> Result<Self, Flaw> {
        let cell = cells.at(offset)?;
        cell.expect("nk")?;
        let what = "the key";
        let flags = cell.u16(2, what)?;
        let is_root = flags & FLAG_ROOT != 0;
        let encoding = match flags & FLAG_LATIN1_NAME {
            0 => Encoding::Utf16,
            _ => Encoding::Latin1,
        };
        let name = Name::read(&cell, FIXED_SIZE, cell.u16(72, what)?, encoding)?;
        if name.is_empty() && !is_root {
            return Err(cell.flaw(Why::Name));
        }
        Ok(KeyNode {
            position: cell.position,
            name,
            written: timestamp(cell.u64(4, what)?),
            is_root,
            parent: cell.u32(16, what)?,
            subkeys: Reference::read(&cell, 20, 28)?,
            values: Reference::read(&cell, 36, 40)?,
            security: cell.u32(44, what)?,
            class: (cell.u32(48, what)?, cell.u16(74, what)?),
        })
    }

    /// The class name, which a few keys carry.
    pub fn class_name(&self, cells: Cells<'h>) -> Result<Option<String>, Flaw> {
        let (offset, length) = self.class;
        if offset == NIL || length == 0 {
            return Ok(None);
        }
        let cell = cells.at(offset)?;
        let name = Name::read(&cell, 0, length, Encoding::Utf16)?;
        Ok(Some(name.text()))
    }
}

impl Reference {
    fn read(cell: &Cell<'_>, count: usize, offset: usize) -> Result<Self, Flaw> {
        let reference = Reference {
            count: cell.u32(count, "the key")?,
            offset: cell.u32(offset, "the key")?,
        };
        // Offset 0 is the header of the first bin: no list ever stands there, a zeroed page says so.
        if reference.offset == 0 {
            return Err(cell.flaw(Why::Outside));
        }
        Ok(reference)
    }

    /// Whether there is no list, because there are no entries.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }
}
