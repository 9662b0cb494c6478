//! Registry keys as text: what `reg export` and regedit write (`.reg`), what `reg query` prints, and `sc qc` of services.
//!
//! An export names one key and then every key below it, each after its parent, depth first; a key ends with an empty line.
//! Only so can the lack of a value prove that there is none. A file that deletes, that names keys without their parents, or
//! that lacks what every Windows keeps in a key, was written to change a registry and says nothing of how one stands. What
//! `reg query` prints may be what a filter left over: it proves what is there, never what is not.
//!
//! Sources: Microsoft, "How to add, modify, or delete registry subkeys and values by using a .reg file"; Microsoft, "reg
//! query"; outputs of `reg query` quoted in public write-ups.

mod line;
mod query;
mod reg_file;
mod services;
mod tree;

use std::collections::BTreeSet;

use super::hive::Value;

pub use tree::{Origin, TextKey, TextTree};

/// What a file of exports holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryText {
    /// Its exports, or what `reg query` and `sc qc` printed.
    pub exports: Vec<Export>,
}

/// One export: keys, and what lies below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The key that was exported whole, such as `HKEY_LOCAL_MACHINE\SYSTEM\Select`; none where only presence is proved.
    pub whole: Option<String>,
    /// Its keys, parents first.
    pub keys: Vec<ExportedKey>,
    /// Keys of which something is missing, by their path in lower case.
    pub holes: BTreeSet<String>,
    /// Where and why something is missing; the first [`MOST_FLAWS`].
    pub flaws: Vec<Flaw>,
    /// How many flaws there are beyond those.
    pub further_flaws: usize,
}

/// One key of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedKey {
    /// Its path from the root of the registry.
    pub path: String,
    /// The line that names it, from 1.
    pub line: u64,
    /// Its values.
    pub values: Vec<ExportedValue>,
}

/// One value of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedValue {
    /// The line it begins at, from 1.
    pub line: u64,
    /// The value itself.
    pub value: Value,
}

/// Something in an export that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub what: &'static str,
}

/// Windows allows 512 levels.
const MOST_NESTED: usize = 512;

/// So many flaws are told one by one; a file of another kind would have one for each line.
pub const MOST_FLAWS: usize = 20;

/// Why a text is no evidence of how a registry stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoExport {
    /// Neither the title of an export nor a key.
    #[error("no registry export: neither its title nor the name of a key is in it")]
    Title,
    /// It holds no key.
    #[error("a registry export without any key: export it again, with `reg export`")]
    Empty,
    /// It deletes a key or a value.
    #[error(
        "line {0} deletes, so that this file was written to change a registry and does not tell how one stands: use `reg export`"
    )]
    Deletes(u64),
    /// A key whose parent does not stand before it.
    #[error(
        "line {0} names a key that is not below the one before, as no export does, so that this file may have been written to change a registry: use `reg export`"
    )]
    Order(u64),
    /// A key without what every Windows keeps in it.
    #[error(
        "the key in line {line} lacks \"{lacks}\", which every Windows keeps there, so that this file was written or shortened by hand: use `reg export`"
    )]
    Shortened {
        /// The line of the key, from 1.
        line: u64,
        /// The value or key that is not there.
        lacks: &'static str,
    },
}

/// Reads a file; several exports may have been joined in it, each with its title.
///
/// # Errors
/// When the file does not tell how a registry stands: see [`NoExport`].
pub fn read(bytes: &[u8]) -> Result<RegistryText, NoExport> {
    let text = super::text::Text::decode(bytes);
    let first = text.characters.lines().find(|line| !line.trim().is_empty());
    let titled = first.is_some_and(|line| reg_file::Title::of(line).is_some());
    let exports = match titled {
        true => reg_file::read(bytes, &text)?,
        false => {
            // One output may follow another in a file.
            let read = [query::read(&text), services::read(&text)];
            let exports: Vec<Export> = read.into_iter().flatten().collect();
            if exports.is_empty() {
                return Err(NoExport::Title);
            }
            exports
        }
    };
    Ok(RegistryText { exports })
}

impl Export {
    fn new() -> Self {
        Export {
            whole: None,
            keys: Vec::new(),
            holes: BTreeSet::new(),
            flaws: Vec::new(),
            further_flaws: 0,
        }
    }

    /// Notes a flaw.
    fn flaw(&mut self, line: u64, what: &'static str) {
        match self.flaws.len() < MOST_FLAWS {
            true => self.flaws.push(Flaw { line, what }),
            false => self.further_flaws += 1,
        }
    }

    /// Notes that something of the last key is missing.
    fn last_key_has_a_hole(&mut self) {
        if let Some(key) = self.keys.last() {
            self.holes.insert(key.path.to_lowercase());
        }
    }
}

/// The path of the key above, if there is one.
#[must_use]
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('\\').map(|(above, _)| above)
}

/// Whether a path is `root` or lies below it; both in lower case. The empty root holds everything.
#[must_use]
pub fn is_within(path: &str, root: &str) -> bool {
    root.is_empty()
        || path
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

#[cfg(test)]
mod tests;
