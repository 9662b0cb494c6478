//! Forges transaction logs from versions of a hive: what changed from one to the next is what the log holds.

use super::cells::{PAGE, seal};
use super::marvin32;

const SECTOR: usize = 512;

/// A log as Windows 8.1 and later write it: one entry for each step from one version of the hive to the next.
/// The first entry has the number `sequence`.
pub fn entries(versions: &[Vec<u8>], sequence: u32) -> Vec<u8> {
    let base = versions.first().expect("a version to begin from");
    let mut log = base_block(base, 6, sequence);
    for (step, pair) in versions.windows(2).enumerate() {
        log.extend(entry(&pair[0], &pair[1], sequence + step as u32));
    }
    log
}

/// A log as Windows before 8.1 writes it: a bitmap and the pages of 512 bytes that differ.
pub fn dirty_pages(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let bins = &after[PAGE..];
    let mut bitmap = vec![0_u8; bins.len() / PAGE];
    let mut data: Vec<u8> = Vec::new();
    for (page, content) in bins.chunks(SECTOR).enumerate() {
        if differs(before, content, page * SECTOR) {
            bitmap[page / 8] |= 1 << (page % 8);
            data.extend(content);
        }
    }
    let mut log = base_block(after, 1, sequence);
    log.extend(b"DIRT");
    log.extend(bitmap);
    log.resize(log.len().next_multiple_of(SECTOR), 0);
    log.extend(data);
    log
}

/// The hive's base block with the type and number of a log.
fn base_block(hive: &[u8], file_type: u32, sequence: u32) -> Vec<u8> {
    let mut block = hive[..SECTOR].to_vec();
    block[4..8].copy_from_slice(&sequence.to_le_bytes());
    block[8..12].copy_from_slice(&sequence.to_le_bytes());
    block[28..32].copy_from_slice(&file_type.to_le_bytes());
    seal(&mut block);
    block
}

fn entry(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let bins = &after[PAGE..];
    let pages = bins.chunks(PAGE).enumerate();
    let mut dirty: Vec<(usize, &[u8])> = pages
        .map(|(page, content)| (page * PAGE, content))
        .filter(|(offset, content)| differs(before, content, *offset))
        .collect();
    if dirty.is_empty() {
        dirty.push((0, &bins[..PAGE]));
    }
    let mut body = Vec::new();
    for (offset, content) in &dirty {
        body.extend((*offset as u32).to_le_bytes());
        body.extend((content.len() as u32).to_le_bytes());
    }
    for (_, content) in &dirty {
        body.extend(*content);
    }
    let size = (40 + body.len()).next_multiple_of(SECTOR);
    body.resize(size - 40, 0);
    let mut header = b"HvLE".to_vec();
    for word in [
        size as u32,
        0,
        sequence,
        bins.len() as u32,
        dirty.len() as u32,
    ] {
        header.extend(word.to_le_bytes());
    }
    header.extend(marvin32::checksum(&body).to_le_bytes());
    header.extend(marvin32::checksum(&header).to_le_bytes());
    header.extend(body);
    header
}

/// Whether `content` at `offset` of the bins is something else in the earlier version, or not there.
fn differs(before: &[u8], content: &[u8], offset: usize) -> bool {
    before.get(PAGE + offset..PAGE + offset + content.len()) != Some(content)
}
