//! Names of keys and values: Latin-1 or UTF-16, compared without regard to case as Windows does.

use nt_hive::NtHiveNameString;

use super::cell::Cell;
use super::flaw::{Flaw, Why};

/// The name of a key or a value as it stands in its cell. The case table is nt-hive's.
#[derive(Debug, Clone)]
pub(super) struct Name<'h> {
    stored: NtHiveNameString<'h>,
}

impl<'h> Name<'h> {
    /// The `length` bytes at `start`, one for each character when the name is `compressed`.
    pub fn read(
        cell: &Cell<'h>,
        start: usize,
        length: u16,
        encoding: Encoding,
    ) -> Result<Self, Flaw> {
        let bytes = cell.slice(start, usize::from(length), "the name")?;
        let stored = match encoding {
            Encoding::Latin1 => NtHiveNameString::Latin1(bytes),
            Encoding::Utf16 if bytes.len() % 2 == 0 => NtHiveNameString::Utf16LE(bytes),
            Encoding::Utf16 => return Err(cell.flaw(Why::Name)),
        };
        Ok(Name { stored })
    }

    /// Whether this is `name`, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.stored == *name
    }

    /// The name in the case that it was given; unpaired surrogates become U+FFFD.
    pub fn text(&self) -> String {
        self.stored.to_string_lossy()
    }

    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// Whether a character is NUL, which a zeroed page leaves behind in a name.
    pub fn holds_nul(&self) -> bool {
        match self.stored {
            NtHiveNameString::Latin1(bytes) => bytes.contains(&0),
            NtHiveNameString::Utf16LE(bytes) => {
                bytes.chunks_exact(2).any(|unit| unit == [0, 0].as_slice())
            }
        }
    }

    /// The hash that an `lh` list keeps of this name; computed for names in ASCII only, which nearly all are.
    pub fn hash(&self) -> Option<u32> {
        let NtHiveNameString::Latin1(letters) = self.stored else {
            return None;
        };
        let capitals = letters.iter().map(u8::to_ascii_uppercase);
        letters.is_ascii().then(|| {
            capitals.fold(0, |hash: u32, letter| {
                hash.wrapping_mul(37).wrapping_add(u32::from(letter))
            })
        })
    }
}

/// How a name is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One byte for each character.
    Latin1,
    /// UTF-16, little-endian.
    Utf16,
}
