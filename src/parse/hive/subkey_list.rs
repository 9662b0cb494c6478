//! Lists of subkeys: leaves (`lf`, `lh`, `li`) and the index over several of them (`ri`).
//!
//! Source: "Windows registry file format specification" (M. Suhanov), sections "Index leaf" to "Index root".

use std::collections::BTreeSet;

use super::cell::{Cell, Cells};
use super::flaw::{Flaw, Why};
use super::key_node::{FIXED_SIZE, KeyNode};

/// The subkeys of one key.
#[derive(Debug, Default)]
pub(super) struct Subkeys<'h> {
    /// Those that could be read, with the offsets of their cells, in the order of the list.
    pub nodes: Vec<(u32, KeyNode<'h>)>,
    /// What was wrong with the list or with keys on it.
    pub flaws: Vec<Flaw>,
}

/// Reads every subkey of `parent`, whose cell is at `offset`.
pub(super) fn read<'h>(cells: Cells<'h>, offset: u32, parent: &KeyNode<'_>) -> Subkeys<'h> {
    let mut found = Subkeys::default();
    if parent.subkeys.is_empty() {
        return found;
    }
    let mut entries = Entries::default();
    entries.read(cells, parent.subkeys.offset);
    found.flaws.append(&mut entries.flaws);
    let (says, holds) = (u64::from(parent.subkeys.count), entries.list.len() as u64);
    if says != holds {
        let what = "subkeys";
        let why = Why::Count { what, says, holds };
        found.flaws.push(Flaw::new(parent.position, why));
    }
    for entry in entries.list {
        match KeyNode::read(cells, entry.offset) {
            Ok(node) if node.parent != offset => {
                found.flaws.push(Flaw::new(node.position, Why::Foreign));
            }
            Ok(node) => {
                found.flaws.extend(doubts(&entry, &node));
                found.nodes.push((entry.offset, node));
            }
            Err(flaw) => found.flaws.push(flaw),
        }
    }
    found
}

/// Why the name of a subkey cannot be trusted, so that the one looked for might be this one.
fn doubts(entry: &Entry, node: &KeyNode<'_>) -> Option<Flaw> {
    if node.name.holds_nul() {
        return Some(Flaw::new(node.position, Why::Name));
    }
    let (stored, computed) = (entry.hash?, node.name.hash()?);
    (stored != computed).then(|| {
        let name = node.name.text();
        Flaw::new(node.position, Why::Hash { name })
    })
}

/// One entry of a leaf.
#[derive(Debug)]
struct Entry {
    offset: u32,
    /// The hash of the name; only `lh` keeps it.
    hash: Option<u32>,
}

#[derive(Debug, Default)]
struct Entries {
    list: Vec<Entry>,
    flaws: Vec<Flaw>,
    /// The offsets in `list`, where there are more than a look at each tells apart quickly.
    keys: BTreeSet<u32>,
}

/// Nearly all keys have fewer subkeys.
const FEW: usize = 16;

impl Entries {
    /// Reads the list at `offset`, be it a leaf or an index over leaves.
    fn read(&mut self, cells: Cells<'_>, offset: u32) {
        let outcome = cells.at(offset).and_then(|cell| match &cell.signature() {
            b"ri" => self.read_index(cells, &cell),
            _ => self.read_leaf(cells, &cell),
        });
        self.flaws.extend(outcome.err());
    }

    fn read_index(&mut self, cells: Cells<'_>, index: &Cell<'_>) -> Result<(), Flaw> {
        let count = usize::from(index.u16(2, "the index")?);
        let mut leaves = BTreeSet::new();
        for at in 0..count {
            let offset = index.u32(4 + 4 * at, "the index")?;
            if !leaves.insert(offset) {
                let what = "list";
                self.flaws.push(index.flaw(Why::Again { what }));
                continue;
            }
            let outcome = cells
                .at(offset)
                .and_then(|leaf| self.read_leaf(cells, &leaf));
            self.flaws.extend(outcome.err());
        }
        Ok(())
    }

    fn read_leaf(&mut self, cells: Cells<'_>, leaf: &Cell<'_>) -> Result<(), Flaw> {
        let (width, hashed) = match &leaf.signature() {
            b"lh" => (8, true),
            b"lf" => (8, false),
            b"li" => (4, false),
            _ => return leaf.expect("lh"),
        };
        // No hive has room for more keys than this, however its lists overlap.
        let most = cells.len() / FIXED_SIZE;
        for at in 0..usize::from(leaf.u16(2, "the list")?) {
            let start = 4 + width * at;
            let offset = leaf.u32(start, "the list")?;
            let hash = match hashed {
                true => Some(leaf.u32(start + 4, "the list")?),
                false => None,
            };
            if !self.is_new(offset) || self.list.len() >= most {
                let what = "subkey";
                self.flaws.push(leaf.flaw(Why::Again { what }));
                return Ok(());
            }
            self.list.push(Entry { offset, hash });
        }
        Ok(())
    }

    /// Whether no entry has led there yet.
    fn is_new(&mut self, offset: u32) -> bool {
        if self.list.len() < FEW {
            return self.list.iter().all(|entry| entry.offset != offset);
        }
        if self.keys.is_empty() {
            self.keys.extend(self.list.iter().map(|entry| entry.offset));
        }
        self.keys.insert(offset)
    }
}
