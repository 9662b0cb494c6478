//! Windows event logs (`.evtx`): records out of whole, torn and damaged files, and what the file covers.
//!
//! ```text
//! layout   where the chunks stand
//! chunk    one chunk, walked by record headers
//! decode   the wanted records of a chunk → JSON, through the evtx crate
//! record   JSON → EventRecord
//! summary  what the log covers, and what is missing
//! ```
//!
//! A chunk of 64 KiB is read at a time. Records come oldest first by number, also where the log had wrapped.

mod chunk;
mod decode;
mod layout;
mod node;
mod record;
mod summary;

use std::io;

use jiff::Timestamp;

pub use layout::FileHeader;
pub use record::{EventData, EventRecord, RecordKey};
pub use summary::{ClockStep, Gap, GapKind, Hole, LogSummary, Mark, Problem, Span};

use crate::bundle::ReadAt;
use chunk::{CHUNK_SIZE, ChunkHeader, RecordSpan, Walk};
use decode::Decoder;
use layout::{Content, Layout, Slot};
use record::{Place, System};
use summary::{Builder, Seen};

/// Why nothing of a file can be read as an event log.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// The file has no bytes.
    #[error("the file is empty (0 bytes): the log was not copied; export it again with `wevtutil epl`")]
    Empty,
    /// There is neither a file header nor a chunk.
    #[error("no event log: neither a file header (ElfFile) at its start nor a chunk (ElfChnk) on any sector")]
    NotAnEventLog,
    /// The bytes cannot be had.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Reads a log. `wants` is asked for the kind of each record, and each wanted record goes to `on_record`, oldest
/// first by number. What is damaged is told by the summary and ends nothing.
///
/// # Errors
/// Where the bytes cannot be had, or are no event log at all.
pub fn read(
    bytes: &dyn ReadAt,
    wants: &dyn Fn(&RecordKey<'_>) -> bool,
    on_record: &mut dyn FnMut(EventRecord),
) -> Result<LogSummary, EventLogError> {
    if bytes.is_empty() {
        return Err(EventLogError::Empty);
    }
    let layout = layout::locate(bytes)?.ok_or(EventLogError::NotAnEventLog)?;
    let mut reader = Reader {
        bytes,
        wants,
        on_record,
        decoder: Decoder::new(),
        summary: Builder::new(layout.header, layout.slots.len()),
    };
    reader.file_header(&layout);
    reader.empty_slots(&layout);
    let mut chunks: Vec<(usize, &Slot)> = layout
        .slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| matches!(slot.content, Content::Chunk | Content::Headless))
        .collect();
    // Those without a readable record come first: they only tell of damage.
    chunks.sort_by_key(|(index, slot)| (slot.first_number, *index));
    let mut block = vec![0; CHUNK_SIZE];
    for (index, slot) in chunks {
        reader.chunk(index, slot, &mut block)?;
    }
    Ok(reader.summary.finish(bytes.len()))
}

struct Reader<'a> {
    bytes: &'a dyn ReadAt,
    wants: &'a dyn Fn(&RecordKey<'_>) -> bool,
    on_record: &'a mut dyn FnMut(EventRecord),
    decoder: Decoder,
    summary: Builder,
}

/// A record of the chunk at hand.
struct Read {
    span: RecordSpan,
    time: Option<Timestamp>,
    content: Result<ReadContent, String>,
}

struct ReadContent {
    number: u64,
    channel: String,
    computer: String,
    wanted: Option<EventRecord>,
}

