//! Transaction logs: what Windows had promised to a hive but not yet written into it, applied in memory.
//!
//! Two formats: log entries (`HvLE`, Windows 8.1 and Server 2012 R2 on) and dirty pages (`DIRT`, before). Source: "Windows
//! registry file format specification" (M. Suhanov), section "Format of transaction log files"; what makes Windows prefer
//! one log over the other was compared with yarp, whose results Windows' own recovery confirms.

mod dirty_pages;
mod log_entry;

use super::base_block::{self, BaseBlock, SHORT_SIZE};
use super::cell::BASE_BLOCK_SIZE;

/// The pages that logs are made of.
const PAGE: usize = 512;

/// By how much a hive may grow, as a multiple of what it and its logs have; more is no log that Windows wrote.
const LARGEST_GROWTH: usize = 4;

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
    /// Whether something that the logs hold, or held, did not reach the hive, or may not have: a log that cannot be read may be
    /// the newer one.
    pub(super) fn lost_something(&self) -> bool {
        let damaged = |log: &LogUse| matches!(log.stopped, Some(Stop::Damaged { .. }));
        let lost = |(_, why): &(String, Ignored)| match why {
            Ignored::Gap { .. } | Ignored::Read(_) | Ignored::NoHeader | Ignored::Dirty => true,
            Ignored::Clean
            | Ignored::Empty
            | Ignored::NotALog(_)
            | Ignored::Older { .. }
            | Ignored::Before
            | Ignored::Superseded
            | Ignored::NoEntry => false,
        };
        self.used.iter().any(damaged) || self.ignored.iter().any(lost)
    }
}

impl Replay {
    /// Whether one log alone took the hive from where it stood to where its base block says that it was going. The numbers of real
    /// hives and their logs lie hundreds apart (measured on copies of running machines): with one of the two logs missing, nothing
    /// else tells that it held nothing.
    pub(super) fn is_complete_alone(&self, header: Option<&BaseBlock>) -> bool {
        let (Some(header), [log]) = (header, self.used.as_slice()) else {
            return false;
        };
        let next = header.secondary_sequence.wrapping_add(1);
        !before(next, log.first_sequence) && !before(log.last_sequence, header.primary_sequence)
    }
}

/// Whether only one of the two logs that Windows keeps for a hive is among these files: `.LOG1` or `.LOG2`. A file `.LOG` alone is
/// the one that Windows had before Vista.
pub(super) fn is_one_of_two(names: &[&str]) -> bool {
    let any = |end: &str| names.iter().any(|name| name.to_lowercase().ends_with(end));
    any(".log1") != any(".log2")
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
                match log_entry::apply_all(hive, log) {
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
        match dirty_pages::apply(hive, &newest) {
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

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn sequence_numbers_wrap_around() {
        assert!(before(1, 2) && !before(2, 1) && !before(2, 2));
        assert!(before(u32::MAX, 0) && before(u32::MAX - 5, 3) && !before(3, u32::MAX - 5));
    }
}
