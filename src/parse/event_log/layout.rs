//! Where the chunks of a log stand, also where its file header is lost, shifted or behind the times.

use std::io;

use super::chunk::{CHUNK_MAGIC, CHUNK_SIZE, ChunkHeader, RECORDS_START, u32_at, u64_at, walk};
use crate::bundle::ReadAt;

/// The block in front of the first chunk, as Windows writes it.
pub(super) const FILE_HEADER_BLOCK: u64 = 4096;
const FILE_MAGIC: &[u8; 8] = b"ElfFile\0";
/// 64 GiB, sixteen times what the file header counts in its 16 bits.
const MOST_SLOTS: usize = 1 << 20;
/// 1 GiB without a chunk: what goes on so long is no damage within a log, but a file with another size than it should have.
const MOST_WITHOUT_CHUNK: usize = 1 << 14;
/// Whatever cuts or shifts a file does so by whole sectors.
const SECTOR: usize = 512;

/// What the file header says. A log that was copied while it was being written has one that is behind its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHeader {
    /// The log was open for writing when it was copied: what this header says may be old.
    pub dirty: bool,
    /// The log had reached its maximum size and could not wrap.
    pub full: bool,
    /// Whether the header's checksum is right.
    pub checksum_right: bool,
    /// How many chunks it says are in use.
    pub chunks: u16,
    /// The number that it says the next record gets.
    pub next_number: u64,
}

impl FileHeader {
    fn read(block: &[u8]) -> Option<Self> {
        let flags = u32_at(block, 120)?;
        let mut covered = [0u8; 120];
        covered.copy_from_slice(block.get(..120)?);
        covered[..8].copy_from_slice(FILE_MAGIC);
        let checksum_right = flags & 4 != 0 || evtx::checksum_ieee(&covered) == u32_at(block, 124)?;
        let count = block.get(42..44)?;
        let header = FileHeader {
            dirty: flags & 1 != 0,
            full: flags & 2 != 0,
            checksum_right,
            chunks: u16::from_le_bytes(count.try_into().ok()?),
            next_number: u64_at(block, 24)?,
        };
        (block.starts_with(FILE_MAGIC) || (checksum_right && flags & 4 == 0)).then_some(header)
    }
}

/// What stands at a place where a chunk should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A chunk by its magic.
    Chunk,
    /// Records without the magic of a chunk before them.
    Headless,
    /// Nothing but zeros.
    Zeros,
    /// Something else.
    Junk,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub offset: u64,
    /// At most [`CHUNK_SIZE`]; less where the file ends or the next chunk begins too early.
    pub length: usize,
    pub content: Content,
    /// The number of its oldest record, by which chunks are put in order.
    pub first_number: Option<u64>,
}

impl Layout {
    /// Where it was given up, if it was before the end of the file.
    pub(super) fn given_up_at(&self, bytes: u64) -> Option<u64> {
        let last = self.slots.last()?;
        let end = last.offset + last.length as u64;
        (end < bytes).then_some(end)
    }
}

fn holds_records(slot: &Slot) -> bool {
    matches!(slot.content, Content::Chunk | Content::Headless)
}

#[derive(Debug)]
pub(super) struct Layout {
    pub header: Option<FileHeader>,
    /// Whether the file begins as an event log does.
    pub magic_stands: bool,
    /// Where the slots begin.
    pub start: u64,
    pub slots: Vec<Slot>,
}

/// Finds the file header and the chunks. `None`: these bytes hold neither.
pub(super) fn locate(bytes: &dyn ReadAt) -> io::Result<Option<Layout>> {
    let mut block = [0u8; SECTOR];
    let filled = bytes.read_full_at(0, &mut block)?;
    let intact = block.starts_with(FILE_MAGIC);
    let (header, start) = if intact {
        (FileHeader::read(&block[..filled]), FILE_HEADER_BLOCK)
    } else {
        let Some(first) = first_chunk(bytes)? else {
            return Ok(None);
        };
        // Chunks before the first that still has its magic keep their places.
        let start = first % CHUNK_SIZE as u64;
        let header = match start.checked_sub(FILE_HEADER_BLOCK) {
            Some(place) => {
                let filled = bytes.read_full_at(place, &mut block)?;
                FileHeader::read(&block[..filled])
            }
            None => None,
        };
        (header, start)
    };
    let slots = slots(bytes, start)?;
    Ok(Some(Layout {
        header,
        magic_stands: intact,
        start,
        slots,
    }))
}

