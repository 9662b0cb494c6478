//! Cells: the pieces of a hive that everything else is made of, read with every bound checked.
//!
//! A cell is a signed 32-bit size and its data. The size is negative while the cell is in use; offsets count from the end
//! of the base block. Source: "Windows registry file format specification" (M. Suhanov), section "Cell".

use super::flaw::{Flaw, Why};

/// The size of the base block, and so the place of offset 0.
pub(super) const BASE_BLOCK_SIZE: usize = 4096;

/// The offset that stands for "there is none".
pub(super) const NIL: u32 = u32::MAX;

/// The cells of a hive, by offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells<'h> {
    /// The whole file, base block included.
    bytes: &'h [u8],
}

impl<'h> Cells<'h> {
    pub fn new(bytes: &'h [u8]) -> Self {
        Cells { bytes }
    }

    /// How many bytes the hive has: nothing in it can be longer.
    pub fn len(self) -> usize {
        self.bytes.len()
    }

    /// The allocated cell at `offset`.
    pub fn at(self, offset: u32) -> Result<Cell<'h>, Flaw> {
        let position = position(offset);
        let flaw = |why| Flaw::new(position, why);
        let rest = usize::try_from(position)
            .ok()
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or(&[]);
        let (size, data) = rest.split_first_chunk().ok_or(flaw(Why::Outside))?;
        let size = i32::from_le_bytes(*size);
        if size > 0 {
            return Err(flaw(Why::Free));
        }
        let length = size.unsigned_abs();
        if length < 8 || length % 8 != 0 {
            return Err(flaw(Why::CellSize { size }));
        }
        let data = data.get(..length as usize - 4).ok_or(flaw(Why::CutShort {
            size: length,
            there: rest.len() as u64,
        }))?;
        Ok(Cell { position, data })
    }
}

/// Where in the file the cell at `offset` begins.
pub(super) fn position(offset: u32) -> u64 {
    u64::from(offset) + BASE_BLOCK_SIZE as u64
}

/// The data of one allocated cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell<'h> {
    /// Where the cell begins in the file, for messages.
    pub position: u64,
    /// Everything after the size field; at least four bytes.
    pub data: &'h [u8],
}

impl<'h> Cell<'h> {
    /// Fails unless the cell begins with the two letters `expected`.
    pub fn expect(&self, expected: &'static str) -> Result<(), Flaw> {
        let found = self.signature();
        if found == expected.as_bytes() {
            return Ok(());
        }
        Err(self.flaw(Why::Signature { expected, found }))
    }

    /// The two letters that tell what the cell holds.
    pub fn signature(&self) -> [u8; 2] {
        self.data.first_chunk().copied().unwrap_or_default()
    }

    /// `length` bytes of the data from `start` on; `what` names them when they are not there.
    pub fn slice(&self, start: usize, length: usize, what: &'static str) -> Result<&'h [u8], Flaw> {
        let end = start.saturating_add(length);
        self.data.get(start..end).ok_or_else(|| {
            self.flaw(Why::TooLong {
                what,
                needs: end as u64,
                has: self.data.len() as u64,
            })
        })
    }

    /// The 16-bit field at `start`.
    pub fn u16(&self, start: usize, what: &'static str) -> Result<u16, Flaw> {
        Ok(u16::from_le_bytes(self.array(start, what)?))
    }

    /// The 32-bit field at `start`.
    pub fn u32(&self, start: usize, what: &'static str) -> Result<u32, Flaw> {
        Ok(u32::from_le_bytes(self.array(start, what)?))
    }

    /// The 64-bit field at `start`.
    pub fn u64(&self, start: usize, what: &'static str) -> Result<u64, Flaw> {
        Ok(u64::from_le_bytes(self.array(start, what)?))
    }

    /// A flaw in this cell.
    pub fn flaw(&self, why: Why) -> Flaw {
        Flaw::new(self.position, why)
    }

    fn array<const N: usize>(&self, start: usize, what: &'static str) -> Result<[u8; N], Flaw> {
        let bytes = self.slice(start, N, what)?;
        Ok(bytes.first_chunk().copied().unwrap_or([0; N]))
    }
}
