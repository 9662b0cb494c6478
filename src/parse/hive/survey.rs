//! A walk over every key of a hive: how many there are, when the newest was written, and what is unreadable.

use std::collections::HashSet;

use jiff::Timestamp;

use super::flaw::{Flaw, Trouble, Why};
use super::key_node::KeyNode;
use super::name::Name;
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
    /// The key that it was found under, by its place among those that were walked.
    parent: Option<usize>,
    offset: u32,
    node: KeyNode<'h>,
    depth: usize,
}

/// The keys that were walked, from which the path of each can be told.
#[derive(Default)]
struct Walked<'h>(Vec<(Option<usize>, Name<'h>)>);

impl<'h> Walked<'h> {
    fn add(&mut self, parent: Option<usize>, name: &Name<'h>) -> usize {
        self.0.push((parent, name.clone()));
        self.0.len() - 1
    }

    /// The names from the root to a key, without that of the root.
    fn path(&self, key: usize) -> String {
        let mut names = Vec::new();
        let mut at = Some(key);
        while let Some((parent, name)) = at.and_then(|at| self.0.get(at)) {
            if parent.is_some() {
                names.push(name.text());
            }
            at = *parent;
        }
        names.reverse();
        names.join("\\")
    }
}

/// Walks over every key of `hive` once.
pub(super) fn survey(hive: &Hive) -> Survey {
    let cells = hive.cells();
    let mut survey = Survey::default();
    let mut pending = Vec::new();
    let mut walked = Walked::default();
    let mut met = HashSet::new();
    let mut repeated = 0;
    let root = hive.header().root;
    match KeyNode::read(cells, root) {
        Ok(node) => pending.push(Step {
            parent: None,
            offset: root,
            node,
            depth: 0,
        }),
        Err(flaw) => survey.trouble(flaw, String::new),
    }
    while let Some(key) = pending.pop() {
        let place = walked.add(key.parent, &key.node.name);
        let path = || walked.path(place);
        if !met.insert(key.offset) {
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
                parent: Some(place),
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
