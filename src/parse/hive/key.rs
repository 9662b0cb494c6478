//! A key and what can be asked of it.

use jiff::Timestamp;

use super::flaw::{Flaw, Listing, Lookup, Trouble, Why};
use super::key_node::KeyNode;
use super::library::{self, Answer};
use super::value::{self, Value, ValueNode};
use super::{Hive, MOST_NESTED, security, subkey_list};

/// A key of a hive.
#[derive(Debug, Clone)]
pub struct Key<'h> {
    hive: &'h Hive,
    path: String,
    offset: u32,
    node: KeyNode<'h>,
    depth: usize,
    /// Whether every list on the way here was sound, so that nt-hive can go the same way without a panic.
    sound: bool,
}

impl<'h> Key<'h> {
    /// The root key of `hive`.
    pub(super) fn root(hive: &'h Hive) -> Result<Self, Trouble> {
        let offset = hive.header().root;
        let path = String::new();
        let depth = 0;
        match KeyNode::read(hive.cells(), offset) {
            Ok(node) => Ok(Key {
                hive,
                path,
                offset,
                node,
                depth,
                sound: true,
            }),
            Err(flaw) => Err(flaw.of("")),
        }
    }

    /// The name in the case that it was given.
    pub fn name(&self) -> String {
        self.node.name.text()
    }

    /// The path from the root of the hive, with the names in the case that they were given; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// When the key, its values or its list of subkeys were last changed, by the clock of the machine. `None` where the
    /// field holds no date.
    pub fn written(&self) -> Option<Timestamp> {
        self.node.written
    }

    /// Where the key stands in the hive file, in bytes.
    pub fn position(&self) -> u64 {
        self.node.position
    }

    /// The class name, which a few keys carry.
    pub fn class_name(&self) -> Lookup<String> {
        match self.node.class_name(self.hive.cells()) {
            Ok(Some(name)) => Lookup::Present(name),
            Ok(None) => Lookup::Absent,
            Err(flaw) => Lookup::Unreadable(flaw.of(&self.path)),
        }
    }

