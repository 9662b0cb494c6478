//! What became of the listener's key file and its folder, and when, as the file system itself recorded it. The change journal says
//! it to the moment; $MFT says how things stand, from which only follows between which moments it happened.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::bundle::disk::EntryPlace;
use crate::facts::catalog::key::{
    KeyFolder, KeyTrace, ListingForm, TraceHappening, TraceObject, TraceTeller,
};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::parse::change_journal::{Change, Reasons};
use crate::parse::key_file::KeyFileName;

use super::evidence::{KeyEvidence, View};
use super::file_system::{
    KeyEntry, KeyFolderEntry, KeyJournal, KeyTable, is_named_after_machine_keys, later, uses_then,
};
use super::place::Place;
use super::wanted::Wanted;

const HOME: &str = "MachineKeys";
/// Of more traces than these only the newest are told.
const MOST: usize = 200;
/// What Windows does in one go has times that are a little apart.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(2);
/// What is done to a file later than this after it was made is a change of its own.
const A_WHILE: SignedDuration = SignedDuration::from_mins(1);
/// A folder that setup makes is no younger than this than the one that it makes around it.
const A_SETUP: SignedDuration = SignedDuration::from_hours(24);

/// One thing that became of a file or a folder.
#[derive(Debug, Clone)]
struct Trace {
    at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    object: TraceObject,
    happened: TraceHappening,
    told_by: TraceTeller,
    entry: EntryPlace,
    name: String,
    former_name: Option<String>,
    /// Whether it took the key file from where the service looks.
    lost: bool,
    /// Whether it brought it back.
    restored: bool,
    source: Source,
    /// What has to be said of it.
    doubt: Option<&'static str>,
}

/// Adds the facts; says what took the key file away, as a sentence, where something did and nothing brought it back.
pub(super) fn add_facts(
    evidence: &KeyEvidence,
    wanted: &Wanted,
    folder: KeyFolder,
    facts: &mut FactSet,
) -> String {
    let is_listing = |view: &View| view.form == ListingForm::FileTable;
    let alone = evidence.views.iter().any(is_listing);
    let mut traces = Vec::new();
    for journal in &evidence.journals {
        let table = evidence
            .tables
            .first()
            .filter(|_| evidence.tables.len() == 1);
        traces.extend(
            Seen {
                wanted,
                folder,
                table,
                alone,
            }
            .in_journal(journal),
        );
    }
    let told = traces.len();
    for table in &evidence.tables {
        let seen = Seen {
            wanted,
            folder,
            table: Some(table),
            alone,
        };
        let of_table = seen.in_table(table);
        // What the journal tells to the moment needs no guess.
        let told_already = |trace: &Trace| {
            traces.iter().take(told).any(|known| {
                known.entry.number == trace.entry.number
                    && known.happened == trace.happened
                    && known.name == trace.name
            })
        };
        let news: Vec<Trace> = of_table
            .into_iter()
            .filter(|trace| !told_already(trace))
            .collect();
        traces.extend(news);
    }
    traces.sort_by_key(|trace| (trace.at.or(trace.not_before), trace.object));
    let there = evidence
        .tables
        .iter()
        .any(|table| is_in_place(table, wanted, folder));
    let skipped = traces.len().saturating_sub(MOST);
    let mut sentence = None;
    for (index, trace) in traces.iter().enumerate().skip(skipped) {
        let undone = |later: &Trace| {
            later.restored
                && (later.object == TraceObject::File || later.entry.number == trace.entry.number)
        };
        let superseded = trace.lost && (there || traces.iter().skip(index + 1).any(undone));
        let when = when(trace.at, facts);
        if trace.lost && !superseded {
            sentence = Some(format!(
                " {}: {}{}.",
                match trace.told_by {
                    TraceTeller::ChangeJournal => "The change journal tells it",
                    TraceTeller::FileTable => "The file table shows it",
                },
                trace.says(true),
                when.as_ref()
                    .map(|when| format!(", {when}"))
                    .unwrap_or_default(),
            ));
        }
        let body = KeyTrace {
            object: trace.object,
            happened: trace.happened,
            listener: true,
            lost: trace.lost,
            superseded,
            name: trace.name.clone(),
            former_name: trace.former_name.clone(),
            told_by: trace.told_by,
            exact: trace.is_exact(),
            not_before: trace.not_before,
            says: trace.says(false),
            when,
        };
        facts.add(trace.at, body, vec![trace.source.clone()]);
    }
    sentence.unwrap_or_default()
}

