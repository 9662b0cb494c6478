//! The values that a record puts into the slots of its template: a table of sizes and types, then the values.

use std::ops::Range;

use super::super::chunk::u64_at;
use super::cursor::Cursor;

/// Slots beyond these are not looked into; those of the `System` part are the first 17 or 18.
const KEPT: usize = 24;
/// More slots than any event has.
const MOST: u32 = 1024;

const NULL: u8 = 0x00;
const STRING: u8 = 0x01;
const UINT8: u8 = 0x04;
const UINT16: u8 = 0x06;
const UINT32: u8 = 0x08;
const UINT64: u8 = 0x0a;
const FILETIME: u8 = 0x11;
const SID: u8 = 0x13;

#[derive(Clone, Copy, Default)]
struct Slot {
    at: usize,
    size: u16,
    kind: u8,
}

/// Where the values of a record stand.
pub(super) struct Slots {
    kept: [Slot; KEPT],
    count: usize,
}

impl Slots {
    /// Those of a record without a template.
    pub fn none() -> Self {
        Slots {
            kept: [Slot::default(); KEPT],
            count: 0,
        }
    }

    /// Reads the table and steps over the values; what was kept of another record is forgotten.
    pub fn read(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        self.count = 0;
        let mut kept = self.kept.iter_mut();
        let count = each_value(cursor, |value| {
            if let Some(slot) = kept.next() {
                *slot = Slot {
                    at: value.at,
                    size: value.size,
                    kind: value.kind,
                };
            }
            Some(())
        })?;
        self.count = count.min(KEPT);
        Some(())
    }

    fn slot(&self, slot: u16) -> Option<Slot> {
        self.kept.get(..self.count)?.get(usize::from(slot)).copied()
    }

    /// Whether nothing stands in a slot; one that the record does not have is in doubt, which counts as nothing.
    pub fn is_null(&self, slot: u16) -> bool {
        self.slot(slot)
            .is_none_or(|slot| slot.kind == NULL || slot.size == 0)
    }

    /// The UTF-16 bytes of a text; what stands behind a NUL in them is none of it.
    pub fn text<'c>(&self, chunk: &'c [u8], slot: u16) -> Option<&'c [u8]> {
        let slot = self.slot(slot).filter(|slot| slot.kind == STRING)?;
        chunk.get(slot.at..slot.at + usize::from(slot.size))
    }

    /// An unsigned number.
    pub fn number(&self, chunk: &[u8], slot: u16) -> Option<u64> {
        let slot = self.slot(slot)?;
        let bytes = chunk.get(slot.at..)?;
        // The sizes are those of the types: others are in doubt before.
        Some(match slot.kind {
            UINT8 => u64::from(*bytes.first()?),
            UINT16 => u64::from(u16::from_le_bytes(*bytes.first_chunk()?)),
            UINT32 => u64::from(u32::from_le_bytes(*bytes.first_chunk()?)),
            UINT64 => u64::from_le_bytes(*bytes.first_chunk()?),
            _ => return None,
        })
    }

    /// A time, as 100 ns since 1601.
    pub fn filetime(&self, chunk: &[u8], slot: u16) -> Option<u64> {
        let slot = self.slot(slot).filter(|slot| slot.kind == FILETIME)?;
        u64_at(chunk, slot.at)
    }
}

/// A value in a slot.
pub(super) struct Value {
    pub kind: u8,
    /// Where it stands in the chunk.
    at: usize,
    size: u16,
}

impl Value {
    /// Where it stands in the chunk.
    pub fn place(&self) -> Range<usize> {
        self.at..self.at + usize::from(self.size)
    }
}

/// Reads the table at the cursor, hands on each value and steps over all of them; returns how many there are. A value whose size
/// is not that of its type is a doubt: a reader that goes by types finds all later values elsewhere.
pub(super) fn each_value(
    cursor: &mut Cursor<'_>,
    mut take: impl FnMut(Value) -> Option<()>,
) -> Option<usize> {
    let count = cursor.u32().filter(|count| *count <= MOST)? as usize;
    let table = cursor.take(count * 4)?;
    let start = cursor.at();
    let mut at = start;
    let (entries, _) = table.as_chunks::<4>();
    for [low, high, kind, _] in entries {
        let size = u16::from_le_bytes([*low, *high]);
        let fits = match SIZES[usize::from(*kind)] {
            Size::Masked { mask, due } => size & mask == due,
            Size::Pointer => matches!(size, 4 | 8),
            Size::Sid => sid_fits(cursor, at - start, size),
        };
        fits.then_some(())?;
        take(Value {
            kind: *kind,
            at,
            size,
        })?;
        at += usize::from(size);
    }
    cursor.skip(at - start)?;
    Some(count)
}

/// What the type of a value says of its size ([MS-EVEN6] 2.2.12, `ValueType`).
#[derive(Clone, Copy)]
enum Size {
    /// These bits of it are so: one comparison for nearly every value there is.
    Masked {
        mask: u16,
        due: u16,
    },
    Pointer,
    Sid,
}

impl Size {
    const ANY: Size = Size::Masked { mask: 0, due: 0 };
    const EVEN: Size = Size::Masked { mask: 1, due: 0 };
    /// None will do.
    const UNKNOWN: Size = Size::Masked { mask: 0, due: 1 };

    const fn is(due: u16) -> Size {
        Size::Masked {
            mask: u16::MAX,
            due,
        }
    }
}

const SIZES: [Size; 256] = sizes();

const fn sizes() -> [Size; 256] {
    let mut sizes = [Size::UNKNOWN; 256];
    let known = [
        (0x00, Size::ANY),
        (0x01, Size::EVEN),
        (0x02, Size::ANY),
        (0x03, Size::is(1)),
        (0x04, Size::is(1)),
        (0x05, Size::is(2)),
        (0x06, Size::is(2)),
        (0x07, Size::is(4)),
        (0x08, Size::is(4)),
        (0x09, Size::is(8)),
        (0x0a, Size::is(8)),
        (0x0b, Size::is(4)),
        (0x0c, Size::is(8)),
        (0x0d, Size::is(4)),
        (0x0e, Size::ANY),
        (0x0f, Size::is(16)),
        (0x10, Size::Pointer),
        (0x11, Size::is(8)),
        (0x12, Size::is(16)),
        (SID as usize, Size::Sid),
        (0x14, Size::is(4)),
        (0x15, Size::is(8)),
        (0x21, Size::ANY),
        // Arrays of texts.
        (0x81, Size::ANY),
    ];
    let mut index = 0;
    while index < known.len() {
        sizes[known[index].0] = known[index].1;
        index += 1;
    }
    sizes
}

/// A SID says by itself how many parts it has: eight bytes and four for each.
fn sid_fits(cursor: &Cursor<'_>, ahead: usize, size: u16) -> bool {
    cursor
        .ahead(ahead + 1)
        .is_some_and(|parts| usize::from(size) == 8 + 4 * usize::from(parts))
}
