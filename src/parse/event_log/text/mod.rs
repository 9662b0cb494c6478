//! Event records that a tool wrote as text: `wevtutil qe /f:xml`, the Event Viewer's XML, `evtx_dump` and `Get-WinEvent | ConvertTo-Json`.
//!
//! Somebody chose which records to write, so that such a file proves presence and never absence. A record that is cut or damaged is
//! left out and named by its line.

mod json;
mod properties;
mod xml;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chunk::{Integrity, RecordSpan};
use super::node::Node;
use super::record::{EventRecord, Place, System, data_of, record_of};
use super::summary::{LogSummary, Mark, Problem, Span};
use super::{Asked, EventLogError};
use crate::bundle::ReadAt;
use crate::parse::text::{Text, TextEncoding};

/// The longest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// The longest text of one record that is read, in bytes. A record takes 64 KiB at most in a log; as text each of its letters may
/// take six bytes, and what it means is written beside it.
const LONGEST_RECORD: usize = 1 << 20;

/// So many problems are told one by one; the last says how many more there are.
const MOST_PROBLEMS: usize = 20;

/// One record as its text has it.
struct Found<'t> {
    content: Content<'t>,
    /// Where it begins in the text, in bytes of UTF-8.
    start: usize,
}

/// The parts of a record.
struct Content<'t> {
    system: System<'t>,
    event_data: Option<Node<'t>>,
    user_data: Option<Node<'t>>,
}

/// A record that cannot be used.
struct Refused {
    /// Where it begins in the text, in bytes of UTF-8.
    start: usize,
    why: String,
}

fn too_long() -> String {
    format!("the record is longer than {} KiB", LONGEST_RECORD >> 10)
}

/// Reads the records of a text, wanted ones oldest first.
pub(super) fn read(
    source: &dyn ReadAt,
    asked: Asked<'_>,
    on_record: &mut dyn FnMut(EventRecord),
) -> Result<LogSummary, EventLogError> {
    if source.len() > LARGEST {
        return Err(EventLogError::TextTooLarge(LARGEST >> 20));
    }
    let bytes = source.read_all(LARGEST)?;
    let text = Text::decode(&bytes);
    let mut places = Places::new(&text);
    let mut summary = LogSummary {
        selected: true,
        ..LogSummary::default()
    };
    let mut refused = 0;
    let mut origins = Origins::default();
    let mut marks: Vec<Marked> = Vec::new();
    let mut wanted = Vec::new();
    let mut take = |found: Result<Found<'_>, Refused>| {
        let start = match &found {
            Ok(found) => found.start,
            Err(refused) => refused.start,
        };
        let (line, offset) = places.of(start);
        let read = found
            .map_err(|refused| refused.why)
            .and_then(|found| taken(found.content, offset, marks.len(), asked, &mut origins));
        match read {
            Ok((marked, record)) => {
                marks.push(marked);
                wanted.extend(record);
            }
            Err(why) => {
                refused += 1;
                if refused <= MOST_PROBLEMS {
                    summary.problems.push(Problem {
                        chunk: None,
                        offset,
                        what: format!("line {line}: {why}: not used"),
                    });
                }
            }
        }
    };
    if xml::is_xml(&text.characters) {
        xml::read(&text.characters, &mut take);
    } else {
        json::read(&text.characters, &mut take);
    }
    if marks.is_empty() && refused == 0 {
        return Err(EventLogError::NotAnEventLog);
    }
    if refused > MOST_PROBLEMS {
        let more = refused - MOST_PROBLEMS;
        summary.problems.push(Problem {
            chunk: None,
            offset: source.len(),
            what: format!("and {more} more records that cannot be used"),
        });
    }
    number(&mut marks, &origins, &mut wanted);
    let mut names: Vec<_> = origins.0.iter().collect();
    names.sort_by_key(|(_, place)| **place);
    for marked in &marks {
        if let Some(((channel, computer), _)) = names.get(marked.origin) {
            summary.take_in(marked.mark, channel, computer);
        }
    }
    wanted.sort_by_key(|record| (record.order, record.offset));
    wanted.into_iter().for_each(on_record);
    Ok(summary)
}

/// What the summary wants of a record.
struct Marked {
    mark: Mark,
    /// Its channel and computer, by their place in [`Origins`].
    origin: usize,
}

/// Channels and computers, each pair kept once.
#[derive(Default)]
struct Origins(BTreeMap<(String, String), usize>);

impl Origins {
    fn place(&mut self, system: &System<'_>) -> usize {
        let next = self.0.len();
        let pair = (system.channel().to_owned(), system.computer().to_owned());
        *self.0.entry(pair).or_insert(next)
    }
}

