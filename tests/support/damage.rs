//! The ways in which a collection is damaged, one at a time.

use std::fmt;

use rdptriage::parse::hive::{Hive, Key, Lookup};

use super::seeded::Seeded;
use super::verdict::Files;

const PAGE: usize = 4096;
const CUTS: usize = 64;
const FLIPS: usize = 200;

/// One damage.
#[derive(Debug, Clone)]
pub enum Damage {
    Removed {
        file: String,
    },
    Cut {
        file: String,
        at: usize,
    },
    Zeroed {
        file: String,
        at: usize,
        length: usize,
    },
    /// One bit.
    Flipped {
        file: String,
        at: usize,
        bit: u8,
    },
    /// Each has the other's name.
    Swapped {
        one: String,
        other: String,
    },
    /// Everything once more, in a folder of its own.
    Doubled,
}

/// Whether what is said of the damaged collection is held against what the whole one says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Yes,
    /// Nothing tells that it is damaged: it is what another machine looks like.
    No,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Removed { file } => write!(formatter, "without {file}"),
            Damage::Cut { file, at } => write!(formatter, "{file} cut at {at:#x}"),
            Damage::Zeroed { file, at, length } => {
                write!(formatter, "{file} zeroed from {at:#x}, {length:#x} bytes")
            }
            Damage::Flipped { file, at, bit } => {
                write!(formatter, "{file} with bit {bit} of byte {at:#x} flipped")
            }
            Damage::Swapped { one, other } => {
                write!(formatter, "{one} named {other}, and the reverse")
            }
            Damage::Doubled => write!(formatter, "everything twice"),
        }
    }
}

/// Every damage that a collection is put through.
pub fn damages(files: &Files) -> Vec<Damage> {
    let mut damages = vec![Damage::Doubled];
    for (file, bytes) in files {
        let file = || file.clone();
        damages.push(Damage::Removed { file: file() });
        // A little off, so that not only the ends of pages are met.
        damages.extend((0..CUTS.min(bytes.len())).map(|part| Damage::Cut {
            file: file(),
            at: (bytes.len() * part / CUTS + 97 * (part % 7)).min(bytes.len() - 1),
        }));
        damages.extend((0..bytes.len()).step_by(PAGE).map(|at| Damage::Zeroed {
            file: file(),
            at,
            length: PAGE.min(bytes.len() - at),
        }));
        let mut seeded = Seeded::new(bytes.len() as u64);
        damages.extend((0..FLIPS.min(bytes.len() * 8)).map(|_| Damage::Flipped {
            file: file(),
            at: seeded.below(bytes.len()),
            bit: u8::try_from(seeded.below(8)).unwrap_or(0),
        }));
    }
    let names: Vec<&String> = files.keys().collect();
    for (index, one) in names.iter().enumerate() {
        damages.extend(names.iter().skip(index + 1).map(|other| Damage::Swapped {
            one: (*one).clone(),
            other: (*other).clone(),
        }));
    }
    damages
}

impl Damage {
    /// What changes: the files, with what they then hold; nothing where one is removed.
    pub fn changed(&self, files: &Files) -> Vec<(String, Option<Vec<u8>>)> {
        match self {
            Damage::Removed { file } => vec![(file.clone(), None)],
            Damage::Cut { file, at } => vec![(file.clone(), Some(files[file][..*at].to_vec()))],
            Damage::Zeroed { file, at, length } => {
                let mut left = files[file].clone();
                left[*at..at + length].fill(0);
                vec![(file.clone(), Some(left))]
            }
            Damage::Flipped { file, at, bit } => {
                let mut left = files[file].clone();
                left[*at] ^= 1 << bit;
                vec![(file.clone(), Some(left))]
            }
            Damage::Swapped { one, other } => vec![
                (one.clone(), Some(files[other].clone())),
                (other.clone(), Some(files[one].clone())),
            ],
            Damage::Doubled => files
                .iter()
                .map(|(file, bytes)| (format!("copy/{file}"), Some(bytes.clone())))
                .collect(),
        }
    }

    /// Whether anything can tell that there is damage. A key file is evidence by itself: one that is missing, cut or another's is
    /// what a machine may have. A listing without its end shows it; certificates and texts carry no check of their bits.
    pub fn judged(&self, files: &Files) -> Judged {
        let told = match self {
            Damage::Doubled => true,
            Damage::Removed { file } | Damage::Cut { file, .. } | Damage::Zeroed { file, .. } => {
                !is_key_file(file)
            }
            Damage::Swapped { one, other } => !is_key_file(one) && !is_key_file(other),
            Damage::Flipped { file, .. } => match &files[file] {
                log if log.starts_with(b"ElfFile\0") => true,
                hive if hive.starts_with(b"regf") => {
                    let damaged = self.changed(files).remove(0).1.unwrap_or_default();
                    reads_alike(hive, &damaged) || tells(&damaged)
                }
                _ => false,
            },
        };
        match told {
            true => Judged::Yes,
            false => Judged::No,
        }
    }
}

fn is_key_file(file: &str) -> bool {
    file.contains("MachineKeys/")
}

/// Whether a hive's reader notices that something is wrong with it.
fn tells(bytes: &[u8]) -> bool {
    match Hive::open(&bytes.to_vec(), &[]) {
        Ok(hive) => hive.is_stale() || content(&hive).is_none(),
        Err(_) => true,
    }
}

/// Whether two hives hold the same.
fn reads_alike(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        let hive = Hive::open(&bytes.to_vec(), &[]).ok()?;
        content(&hive)
    };
    matches!((read(one), read(other)), (Some(one), Some(other)) if one == other)
}

/// All that a hive holds, as text; nothing where a reader notices something wrong.
fn content(hive: &Hive) -> Option<String> {
    let Lookup::Present(root) = hive.key("") else {
        return None;
    };
    let mut text = String::new();
    let mut open = vec![root];
    while let Some(key) = open.pop() {
        describe(&key, &mut text)?;
        let subkeys = key.subkeys();
        if !subkeys.troubles.is_empty() {
            return None;
        }
        open.extend(subkeys.entries);
    }
    let sound = hive.problems().is_empty() && hive.survey().unreadable == 0;
    sound.then_some(text)
}

fn describe(key: &Key<'_>, text: &mut String) -> Option<()> {
    let values = key.values();
    if !values.troubles.is_empty() {
        return None;
    }
    let descriptor = match key.security_descriptor() {
        Lookup::Unreadable(_) => return None,
        Lookup::Present(bytes) => bytes,
        Lookup::Absent => Vec::new(),
    };
    text.push_str(&format!(
        "{} {:?} {descriptor:?}\n",
        key.path(),
        key.written()
    ));
    for value in values.entries {
        text.push_str(&format!("{value:?}\n"));
    }
    Some(())
}
