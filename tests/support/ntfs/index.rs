//! The index of a folder: a tree of nodes, sorted by name.

use super::record::{CLUSTER, protect};

/// What is left in a block behind its header and its update sequence.
const BLOCK_ROOM: usize = CLUSTER - 64;
/// What a root may take in a record beside the other attributes.
const ROOT_ROOM: usize = 480;
const LAST: u16 = 2;
const HAS_NODE: u16 = 1;

/// An entry: the file, and the value of its $FILE_NAME.
#[derive(Debug, Clone)]
pub struct Entry {
    pub reference: u64,
    pub key: Vec<u8>,
    /// The name in upper case, by which it is sorted.
    pub order: Vec<u16>,
}

/// A folder's index: the value of its root, and its blocks.
pub struct Index {
    pub root: Vec<u8>,
    pub blocks: Vec<u8>,
}

impl Index {
    pub fn of(mut entries: Vec<Entry>) -> Index {
        entries.sort_by(|one, other| one.order.cmp(&other.order));
        let mut level: Vec<(Entry, Option<u64>)> =
            entries.into_iter().map(|entry| (entry, None)).collect();
        let mut last: Option<u64> = None;
        let mut blocks: Vec<u8> = Vec::new();
        while size(&level) > ROOT_ROOM {
            let mut above = Vec::new();
            let mut node: Vec<(Entry, Option<u64>)> = Vec::new();
            for (entry, below) in std::mem::take(&mut level) {
                let with_it = size(&node) + length(&entry, true);
                if with_it + 24 <= BLOCK_ROOM {
                    node.push((entry, below));
                } else {
                    let written = write_block(&mut blocks, &std::mem::take(&mut node), below);
                    above.push((entry, Some(written)));
                }
            }
            last = Some(write_block(&mut blocks, &node, last));
            level = above;
        }
        let mut root = 0x30_u32.to_le_bytes().to_vec();
        root.extend(1_u32.to_le_bytes());
        root.extend((CLUSTER as u32).to_le_bytes());
        root.extend([1, 0, 0, 0]);
        let entries = write_entries(&level, last);
        root.extend(16_u32.to_le_bytes());
        root.extend((16 + entries.len() as u32).to_le_bytes());
        root.extend((16 + entries.len() as u32).to_le_bytes());
        root.extend([u8::from(last.is_some()), 0, 0, 0]);
        root.extend(entries);
        Index { root, blocks }
    }
}

fn length(entry: &Entry, has_node: bool) -> usize {
    (16 + entry.key.len()).next_multiple_of(8) + if has_node { 8 } else { 0 }
}

fn size(level: &[(Entry, Option<u64>)]) -> usize {
    level
        .iter()
        .map(|(entry, below)| length(entry, below.is_some()))
        .sum()
}

fn write_entries(level: &[(Entry, Option<u64>)], last: Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (entry, below) in level {
        let len = length(entry, below.is_some());
        let start = bytes.len();
        bytes.extend(entry.reference.to_le_bytes());
        bytes.extend((len as u16).to_le_bytes());
        bytes.extend((entry.key.len() as u16).to_le_bytes());
        bytes.extend(if below.is_some() { HAS_NODE } else { 0 }.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(&entry.key);
        bytes.resize(start + len, 0);
        if let Some(below) = below {
            bytes[start + len - 8..].copy_from_slice(&below.to_le_bytes());
        }
    }
    bytes.extend([0; 8]);
    bytes.extend(if last.is_some() { 24_u16 } else { 16 }.to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend((LAST | u16::from(last.is_some())).to_le_bytes());
    bytes.extend([0; 2]);
    if let Some(last) = last {
        bytes.extend(last.to_le_bytes());
    }
    bytes
}

fn write_block(blocks: &mut Vec<u8>, node: &[(Entry, Option<u64>)], last: Option<u64>) -> u64 {
    let number = (blocks.len() / CLUSTER) as u64;
    let entries = write_entries(node, last);
    let mut block = b"INDX".to_vec();
    block.extend(40_u16.to_le_bytes());
    block.extend(9_u16.to_le_bytes());
    block.extend([0; 8]);
    block.extend(number.to_le_bytes());
    block.extend(40_u32.to_le_bytes());
    block.extend((40 + entries.len() as u32).to_le_bytes());
    block.extend((CLUSTER as u32 - 24).to_le_bytes());
    block.extend([u8::from(last.is_some()), 0, 0, 0]);
    block.resize(64, 0);
    block.extend(entries);
    assert!(block.len() <= CLUSTER);
    block.resize(CLUSTER, 0);
    protect(&mut block, 40);
    blocks.extend(block);
    number
}
