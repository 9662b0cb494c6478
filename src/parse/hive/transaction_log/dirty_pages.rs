//! Dirty pages (`DIRT`): one bitmap and the pages it marks, as Windows wrote them before 8.1.

use super::super::base_block;
use super::{Accepted, LogFormat, LogUse, PAGE, Recovering, SHORT_SIZE};

/// Applies the dirty pages of an old log. `None` unless the bitmap and all its pages are there.
pub(super) fn apply(hive: &mut Recovering<'_>, log: &Accepted<'_>) -> Option<LogUse> {
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
