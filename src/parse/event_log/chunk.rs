//! One chunk of a log, walked by its record headers alone: where each record stands, and what of the chunk is lost.
//!
//! Layout after the public documentation of the format (libyal's "Windows XML Event Log (EVTX)", [MS-EVEN6] for what
//! stands inside the records): a header of 512 bytes, then records `2a2a0000 | size u32 | number u64 | FILETIME u64 |
//! BinXML | size u32` up to the free space.

/// Bytes of a whole chunk.
pub(super) const CHUNK_SIZE: usize = 0x10000;
/// Where the records of a chunk start: behind its header, the string table and the template table.
pub(super) const RECORDS_START: usize = 512;
/// Bytes before the BinXML of a record.
pub(super) const RECORD_HEADER: usize = 24;
/// A record with no BinXML at all: its header and the copy of its size.
pub(super) const SMALLEST_RECORD: usize = RECORD_HEADER + 4;
/// How a chunk begins.
pub(super) const CHUNK_MAGIC: &[u8; 8] = b"ElfChnk\0";
/// The string table of a chunk header, which only speeds up the reading of names.
pub(super) const STRING_TABLE: std::ops::Range<usize> = 128..384;

const RECORD_MAGIC: [u8; 4] = [0x2a, 0x2a, 0, 0];
const NO_CHECKSUM: u32 = 4;
/// More records than most chunks hold.
const USUAL_RECORDS: usize = 128;
/// Where the header of a chunk is lost, how far record numbers may jump over a damaged place and still be believed.
const BELIEVABLE_JUMP: u64 = 4096;

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

/// What a chunk header says of its records.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkHeader {
    pub first_number: u64,
    pub last_number: u64,
    free_space: usize,
    data_checksum: u32,
    flags: u32,
    /// Whether the checksum of the header itself is right (or left out on purpose).
    pub checksum_right: bool,
}

impl ChunkHeader {
    /// The header at the start of `chunk`, whatever its magic; `None` where its fields contradict each other or the
    /// layout, so that nothing may rest on it.
    pub fn read(chunk: &[u8]) -> Option<Self> {
        let header = ChunkHeader {
            first_number: u64_at(chunk, 24)?,
            last_number: u64_at(chunk, 32)?,
            free_space: usize::try_from(u32_at(chunk, 48)?).ok()?,
            data_checksum: u32_at(chunk, 52)?,
            flags: u32_at(chunk, 120)?,
            checksum_right: header_checksum_right(chunk)?,
        };
        let consistent = u32_at(chunk, 40)? == 128
            && (RECORDS_START..=CHUNK_SIZE).contains(&header.free_space)
            && (header.first_number <= header.last_number || header.first_number == u64::MAX);
        consistent.then_some(header)
    }

    /// Whether the records up to the free space have the checksum that the header states.
    pub fn data_checksum_right(&self, chunk: &[u8]) -> bool {
        self.flags & NO_CHECKSUM != 0
            || chunk
                .get(RECORDS_START..self.free_space)
                .is_some_and(|data| evtx::checksum_ieee(data) == self.data_checksum)
    }
}

impl ChunkHeader {
    /// Whether the checksums of the header and of the records are there and right, and the string table leads into the
    /// records: all is as it was written.
    pub fn vouches_for(&self, chunk: &[u8], data_checksum_right: bool) -> bool {
        let table = chunk.get(STRING_TABLE).unwrap_or(&[]).as_chunks::<4>().0;
        let leads_into_records = table.iter().all(|head| {
            let head = u32::from_le_bytes(*head) as usize;
            head == 0 || (RECORDS_START..self.free_space).contains(&head)
        });
        self.flags & NO_CHECKSUM == 0
            && self.checksum_right
            && data_checksum_right
            && leads_into_records
    }
}

