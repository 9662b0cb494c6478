//! $MFT: every file of a volume that is there, and those that were and whose entries no other file has taken yet.

use crate::bundle::ReadAt;
use crate::bundle::disk::{EntryName, EntryPlace, FileEntry, FileTimes, entry_bytes};

/// What is read at once.
const PIECE: usize = 1 << 20;
/// No table that is read further: 16 million files, where one of Windows has some hundreds of thousands.
const MOST_BYTES: u64 = 16 << 30;

/// The entries before it are the file system's own, some of them without a name.
const FIRST_FILE: u64 = 24;

/// A file under one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEntry {
    /// Where its entry stands. Of a file that is gone, the count of uses is one more than it was.
    pub place: EntryPlace,
    /// Whether it is there.
    pub in_use: bool,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Its name.
    pub name: String,
    /// The folder that it stands in.
    pub folder: EntryPlace,
    /// The times of the file; not with a name that is kept in another entry.
    pub times: Option<FileTimes>,
    /// Its times when it got this name.
    pub named: FileTimes,
    /// The length of its content, where it has one.
    pub bytes: Option<u64>,
}

/// What was read of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableSummary {
    /// How long each entry is, in bytes.
    pub entry_bytes: u64,
    /// How many entries hold a file, or held one.
    pub entries: u64,
    /// How many cannot be read: torn, overwritten, or without the name of the file that uses it.
    pub damaged: u64,
    /// Why the rest was not read, where that is so.
    pub broken_off: Option<String>,
}

/// Hands over every entry, under each of its names.
///
/// # Errors
/// Where the bytes are not those of a file table, or its beginning cannot be read.
pub fn read(source: &dyn ReadAt, keep: &mut dyn FnMut(TableEntry)) -> Result<TableSummary, String> {
    let mut piece = vec![0; PIECE];
    let filled = source
        .read_full_at(0, &mut piece)
        .map_err(|error| error.to_string())?;
    let size = piece
        .get(..filled)
        .and_then(entry_bytes)
        .ok_or("it does not begin with the entry of $MFT itself")?;
    let mut summary = TableSummary {
        entry_bytes: size as u64,
        ..TableSummary::default()
    };
    let end = source.len().min(MOST_BYTES);
    if end < source.len() {
        summary.broken_off = Some(format!("only its first {MOST_BYTES} bytes are looked at"));
    }
    let mut at = 0;
    while at < end {
        let filled = match source.read_full_at(at, &mut piece) {
            Ok(filled) => filled,
            Err(error) => {
                summary.broken_off = Some(format!("from byte {at} on: {error}"));
                break;
            }
        };
        let whole = filled - filled % size;
        if whole == 0 {
            summary.broken_off = Some(format!("it ends at byte {at}, within an entry"));
            break;
        }
        let first = at / size as u64;
        for (index, bytes) in piece
            .get(..whole)
            .unwrap_or_default()
            .chunks(size)
            .enumerate()
        {
            read_entry(first + index as u64, bytes, &mut summary, keep);
        }
        at += whole as u64;
    }
    Ok(summary)
}

fn read_entry(
    number: u64,
    bytes: &[u8],
    summary: &mut TableSummary,
    keep: &mut dyn FnMut(TableEntry),
) {
    // Never used.
    if bytes.iter().take(4).all(|byte| *byte == 0) {
        return;
    }
    let Ok(entry) = FileEntry::read(number, bytes.to_vec()) else {
        summary.damaged += 1;
        return;
    };
    summary.entries += 1;
    let is_first = entry.place.number == number;
    if entry.in_use
        && is_first
        && entry.names.is_empty()
        && !entry.is_continued
        && number >= FIRST_FILE
    {
        summary.damaged += 1;
    }
    for EntryName {
        folder,
        name,
        times: named,
    } in entry.names
    {
        keep(TableEntry {
            place: entry.place,
            in_use: entry.in_use,
            is_folder: entry.is_folder,
            name,
            folder,
            times: entry.times,
            named,
            bytes: entry.bytes,
        });
    }
}
