//! Transaction logs: what Windows had promised to a hive but not yet written into it, applied in memory.
//!
//! Two formats: log entries (`HvLE`, Windows 8.1 and Server 2012 R2 on) and dirty pages (`DIRT`, before). Source: "Windows
//! registry file format specification" (M. Suhanov), section "Format of transaction log files"; what makes Windows prefer
//! one log over the other was compared with yarp, whose results Windows' own recovery confirms.

use super::base_block::{self, BaseBlock, SHORT_SIZE};
use super::cell::BASE_BLOCK_SIZE;
use super::marvin32;

const PAGE: usize = 512;
const ENTRY_HEADER: usize = 40;

/// By how much a hive may grow, as a multiple of what it and its logs have; more is no log that Windows wrote.
const LARGEST_GROWTH: usize = 4;

/// How many entries behind a damaged one are tried for being whole.
const MOST_CANDIDATES: usize = 64;

/// What was done with the transaction logs of a hive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replay {
    /// The logs that were applied, in that order.
    pub used: Vec<LogUse>,
    /// The logs that were not, and why.
    pub ignored: Vec<(String, Ignored)>,
    /// The sequence number that the hive has come to; that of the hive itself when no log was applied.
    pub sequence: u32,
}

/// One log that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogUse {
    /// The name of its file.
    pub name: String,
    /// How it keeps what was written.
    pub format: LogFormat,
    /// How many entries were applied; one for all the dirty pages of an old log.
    pub entries: u32,
    /// How many runs of bytes they held.
    pub pages: u32,
    /// The sequence number of the first entry.
    pub first_sequence: u32,
    /// The sequence number of the last entry.
    pub last_sequence: u32,
    /// What kept later entries from being applied. `None` when the log simply ended.
    pub stopped: Option<Stop>,
}

/// The format of a transaction log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Checked entries one after the other, `HvLE`.
    Entries,
    /// One bitmap of dirty pages, `DIRT`.
    DirtyPages,
}

/// Why the entries of a log were not applied to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The last entry was not written to its end: Windows drops it as well.
    #[error("the last entry, at byte {at}, was not written to its end")]
    Torn {
        /// Where the entry begins in the log.
        at: u64,
    },
    /// Later entries are whole, but cannot be applied without the damaged one before them.
    #[error(
        "the entry at byte {at} is damaged; the whole one {sequence} behind it is lost with it"
    )]
    Damaged {
        /// Where the damaged entry begins in the log.
        at: u64,
        /// The sequence number of a whole entry behind it.
        sequence: u32,
    },
}

/// Why a log was not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// The hive needs no log.
    #[error("the hive is clean and needs no log")]
    Clean,
    /// A log without a byte is normal: it was never written.
    #[error("empty, as logs that were never written are")]
    Empty,
    /// The file could not be read.
    #[error("could not be read: {0}")]
    Read(String),
    /// No base block, or a damaged one.
    #[error("does not begin with an intact base block")]
    NoHeader,
    /// The log itself was being written.
    #[error("was being written when it was copied")]
    Dirty,
    /// The file is not a transaction log.
    #[error("is of type {0}, which is no transaction log")]
    NotALog(u32),
    /// The hive already holds what is in the log.
    #[error("begins at {log}, older than the hive at {hive}")]
    Older {
        /// The log's first sequence number.
        log: u32,
        /// The hive's sequence number.
        hive: u32,
    },
    /// The log was written before the hive was.
    #[error("was written before the hive")]
    Before,
    /// What stands between the logs is missing, so this one cannot be applied.
    #[error("begins at {begins}, but entry {expected} comes next and is missing")]
    Gap {
        /// The log's first sequence number.
        begins: u32,
        /// The sequence number that would have to come next.
        expected: u32,
    },
    /// Another log is the newer one, and only one can be used.
    #[error("the other log is newer")]
    Superseded,
    /// The log holds nothing that could be applied.
    #[error("holds no whole entry")]
    NoEntry,
}

impl Replay {
    /// Whether something that the logs hold, or held, did not reach the hive.
    pub(super) fn lost_something(&self) -> bool {
        let damaged = |log: &LogUse| matches!(log.stopped, Some(Stop::Damaged { .. }));
        let gap = |(_, why): &(String, Ignored)| matches!(why, Ignored::Gap { .. });
        self.used.iter().any(damaged) || self.ignored.iter().any(gap)
    }
}

