//! From the places of records to their contents, through the `evtx` crate.
//!
//! The crate walks a chunk by itself and has no call for one record at a place. So it is given a chunk in which the
//! walk visits just the wanted records: the others are covered by empty ones. Only 25 bytes are changed for each run
//! of unwanted records, all of them in front of any template definition, which later records may need. A record that
//! may reach into another's header is decoded on a walk over all of them instead, which changes nothing.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use evtx::{EvtxChunk, EvtxChunkHeader, ParserSettings};

use super::chunk::{
    CHUNK_MAGIC, CHUNK_SIZE, RECORD_HEADER, RECORDS_START, RecordSpan, SMALLEST_RECORD,
    STRING_TABLE,
};
use crate::contain::contain;

/// 2000-01-01: stands in for times that the crate refuses, and for those of covering records.
const ANY_TIME: u64 = 125_911_584_000_000_000;
const MAGIC: [u8; 4] = [0x2a, 0x2a, 0, 0];
/// A record whose decoding ends in a panic is skipped; a chunk with more of them than this is given up.
const MOST_PANICS: usize = 64;

/// What becomes of the records that are not wanted.
pub(super) enum Others<'a> {
    /// They are passed over: their headers are changed. Only where no wanted record reaches into them.
    Covered,
    /// They are walked over as they stand. These are all the records of the chunk, by place.
    Walked(&'a [RecordSpan]),
}

/// Gets each wanted record as JSON, or why it could not be decoded.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&RecordSpan, Result<&[u8], String>);

/// Decodes records of one log; holds what all its chunks share.
pub(super) struct Decoder {
    settings: Arc<ParserSettings>,
}

/// What [`Decoder::decode`] says of the chunk as a whole.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Why the string table had to be cleared so that records could be read.
    pub string_table: Option<String>,
}

impl Decoder {
    pub fn new() -> Self {
        Decoder {
            settings: Arc::new(ParserSettings::default().indent(false)),
        }
    }

    /// Renders each of `wanted` (ascending places) as JSON and hands it to `sink`, or why that failed. `chunk` is
    /// [`CHUNK_SIZE`] long and is changed: where others are covered, nothing but this may be done with it afterwards.
    pub fn decode(
        &self,
        chunk: &mut [u8],
        wanted: &[RecordSpan],
        others: &Others<'_>,
        sink: Sink<'_>,
    ) -> Outcome {
        let visits = visits(wanted, others);
        let mut failed = Vec::new();
        let table = self.pass(chunk, &visits, &mut |record, json| match json {
            Ok(json) => sink(record, Ok(json)),
            Err(message) => failed.push((*record, message)),
        });
        if failed.is_empty() {
            return Outcome::default();
        }
        // Without the table, names are read at the places where the records say they are.
        if let Some(table) = chunk.get_mut(STRING_TABLE) {
            table.fill(0);
        }
        let again: BTreeSet<usize> = failed.iter().map(|(record, _)| record.offset).collect();
        let again: Vec<Visit> = visits
            .iter()
            .map(|visit| Visit {
                rendered: again.contains(&visit.span.offset),
                ..*visit
            })
            .collect();
        let mut helped = false;
        let mut reasons = failed.into_iter().map(|(_, message)| message);
        let _ = self.pass(chunk, &again, &mut |record, json| {
            let reason = reasons.next();
            helped |= json.is_ok();
            sink(record, json.map_err(|message| reason.unwrap_or(message)));
        });
        Outcome {
            string_table: table.err().filter(|_| helped),
        }
    }

    /// One walk over these records. Calls `sink` exactly once for each that is to be rendered, in order.
    fn pass(&self, chunk: &mut [u8], visits: &[Visit], sink: Sink<'_>) -> Result<(), String> {
        let mut rest = visits;
        for _ in 0..MOST_PANICS {
            if rendered(rest).next().is_none() {
                return Ok(());
            }
            let steps = chain(chunk, rest);
            match self.visit(chunk, &steps, sink) {
                Ok(()) => return Ok(()),
                Err(Stop::Chunk(message)) => {
                    for record in rendered(rest) {
                        sink(record, Err(message.clone()));
                    }
                    return Err(message);
                }
                Err(Stop::Panic(done)) => rest = rest.get(done..).unwrap_or(&[]),
            }
        }
        for record in rendered(rest) {
            sink(
                record,
                Err("too many records of this chunk break the decoder".into()),
            );
        }
        Ok(())
    }

