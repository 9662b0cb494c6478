//! Hive bins: the blocks that the cells stand in. Only their headers are read here, to name the bytes that were lost.
//!
//! Source: "Windows registry file format specification" (M. Suhanov), section "Hive bin".

use super::cell::{BASE_BLOCK_SIZE, Cells};
use super::flaw::Problem;
use super::key_node::KeyNode;

const PAGE: usize = 4096;

/// Whether there is at least one bin, so that this is what remains of a hive.
pub(super) fn any(bytes: &[u8]) -> bool {
    let mut places = (BASE_BLOCK_SIZE..bytes.len()).step_by(PAGE);
    places.any(|start| size_at(bytes, start).is_some())
}

/// The stretches of the first `hbins_size` bytes that no bin covers, or that the file no longer holds.
pub(super) fn problems(bytes: &[u8], hbins_size: u32) -> Vec<Problem> {
    let mut problems = Vec::new();
    let announced = BASE_BLOCK_SIZE.saturating_add(hbins_size as usize);
    let end = announced.min(bytes.len());
    let mut at = BASE_BLOCK_SIZE;
    while at < end {
        if let Some(size) = size_at(bytes, at) {
            at = at.saturating_add(size);
            continue;
        }
        let start = at;
        while at < end && size_at(bytes, at).is_none() {
            at = at.saturating_add(PAGE);
        }
        let length = at.min(end) - start;
        let message = format!("{length} bytes belong to no bin: overwritten or zeroed");
        let at = start as u64;
        problems.push(Problem { at, message });
    }
    if announced > bytes.len() {
        let message = format!(
            "cut short: the hive says that it has {announced} bytes, the file has {}",
            bytes.len()
        );
        let at = bytes.len() as u64;
        problems.push(Problem { at, message });
    }
    problems
}

/// The offset of the cell that is marked as the root key, found without the base block.
pub(super) fn find_root(bytes: &[u8]) -> Option<u32> {
    let cells = Cells::new(bytes);
    let offsets = (BASE_BLOCK_SIZE..bytes.len()).step_by(8);
    let offsets = offsets.filter_map(|start| u32::try_from(start - BASE_BLOCK_SIZE).ok());
    let is_root = |offset: &u32| KeyNode::read(cells, *offset).is_ok_and(|node| node.is_root);
    offsets.into_iter().find(is_root)
}

/// The size of the bin that begins at `start`, if one does.
fn size_at(bytes: &[u8], start: usize) -> Option<usize> {
    let (mark, fields) = bytes.get(start..)?.split_first_chunk()?;
    let (offset, fields) = fields.split_first_chunk()?;
    let offset = u32::from_le_bytes(*offset) as usize;
    let size = u32::from_le_bytes(*fields.first_chunk()?) as usize;
    let fits = mark == b"hbin" && offset.checked_add(BASE_BLOCK_SIZE) == Some(start);
    (fits && size > 0 && size.is_multiple_of(PAGE)).then_some(size)
}