/// A log with its bytes.
pub(super) struct Log<'l> {
    pub name: &'l str,
    pub bytes: Vec<u8>,
}

struct Accepted<'l> {
    log: Log<'l>,
    header: BaseBlock,
}

/// Applies to the dirty hive in `bytes` what its logs hold. `header` is that of the hive, when it is intact.
pub(super) fn replay(
    bytes: &mut Vec<u8>,
    header: Option<&BaseBlock>,
    logs: Vec<Log<'_>>,
) -> Replay {
    let mut replay = Replay {
        sequence: header.map_or(0, |header| header.secondary_sequence),
        ..Replay::default()
    };
    let room = logs
        .iter()
        .fold(bytes.len(), |sum, log| sum.saturating_add(log.bytes.len()));
    let room = room.saturating_mul(LARGEST_GROWTH).min(super::LARGEST);
    let mut entries = Vec::new();
    let mut pages = Vec::new();
    for log in logs {
        match accept(log) {
            Ok(log) if log.header.file_type == 6 => entries.push(log),
            Ok(log) => pages.push(log),
            Err(ignored) => replay.ignored.push(ignored),
        }
    }
    let mut hive = Recovering { bytes, room };
    if entries.is_empty() {
        replay.dirty_pages(&mut hive, header, pages);
    } else {
        let superseded = pages
            .into_iter()
            .map(|log| (log.log.name.to_owned(), Ignored::Superseded));
        replay.ignored.extend(superseded);
        replay.entries(&mut hive, header, entries);
    }
    if !replay.used.is_empty() {
        base_block::finish(hive.bytes, replay.sequence);
    }
    replay
}

fn accept(log: Log<'_>) -> Result<Accepted<'_>, (String, Ignored)> {
    let refuse = |why| Err((log.name.to_owned(), why));
    if log.bytes.is_empty() {
        return refuse(Ignored::Empty);
    }
    match BaseBlock::read(&log.bytes) {
        Some(header) if !header.intact => refuse(Ignored::NoHeader),
        Some(header) if !matches!(header.file_type, 1 | 2 | 6) => {
            refuse(Ignored::NotALog(header.file_type))
        }
        Some(header) if header.is_dirty() => refuse(Ignored::Dirty),
        Some(header) => Ok(Accepted { log, header }),
        None => refuse(Ignored::NoHeader),
    }
}

/// Whether `one` comes before `other`, where the numbers may have wrapped around.
fn before(one: u32, other: u32) -> bool {
    (one.wrapping_sub(other) as i32) < 0
}

impl Replay {
    fn ignore(&mut self, log: &Accepted<'_>, why: Ignored) {
        self.ignored.push((log.log.name.to_owned(), why));
    }

    /// Logs of entries: from the oldest on that the hive does not hold yet.
    fn entries(
        &mut self,
        hive: &mut Recovering<'_>,
        header: Option<&BaseBlock>,
        mut logs: Vec<Accepted<'_>>,
    ) {
        logs.sort_by_key(|log| log.header.primary_sequence);
        let wrapped = |pair: &[Accepted<'_>]| match pair {
            [one, other] => before(other.header.primary_sequence, one.header.primary_sequence),
            _ => false,
        };
        if let Some(at) = logs.windows(2).position(wrapped) {
            logs.rotate_left(at + 1);
        }
        if header.is_none() {
            let newest = logs.split_off(logs.len().saturating_sub(1));
            for log in &logs {
                self.ignore(log, Ignored::Superseded);
            }
            for log in &newest {
                hive.take_header(log);
            }
            logs = newest;
        }
        for log in &logs {
            let begins = log.header.primary_sequence;
            let known = header.map_or(begins, |header| header.secondary_sequence);
            let expected = self.sequence.wrapping_add(1);
            if before(begins, known) {
                let (log_at, hive_at) = (begins, known);
                self.ignore(
                    log,
                    Ignored::Older {
                        log: log_at,
                        hive: hive_at,
                    },
                );
            } else if !self.used.is_empty() && begins != expected {
                let older = before(begins, expected);
                self.ignore(
                    log,
                    match older {
                        true => Ignored::Older {
                            log: begins,
                            hive: self.sequence,
                        },
                        false => Ignored::Gap { begins, expected },
                    },
                );
            } else {
                match apply_entries(hive, log) {
                    Some(done) => {
                        self.sequence = done.last_sequence;
                        self.used.push(done);
                    }
                    None => self.ignore(log, Ignored::NoEntry),
                }
            }
        }
    }

    /// Logs of dirty pages: only the newer one counts.
    fn dirty_pages(
        &mut self,
        hive: &mut Recovering<'_>,
        header: Option<&BaseBlock>,
        mut logs: Vec<Accepted<'_>>,
    ) {
        logs.sort_by_key(|log| log.header.written);
        let Some(newest) = logs.pop() else { return };
        for log in &logs {
            self.ignore(log, Ignored::Superseded);
        }
        match header {
            Some(header) if newest.header.written < header.written => {
                self.ignore(&newest, Ignored::Before);
                return;
            }
            Some(_) => {}
            None => hive.take_header(&newest),
        }
        match apply_dirty_pages(hive, &newest) {
            Some(done) => {
                self.sequence = done.last_sequence;
                self.used.push(done);
            }
            None => self.ignore(&newest, Ignored::NoEntry),
        }
    }
}

/// The hive while logs are applied to it.
struct Recovering<'b> {
    bytes: &'b mut Vec<u8>,
    /// The most bytes it may grow to.
    room: usize,
}