/// How long before or after the first failure that was.
fn when(at: Option<Timestamp>, facts: &FactSet) -> Option<String> {
    let failure: Option<Timestamp> = match &facts.anchors.first_failure {
        Known::Is(failure) => *failure,
        Known::Open(GapId { .. }) => None,
    };
    let apart = failure?.duration_since(at?);
    let side = if apart.is_negative() {
        "after"
    } else {
        "before"
    };
    Some(format!("{} {side} the first failure", span(apart.abs())))
}

fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}

/// Whether the key file is where the service looks.
fn is_in_place(table: &KeyTable, wanted: &Wanted, folder: KeyFolder) -> bool {
    table.keys.iter().any(|key| {
        key.in_use
            && is_wanted(wanted, &key.name)
            && table
                .folder_of(key)
                .is_some_and(|found| found.in_use && found.place == Place::Home(folder))
    })
}

fn is_wanted(wanted: &Wanted, name: &KeyFileName) -> bool {
    match &wanted.names {
        Known::Is(names) => names.contains(name),
        Known::Open(_) => wanted.hashes.contains(&name.hash),
    }
}

impl Trace {
    fn is_exact(&self) -> bool {
        self.told_by == TraceTeller::ChangeJournal && self.at.is_some()
    }

    fn says(&self, with_time: bool) -> String {
        let name = &self.name;
        let what = match self.object {
            TraceObject::Folder => "the folder",
            TraceObject::File => "the key file",
        };
        let mut text = match (self.happened, &self.former_name) {
            (TraceHappening::Renamed, Some(former)) if former == name => {
                format!("{what} {name} was moved to another folder")
            }
            (TraceHappening::Renamed, Some(former)) => {
                format!("{what} {former} was renamed to {name}")
            }
            (TraceHappening::Renamed, None) => format!("{what} {name} was renamed"),
            (TraceHappening::Made, _) => format!("{what} {name} was made"),
            (TraceHappening::Deleted, _) => format!("{what} {name} was deleted"),
            (TraceHappening::PermissionsChanged, _) => {
                format!("the permissions of {what} {name} were changed")
            }
            (TraceHappening::Written, _) => format!("{what} {name} was written to"),
            (TraceHappening::Changed, _) => format!(
                "{what} {name} was last changed, in its permissions, its attributes or its name"
            ),
        };
        match (self.at, self.not_before) {
            (Some(at), _) if with_time && self.is_exact() => text += &format!(" at {at}"),
            (Some(at), Some(first)) if !self.is_exact() && first < at => {
                text += &format!(" between {first} and {at}");
            }
            (None, Some(first)) => text += &format!(" after {first}"),
            (Some(at), _) if with_time => text += &format!(" at {at}"),
            _ => {}
        }
        match self.doubt {
            Some(doubt) => format!("{text} ({doubt})"),
            None => text,
        }
    }
}

/// What is looked for, and where.
struct Seen<'s> {
    wanted: &'s Wanted,
    folder: KeyFolder,
    table: Option<&'s KeyTable>,
    /// Whether the table stands for the folder, which nobody collected.
    alone: bool,
}

