//! What the change journal tells: each thing that was done, to the moment.

use std::collections::BTreeMap;

use crate::bundle::disk::EntryPlace;
use crate::facts::catalog::key::{KeyFolder, TraceHappening, TraceObject, TraceTeller};
use crate::facts::fact::Source;
use crate::parse::change_journal::{Change, Reasons};

use super::super::file_system::KeyJournal;
use super::super::place::Place;
use super::{HOME, Seen, Trace};

impl Seen<'_> {
    pub(super) fn in_journal(&self, journal: &KeyJournal) -> Vec<Trace> {
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
        let happened = happening(is, was, news, change)?;
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
        let written = is && news.any(Reasons::WRITTEN) && !change.reasons.any(Reasons::MADE);
        let happened = happening(is, was, news, change)
            .or_else(|| written.then_some(TraceHappening::Written))?;
        Some(Found {
            lost: (was && (!is || moved)) || happened == TraceHappening::Deleted,
            restored: happened == TraceHappening::Made || (is && !was),
            happened,
        })
    }
}

/// What befell something that bears the name now (`is`) or bore it before (`was`); none where that is nothing of its place.
fn happening(is: bool, was: bool, news: Reasons, change: &Change) -> Option<TraceHappening> {
    if news.any(Reasons::NEW_NAME) && (is || was) {
        Some(TraceHappening::Renamed)
    } else if !is {
        None
    } else if news.any(Reasons::DELETED) {
        Some(TraceHappening::Deleted)
    } else if news.any(Reasons::MADE) {
        Some(TraceHappening::Made)
    } else if news.any(Reasons::PERMISSIONS) && !change.reasons.any(Reasons::MADE) {
        Some(TraceHappening::PermissionsChanged)
    } else {
        None
    }
}

/// What a change comes to.
struct Found {
    happened: TraceHappening,
    lost: bool,
    restored: bool,
}
