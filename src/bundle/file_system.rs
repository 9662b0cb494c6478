//! The file system's own records, as collectors copy them from a volume: $MFT and $UsnJrnl:$J.

use std::io;

use super::disk::entry_bytes;
use super::source::ReadAt;

/// $MFTMirr begins alike and holds the first few entries only, one cluster at the most.
const LARGEST_MIRROR: u64 = 64 << 10;

/// Whether a file is $MFT.
pub(super) fn is_file_table(head: &[u8], bytes: u64) -> bool {
    bytes > LARGEST_MIRROR && entry_bytes(head).is_some()
}

/// Whether a file begins as a change journal that was copied from where it is kept: with a record of version 2 or 3, whose name ends
/// in it, and behind it the next one or nothing (Microsoft, winioctl.h, USN_RECORD_V2 and USN_RECORD_V3).
pub(super) fn is_change_journal(head: &[u8]) -> bool {
    let Some(len) = record(head) else {
        return false;
    };
    let rest = head.get(len..).unwrap_or_default();
    record(rest).is_some() || rest.iter().take(16).all(|byte| *byte == 0)
}

/// Records do not cross the border of a page, so that each page begins with one.
const PAGE: usize = 4096;
/// Behind its last record a journal may have some pages of zeros.
const LAST_PAGES: u64 = 32;

/// Whether a file is a change journal that was copied together with what Windows has let go of, which reads as zeros and may be many
/// gigabytes: of its last pages one begins with a record whose number is the very place that it stands at.
pub(super) fn is_journal_behind_zeros(source: &dyn ReadAt) -> io::Result<bool> {
    let pages = source.len().div_ceil(PAGE as u64);
    let mut page = [0; PAGE];
    for number in (pages.saturating_sub(LAST_PAGES)..pages).rev() {
        let at = number.saturating_mul(PAGE as u64);
        let filled = source.read_full_at(at, &mut page)?;
        let page = page.get(..filled).unwrap_or_default();
        if record(page).is_some() && record_number(page) == Some(at) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The number of a record.
fn record_number(bytes: &[u8]) -> Option<u64> {
    let at = match bytes.get(4)? {
        2 => 24,
        _ => 40,
    };
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The length of the record that begins here.
fn record(bytes: &[u8]) -> Option<usize> {
    let word = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk::<2>()?));
    let len = usize::try_from(u32::from_le_bytes(*bytes.first_chunk::<4>()?)).ok()?;
    let (name_bytes, name_at) = match (word(4)?, word(6)?) {
        (2, 0) => (word(56)?, word(58)?),
        (3, 0) => (word(72)?, word(74)?),
        _ => return None,
    };
    let header = match word(4)? {
        2 => 60,
        _ => 76,
    };
    let end = usize::from(name_at) + usize::from(name_bytes);
    (name_at == header && name_bytes > 0 && name_bytes % 2 == 0).then_some(())?;
    (len % 8 == 0 && (end..end + 8).contains(&len)).then_some(len)
}