impl Recovering<'_> {
    /// Puts the log's copy of the base block in the place of the lost one.
    fn take_header(&mut self, log: &Accepted<'_>) {
        if self.bytes.len() < BASE_BLOCK_SIZE {
            self.bytes.resize(BASE_BLOCK_SIZE, 0);
        }
        let copy = log.log.bytes.get(..SHORT_SIZE);
        if let (Some(block), Some(copy)) = (self.bytes.get_mut(..SHORT_SIZE), copy) {
            block.copy_from_slice(copy);
        }
    }

    /// Makes room for `hbins_size` bytes of bins. Fails when that is out of all proportion.
    fn grow(&mut self, hbins_size: u32) -> Option<()> {
        let size = BASE_BLOCK_SIZE.checked_add(usize::try_from(hbins_size).ok()?)?;
        if size > self.room {
            return None;
        }
        if self.bytes.len() < size {
            self.bytes.resize(size, 0);
        }
        Some(())
    }

    fn write(&mut self, offset: usize, page: &[u8]) {
        let start = BASE_BLOCK_SIZE.saturating_add(offset);
        let end = start.saturating_add(page.len());
        if let Some(place) = self.bytes.get_mut(start..end) {
            place.copy_from_slice(page);
        }
    }
}

/// One entry of a log whose checksums fit.
struct Entry<'l> {
    size: usize,
    flags: u32,
    sequence: u32,
    hbins_size: u32,
    /// Offset and bytes of each run.
    pages: Vec<(usize, &'l [u8])>,
}

impl<'l> Entry<'l> {
    /// The entry that begins with `bytes`, if it is whole.
    fn read(bytes: &'l [u8]) -> Option<Self> {
        if !bytes.starts_with(b"HvLE") {
            return None;
        }
        let size = usize::try_from(word(bytes, 4)?).ok()?;
        let hbins_size = word(bytes, 16)?;
        let count = usize::try_from(word(bytes, 20)?).ok()?;
        let well_formed =
            size >= PAGE && size % PAGE == 0 && hbins_size > 0 && hbins_size % 4096 == 0;
        if !well_formed || count == 0 {
            return None;
        }
        let entry = bytes.get(..size)?;
        if long(entry, 24)? != marvin32::checksum(entry.get(ENTRY_HEADER..)?)
            || long(entry, 32)? != marvin32::checksum(entry.get(..32)?)
        {
            return None;
        }
        let (references, _) = entry.get(ENTRY_HEADER..)?.as_chunks::<8>();
        let references = references.get(..count)?;
        let mut at = ENTRY_HEADER + 8 * count;
        let mut pages = Vec::with_capacity(count);
        for reference in references {
            let offset = usize::try_from(word(reference, 0)?).ok()?;
            let length = usize::try_from(word(reference, 4)?).ok()?;
            if offset.checked_add(length)? > usize::try_from(hbins_size).ok()? {
                return None;
            }
            let end = at.checked_add(length)?;
            pages.push((offset, entry.get(at..end)?));
            at = end;
        }
        let (flags, sequence) = (word(entry, 8)?, word(entry, 12)?);
        Some(Entry {
            size,
            flags,
            sequence,
            hbins_size,
            pages,
        })
    }
}

