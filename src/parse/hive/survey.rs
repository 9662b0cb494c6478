//! A walk over every key of a hive: how many there are, when the newest was written, and what is unreadable.

use jiff::Timestamp;

use super::cell::Cells;
use super::flaw::{Flaw, Trouble, Why};
use super::key_node::KeyNode;
use super::{Hive, MOST_NESTED, subkey_list};

/// How many troubles are kept with their places; the rest are only counted.
const MOST_TROUBLES: usize = 100;

/// How often the walk may come to a key that it knows before it gives up: in a sound hive it never does.
const MOST_REPEATED: usize = 10_000;

/// What a walk over all keys found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// How many keys were read.
    pub keys: usize,
    /// The newest last-write time of a key.
    pub newest_write: Option<Timestamp>,
    /// The first hundred places where keys could not be read or are doubtful.
    pub troubles: Vec<Trouble>,
    /// How many such places there are.
    pub unreadable: usize,
}

/// A key that is still to be walked.
struct Step<'h> {
    offset: u32,
    node: KeyNode<'h>,
    depth: usize,
}

/// Keys by the offsets of their cells, a bit for each place where one may stand: every cell begins at a multiple of eight.
struct Met(Vec<u64>);

impl Met {
    fn none_of(cells: Cells<'_>) -> Self {
        Met(vec![0; cells.len() / (8 * 64) + 1])
    }

    /// Whether the key at `offset` is met for the first time.
    fn is_first(&mut self, offset: u32) -> bool {
        let place = offset as usize / 8;
        let Some(word) = self.0.get_mut(place / 64) else {
            return false;
        };
        let bit = 1 << (place % 64);
        let is_first = *word & bit == 0;
        *word |= bit;
        is_first
    }
}

/// The names from the root to a key, without that of the root. Each key stands on the list of the one that it calls its parent, or
/// it would not have been walked.
fn path(cells: Cells<'_>, key: &Step<'_>) -> String {
    let mut names = Vec::new();
    let mut node = Some(key.node.clone());
    for _ in 0..key.depth {
        let Some(named) = node else { break };
        names.push(named.name.text());
        node = KeyNode::read(cells, named.parent).ok();
    }
    names.reverse();
    names.join("\\")
}

/// Walks over every key of `hive` once.
pub(super) fn survey(hive: &Hive) -> Survey {
    let cells = hive.cells();
    let mut survey = Survey::default();
    let mut pending = Vec::new();
    let mut met = Met::none_of(cells);
    let mut repeated = 0;
    let root = hive.header().root;
    match KeyNode::read(cells, root) {
        Ok(node) => pending.push(Step {
            offset: root,
            node,
            depth: 0,
        }),
        Err(flaw) => survey.trouble(flaw, String::new),
    }
    while let Some(key) = pending.pop() {
        let path = || path(cells, &key);
        if !met.is_first(key.offset) {
            repeated += 1;
            let what = "subkey";
            survey.trouble(Flaw::new(key.node.position, Why::Again { what }), path);
            if repeated > MOST_REPEATED {
                break;
            }
            continue;
        }
        survey.keys += 1;
        survey.newest_write = survey.newest_write.max(key.node.written);
        let found = subkey_list::read(cells, key.offset, &key.node);
        for flaw in found.flaws {
            survey.trouble(flaw, path);
        }
        if key.depth >= MOST_NESTED && !found.nodes.is_empty() {
            let limit = MOST_NESTED;
            survey.trouble(Flaw::new(key.node.position, Why::Depth { limit }), path);
            continue;
        }
        let depth = key.depth + 1;
        for (offset, node) in found.nodes.into_iter().rev() {
            pending.push(Step {
                offset,
                node,
                depth,
            });
        }
    }
    survey
}

impl Survey {
    fn trouble(&mut self, flaw: Flaw, path: impl FnOnce() -> String) {
        self.unreadable += 1;
        if self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(flaw.of(&path()));
        }
    }
}
