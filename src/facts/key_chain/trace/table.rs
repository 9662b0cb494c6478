//! What $MFT tells: how things stand, from which follows between which moments they came to be so.

use jiff::{SignedDuration, Timestamp};

use crate::bundle::disk::EntryPlace;
use crate::facts::catalog::key::{TraceHappening, TraceObject, TraceTeller};
use crate::facts::fact::Source;

use super::super::file_system::{
    KeyEntry, KeyFolderEntry, KeyTable, is_named_after_machine_keys, later, uses_then,
};
use super::super::place::Place;
use super::{HOME, Seen, Trace, is_wanted};

/// What Windows does in one go has times that are a little apart.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
/// What is done to a file later than this after it was made is a change of its own.
const A_WHILE: SignedDuration = SignedDuration::from_mins(1);
/// A folder that setup makes is no younger than this than the one that it makes around it.
const A_SETUP: SignedDuration = SignedDuration::from_hours(24);

impl Seen<'_> {
    pub(super) fn in_table(&self, table: &KeyTable) -> Vec<Trace> {
        let mut traces = Vec::new();
        let home = table
            .folders
            .values()
            .find(|folder| folder.in_use && folder.place == Place::Home(self.folder));
        for folder in table.folders.values() {
            traces.extend(self.folder_trace(table, folder, home));
        }
        for key in table
            .keys
            .iter()
            .filter(|key| is_wanted(self.wanted, &key.name))
        {
            match key.in_use {
                true => traces.extend(self.file_there(table, key)),
                false => traces.extend(self.file_gone(table, key)),
            }
        }
        traces
    }

    /// A folder beside MachineKeys that is older than it was MachineKeys: a copy would be younger.
    fn folder_trace(
        &self,
        table: &KeyTable,
        folder: &KeyFolderEntry,
        home: Option<&KeyFolderEntry>,
    ) -> Option<Trace> {
        let (happened, at, not_before) = match (folder.place, folder.in_use) {
            (Place::Home(place), true) if place == self.folder => {
                let around = table.parent.as_ref()?.times.created?;
                let made = folder.times.created?;
                (made.duration_since(around) > A_SETUP).then_some(())?;
                (TraceHappening::Made, Some(made), None)
            }
            (Place::Beside(place), true) if place == self.folder => {
                let holds_keys = || {
                    let mut inside = table
                        .keys
                        .iter()
                        .filter(|key| key.in_use && folder.is(key.folder));
                    inside.next().is_some()
                };
                (is_named_after_machine_keys(&folder.name) || holds_keys()).then_some(())?;
                let made_anew = home.and_then(|home| home.times.created);
                let is_older = match (folder.times.created, made_anew) {
                    (Some(old), Some(new)) => old < new,
                    _ => home.is_none(),
                };
                if is_older {
                    let latest = match (folder.times.changed, made_anew) {
                        (Some(changed), Some(new)) => Some(changed.min(new)),
                        (changed, new) => changed.or(new),
                    };
                    (TraceHappening::Renamed, latest, folder.named.latest())
                } else {
                    (TraceHappening::Made, folder.times.created, None)
                }
            }
            (Place::Home(place), false) if place == self.folder => {
                (TraceHappening::Deleted, None, folder.times.latest())
            }
            _ => return None,
        };
        let is_home = matches!(folder.place, Place::Home(_));
        Some(Trace {
            at,
            not_before,
            object: TraceObject::Folder,
            happened,
            told_by: TraceTeller::FileTable,
            entry: folder.entry,
            name: folder.name.clone(),
            former_name: (happened == TraceHappening::Renamed).then(|| HOME.to_owned()),
            lost: match happened {
                TraceHappening::Renamed => true,
                TraceHappening::Deleted => is_home,
                _ => false,
            },
            restored: false,
            source: entry_source(table, folder.entry.number),
            doubt: (happened == TraceHappening::Renamed).then_some(
                "it is older than the folder MachineKeys that is there now, so that it was that folder before",
            ).filter(|_| home.is_some()),
        })
    }

    fn file_there(&self, table: &KeyTable, key: &KeyEntry) -> Vec<Trace> {
        let folder = table.folder_of(key);
        if folder.is_none_or(|folder| folder.place != Place::Home(self.folder)) {
            return Vec::new();
        }
        let trace = |happened, at, restored| Trace {
            at: Some(at),
            not_before: None,
            object: TraceObject::File,
            happened,
            told_by: TraceTeller::FileTable,
            entry: key.entry,
            name: key.name.to_string(),
            former_name: None,
            lost: false,
            restored,
            source: entry_source(table, key.entry.number),
            doubt: None,
        };
        let mut traces = Vec::new();
        // Where the file itself was read, its own time is told already.
        if let Some(made) = key.times.created.filter(|_| self.alone) {
            traces.push(trace(TraceHappening::Made, made, true));
        }
        let written = later(key.times.created, key.times.modified);
        if let (Some(changed), Some(written)) = (key.times.changed, written)
            && changed.duration_since(written) > A_WHILE
        {
            traces.push(trace(TraceHappening::Changed, changed, false));
        }
        traces
    }

    /// A key file that is gone. It was there after its last times; its folder was last written to when the last file came or went.
    fn file_gone(&self, table: &KeyTable, key: &KeyEntry) -> Option<Trace> {
        let folder = table.folder_of(key);
        let listed = folder.and_then(|folder| folder.times.modified);
        let came = |at: Timestamp| {
            table.keys.iter().any(|other| {
                other.in_use
                    && other.folder == key.folder
                    && other
                        .named
                        .created
                        .is_some_and(|made| made.duration_since(at).abs() <= AT_ONCE)
            })
        };
        let not_before = later(key.times.latest(), key.named.latest());
        let at = listed.filter(|at| !came(*at) && not_before.is_none_or(|first| first <= *at));
        let place = folder.map(|folder| folder.place);
        if matches!(place, Some(Place::Personal | Place::Loose)) {
            return None;
        }
        Some(Trace {
            at,
            not_before,
            object: TraceObject::File,
            happened: TraceHappening::Deleted,
            told_by: TraceTeller::FileTable,
            entry: EntryPlace {
                number: key.entry.number,
                uses: uses_then(false, key.entry.uses),
            },
            name: key.name.to_string(),
            former_name: None,
            lost: place == Some(Place::Home(self.folder)),
            restored: false,
            source: entry_source(table, key.entry.number),
            doubt: match place {
                Some(Place::Home(_)) => None,
                Some(_) => Some("in a folder beside MachineKeys"),
                None => Some(
                    "the entry of its folder is another one's by now, so that it may have lain elsewhere",
                ),
            },
        })
    }
}

fn entry_source(table: &KeyTable, number: u64) -> Source {
    Source::Record {
        artifact: table.artifact.clone(),
        number,
        offset: number.saturating_mul(table.entry_bytes),
    }
}
