//! The keys of one hive, from the hive itself or from exports as text, asked alike.

use jiff::Timestamp;

use super::hive::{self, Hive, Listing, Lookup, Value};
use super::registry_text::{TextKey, TextTree};

/// The keys of one hive.
#[derive(Debug)]
pub enum Keys {
    /// The hive itself.
    Hive(Box<Hive>),
    /// What was exported of it as text: without times and permissions, and seldom whole.
    Text(TextTree),
}

/// One key.
#[derive(Debug, Clone)]
pub enum Key<'k> {
    /// Of a hive.
    Hive(hive::Key<'k>),
    /// Of an export.
    Text(TextKey<'k>),
}

impl Keys {
    /// The key at `path`: names with `\` between them, in whatever case; empty for the root.
    #[must_use]
    pub fn key(&self, path: &str) -> Lookup<Key<'_>> {
        match self {
            Keys::Hive(hive) => hive.key(path).map(Key::Hive),
            Keys::Text(tree) => tree.key(path).map(Key::Text),
        }
    }

    /// The hive, where it is one.
    #[must_use]
    pub fn hive(&self) -> Option<&Hive> {
        match self {
            Keys::Hive(hive) => Some(hive),
            Keys::Text(_) => None,
        }
    }

    /// The exports, where it is made of them.
    #[must_use]
    pub fn text(&self) -> Option<&TextTree> {
        match self {
            Keys::Hive(_) => None,
            Keys::Text(tree) => Some(tree),
        }
    }

    /// Whether values may be older than what the machine last wrote.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.hive().is_some_and(Hive::is_stale)
    }

    /// The newest last-write time of a key; no text tells one.
    #[must_use]
    pub fn newest_write(&self) -> Option<Timestamp> {
        self.hive().and_then(Hive::newest_write)
    }
}

impl<'k> Key<'k> {
    /// The name in the case that it was given.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Key::Hive(key) => key.name(),
            Key::Text(key) => key.name(),
        }
    }

    /// The path from the root of the hive; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Key::Hive(key) => key.path(),
            Key::Text(key) => key.path(),
        }
    }

    /// When the key, its values or its list of subkeys were last changed. `None` where that is not known, as of any text.
    #[must_use]
    pub fn written(&self) -> Option<Timestamp> {
        match self {
            Key::Hive(key) => key.written(),
            Key::Text(_) => None,
        }
    }

    /// The key at `path` under this one.
    #[must_use]
    pub fn key(&self, path: &str) -> Lookup<Key<'k>> {
        match self {
            Key::Hive(key) => key.key(path).map(Key::Hive),
            Key::Text(key) => key.key(path).map(Key::Text),
        }
    }

    /// The keys below it.
    #[must_use]
    pub fn subkeys(&self) -> Listing<Key<'k>> {
        match self {
            Key::Hive(key) => key.subkeys().map(Key::Hive),
            Key::Text(key) => key.subkeys().map(Key::Text),
        }
    }

    /// The value `name`, in whatever case; the empty name is the key's default value.
    #[must_use]
    pub fn value(&self, name: &str) -> Lookup<Value> {
        match self {
            Key::Hive(key) => key.value(name),
            Key::Text(key) => key.value(name),
        }
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> Listing<Value> {
        match self {
            Key::Hive(key) => key.values(),
            Key::Text(key) => key.values(),
        }
    }

    /// The security descriptor, self-relative (MS-DTYP 2.4.6); not known of a text.
    #[must_use]
    pub fn security_descriptor(&self) -> Lookup<Vec<u8>> {
        match self {
            Key::Hive(key) => key.security_descriptor(),
            Key::Text(key) => key.never_exported(),
        }
    }
}
