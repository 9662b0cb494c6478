//! $LogFile: whether the volume was left with changes that are in the log alone. What they are is not read.

use crate::bundle::disk::bytes::{u16_le, u32_le};
use crate::bundle::source::ReadAt;

use super::record::fix_up;

const RESTART_VOLUME_IS_CLEAN: u16 = 2;
const NO_CLIENT: u16 = 0xFFFF;

/// Whether somebody was writing when it was last written: a client is entered in its restart area, and that is not marked clean.
/// A log that was emptied (all bits set) is not open.
pub(super) fn is_open(log: &dyn ReadAt) -> bool {
    let mut newest: Option<(u64, bool)> = None;
    for at in [0, 4096] {
        let mut page = vec![0; 4096];
        if !matches!(log.read_full_at(at, &mut page), Ok(4096)) {
            continue;
        }
        if let Some(found) = restart_area(page)
            && newest.is_none_or(|(sequence, _)| found.0 >= sequence)
        {
            newest = Some(found);
        }
    }
    newest.is_some_and(|(_, open)| open)
}

/// The sequence number of a restart page, and whether the log is open by it.
fn restart_area(mut page: Vec<u8>) -> Option<(u64, bool)> {
    page.starts_with(b"RSTR").then_some(())?;
    let size = u32_le(&page, 16)?;
    if size == 4096 {
        fix_up(&mut page).then_some(())?;
    }
    let area = page.get(usize::from(u16_le(&page, 24)?)..)?;
    let sequence = super::super::bytes::u64_le(area, 0)?;
    let clients = u16_le(area, 12)?;
    let flags = u16_le(area, 14)?;
    Some((
        sequence,
        clients != NO_CLIENT && flags & RESTART_VOLUME_IS_CLEAN == 0,
    ))
}