/// Whether bytes 0..120 and 128..512 have the CRC-32 stored at 124. The magic counts as intact: where only it is
/// gone, the checksum tells that all the rest stands.
fn header_checksum_right(chunk: &[u8]) -> Option<bool> {
    if u32_at(chunk, 120)? & NO_CHECKSUM != 0 {
        return Some(true);
    }
    let mut covered = [0u8; 120 + 384];
    covered[..120].copy_from_slice(chunk.get(..120)?);
    covered[..8].copy_from_slice(CHUNK_MAGIC);
    covered[120..].copy_from_slice(chunk.get(128..512)?);
    Some(evtx::checksum_ieee(&covered) == u32_at(chunk, 124)?)
}

/// Where a record stands in its chunk, and what its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordSpan {
    pub offset: usize,
    pub size: usize,
    pub number: u64,
    /// 100 ns since 1601, as stored.
    pub filetime: u64,
    /// Its BinXML holds its elements itself, without a template: so exporting tools write them.
    pub templateless: bool,
    pub integrity: Integrity,
}

/// How far a record can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Integrity {
    /// Magic, size and the copy of the size agree.
    Whole,
    /// One of them was damaged and the others tell it, or the record was found by searching behind damage.
    Recovered,
    /// Its end is not there. What it says of provider, id and time was read, but fields may read as empty or as zero
    /// that were not: nothing may rest on them.
    Torn,
}

/// A place in a chunk where live records should stand and none can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    pub offset: usize,
    pub length: usize,
    /// Number of the record before it in the chunk.
    pub after: Option<u64>,
    /// Number of the record behind it in the chunk; where there is none, one past the last that the header names.
    pub before: Option<u64>,
}

/// The records of a chunk in the order of their places, and what could not be read.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub records: Vec<RecordSpan>,
    pub losses: Vec<Loss>,
    /// Records stand behind the end that the header states: the log was being written when it was copied.
    pub beyond_header: usize,
}

impl Walk {
    /// Records stand in the order of their numbers, without a break. Where all stand that the chunk's header counts, a number that is
    /// not the one due at its place is damaged; returns those numbers as they were written. To be asked only where a checksum says that
    /// something is.
    pub fn restore_numbers(&mut self, header: &ChunkHeader) -> Vec<u64> {
        let all_stand = header.checksum_right
            && self.beyond_header == 0
            && self.losses.iter().all(|loss| loss.length == 0)
            && header
                .last_number
                .checked_sub(header.first_number)
                .is_some_and(|others| others.saturating_add(1) == self.records.len() as u64);
        let due = self.records.iter().zip(header.first_number..);
        let as_due = due.filter(|(record, due)| record.number == *due).count();
        // Else it is the header that speaks of other numbers.
        if !all_stand || as_due * 2 < self.records.len() {
            return Vec::new();
        }
        // What was missed was missed for the number of the last record.
        self.losses.clear();
        let mut restored = Vec::new();
        for (record, due) in self.records.iter_mut().zip(header.first_number..) {
            if record.number != due {
                record.number = due;
                restored.push(due);
            }
        }
        restored
    }
}

/// Walks the live records of `chunk` (a whole chunk; a torn one is padded with zeros by the caller). Records that an
/// earlier turn of the log left in the free space are not live: they are told by their numbers.
pub(super) fn walk(chunk: &[u8], header: Option<&ChunkHeader>) -> Walk {
    Walker {
        chunk,
        header,
        walk: Walk {
            records: Vec::with_capacity(USUAL_RECORDS),
            ..Walk::default()
        },
        found: None,
    }
    .run()
}

struct Walker<'a> {
    chunk: &'a [u8],
    header: Option<&'a ChunkHeader>,
    walk: Walk,
    /// Where the last search ended, so that no stretch is searched twice.
    found: Option<Option<usize>>,
}