    /// The key at `path` under this one: names with `\` between them, in whatever case.
    pub fn key(&self, path: &str) -> Lookup<Key<'h>> {
        let names = path.split('\\').filter(|name| !name.is_empty());
        let mut key = self.clone();
        for name in names {
            match key.step(name) {
                Lookup::Present(subkey) => key = subkey,
                other => return other,
            }
        }
        Lookup::Present(key)
    }

    /// The subkeys, in the order of the hive.
    pub fn subkeys(&self) -> Listing<Key<'h>> {
        let found = subkey_list::read(self.hive.cells(), self.offset, &self.node);
        let mut troubles = self.troubles(found.flaws);
        if self.depth >= MOST_NESTED && !found.nodes.is_empty() {
            let limit = MOST_NESTED;
            troubles.push(Flaw::new(self.node.position, Why::Depth { limit }).of(&self.path));
            return Listing {
                entries: Vec::new(),
                troubles,
            };
        }
        let sound = self.sound && troubles.is_empty();
        let entries = found.nodes.into_iter();
        let entries = entries
            .map(|(offset, node)| self.child(offset, node, sound))
            .collect();
        Listing { entries, troubles }
    }

    /// The value `name`, in whatever case; the empty name is the key's default value.
    pub fn value(&self, name: &str) -> Lookup<Value> {
        let found = value::read(self.hive.cells(), &self.node);
        match found.nodes.iter().find(|node| node.name.is(name)) {
            Some(node) => match self.data(node) {
                Ok(value) => {
                    let suits = node.suits_library(self.hive.header().minor_version);
                    if self.sound && found.flaws.is_empty() && suits {
                        self.compare_data(node, &value);
                    }
                    Lookup::Present(value)
                }
                Err(trouble) => Lookup::Unreadable(trouble),
            },
            None => self.not_found(found.flaws),
        }
    }

    /// All values, in the order of the hive.
    pub fn values(&self) -> Listing<Value> {
        let found = value::read(self.hive.cells(), &self.node);
        let mut troubles = self.troubles(found.flaws);
        let mut entries = Vec::new();
        // Values that share their data must not fill the memory with copies of it.
        let mut room = self.hive.cells().len();
        for node in &found.nodes {
            let (needs, has) = (node.length() as u64, room as u64);
            if needs > has {
                let what = "the data of all values";
                let flaw = Flaw::new(node.position, Why::TooLong { what, needs, has });
                troubles.push(flaw.of(&self.path));
                break;
            }
            match self.data(node) {
                Ok(value) => {
                    room = room.saturating_sub(value.bytes.len());
                    entries.push(value);
                }
                Err(trouble) => troubles.push(trouble),
            }
        }
        Listing { entries, troubles }
    }

    /// The security descriptor, self-relative (MS-DTYP 2.4.6).
    pub fn security_descriptor(&self) -> Lookup<Vec<u8>> {
        match security::descriptor(self.hive.cells(), self.node.security) {
            Ok(Some(descriptor)) => Lookup::Present(descriptor),
            Ok(None) => Lookup::Absent,
            Err(flaw) => Lookup::Unreadable(flaw.of(&self.path)),
        }
    }

    /// The subkey `name`. Our own walk reads the whole list, so that a "no" is one; nt-hive is asked for the same key.
    fn step(&self, name: &str) -> Lookup<Key<'h>> {
        let found = subkey_list::read(self.hive.cells(), self.offset, &self.node);
        let mut nodes = found.nodes.into_iter();
        let Some((offset, node)) = nodes.find(|(_, node)| node.name.is(name)) else {
            return self.not_found(found.flaws);
        };
        if self.depth >= MOST_NESTED {
            let limit = MOST_NESTED;
            let flaw = Flaw::new(node.position, Why::Depth { limit });
            return Lookup::Unreadable(flaw.of(&self.path));
        }
        let key = self.child(offset, node, self.sound && found.flaws.is_empty());
        if nodes.any(|(_, node)| node.name.is(name)) {
            let message = format!(
                "{}: two subkeys have this name; the first is read",
                key.path
            );
            self.hive.remark(key.position(), message);
        }
        if key.sound {
            self.compare(&key);
        }
        Lookup::Present(key)
    }

    /// Says so when nt-hive does not find the key that our own walk found.
    fn compare(&self, key: &Key<'h>) {
        let why = match library::key_name(self.hive.bytes(), &key.path) {
            Answer::Found(name) if name == key.name() => return,
            Answer::Found(name) => format!("nt-hive finds \"{name}\" in its place"),
            Answer::NotFound => {
                "the list that holds it is not sorted, found by reading it whole".into()
            }
            Answer::Failed(error) => format!("nt-hive does not find it: {error}"),
        };
        self.hive
            .remark(key.position(), format!("{}: {why}", key.path));
    }

    /// The data of a value, every bound checked.
    fn data(&self, node: &ValueNode<'h>) -> Result<Value, Trouble> {
        let minor_version = self.hive.header().minor_version;
        let bytes = node.data(self.hive.cells(), minor_version);
        Ok(Value {
            name: node.name.text(),
            kind: node.kind,
            bytes: bytes.map_err(|flaw| flaw.of(&self.path))?,
        })
    }

    /// Says so when nt-hive reads other data for `value` than we did.
    fn compare_data(&self, node: &ValueNode<'h>, value: &Value) {
        let why = match library::value_data(self.hive.bytes(), &self.path, &value.name) {
            Answer::Found(same) if same == value.bytes => return,
            Answer::Found(_) => "nt-hive reads other data".to_owned(),
            // Only under a list that is not sorted, which was said when the key was looked up.
            Answer::NotFound => return,
            Answer::Failed(error) => format!("nt-hive does not read it: {error}"),
        };
        let message = format!("{}, value \"{}\": {why}", self.path, value.name);
        self.hive.remark(node.position, message);
    }

    fn child(&self, offset: u32, node: KeyNode<'h>, sound: bool) -> Key<'h> {
        let name = node.name.text();
        let path = match self.path.as_str() {
            "" => name,
            above => format!("{above}\\{name}"),
        };
        Key {
            hive: self.hive,
            path,
            offset,
            node,
            depth: self.depth + 1,
            sound,
        }
    }

    /// The answer when no readable entry of a list has the name: a "no" only when there are no others.
    fn not_found<T>(&self, flaws: Vec<Flaw>) -> Lookup<T> {
        match flaws.into_iter().next() {
            Some(flaw) => Lookup::Unreadable(flaw.of(&self.path)),
            None => Lookup::Absent,
        }
    }

    fn troubles(&self, flaws: Vec<Flaw>) -> Vec<Trouble> {
        flaws.into_iter().map(|flaw| flaw.of(&self.path)).collect()
    }
}