impl Reader<'_> {
    fn file_header(&mut self, layout: &Layout) {
        let Some(header) = layout.header else {
            let what = format!("the file header is lost; the first chunk begins at byte {}", layout.start);
            return self.summary.problem(None, 0, what);
        };
        if layout.start != 4096 {
            let what = format!("the log is shifted: its first chunk begins at byte {}", layout.start);
            self.summary.problem(None, 0, what);
        }
        if !header.checksum_right {
            self.summary.problem(None, 0, "the checksum of the file header is wrong".into());
        }
        let found = layout.slots.iter().rposition(|slot| slot.content == Content::Chunk);
        let found = found.map_or(0, |last| last + 1);
        if found > usize::from(header.chunks) {
            let what = format!(
                "the file header counts {} chunks and {found} stand here: the log was being written when it was copied",
                header.chunks
            );
            self.summary.problem(None, 0, what);
        }
    }

    /// Slots without a chunk. Zeros behind the last chunk in use are room that was never written.
    fn empty_slots(&mut self, layout: &Layout) {
        let counted = layout.header.map_or(0, |header| usize::from(header.chunks));
        let last_chunk = layout
            .slots
            .iter()
            .rposition(|slot| matches!(slot.content, Content::Chunk | Content::Headless));
        let in_use = counted.max(last_chunk.map_or(0, |last| last + 1));
        for (index, slot) in layout.slots.iter().enumerate().take(in_use) {
            let what = match slot.content {
                Content::Zeros => "a chunk is filled with zeros",
                Content::Junk => "a chunk is overwritten: no record stands in it",
                Content::Chunk | Content::Headless => continue,
            };
            self.summary.hole(hole(index, slot.offset, slot.length, what.into()));
        }
        for (index, slot) in layout.slots.iter().enumerate().skip(in_use) {
            if slot.content == Content::Junk {
                let what = "bytes behind the last chunk that are none of the log's".into();
                self.summary.problem(Some(index), slot.offset, what);
            }
        }
        if counted > layout.slots.len() {
            let lost = (counted - layout.slots.len()) * CHUNK_SIZE;
            let what = format!("the file is cut off: {lost} bytes that its header counts are missing");
            let end = self.bytes.len();
            self.summary.hole(Hole { length: 0, ..hole(layout.slots.len(), end, 0, what) });
        }
    }

    fn chunk(&mut self, index: usize, slot: &Slot, block: &mut [u8]) -> io::Result<()> {
        block.fill(0);
        let length = slot.length.min(block.len());
        let filled = self.bytes.read_full_at(slot.offset, &mut block[..length])?;
        let header = ChunkHeader::read(block)
            .filter(|header| slot.content == Content::Chunk || header.checksum_right);
        let walk = chunk::walk(block, header.as_ref());
        self.chunk_state(index, slot, header.as_ref(), &walk, filled, block);
        self.losses(index, slot, &walk);
        if !walk.records.is_empty() {
            self.summary.chunk_read();
        }
        let mut records = self.decode(index, slot, &walk.records, block);
        records.sort_by_key(|record| (record.span.number, record.span.offset));
        let mut renumbered_by = 0;
        for read in records {
            self.deliver(index, slot, read, &mut renumbered_by);
        }
        Ok(())
    }

    fn chunk_state(
        &mut self,
        index: usize,
        slot: &Slot,
        header: Option<&ChunkHeader>,
        walk: &Walk,
        filled: usize,
        block: &[u8],
    ) {
        let mut say = |what: String| self.summary.problem(Some(index), slot.offset, what);
        if slot.content == Content::Headless {
            say("the chunk's magic is gone; its records were found by their own headers".into());
        }
        if filled < CHUNK_SIZE {
            say(format!("the chunk is torn: {filled} of {CHUNK_SIZE} bytes are there"));
        }
        match header {
            None => say("the chunk's header is damaged; its records were found by their own headers".into()),
            Some(header) if !header.checksum_right => say("the checksum of the chunk's header is wrong".into()),
            Some(_) => {}
        }
        let data_wrong = header.is_some_and(|header| !header.data_checksum_right(block));
        if data_wrong && filled == CHUNK_SIZE {
            say("the checksum of the chunk's records is wrong".into());
        }
        if walk.beyond_header > 0 {
            say(format!(
                "{} records stand behind the end that the chunk's header states: the log was being written",
                walk.beyond_header
            ));
        }
        for record in walk.records.iter().filter(|record| record.recovered) {
            let offset = slot.offset + record.offset as u64;
            let what = format!("record {} was recovered from damage", record.number);
            self.summary.problem(Some(index), offset, what);
        }
    }

    fn losses(&mut self, index: usize, slot: &Slot, walk: &Walk) {
        let time = |number: Option<u64>| {
            let record = walk.records.iter().find(|record| Some(record.number) == number)?;
            record::timestamp(record.filetime)
        };
        for loss in &walk.losses {
            let offset = slot.offset + loss.offset as u64;
            let hides = match (loss.after, loss.before) {
                (Some(after), Some(before)) if before > after.saturating_add(1) => Some(after + 1..=before - 1),
                (Some(_), Some(_)) => {
                    let what = format!("{} bytes between records are damaged; no record is missing", loss.length);
                    self.summary.problem(Some(index), offset, what);
                    continue;
                }
                _ => None,
            };
            let what = match slot.length < CHUNK_SIZE {
                true => "the chunk is torn",
                false => "records are damaged",
            };
            self.summary.hole(Hole {
                hides,
                after: time(loss.after),
                before: time(loss.before),
                ..hole(index, offset, loss.length, what.into())
            });
        }
    }

    /// Decodes the records at `spans`. A filter on raw chunks would shorten `spans` here, to the hits and the first
    /// and the last record.
    fn decode(&mut self, index: usize, slot: &Slot, spans: &[RecordSpan], block: &mut [u8]) -> Vec<Read> {
        let mut records = Vec::with_capacity(spans.len());
        let wants = self.wants;
        let outcome = self.decoder.decode(block, spans, &mut |span, json| {
            let header_time = record::timestamp(span.filetime);
            let mut time = header_time;
            let content = json.and_then(|json| {
                let system = System::parse(json)?;
                time = header_time.or_else(|| system.time());
                let place = Place {
                    span: *span,
                    number: system.number().unwrap_or(span.number),
                    time: time.ok_or("it bears no time")?,
                    chunk: index as u64,
                    offset: slot.offset + span.offset as u64,
                };
                let wanted = wants(&system.key()?).then(|| record::record(&system, json, &place));
                Ok(ReadContent {
                    number: place.number,
                    channel: system.channel().to_owned(),
                    computer: system.computer().to_owned(),
                    wanted: wanted.transpose()?,
                })
            });
            records.push(Read { span: *span, time, content });
        });
        if let Some(reason) = outcome.string_table {
            let what = format!("the chunk's string table is damaged and was left aside ({reason})");
            self.summary.problem(Some(index), slot.offset, what);
        }
        records
    }

    fn deliver(&mut self, index: usize, slot: &Slot, read: Read, renumbered_by: &mut u64) {
        let order = read.span.number;
        let offset = slot.offset + read.span.offset as u64;
        let content = match read.content {
            Ok(content) => content,
            Err(reason) => {
                self.summary.undecoded(Hole {
                    hides: Some(order..=order),
                    after: read.time,
                    before: read.time,
                    ..hole(index, offset, read.span.size, format!("a record cannot be decoded: {reason}"))
                });
                if let Some(time) = read.time {
                    let number = order.wrapping_add(*renumbered_by);
                    let mark = Mark { number, order, time };
                    let seen = Seen { mark, origin: None, templateless: false, recovered: false };
                    self.summary.seen(index, &seen);
                }
                return;
            }
        };
        let Some(time) = read.time else { return };
        *renumbered_by = content.number.wrapping_sub(order);
        self.summary.seen(
            index,
            &Seen {
                mark: Mark { number: content.number, order, time },
                origin: Some((&content.channel, &content.computer)),
                templateless: read.span.templateless,
                recovered: read.span.recovered,
            },
        );
        if let Some(record) = content.wanted {
            (self.on_record)(record);
        }
    }
}

fn hole(index: usize, offset: u64, length: usize, what: String) -> Hole {
    Hole {
        chunk: index as u64,
        offset,
        length: length as u64,
        hides: None,
        after: None,
        before: None,
        what,
    }
}