impl Walker<'_> {
    fn run(mut self) -> Walk {
        let mut live_end = self.header.map_or(CHUNK_SIZE, |header| header.free_space);
        let mut offset = RECORDS_START;
        // Every turn moves forward by at least the smallest record, so this ends.
        loop {
            if offset >= live_end {
                match self.record_at(offset) {
                    Some(record) if self.follows(record.number) && self.header.is_some() => {
                        self.walk.beyond_header += 1;
                        offset += record.size;
                        self.walk.records.push(record);
                        continue;
                    }
                    _ => break,
                }
            }
            if let Some(record) = self.live_record_at(offset) {
                offset += record.size;
                if self
                    .header
                    .is_some_and(|header| header.last_number == record.number)
                {
                    live_end = offset;
                }
                self.walk.records.push(record);
                continue;
            }
            let next = self.next_record(offset + 4, live_end);
            if let Some(record) = next.and_then(|next| self.record_with_bad_size(offset, next)) {
                offset += record.size;
                self.walk.records.push(record);
                continue;
            }
            if let Some(record) = self.torn_record_at(offset, next.unwrap_or(CHUNK_SIZE)) {
                offset += record.size;
                self.walk.records.push(record);
                continue;
            }
            let lost_end = next.unwrap_or(live_end);
            self.lose(offset, lost_end, next);
            match next {
                Some(next) => offset = next,
                None => break,
            }
            if let Some(mut record) = self.record_at(offset) {
                record.integrity = Integrity::Recovered;
                offset += record.size;
                self.walk.records.push(record);
            }
        }
        self.lose_tail(offset.min(CHUNK_SIZE), live_end);
        self.walk
    }

    fn last_number(&self) -> Option<u64> {
        self.walk.records.last().map(|record| record.number)
    }

    fn follows(&self, number: u64) -> bool {
        self.last_number().and_then(|last| last.checked_add(1)) == Some(number)
    }

    /// The record at `offset`, if its magic, its size and the copy of its size agree.
    fn record_at(&self, offset: usize) -> Option<RecordSpan> {
        let record = self.fields_at(offset)?;
        (self.magic_at(offset) && self.size_copy(offset, record.size)).then_some(record)
    }

    /// As [`Self::record_at`], but one of the three may be damaged where all else speaks for the record.
    fn live_record_at(&self, offset: usize) -> Option<RecordSpan> {
        let mut record = self.fields_at(offset)?;
        let end = offset + record.size;
        match (self.magic_at(offset), self.size_copy(offset, record.size)) {
            (true, true) => Some(record),
            // The copy is damaged: another record begins where this one ends.
            (true, false) if self.record_at(end).is_some() => {
                record.integrity = Integrity::Recovered;
                Some(record)
            }
            // The magic is damaged: its size says so twice and its number is the one that is due.
            (false, true) if self.follows(record.number) || self.starts_chunk(&record) => {
                record.integrity = Integrity::Recovered;
                Some(record)
            }
            _ => None,
        }
    }

    fn starts_chunk(&self, record: &RecordSpan) -> bool {
        record.offset == RECORDS_START
            && self
                .header
                .is_some_and(|header| header.first_number == record.number)
    }

    /// The record at `offset` whose size field is damaged, while the copy of it before `next` tells the size.
    fn record_with_bad_size(&self, offset: usize, next: usize) -> Option<RecordSpan> {
        let size = next
            .checked_sub(offset)
            .filter(|size| *size >= SMALLEST_RECORD)?;
        if !self.magic_at(offset) || !self.size_copy(offset, size) {
            return None;
        }
        let record = self.span(offset, size)?;
        Some(RecordSpan {
            integrity: Integrity::Recovered,
            ..record
        })
    }

    /// The record at `offset` that only its magic, size and number vouch for, and that ends before `end`.
    fn torn_record_at(&self, offset: usize, end: usize) -> Option<RecordSpan> {
        let record = self.fields_at(offset)?;
        let vouched =
            self.magic_at(offset) && (self.follows(record.number) || self.starts_chunk(&record));
        (vouched && offset + record.size <= end).then_some(RecordSpan {
            integrity: Integrity::Torn,
            ..record
        })
    }

    fn fields_at(&self, offset: usize) -> Option<RecordSpan> {
        let size = usize::try_from(u32_at(self.chunk, offset + 4)?).ok()?;
        let fits = size >= SMALLEST_RECORD && size <= CHUNK_SIZE.checked_sub(offset)?;
        if fits { self.span(offset, size) } else { None }
    }

    fn span(&self, offset: usize, size: usize) -> Option<RecordSpan> {
        let content = self.chunk.get(offset + RECORD_HEADER..offset + size)?;
        let content = content.strip_prefix(&[0x0f, 1, 1, 0]).unwrap_or(content);
        Some(RecordSpan {
            offset,
            size,
            number: u64_at(self.chunk, offset + 8)?,
            filetime: u64_at(self.chunk, offset + 16)?,
            templateless: matches!(content.first(), Some(0x01 | 0x41)),
            integrity: Integrity::Whole,
        })
    }

    fn magic_at(&self, offset: usize) -> bool {
        self.chunk.get(offset..offset + 4) == Some(&RECORD_MAGIC)
    }

    fn size_copy(&self, offset: usize, size: usize) -> bool {
        u32_at(self.chunk, offset + size - 4).is_some_and(|copy| copy as usize == size)
    }

    fn next_record(&mut self, from: usize, live_end: usize) -> Option<usize> {
        match self.found {
            Some(None) => None,
            Some(Some(place)) if place >= from => Some(place),
            _ => {
                let place = self.search(from, live_end);
                self.found = Some(place);
                place
            }
        }
    }

    /// Where the next live record stands from `from` on.
    fn search(&self, from: usize, live_end: usize) -> Option<usize> {
        let space = self.chunk.get(from..live_end)?;
        let mut places = space
            .windows(RECORD_MAGIC.len())
            .enumerate()
            .filter(|(_, window)| *window == RECORD_MAGIC)
            .map(|(place, _)| from + place);
        places.find(|&place| {
            self.record_at(place).is_some_and(|record| {
                place + record.size <= live_end && self.believable(record.number)
            })
        })
    }

    fn believable(&self, number: u64) -> bool {
        match (self.header, self.last_number()) {
            (Some(header), _) => (header.first_number..=header.last_number).contains(&number),
            (None, Some(last)) => number > last && number - last <= BELIEVABLE_JUMP,
            (None, None) => true,
        }
    }

    fn lose(&mut self, offset: usize, end: usize, next: Option<usize>) {
        let before = match next {
            Some(next) => self.record_at(next).map(|record| record.number),
            None => self
                .header
                .and_then(|header| header.last_number.checked_add(1)),
        };
        // Zeros up to the end are free space unless the header's numbers say that records stood there.
        let zeros = self
            .chunk
            .get(offset..end)
            .is_some_and(|lost| lost.iter().all(|byte| *byte == 0));
        let nothing_due = match (self.last_number(), before) {
            (Some(last), Some(before)) => before <= last.saturating_add(1),
            (_, None) => true,
            (None, Some(_)) => false,
        };
        if end > offset && !(zeros && nothing_due) {
            self.walk.losses.push(Loss {
                offset,
                length: end - offset,
                after: self.last_number(),
                before,
            });
        }
    }

    /// Numbers that the header names and no record bears, though nothing of the chunk was skipped.
    fn lose_tail(&mut self, offset: usize, live_end: usize) {
        let Some(header) = self.header else { return };
        let Some(last) = self.last_number() else {
            return;
        };
        let reported = self
            .walk
            .losses
            .last()
            .is_some_and(|loss| loss.offset + loss.length >= live_end);
        if last < header.last_number && header.last_number != u64::MAX && !reported {
            self.walk.losses.push(Loss {
                offset,
                length: 0,
                after: Some(last),
                before: header.last_number.checked_add(1),
            });
        }
    }
}