/// A record's place in the summary and, where it is wanted, the record itself. Until all are known its order is its place in the file.
fn taken(
    content: Content<'_>,
    offset: u64,
    place: usize,
    asked: Asked<'_>,
    origins: &mut Origins,
) -> Result<(Marked, Option<EventRecord>), String> {
    let system = &content.system;
    let key = system.key()?;
    let time = system
        .time()
        .ok_or("the time it was written cannot be read")?;
    if key.provider.is_empty() {
        return Err("it does not name who wrote it".to_owned());
    }
    let order = place as u64;
    let marked = Marked {
        mark: Mark {
            number: system.number().unwrap_or(0),
            order,
            time,
        },
        origin: origins.place(system),
    };
    let wanted = asked.reaches(time) && (asked.wants)(&key);
    if !wanted {
        return Ok((marked, None));
    }
    let place = Place {
        span: RecordSpan {
            offset: 0,
            size: 0,
            number: order,
            filetime: 0,
            templateless: false,
            integrity: Integrity::Whole,
        },
        number: marked.mark.number,
        time,
        chunk: 0,
        offset,
    };
    let data = data_of(content.event_data, content.user_data);
    Ok((marked, Some(record_of(system, data, &place)?)))
}

/// Orders the records: by their numbers where all are of one channel, which tells the order whatever the clock said; else by time.
fn number(marks: &mut [Marked], origins: &Origins, wanted: &mut [EventRecord]) {
    let by_number = origins.0.len() == 1 && marks.iter().all(|marked| marked.mark.number != 0);
    let mut sorted: Vec<usize> = (0..marks.len()).collect();
    sorted.sort_by_key(|index| {
        let mark = marks.get(*index).map(|marked| marked.mark);
        let number = mark.map(|mark| mark.number);
        (
            mark.filter(|_| !by_number).map(|mark| mark.time),
            number,
            *index,
        )
    });
    let mut orders: BTreeMap<u64, u64> = BTreeMap::new();
    for (order, index) in (1..).zip(sorted) {
        if let Some(marked) = marks.get_mut(index) {
            let order = match by_number {
                true => marked.mark.number,
                false => order,
            };
            orders.insert(marked.mark.order, order);
            marked.mark.order = order;
        }
    }
    for record in wanted {
        if let Some(order) = orders.get(&record.order) {
            record.order = *order;
        }
    }
}

impl LogSummary {
    fn take_in(&mut self, mark: Mark, channel: &str, computer: &str) {
        self.records += 1;
        let widen = |span: &mut Span| {
            let key = |mark: &Mark| mark.order;
            span.oldest = std::cmp::min_by_key(span.oldest, mark, key);
            span.newest = std::cmp::max_by_key(span.newest, mark, key);
        };
        let new = Span {
            oldest: mark,
            newest: mark,
        };
        widen(self.span.get_or_insert(new));
        for (spans, name) in [
            (&mut self.channels, channel),
            (&mut self.computers, computer),
        ] {
            match spans.get_mut(name) {
                Some(span) => widen(span),
                None => {
                    spans.insert(name.to_owned(), new);
                }
            }
        }
    }
}

/// Lines and offsets of places in a text, which are asked for from its beginning to its end.
struct Places<'t> {
    text: &'t str,
    encoding: TextEncoding,
    at: usize,
    line: u64,
    offset: u64,
}

impl<'t> Places<'t> {
    fn new(text: &'t Text) -> Self {
        Places {
            text: &text.characters,
            encoding: text.encoding,
            at: 0,
            line: 1,
            offset: 0,
        }
    }

    /// The line, from 1, and the offset in the file without its byte order mark, in bytes.
    fn of(&mut self, place: usize) -> (u64, u64) {
        let passed = self.text.get(self.at..place).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.offset += match self.encoding {
            TextEncoding::Utf8 => passed.len(),
            TextEncoding::Utf16Le | TextEncoding::Utf16Be => 2 * passed.encode_utf16().count(),
            TextEncoding::CodePage => passed.chars().count(),
        } as u64;
        self.at = self.at.max(place);
        (self.line, self.offset)
    }
}

/// A time as JSON of PowerShell has it: `/Date(1763107200000)/`, or a text with its offset from UTC.
fn time(text: &str) -> Option<Timestamp> {
    let milliseconds = text
        .strip_prefix("/Date(")
        .and_then(|rest| rest.strip_suffix(")/"));
    match milliseconds {
        Some(digits) => Timestamp::from_millisecond(digits.parse().ok()?).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
