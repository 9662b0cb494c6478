//! Reading little-endian fields one after another, never past the end.

use super::super::chunk::u32_at;

/// A place in a chunk that moves forward.
pub(super) struct Cursor<'c> {
    bytes: &'c [u8],
    at: usize,
}

impl<'c> Cursor<'c> {
    /// From `at` up to the end of `bytes`, whose offsets are those of the chunk.
    pub fn new(bytes: &'c [u8], at: usize) -> Self {
        Cursor { bytes, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The byte so many behind this place.
    pub fn ahead(&self, distance: usize) -> Option<u8> {
        self.bytes.get(self.at.checked_add(distance)?).copied()
    }

    pub fn skip(&mut self, count: usize) -> Option<()> {
        let to = self.at.checked_add(count)?;
        (to <= self.bytes.len()).then(|| self.at = to)
    }

    pub fn skip_if(&mut self, bytes: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).unwrap_or(&[]).starts_with(bytes);
        if found {
            self.at += bytes.len();
        }
        found
    }

    pub fn u8(&mut self) -> Option<u8> {
        let value = self.peek()?;
        self.at += 1;
        Some(value)
    }

    pub fn u16(&mut self) -> Option<u16> {
        let field = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += 2;
        Some(u16::from_le_bytes(*field))
    }

    pub fn u32(&mut self) -> Option<u32> {
        let value = u32_at(self.bytes, self.at)?;
        self.at += 4;
        Some(value)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'c [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }
}