/// Applies the entries of one log. `None` when not even the first can be.
fn apply_entries(hive: &mut Recovering<'_>, log: &Accepted<'_>) -> Option<LogUse> {
    let first_sequence = log.header.primary_sequence;
    let bytes = log.log.bytes.as_slice();
    let mut at = SHORT_SIZE;
    let mut done = LogUse {
        name: log.log.name.to_owned(),
        format: LogFormat::Entries,
        entries: 0,
        pages: 0,
        first_sequence,
        last_sequence: first_sequence,
        stopped: None,
    };
    let mut expected = first_sequence;
    loop {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let entry = Entry::read(rest).filter(|entry| entry.sequence == expected);
        let applied = entry.and_then(|entry| hive.grow(entry.hbins_size).map(|()| entry));
        let Some(entry) = applied else {
            done.stopped = stop(bytes, at, expected);
            return (done.entries > 0).then_some(done);
        };
        for (offset, page) in &entry.pages {
            hive.write(*offset, page);
        }
        base_block::set_entry(hive.bytes, entry.hbins_size, entry.flags);
        done.entries += 1;
        done.pages = done
            .pages
            .saturating_add(u32::try_from(entry.pages.len()).unwrap_or(u32::MAX));
        done.last_sequence = expected;
        expected = expected.wrapping_add(1);
        at += entry.size;
    }
}

/// Why the entry `expected` at `at` was not applied. What an older use of the log left behind is its ordinary end.
fn stop(bytes: &[u8], at: usize, expected: u32) -> Option<Stop> {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let pages = (PAGE..rest.len()).step_by(PAGE);
    let later = pages
        .filter_map(|start| rest.get(start..))
        .filter(|page| page.starts_with(b"HvLE"))
        .filter(|page| word(page, 12).is_some_and(|sequence| before(expected, sequence)))
        .take(MOST_CANDIDATES)
        .find_map(Entry::read);
    let begun = rest.starts_with(b"HvLE") && word(rest, 12) == Some(expected);
    let at = at as u64;
    match later {
        Some(entry) => Some(Stop::Damaged {
            at,
            sequence: entry.sequence,
        }),
        None => begun.then_some(Stop::Torn { at }),
    }
}

/// Applies the dirty pages of an old log. `None` unless the bitmap and all its pages are there.
fn apply_dirty_pages(hive: &mut Recovering<'_>, log: &Accepted<'_>) -> Option<LogUse> {
    let bytes = log.log.bytes.as_slice();
    let bitmap = bytes.get(SHORT_SIZE..)?.strip_prefix(b"DIRT")?;
    let hbins_size = log.header.hbins_size;
    let length = usize::try_from(hbins_size).ok()? / 4096;
    let bitmap = bitmap.get(..length)?;
    let dirty = |page: &usize| {
        bitmap
            .get(page / 8)
            .is_some_and(|byte| byte >> (page % 8) & 1 == 1)
    };
    let dirty: Vec<usize> = (0..length * 8).filter(dirty).collect();
    let data = bytes.get((SHORT_SIZE + 4 + length).next_multiple_of(PAGE)..)?;
    let data = data.get(..dirty.len() * PAGE)?;
    hive.grow(hbins_size)?;
    for (page, content) in dirty.iter().zip(data.chunks_exact(PAGE)) {
        hive.write(page * PAGE, content);
    }
    base_block::set_entry(hive.bytes, hbins_size, 0);
    Some(LogUse {
        name: log.log.name.to_owned(),
        format: LogFormat::DirtyPages,
        entries: 1,
        pages: u32::try_from(dirty.len()).unwrap_or(u32::MAX),
        first_sequence: log.header.primary_sequence,
        last_sequence: log.header.primary_sequence,
        stopped: None,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*field))
}
