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
    at: u16,
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

    /// Reads the table and steps over the values.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut slots = Slots::none();
        let mut kept = slots.kept.iter_mut();
        slots.count = each_value(cursor, |value| {
            if let Some(place) = kept.next() {
                *place = Slot {
                    at: u16::try_from(value.place.start).ok()?,
                    size: u16::try_from(value.place.len()).ok()?,
                    kind: value.kind,
                };
            }
            Some(())
        })?
        .min(KEPT);
        Some(slots)
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
        let at = usize::from(slot.at);
        chunk.get(at..at + usize::from(slot.size))
    }

    /// An unsigned number.
    pub fn number(&self, chunk: &[u8], slot: u16) -> Option<u64> {
        let slot = self.slot(slot)?;
        matches!(slot.kind, UINT8 | UINT16 | UINT32 | UINT64).then_some(())?;
        let at = usize::from(slot.at);
        let bytes = chunk.get(at..at + usize::from(slot.size))?;
        let mut wide = [0; 8];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u64::from_le_bytes(wide))
    }

    /// A time, as 100 ns since 1601.
    pub fn filetime(&self, chunk: &[u8], slot: u16) -> Option<u64> {
        let slot = self.slot(slot).filter(|slot| slot.kind == FILETIME)?;
        u64_at(chunk, usize::from(slot.at))
    }
}

/// A value in a slot.
pub(super) struct Value {
    pub kind: u8,
    /// Where it stands in the chunk.
    pub place: Range<usize>,
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
        let fits = match SIZES.get(usize::from(*kind))? {
            Size::Any => true,
            Size::Even => size.is_multiple_of(2),
            Size::Is(due) => size == *due,
            Size::Pointer => matches!(size, 4 | 8),
            Size::Sid => sid_fits(cursor, at - start, size),
            Size::Unknown => false,
        };
        fits.then_some(())?;
        let place = at..at + usize::from(size);
        at = place.end;
        take(Value { kind: *kind, place })?;
    }
    cursor.skip(at - start)?;
    Some(count)
}

/// What the type of a value says of its size ([MS-EVEN6] 2.2.12, `ValueType`).
#[derive(Clone, Copy)]
enum Size {
    Any,
    Even,
    Is(u16),
    Pointer,
    Sid,
    Unknown,
}

const SIZES: [Size; 256] = sizes();

const fn sizes() -> [Size; 256] {
    let mut sizes = [Size::Unknown; 256];
    let known = [
        (0x00, Size::Any),
        (0x01, Size::Even),
        (0x02, Size::Any),
        (0x03, Size::Is(1)),
        (0x04, Size::Is(1)),
        (0x05, Size::Is(2)),
        (0x06, Size::Is(2)),
        (0x07, Size::Is(4)),
        (0x08, Size::Is(4)),
        (0x09, Size::Is(8)),
        (0x0a, Size::Is(8)),
        (0x0b, Size::Is(4)),
        (0x0c, Size::Is(8)),
        (0x0d, Size::Is(4)),
        (0x0e, Size::Any),
        (0x0f, Size::Is(16)),
        (0x10, Size::Pointer),
        (0x11, Size::Is(8)),
        (0x12, Size::Is(16)),
        (SID as usize, Size::Sid),
        (0x14, Size::Is(4)),
        (0x15, Size::Is(8)),
        (0x21, Size::Any),
        // Arrays of texts.
        (0x81, Size::Any),
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
