//! What the file system's own records hold of keys: which key files and folders of them $MFT knows, those that are gone among them,
//! and what the change journal saw of them. Everything else is passed over while it is read, since a volume has millions of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::bundle::disk::{EntryPlace, FileTimes};
use crate::bundle::{Artifact, Kind, ReadAt};
use crate::facts::key_event::SELF_SIGNED_CONTAINER;
use crate::parse::change_journal::{self, Change, Reasons};
use crate::parse::file_table::{self, TableEntry};
use crate::parse::key_file::{ContainerHash, KeyFileName};
use crate::parse::store_blob::KeyStorage;

use super::place::{self, Place};

/// The entry of a volume's root (the numbers below 16 are fixed).
const ROOT: u64 = 5;
/// Where MachineKeys lies.
const ABOVE_MACHINE_KEYS: [&str; 4] = ["programdata", "microsoft", "crypto", "rsa"];
/// More folders than a volume has that Windows can still work on.
const MOST_FOLDERS: usize = 1_000_000;
/// Of so many key files all is kept; of more, only Remote Desktop's own.
const MOST_KEYS: usize = 100_000;
/// So many records of the journal are kept, the newest.
const MOST_CHANGES: usize = 200_000;
const DEEPEST: usize = 64;
/// What a name is long that is a key file's.
const KEY_NAME_LENGTH: usize = 69;

/// What one of the file system's records holds of keys.
#[derive(Debug, Clone)]
pub enum KeyRecords {
    /// $MFT.
    Table(Box<KeyTable>),
    /// $UsnJrnl:$J.
    Journal(KeyJournal),
}

impl KeyRecords {
    /// Reads it from `source`, the bytes of a file of that kind.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(artifact: &Artifact, source: &dyn ReadAt) -> Result<KeyRecords, String> {
        let path = artifact.path.clone();
        match artifact.kind {
            Kind::FileTable => {
                KeyTable::read(path, source).map(|table| KeyRecords::Table(Box::new(table)))
            }
            _ => Ok(KeyRecords::Journal(KeyJournal::read(path, source))),
        }
    }

    /// What keeps it from being whole.
    #[must_use]
    pub fn flaw(&self) -> Option<&str> {
        match self {
            KeyRecords::Table(table) => table.flaw.as_deref(),
            KeyRecords::Journal(journal) => journal.flaw.as_deref(),
        }
    }
}

/// What $MFT knows of keys.
#[derive(Debug, Clone)]
pub struct KeyTable {
    pub(super) artifact: String,
    /// How long each of its entries is.
    pub(super) entry_bytes: u64,
    /// The folder that MachineKeys lies in.
    pub(super) parent: Option<KeyFolderEntry>,
    /// The folders that keys lie in, and those beside MachineKeys.
    pub(super) folders: BTreeMap<u64, KeyFolderEntry>,
    pub(super) keys: Vec<KeyEntry>,
    /// Whether of the key files only those of Remote Desktop's own container were all kept.
    pub(super) own_only: bool,
    /// What keeps it from being whole.
    pub(super) flaw: Option<String>,
}

/// A folder in $MFT.
#[derive(Debug, Clone)]
pub(super) struct KeyFolderEntry {
    pub(super) entry: EntryPlace,
    pub(super) in_use: bool,
    pub(super) name: String,
    above: EntryPlace,
    pub(super) times: FileTimes,
    pub(super) named: FileTimes,
    /// Where it is on the machine, as its folders tell.
    pub(super) place: Place,
}

impl KeyFolderEntry {
    /// Whether a reference is to this folder and to no other that had its entry before or after.
    pub(super) fn is(&self, place: EntryPlace) -> bool {
        self.entry.number == place.number && self.entry.uses == uses_then(self.in_use, place.uses)
    }
}

/// How often an entry is used that was referred to with that count: freeing it counts as well.
pub(super) fn uses_then(in_use: bool, uses: u16) -> u16 {
    match in_use {
        true => uses,
        false => uses.wrapping_add(1),
    }
}

/// A key file in $MFT.
#[derive(Debug, Clone)]
pub(super) struct KeyEntry {
    pub(super) name: KeyFileName,
    pub(super) entry: EntryPlace,
    pub(super) in_use: bool,
    pub(super) folder: EntryPlace,
    pub(super) times: FileTimes,
    pub(super) named: FileTimes,
    pub(super) bytes: Option<u64>,
}

/// What the change journal saw of keys.
#[derive(Debug, Clone)]
pub struct KeyJournal {
    pub(super) artifact: String,
    /// The oldest first.
    pub(super) changes: VecDeque<Change>,
    /// What keeps it from being whole.
    pub(super) flaw: Option<String>,
}