    fn visit(&self, chunk: &[u8], steps: &[Step<'_>], sink: Sink<'_>) -> Result<(), Stop> {
        let opened = contain(AssertUnwindSafe(|| EvtxChunkHeader::from_bytes(chunk)));
        let header = match opened {
            Ok(Ok(header)) => header,
            Ok(Err(error)) => return Err(Stop::Chunk(error.to_string())),
            Err(_) => {
                return Err(Stop::Chunk(
                    "the decoder panicked on the chunk header".into(),
                ));
            }
        };
        let opened = contain(AssertUnwindSafe(|| {
            EvtxChunk::new(chunk, &header, Arc::clone(&self.settings))
        }));
        let mut parsed = match opened {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(error)) => return Err(Stop::Chunk(reason(&error))),
            Err(_) => {
                return Err(Stop::Chunk(
                    "the decoder panicked on the string table".into(),
                ));
            }
        };
        let mut records = parsed.iter();
        let mut done = 0;
        for step in steps {
            let json = contain(AssertUnwindSafe(|| {
                let record = records
                    .next()
                    .ok_or("the decoder ended before this record")?;
                let Step::Rendered(span) = step else {
                    return Ok(Vec::new());
                };
                let record = record.map_err(|error| reason(&error))?;
                if record.binxml_offset != (span.offset + RECORD_HEADER) as u64 {
                    return Err("the decoder read another record instead".to_owned());
                }
                let mut json = record
                    .into_json_bytes()
                    .map_err(|error| reason(&error))?
                    .data;
                // The crate escapes control characters in values but not in names, where damage puts them.
                for byte in json.iter_mut().filter(|byte| **byte < b' ') {
                    *byte = b'?';
                }
                Ok(json)
            }));
            done += usize::from(!matches!(step, Step::Covered));
            match (step, json) {
                (Step::Covered | Step::WalkedOver, Ok(_)) => {}
                (Step::Covered, Err(_)) => return Err(Stop::Chunk("the decoder panicked".into())),
                (Step::WalkedOver, Err(_)) => return Err(Stop::Panic(done)),
                (Step::Rendered(span), Ok(json)) => {
                    sink(span, json.as_deref().map_err(Clone::clone));
                }
                (Step::Rendered(span), Err(_)) => {
                    sink(span, Err("the decoder panicked on this record".into()));
                    return Err(Stop::Panic(done));
                }
            }
        }
        Ok(())
    }
}

/// Why a walk ended before its end.
enum Stop {
    /// The crate refuses the chunk as a whole.
    Chunk(String),
    /// It panicked on a record; so many have been visited, that one included.
    Panic(usize),
}

/// A record on the walk.
#[derive(Clone, Copy)]
struct Visit {
    span: RecordSpan,
    rendered: bool,
}

/// The records of the walk.
fn visits(wanted: &[RecordSpan], others: &Others<'_>) -> Vec<Visit> {
    let all = match others {
        Others::Covered => wanted,
        Others::Walked(all) => all,
    };
    let mut wanted = wanted.iter().map(|record| record.offset).peekable();
    let visit = |span: &RecordSpan| Visit {
        span: *span,
        rendered: wanted.next_if_eq(&span.offset).is_some(),
    };
    all.iter().map(visit).collect()
}

fn rendered(visits: &[Visit]) -> impl Iterator<Item = &RecordSpan> {
    let rendered = visits.iter().filter(|visit| visit.rendered);
    rendered.map(|visit| &visit.span)
}

/// What the crate meets next on its walk.
enum Step<'a> {
    Rendered(&'a RecordSpan),
    WalkedOver,
    Covered,
}

/// An error with what lies beneath it, on one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Changes `chunk` so that a walk from its first record visits exactly these; returns what it will meet.
fn chain<'a>(chunk: &mut [u8], visits: &'a [Visit]) -> Vec<Step<'a>> {
    let mut steps = Vec::with_capacity(visits.len() * 2);
    let mut at = RECORDS_START;
    for (
        index,
        Visit {
            span: record,
            rendered,
        },
    ) in visits.iter().enumerate()
    {
        if record.offset > at {
            put_record(chunk, at, record.offset - at, 0, ANY_TIME);
            put(chunk, at + RECORD_HEADER, &[0]);
            steps.push(Step::Covered);
        }
        // A gap too small for a covering record goes to the record before it.
        let end = record.offset + record.size;
        let next = visits.get(index + 1).map_or(end, |next| next.span.offset);
        let size = match next.checked_sub(end) {
            Some(gap) if gap < SMALLEST_RECORD => record.size + gap,
            _ => record.size,
        };
        let time = if super::record::timestamp(record.filetime).is_some() {
            record.filetime
        } else {
            ANY_TIME
        };
        put_record(chunk, record.offset, size, record.number, time);
        steps.push(match rendered {
            true => Step::Rendered(record),
            false => Step::WalkedOver,
        });
        at = record.offset + size;
    }
    put(chunk, 0, CHUNK_MAGIC);
    put(chunk, 24, &0u64.to_le_bytes());
    put(chunk, 32, &u64::MAX.to_le_bytes());
    put(chunk, 44, &(CHUNK_SIZE as u32).to_le_bytes());
    put(chunk, 48, &(at as u32).to_le_bytes());
    steps
}

fn put_record(chunk: &mut [u8], at: usize, size: usize, number: u64, filetime: u64) {
    put(chunk, at, &MAGIC);
    put(chunk, at + 4, &(size as u32).to_le_bytes());
    put(chunk, at + 8, &number.to_le_bytes());
    put(chunk, at + 16, &filetime.to_le_bytes());
}

fn put(chunk: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = chunk.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
