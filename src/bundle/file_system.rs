//! The file system's own records, as collectors copy them from a volume: $MFT and $UsnJrnl:$J.

use super::disk::entry_bytes;

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