impl KeyTable {
    fn read(artifact: String, source: &dyn ReadAt) -> Result<KeyTable, String> {
        let own = ContainerHash::of(SELF_SIGNED_CONTAINER, KeyStorage::Capi);
        let mut folders: BTreeMap<u64, KeyFolderEntry> = BTreeMap::new();
        let mut keys = Vec::new();
        let mut own_only = false;
        let summary = file_table::read(source, &mut |entry| {
            if entry.is_folder {
                if folders.len() < MOST_FOLDERS {
                    folders.insert(entry.place.number, KeyFolderEntry::of(entry));
                }
            } else if let Ok(name) = entry.name.parse::<KeyFileName>() {
                if keys.len() < MOST_KEYS || Some(name.hash) == own {
                    keys.push(KeyEntry::of(name, &entry));
                } else {
                    own_only = true;
                }
            }
        })?;
        let flaw = if let Some(why) = summary.broken_off {
            Some(why)
        } else if summary.damaged > 0 {
            Some(format!("{} of its entries are damaged", summary.damaged))
        } else {
            (folders.len() >= MOST_FOLDERS)
                .then(|| format!("it knows more than {MOST_FOLDERS} folders"))
        };
        let parent = machine_keys_parent(&folders);
        let wanted: BTreeSet<u64> = keys.iter().map(|key| key.folder.number).collect();
        let above = parent.as_ref().map(|parent| parent.entry.number);
        let places: BTreeMap<u64, Place> = folders
            .iter()
            .filter(|(number, folder)| {
                wanted.contains(number) || above == Some(folder.above.number)
            })
            .map(|(number, _)| (*number, place_of(*number, &folders)))
            .collect();
        folders.retain(|number, _| places.contains_key(number));
        for (number, folder) in &mut folders {
            folder.place = places.get(number).copied().unwrap_or(Place::Loose);
        }
        Ok(KeyTable {
            artifact,
            entry_bytes: summary.entry_bytes,
            parent,
            folders,
            keys,
            own_only,
            flaw,
        })
    }

    /// The folder that a key file is in, or was; not where its entry is another folder's now.
    pub(super) fn folder_of(&self, key: &KeyEntry) -> Option<&KeyFolderEntry> {
        self.folders
            .get(&key.folder.number)
            .filter(|folder| folder.is(key.folder))
    }
}

impl KeyFolderEntry {
    fn of(entry: TableEntry) -> KeyFolderEntry {
        KeyFolderEntry {
            entry: entry.place,
            in_use: entry.in_use,
            name: entry.name,
            above: entry.folder,
            times: entry.times.unwrap_or(entry.named),
            named: entry.named,
            place: Place::Loose,
        }
    }
}

impl KeyEntry {
    fn of(name: KeyFileName, entry: &TableEntry) -> KeyEntry {
        KeyEntry {
            name,
            entry: entry.place,
            in_use: entry.in_use,
            folder: entry.folder,
            times: entry.times.unwrap_or(entry.named),
            named: entry.named,
            bytes: entry.bytes,
        }
    }
}

/// The folder that MachineKeys lies in, from the root down.
fn machine_keys_parent(folders: &BTreeMap<u64, KeyFolderEntry>) -> Option<KeyFolderEntry> {
    let mut at = ROOT;
    let mut found = None;
    for name in ABOVE_MACHINE_KEYS {
        let (number, folder) = folders.iter().find(|(_, folder)| {
            folder.in_use && folder.above.number == at && folder.name.to_lowercase() == name
        })?;
        at = *number;
        found = Some(folder.clone());
    }
    found
}

/// Where a folder is, by the names above it. A folder that is gone is where it was.
fn place_of(number: u64, folders: &BTreeMap<u64, KeyFolderEntry>) -> Place {
    let mut names = Vec::new();
    let mut at = number;
    while at != ROOT && names.len() < DEEPEST {
        let Some(folder) = folders.get(&at) else {
            break;
        };
        names.push(folder.name.as_str());
        at = folder.above.number;
    }
    names.reverse();
    of_volume(&names)
}

/// Where a folder of that path from the volume's root is: one that is named as Windows' own and lies elsewhere, as in `Windows.old` or in
/// somebody's backup, is not where Windows looks.
fn of_volume(names: &[&str]) -> Place {
    let is_earlier = names
        .first()
        .is_some_and(|name| name.eq_ignore_ascii_case("Windows.old"));
    match place::of_folder(names) {
        Place::Home(folder)
            if place::disk_root(names, folder).is_none_or(|root| !root.is_empty()) =>
        {
            Place::Loose
        }
        _ if is_earlier => Place::Loose,
        place => place,
    }
}

impl KeyJournal {
    fn read(artifact: String, source: &dyn ReadAt) -> KeyJournal {
        let mut changes = VecDeque::new();
        // What a key file or MachineKeys was renamed to has any name.
        let mut renamed: BTreeSet<EntryPlace> = BTreeSet::new();
        let mut passed_over = 0_u64;
        let summary = change_journal::read(source, &mut |change| {
            let by_name = match change.is_folder {
                true => is_named_after_machine_keys(&change.name),
                false => key_file_name(&change.name).is_some(),
            };
            if by_name && change.reasons.any(Reasons::OLD_NAME) {
                renamed.insert(change.file);
            }
            if by_name || renamed.contains(&change.file) {
                if changes.len() >= MOST_CHANGES {
                    changes.pop_front();
                    passed_over += 1;
                }
                changes.push_back(change);
            }
        });
        let flaw = summary.broken_off.or_else(|| {
            (passed_over > 0)
                .then(|| format!("its {passed_over} oldest records of key files were passed over"))
        });
        KeyJournal {
            artifact,
            changes,
            flaw,
        }
    }
}

/// Whether a folder's name is MachineKeys, or made of it.
pub(super) fn is_named_after_machine_keys(name: &str) -> bool {
    name.to_lowercase().contains("machinekeys")
}

/// The key file that a name begins with: `f686..._....bak` was one.
pub(super) fn key_file_name(name: &str) -> Option<KeyFileName> {
    name.get(..KEY_NAME_LENGTH)?.parse().ok()
}

/// The later of two moments, where either is known.
pub(super) fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.max(other)
}
