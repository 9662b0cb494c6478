//! Log entries (`HvLE`), each with its number and its checksums: Windows 8.1, Server 2012 R2 and later.

use super::super::{base_block, marvin32};
use super::{Accepted, LogFormat, LogUse, PAGE, Recovering, SHORT_SIZE, Stop, before, word};

/// The size of an entry without its references and pages.
const ENTRY_HEADER: usize = 40;

/// How many entries behind a damaged one are tried for being whole.
const MOST_CANDIDATES: usize = 64;

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
pub(super) fn apply_all(hive: &mut Recovering<'_>, log: &Accepted<'_>) -> Option<LogUse> {
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

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*field))
}
