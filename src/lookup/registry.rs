//! Keys of the registry: values, last-write times and what stands below, from hives with their transaction logs applied.

use std::panic::AssertUnwindSafe;

use jiff::Timestamp;

use crate::bundle::Bundle;
use crate::contain::contain;
use crate::facts::registry::{HiveFile, HiveRole, control_set_in_use, open_hives};
use crate::parse::hive::{Hive, Lookup, State, Value, Why};
use crate::parse::registry::Key;

/// No more keys than these are shown at once.
const MOST_KEYS: usize = 10_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Query {
    /// The key; `HKLM` and the hive's name may stand before it, and `CurrentControlSet` for the set in use.
    pub key: String,
    /// Only this value.
    pub value: Option<String>,
    /// How many levels of keys below it.
    pub depth: u16,
}

/// The hives of a collection.
#[derive(Debug)]
pub struct Hives {
    /// Those that can be read.
    pub files: Vec<HiveFile>,
    /// Those that cannot, and why.
    pub problems: Vec<String>,
}

/// A hive, and how far it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its path in the collection.
    pub artifact: String,
    /// SYSTEM, SOFTWARE, or the name in its header.
    pub name: String,
    /// Whether all its writes are there.
    pub state: &'static str,
    /// Its newest last-write time.
    pub newest: Option<Timestamp>,
    /// The control set in use, for SYSTEM.
    pub control_set: Option<String>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldKey {
    /// The hive's path in the collection.
    pub artifact: String,
    /// Its path from the hive's root.
    pub path: String,
    /// When it, or a value of it, was last written.
    pub written: Option<Timestamp>,
    /// Its values, in the hive's order.
    pub values: Vec<Value>,
    /// How many keys stand directly below it.
    pub subkeys: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The keys, from the top down.
    pub keys: Vec<HeldKey>,
    /// What to know of the hives they come from.
    pub remarks: Vec<String>,
}

/// Opens the hives of a collection.
#[must_use]
pub fn open(bundle: &Bundle) -> Hives {
    let (files, problems) = open_hives(bundle);
    Hives {
        files,
        problems: problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.artifact, problem.message))
            .collect(),
    }
}

impl Hives {
    /// Each hive, and how far it can be trusted.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        self.files
            .iter()
            .map(|file| Described {
                artifact: file.artifact.clone(),
                name: match file.role {
                    HiveRole::System => "SYSTEM".to_owned(),
                    HiveRole::Software => "SOFTWARE".to_owned(),
                    HiveRole::Security => "SECURITY".to_owned(),
                    HiveRole::Other => {
                        let hive = file.hive.hive();
                        hive.map_or("", Hive::name_in_header).to_owned()
                    }
                },
                state: state(file),
                newest: file.hive.newest_write(),
                control_set: control_set_in_use(file),
            })
            .collect()
    }

    /// Looks a key up in every hive that may hold it.
    #[must_use]
    pub fn find(&self, query: &Query) -> Found {
        let mut found = Found::default();
        for file in &self.files {
            let Some(path) = path_in(file, &query.key) else {
                continue;
            };
            // A damaged hive must not take the others with it.
            let looked = contain(AssertUnwindSafe(|| {
                let mut inner = Found::default();
                match file.hive.key(&path) {
                    Lookup::Present(key) => walk(file, &key, query, query.depth, &mut inner),
                    Lookup::Absent => {}
                    Lookup::Unreadable(trouble) => {
                        inner.remarks.push(format!("{}: {trouble}", file.artifact));
                    }
                }
                inner
            }));
            match looked {
                Ok(inner) => {
                    let is_clean = file
                        .hive
                        .hive()
                        .is_some_and(|hive| hive.state() == State::Clean);
                    if !inner.keys.is_empty() && !is_clean {
                        found
                            .remarks
                            .push(format!("{}: {}", file.artifact, state(file)));
                    }
                    found.keys.extend(inner.keys);
                    found.remarks.extend(inner.remarks);
                }
                Err(panicked) => found.remarks.push(format!("{}: {panicked}", file.artifact)),
            }
        }
        found
    }
}

fn state(file: &HiveFile) -> &'static str {
    let Some(hive) = file.hive.hive() else {
        return "exported as text: without times, and only what is shown";
    };
    match hive.state() {
        State::Clean => "whole",
        State::Replayed => "transaction logs replayed",
        State::Stale => "stale: its last writes are in transaction logs that are missing",
    }
}

/// The key's path in this hive; none where it names another hive.
fn path_in(file: &HiveFile, key: &str) -> Option<String> {
    let key = key.trim_matches('\\');
    let key = strip(key, &["HKLM", "HKEY_LOCAL_MACHINE"]);
    let (first, rest) = key.split_once('\\').unwrap_or((key, ""));
    let path = match (first.to_ascii_uppercase().as_str(), file.role) {
        ("SYSTEM", HiveRole::System)
        | ("SOFTWARE", HiveRole::Software)
        | ("SECURITY", HiveRole::Security) => rest,
        (
            "SYSTEM" | "SOFTWARE" | "SECURITY",
            HiveRole::System | HiveRole::Software | HiveRole::Security,
        ) => return None,
        _ => key,
    };
    let (first, rest) = path.split_once('\\').unwrap_or((path, ""));
    if !first.eq_ignore_ascii_case("CurrentControlSet") {
        return Some(path.to_owned());
    }
    let set = control_set_in_use(file)?;
    Some(match rest {
        "" => set,
        rest => format!("{set}\\{rest}"),
    })
}

fn strip<'k>(key: &'k str, roots: &[&str]) -> &'k str {
    let (first, rest) = key.split_once('\\').unwrap_or((key, ""));
    match roots.iter().any(|root| first.eq_ignore_ascii_case(root)) {
        true => rest,
        false => key,
    }
}

fn walk(file: &HiveFile, key: &Key<'_>, query: &Query, depth: u16, found: &mut Found) {
    if found.keys.len() >= MOST_KEYS {
        if found.keys.len() == MOST_KEYS {
            found
                .remarks
                .push(format!("only the first {MOST_KEYS} keys are shown"));
        }
        return;
    }
    let values = key.values();
    let below = key.subkeys();
    let troubles = values.troubles.iter().chain(&below.troubles);
    // That an export may not hold everything is said once, with its name.
    for trouble in troubles.filter(|trouble| trouble.why != Why::NotExported) {
        found.remarks.push(format!("{}: {trouble}", file.artifact));
    }
    let wanted = |value: &Value| match &query.value {
        Some(name) => value.name.to_lowercase() == name.to_lowercase(),
        None => true,
    };
    found.keys.push(HeldKey {
        artifact: file.artifact.clone(),
        path: key.path().to_owned(),
        written: key.written(),
        values: values.entries.into_iter().filter(wanted).collect(),
        subkeys: below.entries.len(),
    });
    if let Some(depth) = depth.checked_sub(1) {
        for key in &below.entries {
            walk(file, key, query, depth, found);
        }
    }
}
