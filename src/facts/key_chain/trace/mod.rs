//! What became of the listener's key file and its folder, and when, as the file system itself recorded it. The change journal says
//! it to the moment; $MFT says how things stand, from which only follows between which moments it happened.

mod journal;
mod table;

use jiff::{SignedDuration, Timestamp};

use crate::bundle::disk::EntryPlace;
use crate::facts::catalog::key::{
    KeyFolder, KeyTrace, ListingForm, TraceHappening, TraceObject, TraceTeller,
};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::parse::key_file::KeyFileName;

use super::evidence::{KeyEvidence, View};
use super::file_system::KeyTable;
use super::place::Place;
use super::wanted::Wanted;

const HOME: &str = "MachineKeys";
/// Of more traces than these only the newest are told.
const MOST: usize = 200;

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
}