impl Seen<'_> {
    fn is_wanted(&self, name: &str) -> bool {
        name.parse::<KeyFileName>()
            .is_ok_and(|name| is_wanted(self.wanted, &name))
    }

    /// Whether a folder of a change is the one that MachineKeys lies in; without a table none can be told from another.
    fn is_parent(&self, folder: EntryPlace) -> bool {
        let parent = self.table.and_then(|table| table.parent.as_ref());
        parent.is_none_or(|parent| parent.is(folder))
    }

    fn in_journal(&self, journal: &KeyJournal) -> Vec<Trace> {
        let mut open: BTreeMap<EntryPlace, Reasons> = BTreeMap::new();
        let mut old_names: BTreeMap<EntryPlace, &Change> = BTreeMap::new();
        let mut traces = Vec::new();
        for change in &journal.changes {
            // What was done stays in the records until the file is closed.
            let before = open.get(&change.file).copied().unwrap_or_default();
            let news = Reasons(change.reasons.0 & !before.0);
            if change.reasons.any(Reasons::CLOSED) {
                open.remove(&change.file);
            } else {
                open.insert(change.file, change.reasons);
            }
            if news.any(Reasons::OLD_NAME) {
                old_names.insert(change.file, change);
            }
            let former = match news.any(Reasons::NEW_NAME) {
                true => old_names.remove(&change.file),
                false => None,
            };
            let found = match change.is_folder {
                true => self.folder_change(change, news, former),
                false => self.file_change(change, news, former),
            };
            traces.extend(found.into_iter().map(|found| Trace {
                at: change.at,
                not_before: None,
                object: match change.is_folder {
                    true => TraceObject::Folder,
                    false => TraceObject::File,
                },
                happened: found.happened,
                told_by: TraceTeller::ChangeJournal,
                entry: change.file,
                name: change.name.clone(),
                former_name: former.map(|former| former.name.clone()),
                lost: found.lost,
                restored: found.restored,
                source: Source::Record {
                    artifact: journal.artifact.clone(),
                    number: change.number,
                    offset: change.number,
                },
                doubt: None,
            }));
        }
        traces
    }

    fn folder_change(
        &self,
        change: &Change,
        news: Reasons,
        former: Option<&Change>,
    ) -> Option<Found> {
        let is_home = |change: &Change| {
            self.folder == KeyFolder::MachineKeys
                && change.name.eq_ignore_ascii_case(HOME)
                && self.is_parent(change.folder)
        };
        let is = is_home(change);
        let was = former.is_some_and(is_home);
        let happened = if news.any(Reasons::NEW_NAME) && (is || was) {
            TraceHappening::Renamed
        } else if !is {
            return None;
        } else if news.any(Reasons::DELETED) {
            TraceHappening::Deleted
        } else if news.any(Reasons::MADE) {
            TraceHappening::Made
        } else if news.any(Reasons::PERMISSIONS) && !change.reasons.any(Reasons::MADE) {
            TraceHappening::PermissionsChanged
        } else {
            return None;
        };
        Some(Found {
            lost: (was && !is) || happened == TraceHappening::Deleted,
            restored: is && !was && happened == TraceHappening::Renamed,
            happened,
        })
    }

    fn file_change(
        &self,
        change: &Change,
        news: Reasons,
        former: Option<&Change>,
    ) -> Option<Found> {
        // Only where the folder is known to be another is it another.
        let elsewhere = |change: &Change| {
            let folder = self
                .table
                .and_then(|table| table.folders.get(&change.folder.number));
            folder
                .filter(|folder| folder.is(change.folder))
                .is_some_and(|folder| matches!(folder.place, Place::Personal))
        };
        let is = self.is_wanted(&change.name) && !elsewhere(change);
        let was = former.is_some_and(|former| self.is_wanted(&former.name) && !elsewhere(former));
        let moved = former.is_some_and(|former| former.folder != change.folder);
        let happened = if news.any(Reasons::NEW_NAME) && (is || was) {
            TraceHappening::Renamed
        } else if !is {
            return None;
        } else if news.any(Reasons::DELETED) {
            TraceHappening::Deleted
        } else if news.any(Reasons::MADE) {
            TraceHappening::Made
        } else if news.any(Reasons::PERMISSIONS) && !change.reasons.any(Reasons::MADE) {
            TraceHappening::PermissionsChanged
        } else if news.any(Reasons::WRITTEN) && !change.reasons.any(Reasons::MADE) {
            TraceHappening::Written
        } else {
            return None;
        };
        Some(Found {
            lost: (was && (!is || moved)) || happened == TraceHappening::Deleted,
            restored: happened == TraceHappening::Made || (is && !was),
            happened,
        })
    }

    fn in_table(&self, table: &KeyTable) -> Vec<Trace> {
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

/// What a change comes to.
struct Found {
    happened: TraceHappening,
    lost: bool,
    restored: bool,
}

fn entry_source(table: &KeyTable, number: u64) -> Source {
    Source::Record {
        artifact: table.artifact.clone(),
        number,
        offset: number.saturating_mul(table.entry_bytes),
    }
}
