//! What a log covers: its first and last records, the computers and channels it speaks of, and what is missing.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::layout::FileHeader;

/// A record as a point in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// `EventRecordID`.
    pub number: u64,
    /// The number in the record's header: higher is newer, whatever the clock said.
    pub order: u64,
    /// When it was written.
    pub time: Timestamp,
}

impl Mark {
    /// The record was numbered anew when it was exported or forwarded.
    pub(super) fn renumbered(&self) -> bool {
        self.number != self.order
    }
}

/// The oldest and the newest record of one kind, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The one with the lowest number.
    pub oldest: Mark,
    /// The one with the highest number.
    pub newest: Mark,
}

/// Why numbers are missing although nothing is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Records were left out where the log was written: an export by query. Such a log proves presence, never absence.
    Selected,
    /// Whole chunks are missing or of another turn of the log: a copy made while the log was written.
    Missing,
}

/// Record numbers that no record bears, with nothing damaged in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The numbers: `EventRecordID` where selected, those of record headers where missing.
    pub numbers: RangeInclusive<u64>,
    /// Why.
    pub kind: GapKind,
    /// When the record before was written.
    pub after: Timestamp,
    /// When the record behind was written.
    pub before: Timestamp,
}

/// A place that should hold records and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Index of the chunk in the file.
    pub chunk: u64,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// How many bytes; 0 where they are not in the file at all.
    pub length: u64,
    /// The numbers of the records it hides, as their headers had them, where they can be told.
    pub hides: Option<RangeInclusive<u64>>,
    /// When the nearest record before it was written, where that is known.
    pub after: Option<Timestamp>,
    /// When the nearest record behind it was written, where that is known.
    pub before: Option<Timestamp>,
    /// What is wrong there.
    pub what: String,
}

/// Something wrong that hides no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Index of the chunk in the file, where it concerns one.
    pub chunk: Option<u64>,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
}

/// The clock was set back: a record with a higher number bears an earlier time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockStep {
    /// The record before the step.
    pub from: Mark,
    /// The record behind it.
    pub to: Mark,
    /// Whether the next record is as late again as those before: the time of one record alone is amiss, and no clock was set.
    pub undone: bool,
}

/// What a log covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSummary {
    /// What the file header says; `None` where it is lost.
    pub header: Option<FileHeader>,
    /// Chunks that hold records.
    pub chunks: u64,
    /// Records that could be read.
    pub records: u64,
    /// Those of them that hold their elements without a template, as exporting tools write them.
    pub templateless: u64,
    /// Those of them that are not whole: see `Integrity`.
    pub recovered: u64,
    /// The record with the lowest number and the one with the highest.
    pub span: Option<Span>,
    /// The same for each channel.
    pub channels: BTreeMap<String, Span>,
    /// The same for each computer name, as the records spell it.
    pub computers: BTreeMap<String, Span>,
    /// Ranges of missing numbers; the first ones.
    pub gaps: Vec<Gap>,
    /// How many ranges of numbers are missing.
    pub gap_count: u64,
    /// How many numbers are missing in all.
    pub missing: u64,
    /// What is damaged, by place.
    pub holes: Vec<Hole>,
    /// Where all records stand, and some may not say what was written, by place: a chunk whose checksum is wrong though nothing in it
    /// is broken, or a record whose fields are shifted.
    pub doubts: Vec<Hole>,
    /// What is wrong but hides nothing, by place.
    pub problems: Vec<Problem>,
    /// Where the clock was set back by a minute or more; the first ones.
    pub clock_steps: Vec<ClockStep>,
    /// How many times it was.
    pub clock_step_count: u64,
    /// See [`LogSummary::is_selection`].
    pub(super) selected: bool,
}

impl LogSummary {
    /// Records were left out where the log was written: it proves presence, never absence.
    pub fn is_selection(&self) -> bool {
        self.selected
    }

    /// Nothing is missing between its first record and its last.
    pub fn is_whole(&self) -> bool {
        self.gap_count == 0 && self.holes.is_empty()
    }
}
