//! Windows event logs (`.evtx`): records out of whole, torn and damaged files, and what the file covers.
//!
//! ```text
//! layout     where the chunks stand
//! chunk      one chunk, walked by record headers
//! prefilter  what each record of an undamaged chunk says of itself, from its bytes
//! names      element names of a damaged chunk, repaired
//! decode     the wanted records of a chunk → JSON, through the evtx crate
//! record     JSON → EventRecord
//! inspect    all of this for one chunk
//! reader     for all chunks of a file, several at once, and in order
//! gather     from records and damaged places to the summary
//! text       the same records, as tools wrote them in XML and JSON
//! summary    what the log covers, and what is missing
//! ```
//!
//! A mebibyte is read at a time on each thread. Records come oldest first by number, also where the log had wrapped.

mod chunk;
mod decode;
mod gather;
mod inspect;
mod layout;
mod names;
mod node;
mod prefilter;
mod reader;
mod record;
mod summary;
mod text;

use std::io;
use std::ops::{Bound, RangeBounds};

use jiff::Timestamp;

pub use chunk::Integrity;
pub use layout::FileHeader;
pub use record::{EventData, EventRecord, RecordKey};
pub use summary::{ClockStep, Gap, GapKind, Hole, LogSummary, Mark, Problem, Span};

use crate::bundle::ReadAt;

/// Why nothing of a file can be read as an event log.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// The file has no bytes.
    #[error(
        "the file is empty (0 bytes): the log was not copied; export it again with `wevtutil epl`"
    )]
    Empty,
    /// There is neither a file header nor a chunk.
    #[error(
        "no event log: neither a file header (ElfFile) at its start nor a chunk (ElfChnk) on any sector"
    )]
    NotAnEventLog,
    /// Records as text, too many of them.
    #[error(
        "event records as text of more than {0} MiB are not read: export the log with `wevtutil epl`"
    )]
    TextTooLarge(u64),
    /// The bytes cannot be had.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// Reads a log. `wants` is asked for each kind of event, on any thread and not for every record, so it may only go by
/// the key; each wanted record goes to `on_record`, oldest first by number. What is damaged is told by the summary and
/// ends nothing.
///
/// # Errors
/// Where the bytes cannot be had, or are no event log at all.
pub fn read(
    bytes: &dyn ReadAt,
    wants: &(dyn Fn(&RecordKey<'_>) -> bool + Sync),
    on_record: &mut dyn FnMut(EventRecord),
) -> Result<LogSummary, EventLogError> {
    read_during(bytes, ALWAYS, wants, on_record)
}

/// A stretch of time: its first moment and its end.
pub type During = (Bound<Timestamp>, Bound<Timestamp>);

/// All of time.
pub const ALWAYS: During = (Bound::Unbounded, Bound::Unbounded);

/// As [`read`], but only records of events that happened then are wanted (`TimeCreated`: the time in a record's header is that of
/// its writing, and exported records have none). Others are not decoded; the summary speaks of all of them.
///
/// # Errors
/// As [`read`].
pub fn read_during(
    bytes: &dyn ReadAt,
    during: During,
    wants: &(dyn Fn(&RecordKey<'_>) -> bool + Sync),
    on_record: &mut dyn FnMut(EventRecord),
) -> Result<LogSummary, EventLogError> {
    if bytes.is_empty() {
        return Err(EventLogError::Empty);
    }
    let asked = Asked { wants, during };
    let Some(layout) = layout::locate(bytes)? else {
        return text::read(bytes, asked, on_record);
    };
    Ok(reader::Reader::new(bytes, asked, on_record, &layout).run(&layout)?)
}

/// What is asked of a log.
#[derive(Clone, Copy)]
struct Asked<'a> {
    wants: prefilter::Wants<'a>,
    during: During,
}

impl Asked<'_> {
    /// Whether an event that happened then may be wanted.
    fn reaches(&self, time: Timestamp) -> bool {
        self.during.contains(&time)
    }
}
