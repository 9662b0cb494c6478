//! Keys that were exported as text, from one file or several, as a tree that is asked like a hive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::parent;
use crate::parse::hive::{Listing, Lookup, Trouble, Value, Why};

/// Where a key or a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The text, by its path in the collection.
    pub artifact: Arc<str>,
    /// The line, from 1.
    pub line: u64,
}

/// Keys of one hive. What it does not hold is absent only below keys that were exported whole.
#[derive(Debug, Clone, Default)]
pub struct TextTree {
    /// By path from the root of the hive, in lower case; every key stands below another, up to the root.
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// From the root of the hive, as it was given.
    path: String,
    origin: Option<Origin>,
    values: Vec<(Value, Origin)>,
    /// Their paths in lower case.
    subkeys: BTreeSet<String>,
    /// Whether these values and subkeys are all there are.
    is_whole: bool,
}

/// A key of such a tree.
#[derive(Debug, Clone, Copy)]
pub struct TextKey<'t> {
    tree: &'t TextTree,
    node: &'t Node,
}

impl TextTree {
    /// Takes a key in, and those above it.
    pub fn add_key(&mut self, path: &str, origin: Option<Origin>) {
        let mut folded = path.to_lowercase();
        let mut given = path;
        if let Some(node) = self.nodes.get_mut(&folded) {
            node.origin = node.origin.take().or(origin);
            return;
        }
        let node = Node {
            path: path.to_owned(),
            origin,
            ..Node::default()
        };
        self.nodes.insert(folded.clone(), node);
        while !folded.is_empty() {
            let above = parent(&folded).unwrap_or_default().to_owned();
            given = parent(given).unwrap_or_default();
            let is_new = !self.nodes.contains_key(&above);
            let node = self.nodes.entry(above.clone()).or_insert_with(|| Node {
                path: given.to_owned(),
                ..Node::default()
            });
            node.subkeys.insert(folded);
            if !is_new {
                return;
            }
            folded = above;
        }
    }

    /// Takes a value of a key in.
    pub fn add_value(&mut self, path: &str, value: Value, origin: Origin) {
        self.add_key(path, None);
        if let Some(node) = self.nodes.get_mut(&path.to_lowercase()) {
            node.values.push((value, origin));
        }
    }

    /// Notes that what a key holds is all there is.
    pub fn is_all_of(&mut self, path: &str) {
        if let Some(node) = self.nodes.get_mut(&path.to_lowercase()) {
            node.is_whole = true;
        }
    }

    /// Whether every key of it is there with all that it holds.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.nodes.contains_key("") && self.nodes.values().all(|node| node.is_whole)
    }

    /// The key at `path`: names with `\` between them, in whatever case; empty for the root.
    #[must_use]
    pub fn key(&self, path: &str) -> Lookup<TextKey<'_>> {
        match self.nodes.get("") {
            Some(node) => TextKey { tree: self, node }.key(path),
            None => Lookup::Unreadable(not_exported("")),
        }
    }

    /// Where a key, or a value of it, stands.
    #[must_use]
    pub fn origin(&self, path: &str, value: Option<&str>) -> Option<&Origin> {
        let node = self.nodes.get(&path.to_lowercase())?;
        let value = value.and_then(|name| {
            let mut values = node.values.iter();
            values.find(|(value, _)| is_name(value, name))
        });
        value.map(|(_, origin)| origin).or(node.origin.as_ref())
    }
}

impl<'t> TextKey<'t> {
    /// The name in the case that it was given.
    #[must_use]
    pub fn name(&self) -> String {
        let path = self.path();
        path.rsplit('\\').next().unwrap_or(path).to_owned()
    }

    /// The path from the root of the hive; empty for the root.
    #[must_use]
    pub fn path(&self) -> &'t str {
        &self.node.path
    }

    /// The key at `path` under this one.
    #[must_use]
    pub fn key(&self, path: &str) -> Lookup<TextKey<'t>> {
        let mut key = *self;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            let folded = match key.path() {
                "" => name.to_lowercase(),
                above => format!("{above}\\{name}").to_lowercase(),
            };
            key = match self.tree.nodes.get(&folded) {
                Some(node) => TextKey { node, ..key },
                None => return key.missing(),
            };
        }
        Lookup::Present(key)
    }

    /// The keys below it.
    #[must_use]
    pub fn subkeys(&self) -> Listing<TextKey<'t>> {
        let nodes = self.node.subkeys.iter();
        let nodes = nodes.filter_map(|path| self.tree.nodes.get(path));
        self.listed(nodes.map(|node| TextKey { node, ..*self }).collect())
    }

    /// The value `name`, in whatever case; the empty name is the key's default value.
    #[must_use]
    pub fn value(&self, name: &str) -> Lookup<Value> {
        let mut values = self.node.values.iter().map(|(value, _)| value);
        match values.find(|value| is_name(value, name)) {
            Some(value) => Lookup::Present(value.clone()),
            None => self.missing(),
        }
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> Listing<Value> {
        let values = self.node.values.iter();
        self.listed(values.map(|(value, _)| value.clone()).collect())
    }

    /// The answer for what no text holds, such as a security descriptor: no "no".
    pub(in crate::parse) fn never_exported<T>(&self) -> Lookup<T> {
        Lookup::Unreadable(not_exported(self.path()))
    }

    fn missing<T>(&self) -> Lookup<T> {
        match self.node.is_whole {
            true => Lookup::Absent,
            false => self.never_exported(),
        }
    }

    fn listed<T>(&self, entries: Vec<T>) -> Listing<T> {
        let troubles = match self.node.is_whole {
            true => Vec::new(),
            false => vec![not_exported(self.path())],
        };
        Listing { entries, troubles }
    }
}

fn is_name(value: &Value, name: &str) -> bool {
    value.name.eq_ignore_ascii_case(name) || value.name.to_lowercase() == name.to_lowercase()
}

fn not_exported(path: &str) -> Trouble {
    Trouble {
        path: path.to_owned(),
        offset: 0,
        why: Why::NotExported,
    }
}