/// The first sector that begins with a chunk header whose fields make sense.
fn first_chunk(bytes: &dyn ReadAt) -> io::Result<Option<u64>> {
    let mut block = vec![0u8; CHUNK_SIZE];
    let mut offset = 0;
    while offset < bytes.len().min((MOST_WITHOUT_CHUNK * CHUNK_SIZE) as u64) {
        let filled = bytes.read_full_at(offset, &mut block)?;
        if filled == 0 {
            break;
        }
        if let Some(place) = chunk_within(&block[..filled], 0) {
            return Ok(Some(offset + place as u64));
        }
        offset += CHUNK_SIZE as u64;
    }
    Ok(None)
}

/// The first sector of `block` from `from` on that begins with a chunk header whose fields make sense.
fn chunk_within(block: &[u8], from: usize) -> Option<usize> {
    (from..block.len()).step_by(SECTOR).find(|&place| {
        let sector = &block[place..];
        sector.starts_with(CHUNK_MAGIC) && ChunkHeader::read(sector).is_some()
    })
}

fn slots(bytes: &dyn ReadAt, start: u64) -> io::Result<Vec<Slot>> {
    let mut slots = Vec::new();
    let mut block = vec![0u8; CHUNK_SIZE];
    let mut offset = start;
    // The sector at `offset`, which for all but the first slot was read to see whether a chunk begins there.
    let mut sector = Sector::read(bytes, start)?;
    let mut without_chunk = 0;
    while offset < bytes.len()
        && sector.filled > 0
        && slots.len() < MOST_SLOTS
        && without_chunk < MOST_WITHOUT_CHUNK
    {
        let rest = bytes.len() - offset;
        let mut slot = Slot {
            offset,
            length: usize::try_from(rest).map_or(CHUNK_SIZE, |rest| rest.min(CHUNK_SIZE)),
            content: Content::Chunk,
            first_number: None,
        };
        let header = ChunkHeader::read(sector.bytes());
        let is_chunk = sector.begins_chunk();
        let sure = is_chunk && header.is_some_and(|header| header.checksum_right);
        let next = Sector::read(bytes, offset + CHUNK_SIZE as u64)?;
        if !(sure && next.begins_chunk()) {
            block.fill(0);
            let filled = bytes.read_full_at(offset, &mut block)?;
            if let Some(next) = chunk_within(&block[..filled], SECTOR) {
                slot.length = next;
                block[next..].fill(0);
            }
            slot.content = if is_chunk {
                Content::Chunk
            } else {
                content(&block)
            };
        }
        slot.first_number = match (slot.content, header) {
            (Content::Chunk, Some(header)) if header.checksum_right => Some(header.first_number),
            (Content::Chunk | Content::Headless, header) => walk(&block, header.as_ref())
                .records
                .first()
                .map(|record| record.number),
            (Content::Zeros | Content::Junk, _) => None,
        };
        without_chunk = match holds_records(&slot) {
            true => 0,
            false => without_chunk + 1,
        };
        offset += slot.length as u64;
        sector = match slot.length {
            CHUNK_SIZE => next,
            _ => Sector::read(bytes, offset)?,
        };
        slots.push(slot);
    }
    Ok(slots)
}

/// The first bytes of a slot.
struct Sector {
    bytes: [u8; SECTOR],
    filled: usize,
}

impl Sector {
    fn read(source: &dyn ReadAt, offset: u64) -> io::Result<Self> {
        let mut bytes = [0; SECTOR];
        let filled = source.read_full_at(offset, &mut bytes)?;
        Ok(Sector { bytes, filled })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or(&[])
    }

    fn begins_chunk(&self) -> bool {
        self.bytes().starts_with(CHUNK_MAGIC)
    }
}

static ZEROS: [u8; CHUNK_SIZE] = [0; CHUNK_SIZE];

fn content(block: &[u8]) -> Content {
    if ZEROS.starts_with(block) {
        return Content::Zeros;
    }
    let header = ChunkHeader::read(block).filter(|header| header.checksum_right);
    let records = walk(block, header.as_ref()).records;
    match records.first() {
        Some(first) if first.offset == RECORDS_START || header.is_some() || records.len() > 1 => {
            Content::Headless
        }
        _ => Content::Junk,
    }
}
