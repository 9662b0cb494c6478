//! A walk over every key of a hive: how many there are, when the newest was written, and what is unreadable.

use std::collections::BTreeSet;

use jiff::Timestamp;

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

struct Step<'h> {
    path: String,
    offset: u32,
    node: KeyNode<'h>,
    depth: usize,
}

/// Walks over every key of `hive` once.
pub(super) fn survey(hive: &Hive) -> Survey {
    let cells = hive.cells();
    let mut survey = Survey::default();
    let mut pending = Vec::new();
    let mut met = BTreeSet::new();
    let mut repeated = 0;
    let root = hive.header().root;
    match KeyNode::read(cells, root) {
        Ok(node) => pending.push(Step {
            path: String::new(),
            offset: root,
            node,
            depth: 0,
        }),
        Err(flaw) => survey.trouble(flaw, ""),
    }
    while let Some(key) = pending.pop() {
        if !met.insert(key.offset) {
            repeated += 1;
            let what = "subkey";
            survey.trouble(Flaw::new(key.node.position, Why::Again { what }), &key.path);
            if repeated > MOST_REPEATED {
                break;
            }
            continue;
        }
        survey.keys += 1;
        survey.newest_write = survey.newest_write.max(key.node.written);
        let found = subkey_list::read(cells, key.offset, &key.node);
        for flaw in found.flaws {
            survey.trouble(flaw, &key.path);
        }
        if key.depth >= MOST_NESTED && !found.nodes.is_empty() {
            let limit = MOST_NESTED;
            survey.trouble(
                Flaw::new(key.node.position, Why::Depth { limit }),
                &key.path,
            );
            continue;
        }
        let depth = key.depth + 1;
        for (offset, node) in found.nodes.into_iter().rev() {
            let path = format!("{}\\{}", key.path, node.name.text());
            let path = path.trim_start_matches('\\').to_owned();
            pending.push(Step {
                path,
                offset,
                node,
                depth,
            });
        }
    }
    survey
}

impl Survey {
    fn trouble(&mut self, flaw: Flaw, path: &str) {
        self.unreadable += 1;
        if self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(flaw.of(path));
        }
    }
}
