//! Reads a log chunk by chunk and tells the summary of everything it meets.

use std::io;

use jiff::Timestamp;

use super::chunk::{self, CHUNK_SIZE, ChunkHeader, Integrity, RecordSpan, Walk};
use super::decode::Decoder;
use super::layout::{self, Content, Layout, Slot};
use super::names;
use super::record::{self, EventRecord, Place, RecordKey, System};
use super::summary::{Builder, Hole, LogSummary, Mark, Seen};
use crate::bundle::ReadAt;

/// What reading one log needs.
pub(super) struct Reader<'a> {
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

impl<'a> Reader<'a> {
    pub fn new(
        bytes: &'a dyn ReadAt,
        wants: &'a dyn Fn(&RecordKey<'_>) -> bool,
        on_record: &'a mut dyn FnMut(EventRecord),
        layout: &Layout,
    ) -> Self {
        Reader {
            bytes,
            wants,
            on_record,
            decoder: Decoder::new(),
            summary: Builder::new(layout.header, layout.slots.len()),
        }
    }

    /// Reads all chunks, oldest first.
    pub fn run(mut self, layout: &Layout) -> io::Result<LogSummary> {
        self.file_header(layout);
        self.empty_slots(layout);
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
            self.chunk(index, slot, &mut block)?;
        }
        Ok(self.summary.finish(self.bytes.len()))
    }

    fn file_header(&mut self, layout: &Layout) {
        if layout.slots.is_empty() && layout.header.is_none() {
            let what = "the file ends within its header".into();
            self.summary.hole(hole(0, self.bytes.len(), 0, what));
        }
        let Some(header) = layout.header else {
            let what = format!(
                "the file header is lost; the first chunk begins at byte {}",
                layout.start
            );
            return self.summary.problem(None, 0, what);
        };
        if !layout.magic_stands {
            self.summary.problem(
                None,
                0,
                "the file header's magic is gone; its checksum vouches for the rest".into(),
            );
        }
        if layout.start != layout::FILE_HEADER_BLOCK {
            let what = format!(
                "the log is shifted: its first chunk begins at byte {}",
                layout.start
            );
            self.summary.problem(None, 0, what);
        }
        if !header.checksum_right {
            self.summary
                .problem(None, 0, "the checksum of the file header is wrong".into());
        }
        let found = layout
            .slots
            .iter()
            .rposition(|slot| slot.content == Content::Chunk);
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
            self.summary
                .hole(hole(index, slot.offset, slot.length, what.into()));
        }
        let mut behind = layout.slots.iter().enumerate().skip(in_use);
        if let Some((index, slot)) = behind.find(|(_, slot)| slot.content == Content::Junk) {
            let what =
                "from here to its end the file holds bytes that are none of the log's".into();
            self.summary.problem(Some(index), slot.offset, what);
        }
        if counted > layout.slots.len() {
            let lost = (counted - layout.slots.len()) * CHUNK_SIZE;
            let what =
                format!("the file is cut off: {lost} bytes that its header counts are missing");
            let end = self.bytes.len();
            self.summary.hole(Hole {
                length: 0,
                ..hole(layout.slots.len(), end, 0, what)
            });
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
        if header.is_none_or(|header| !header.data_checksum_right(block)) {
            let names = names::repair(block);
            if !names.is_empty() {
                let what = format!(
                    "damaged element names were repaired by their hashes: {}",
                    names.join(", ")
                );
                self.summary.problem(Some(index), slot.offset, what);
            }
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
            say(format!(
                "the chunk is torn: {filled} of {CHUNK_SIZE} bytes are there"
            ));
        }
        match header {
            None => say(
                "the chunk's header is damaged; its records were found by their own headers".into(),
            ),
            Some(header) if !header.checksum_right => {
                say("the checksum of the chunk's header is wrong".into())
            }
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
        for record in &walk.records {
            let offset = slot.offset + record.offset as u64;
            let what = match record.integrity {
                Integrity::Whole => continue,
                Integrity::Recovered => {
                    format!("record {} was recovered from damage", record.number)
                }
                Integrity::Torn => format!("the end of record {} is not there", record.number),
            };
            self.summary.problem(Some(index), offset, what);
        }
    }

    fn losses(&mut self, index: usize, slot: &Slot, walk: &Walk) {
        let time = |index: Option<usize>| record::timestamp(walk.records.get(index?)?.filetime);
        for loss in &walk.losses {
            let offset = slot.offset + loss.offset as u64;
            let hides = match (loss.after, loss.before) {
                (Some(after), Some(before)) if before > after.saturating_add(1) => {
                    Some(after + 1..=before - 1)
                }
                (Some(_), Some(_)) => {
                    let what = format!(
                        "{} bytes between records are damaged; no record is missing",
                        loss.length
                    );
                    self.summary.problem(Some(index), offset, what);
                    continue;
                }
                _ => None,
            };
            let behind = walk
                .records
                .partition_point(|record| record.offset < loss.offset);
            let what = match slot.length < CHUNK_SIZE {
                true => "the chunk is torn",
                false => "records are damaged",
            };
            self.summary.hole(Hole {
                hides,
                after: time(behind.checked_sub(1)),
                before: time(Some(behind)),
                ..hole(index, offset, loss.length, what.into())
            });
        }
    }

    /// Decodes the records at `spans`. A filter on raw chunks would shorten `spans` here, to the hits and the first
    /// and the last record.
    fn decode(
        &mut self,
        index: usize,
        slot: &Slot,
        spans: &[RecordSpan],
        block: &mut [u8],
    ) -> Vec<Read> {
        let mut records = Vec::with_capacity(spans.len());
        let wants = self.wants;
        let outcome = self.decoder.decode(block, spans, &mut |span, json| {
            let header_time = record::timestamp(span.filetime);
            let mut time = header_time;
            let content = json.and_then(|json| {
                let system = System::parse(json)?;
                time = system.time().or(header_time);
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
            records.push(Read {
                span: *span,
                time,
                content,
            });
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
                let torn = read.span.integrity == Integrity::Torn;
                self.summary.undecoded(Hole {
                    hides: Some(order..=order),
                    after: match torn {
                        true => self.summary.previous_time(),
                        false => read.time,
                    },
                    before: read.time.filter(|_| !torn),
                    ..hole(
                        index,
                        offset,
                        read.span.size,
                        format!("a record cannot be decoded: {reason}"),
                    )
                });
                if let Some(time) = read.time {
                    let number = order.wrapping_add(*renumbered_by);
                    let mark = Mark {
                        number,
                        order,
                        time,
                    };
                    let seen = Seen {
                        mark,
                        origin: None,
                        templateless: false,
                        integrity: read.span.integrity,
                    };
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
                mark: Mark {
                    number: content.number,
                    order,
                    time,
                },
                origin: Some((&content.channel, &content.computer)),
                templateless: read.span.templateless,
                integrity: read.span.integrity,
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
