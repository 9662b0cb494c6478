//! Some chunks, each by itself: what is damaged, which records stand there, and the wanted ones of them.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, resume_unwind};

use jiff::Timestamp;

use super::Asked;
use super::chunk::{self, CHUNK_SIZE, ChunkHeader, Integrity, RecordSpan, Walk};
use super::decode::{Decoder, Others};
use super::gather::Run;
use super::layout::{Content, Slot};
use super::names;
use super::prefilter::{Prefilter, Reach, TextId, Texts};
use super::record::{self, EventRecord, Place, Rendering, System};
use super::summary::{Hole, Mark};
use crate::bundle::ReadAt;
use crate::contain::contain;

/// How many chunks are read at once: a mebibyte, which stays in a core's own cache while it is worked on.
pub(super) const BATCH: usize = 16;

thread_local! {
    /// What a thread reads into. Made once: fresh memory costs as much as reading into it.
    static BLOCK: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What one chunk says.
pub(super) struct Report {
    pub slot: usize,
    pub problems: Vec<Finding>,
    pub holes: Vec<Hole>,
    pub doubts: Vec<Hole>,
    pub has_records: bool,
    /// By number.
    pub items: Vec<Item>,
    /// By number.
    pub wanted: Vec<EventRecord>,
}

/// Something wrong that hides no record.
pub(super) struct Finding {
    pub offset: u64,
    pub what: String,
}

/// Records of a chunk.
pub(super) enum Item {
    Run(Run),
    /// One that stands but could not be decoded. Where its number and time are known, its run follows.
    Undecoded(Hole),
}

/// A place where records may be lost.
pub(super) fn hole(index: usize, offset: u64, length: usize, what: String) -> Hole {
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

/// Inspects the chunks of one log.
pub(super) struct Inspector<'a> {
    bytes: &'a dyn ReadAt,
    asked: Asked<'a>,
    decoder: Decoder,
}

impl<'a> Inspector<'a> {
    pub fn new(bytes: &'a dyn ReadAt, asked: Asked<'a>) -> Self {
        Inspector {
            bytes,
            asked,
            decoder: Decoder::new(),
        }
    }

    /// As [`Self::inspect`], on a thread where nobody contains panics: they are handed on without a word.
    pub fn inspect_aside(&self, batch: &[(usize, &Slot)]) -> io::Result<Vec<Report>> {
        contain(AssertUnwindSafe(|| self.inspect(batch)))
            .unwrap_or_else(|panicked| resume_unwind(Box::new(panicked.message)))
    }

    /// Reads and inspects up to [`BATCH`] chunks.
    pub fn inspect(&self, batch: &[(usize, &Slot)]) -> io::Result<Vec<Report>> {
        let mut block = BLOCK.take();
        block.resize(block.len().max(batch.len() * CHUNK_SIZE), 0);
        let reports = self.inspect_in(batch, &mut block);
        BLOCK.set(block);
        reports
    }

    fn inspect_in(&self, batch: &[(usize, &Slot)], block: &mut [u8]) -> io::Result<Vec<Report>> {
        let mut texts = Texts::default();
        let mut prefilter = Prefilter::new(self.asked.wants);
        let mut reports = Vec::with_capacity(batch.len());
        let (chunks, _) = block.as_chunks_mut::<CHUNK_SIZE>();
        let mut chunks = chunks;
        for stretch in batch.chunk_by(|(_, one), (_, other)| adjoin(one, other)) {
            let (these, rest) = chunks.split_at_mut(stretch.len().min(chunks.len()));
            chunks = rest;
            let filled = self.read(stretch, these.as_flattened_mut())?;
            for (place, (chunk, (index, slot))) in these.iter_mut().zip(stretch).enumerate() {
                let filled = filled.saturating_sub(place * CHUNK_SIZE).min(CHUNK_SIZE);
                chunk.get_mut(filled..).unwrap_or_default().fill(0);
                let mut inspection = Inspection {
                    index: *index,
                    slot,
                    inspector: self,
                    texts: &mut texts,
                    is_vouched_for: false,
                    report: Report {
                        slot: *index,
                        problems: Vec::new(),
                        holes: Vec::new(),
                        doubts: Vec::new(),
                        has_records: false,
                        items: Vec::new(),
                        wanted: Vec::new(),
                    },
                };
                inspection.run(chunk, filled, &mut prefilter);
                reports.push(inspection.report);
            }
        }
        Ok(reports)
    }

    /// Reads chunks that adjoin each other; returns how many bytes there were.
    fn read(&self, stretch: &[(usize, &Slot)], into: &mut [u8]) -> io::Result<usize> {
        let Some((_, first)) = stretch.first() else {
            return Ok(0);
        };
        let length = match stretch.len() {
            1 => first.length.min(CHUNK_SIZE),
            count => count * CHUNK_SIZE,
        };
        let into = into.get_mut(..length).unwrap_or_default();
        self.bytes.read_full_at(first.offset, into)
    }
}

fn adjoin(one: &Slot, other: &Slot) -> bool {
    let whole = one.length == CHUNK_SIZE && other.length == CHUNK_SIZE;
    whole && one.offset + CHUNK_SIZE as u64 == other.offset
}

/// A record of the chunk at hand.
struct Read {
    span: RecordSpan,
    time: Option<Timestamp>,
    content: Result<ReadContent, String>,
}

impl Read {
    fn is_believed(&self) -> bool {
        match &self.content {
            Ok(content) => content.broken.is_none(),
            Err(_) => false,
        }
    }
}

struct ReadContent {
    number: u64,
    /// Why what it says of itself is not believed.
    broken: Option<&'static str>,
    channel: TextId,
    computer: TextId,
    /// Aside: most records are not wanted, and all of them are moved about.
    wanted: Option<Box<EventRecord>>,
}

/// One chunk at work.
struct Inspection<'i, 'a> {
    index: usize,
    slot: &'i Slot,
    inspector: &'i Inspector<'a>,
    texts: &'i mut Texts,
    /// Whether its checksums say that all is as it was written.
    is_vouched_for: bool,
    report: Report,
}

impl Inspection<'_, '_> {
    fn run(&mut self, block: &mut [u8], filled: usize, prefilter: &mut Prefilter<'_>) {
        let header = ChunkHeader::read(block)
            .filter(|header| self.slot.content == Content::Chunk || header.checksum_right);
        let data_right = header.map(|header| header.data_checksum_right(block));
        let mut walk = chunk::walk(block, header.as_ref());
        if let Some(header) = header.as_ref().filter(|_| data_right == Some(false)) {
            self.restored(&walk.restore_numbers(header));
        }
        self.chunk_state(header.as_ref(), data_right, &walk, filled);
        self.losses(&walk);
        self.report.has_records = !walk.records.is_empty();
        if data_right != Some(true) {
            self.repair_names(block);
        }
        let as_written = self.slot.content == Content::Chunk
            && filled == CHUNK_SIZE
            && header.is_some_and(|header| header.vouches_for(block, data_right == Some(true)))
            && is_undamaged(&walk);
        self.is_vouched_for = as_written;
        let mut records = match as_written {
            true => self.select(&walk.records, block, prefilter),
            false => self.decode(&walk.records, &Others::Walked(&walk.records), block),
        };
        records.sort_by_key(|record| (record.span.number, record.span.offset));
        // Somewhere in it stands what was not written: a number, a name, a place that something else is found by.
        if data_right == Some(false)
            && filled == CHUNK_SIZE
            && header.is_some_and(|header| header.checksum_right)
            && is_undamaged(&walk)
            && records.iter().all(Read::is_believed)
        {
            self.doubt(&records);
        }
        let mut renumbered_by = 0;
        for read in records {
            self.deliver(read, &mut renumbered_by);
        }
    }

    fn problem(&mut self, offset: u64, what: String) {
        self.report.problems.push(Finding { offset, what });
    }

    /// Nothing tells which of these records is damaged, or is another than it was.
    fn doubt(&mut self, records: &[Read]) {
        // In an export only the record's own fields tell the time.
        let written = |read: &Read| {
            let in_header = record::timestamp(read.span.filetime);
            in_header
                .filter(|time| *time >= record::FIRST_LOGS)
                .or(read.time)
        };
        let times = || records.iter().filter_map(written);
        let what = "some record of the chunk is not as it was written, and nothing tells which";
        let hole = hole(self.index, self.slot.offset, self.slot.length, what.into());
        self.report.doubts.push(Hole {
            after: times().min(),
            before: times().max(),
            ..hole
        });
    }

    fn restored(&mut self, numbers: &[u64]) {
        if !numbers.is_empty() {
            let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
            let what = format!(
                "damaged numbers of records were told by their places: {}",
                numbers.join(", ")
            );
            self.problem(self.slot.offset, what);
        }
    }

    fn repair_names(&mut self, block: &mut [u8]) {
        let names = names::repair(block);
        if !names.is_empty() {
            let what = format!(
                "damaged element names were repaired by their hashes: {}",
                names.join(", ")
            );
            self.problem(self.slot.offset, what);
        }
    }

    fn chunk_state(
        &mut self,
        header: Option<&ChunkHeader>,
        data_right: Option<bool>,
        walk: &Walk,
        filled: usize,
    ) {
        let start = self.slot.offset;
        let content = self.slot.content;
        let mut say = |what: String| self.problem(start, what);
        if content == Content::Headless {
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
        if data_right == Some(false) && filled == CHUNK_SIZE {
            say("the checksum of the chunk's records is wrong".into());
        }
        if walk.beyond_header > 0 {
            say(format!(
                "{} records stand behind the end that the chunk's header states: the log was being written",
                walk.beyond_header
            ));
        }
        for record in &walk.records {
            let what = match record.integrity {
                Integrity::Whole => continue,
                Integrity::Recovered => {
                    format!("record {} was recovered from damage", record.number)
                }
                Integrity::Torn => format!("the end of record {} is not there", record.number),
            };
            self.problem(start + record.offset as u64, what);
        }
    }

    fn losses(&mut self, walk: &Walk) {
        let time = |index: Option<usize>| record::timestamp(walk.records.get(index?)?.filetime);
        for loss in &walk.losses {
            let offset = self.slot.offset + loss.offset as u64;
            let hides = match (loss.after, loss.before) {
                (Some(after), Some(before)) if before > after.saturating_add(1) => {
                    Some(after + 1..=before - 1)
                }
                (Some(_), Some(_)) => {
                    let what = format!(
                        "{} bytes between records are damaged; no record is missing",
                        loss.length
                    );
                    self.problem(offset, what);
                    continue;
                }
                _ => None,
            };
            let behind = walk
                .records
                .partition_point(|record| record.offset < loss.offset);
            let what = match self.slot.length < CHUNK_SIZE {
                true => "the chunk is torn",
                false => "records are damaged",
            };
            self.report.holes.push(Hole {
                hides,
                after: time(behind.checked_sub(1)),
                before: time(Some(behind)),
                ..hole(self.index, offset, loss.length, what.into())
            });
        }
    }

    /// The records of an undamaged chunk: what each says of itself from its bytes, and the wanted ones decoded, together
    /// with those in doubt. Decoding fewer is never slower than decoding all, however many are wanted.
    fn select(
        &mut self,
        spans: &[RecordSpan],
        block: &mut [u8],
        prefilter: &mut Prefilter<'_>,
    ) -> Vec<Read> {
        prefilter.enter_chunk();
        let asked = self.inspector.asked;
        let mut records = Vec::with_capacity(spans.len());
        let (mut alone, mut among_others) = (Vec::new(), Vec::new());
        let mut reach = Reach::new(block, spans);
        for span in spans {
            match prefilter.glance(block, span, self.texts) {
                Some(glance) if !glance.wanted || !asked.reaches(glance.time) => {
                    records.push(Read {
                        span: *span,
                        time: Some(glance.time),
                        content: Ok(ReadContent {
                            number: glance.number,
                            broken: None,
                            channel: glance.channel,
                            computer: glance.computer,
                            wanted: None,
                        }),
                    })
                }
                Some(_) if reach.is_own(span) => alone.push(*span),
                _ => among_others.push(*span),
            }
        }
        // These first: the others change the block.
        if !among_others.is_empty() {
            records.extend(self.decode(&among_others, &Others::Walked(spans), block));
        }
        if !alone.is_empty() {
            records.extend(self.decode(&alone, &Others::Covered, block));
        }
        records
    }

    fn decode(&mut self, spans: &[RecordSpan], others: &Others<'_>, block: &mut [u8]) -> Vec<Read> {
        let mut records = Vec::with_capacity(spans.len());
        let asked = self.inspector.asked;
        let (index, start) = (self.index as u64, self.slot.offset);
        let texts = &mut *self.texts;
        let is_vouched_for = self.is_vouched_for;
        let outcome = self
            .inspector
            .decoder
            .decode(block, spans, others, &mut |span, json| {
                let header_time = record::timestamp(span.filetime);
                let mut time = header_time;
                let content = json.and_then(|json| {
                    let Rendering {
                        system,
                        event_data,
                        user_data,
                    } = Rendering::parse(json)?;
                    // Of one whose end is not there it is known already.
                    let broken = match is_vouched_for || span.integrity == Integrity::Torn {
                        true => None,
                        false => broken(&system, header_time),
                    };
                    let said = system.time().or(header_time);
                    time = match broken {
                        None => said,
                        Some(_) => header_time
                            .filter(|time| *time >= record::FIRST_LOGS)
                            .or(said),
                    };
                    let mut span = *span;
                    if broken.is_some() {
                        span.integrity = Integrity::Torn;
                    }
                    let place = Place {
                        span,
                        number: system.number().unwrap_or(span.number),
                        time: time.ok_or("it bears no time")?,
                        chunk: index,
                        offset: start + span.offset as u64,
                    };
                    let wanted =
                        (asked.reaches(place.time) && (asked.wants)(&system.key()?)).then(|| {
                            let data = record::data_of(event_data, user_data);
                            record::record_of(&system, data, &place).map(Box::new)
                        });
                    Ok(ReadContent {
                        number: place.number,
                        broken,
                        channel: texts.intern(system.channel()),
                        computer: texts.intern(system.computer()),
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
            self.problem(self.slot.offset, what);
        }
        records
    }

    fn deliver(&mut self, read: Read, renumbered_by: &mut u64) {
        let Read {
            span,
            time,
            content,
        } = read;
        let order = span.number;
        let content = match content {
            Ok(content) => content,
            Err(reason) => return self.undecoded(&span, time, *renumbered_by, &reason),
        };
        let Some(time) = time else { return };
        let mut integrity = span.integrity;
        let mut number = content.number;
        match content.broken {
            None => *renumbered_by = number.wrapping_sub(order),
            Some(why) => {
                integrity = Integrity::Torn;
                number = order.wrapping_add(*renumbered_by);
                let known = Some(time).filter(|time| *time >= record::FIRST_LOGS);
                let offset = self.slot.offset + span.offset as u64;
                self.report.doubts.push(Hole {
                    after: known,
                    before: known,
                    ..hole(self.index, offset, span.size, why.to_owned())
                });
            }
        }
        let mark = Mark {
            number,
            order,
            time,
        };
        self.report
            .wanted
            .extend(content.wanted.map(|record| *record));
        let origin = (content.channel, content.computer);
        if let Some(Item::Run(run)) = self.report.items.last_mut()
            && self.texts.are(&run.origin, origin)
            && run.take_in(mark, span.templateless, integrity)
        {
            return;
        }
        let origin = (self.texts.shared(origin.0), self.texts.shared(origin.1));
        let run = Run::of(mark, Some(origin), span.templateless, integrity);
        self.report.items.push(Item::Run(run));
    }

    fn undecoded(
        &mut self,
        span: &RecordSpan,
        time: Option<Timestamp>,
        renumbered_by: u64,
        reason: &str,
    ) {
        let order = span.number;
        let what = format!("a record cannot be decoded: {reason}");
        let offset = self.slot.offset + span.offset as u64;
        let whole = time.filter(|_| span.integrity != Integrity::Torn);
        self.report.items.push(Item::Undecoded(Hole {
            hides: Some(order..=order),
            after: whole,
            before: whole,
            ..hole(self.index, offset, span.size, what)
        }));
        if let Some(time) = time {
            let mark = Mark {
                number: order.wrapping_add(renumbered_by),
                order,
                time,
            };
            let run = Run::of(mark, None, false, span.integrity);
            self.report.items.push(Item::Run(run));
        }
    }
}

/// What shows that the fields of a record are shifted or empty.
fn broken(system: &System<'_>, header_time: Option<Timestamp>) -> Option<&'static str> {
    let is_old = |time: Option<Timestamp>| time.is_some_and(|time| time < record::FIRST_LOGS);
    if is_old(system.time()) && !is_old(header_time) {
        Some(
            "a record's fields are shifted or empty: they date it before there were logs, and its header does not",
        )
    } else if system.channel().is_empty() || system.computer().is_empty() {
        Some("a record's fields are shifted or empty: it names no channel, or no computer")
    } else {
        None
    }
}

fn is_undamaged(walk: &Walk) -> bool {
    let whole = |record: &RecordSpan| record.integrity == Integrity::Whole;
    walk.losses.is_empty() && walk.beyond_header == 0 && walk.records.iter().all(whole)
}
