//! The hives of one host: which of them answers what, and what an answer is worth.
//!
//! SYSTEM is read below the control set that `Select\Current` names. An answer is settled only where the hive proves it:
//! in a hive that is stale (dirty, its transaction logs missing), a value that is there counts, one that is not there may
//! have been written since; a value of another type than Windows reads is open, and named as a problem.

mod answer;
mod export;
mod hive_file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

pub use answer::{Answer, Place, Problem};
pub use export::{ExportFile, join};
pub use hive_file::{FileState, HiveFile, HiveRole, Part, control_set_in_use, open_hives};

use super::coverage::{Coverage, Window};
use super::fact::{FactSet, Source};
use super::gap::{GapId, Gaps};
use super::known::Known;
use super::subject::Subject;
use crate::bundle::{Artifact, Kind, NotUsed};
use crate::parse::hive::{Hive, Listing, Lookup, Value, Why, WrongType};
use crate::parse::registry::Key;
use hive_file::{ControlSet, STALE, control_set};

/// The hives of one host.
#[derive(Debug)]
pub struct Registry {
    system: Option<(HiveFile, ControlSet)>,
    software: Option<HiveFile>,
    security: Option<HiveFile>,
    /// Hives that were collected and cannot be read at all: the files.
    lost: BTreeMap<Subject, String>,
    problems: BTreeSet<Problem>,
    /// What was noticed while questions were answered.
    remarks: Mutex<BTreeSet<Problem>>,
}

impl Registry {
    /// Chooses among the hives of one host. Of several of one role (a `RegBack` copy, an older export) the one written last
    /// is asked; the others are named as problems.
    #[must_use]
    pub fn of(hives: Vec<HiveFile>) -> Registry {
        let mut problems = BTreeSet::new();
        let mut newest = |role: HiveRole, hives: &mut Vec<HiveFile>| {
            let mut candidates: Vec<HiveFile> = Vec::new();
            let (wanted, rest) = std::mem::take(hives)
                .into_iter()
                .partition::<Vec<_>, _>(|file| file.role == role);
            *hives = rest;
            candidates.extend(wanted);
            candidates.sort_by_cached_key(|file| {
                (
                    std::cmp::Reverse(file.hive.newest_write()),
                    file.artifact.clone(),
                )
            });
            let mut candidates = candidates.into_iter();
            let chosen = candidates.next();
            for other in candidates {
                let used = chosen.as_ref().map_or("", |file| file.artifact.as_str());
                problems.insert(Problem {
                    artifact: other.artifact,
                    at: None,
                    message: format!("not used: {used} is the same hive, written later"),
                });
            }
            chosen
        };
        let mut hives = hives;
        let system = newest(HiveRole::System, &mut hives);
        let software = newest(HiveRole::Software, &mut hives);
        let security = newest(HiveRole::Security, &mut hives);
        let system = system.map(|file| {
            let set = control_set(&file.hive);
            (file, set)
        });
        Registry {
            system,
            software,
            security,
            lost: BTreeMap::new(),
            problems,
            remarks: Mutex::default(),
        }
    }

    /// Tells hives that were not collected from those that were and cannot be read at all, which only their names tell.
    #[must_use]
    pub fn collected_among(mut self, files: &[Artifact]) -> Registry {
        for file in files {
            let might_be = match &file.kind {
                Kind::Hive(_) => true,
                Kind::NotUsed(why) => {
                    matches!(why, NotUsed::Empty | NotUsed::Zeros | NotUsed::Unrecognized)
                }
                _ => false,
            };
            if let Some(subject) = hive_file::named(&file.path).filter(|_| might_be)
                && self.file(subject).is_none()
            {
                self.lost
                    .entry(subject)
                    .or_insert_with(|| file.path.clone());
            }
        }
        self
    }

    /// Why nothing is known of a hive that is not there.
    #[must_use]
    pub fn why_missing(&self, subject: Subject) -> String {
        match self.lost.get(&subject) {
            Some(file) => format!("{file} is damaged: no key of this hive can be read in it"),
            None => NOT_COLLECTED.to_owned(),
        }
    }

    /// The SYSTEM hive.
    #[must_use]
    pub fn system(&self) -> Option<&HiveFile> {
        self.system.as_ref().map(|(file, _)| file)
    }

    /// The control sets beside the one in use, by name; none where that one is not known.
    #[must_use]
    pub fn other_control_sets(&self) -> Vec<String> {
        let Some((file, ControlSet::Named(current))) = &self.system else {
            return Vec::new();
        };
        let Lookup::Present(root) = file.hive.key("") else {
            return Vec::new();
        };
        let names = root.subkeys().entries.into_iter().map(|key| key.name());
        let is_other = |name: &String| {
            let number = name
                .get(.."ControlSet".len())
                .is_some_and(|start| start.eq_ignore_ascii_case("ControlSet"));
            number && !name.eq_ignore_ascii_case(current)
        };
        let mut sets: Vec<String> = names.filter(is_other).collect();
        sets.sort();
        sets.truncate(MOST_CONTROL_SETS);
        sets
    }

    /// The SOFTWARE hive.
    #[must_use]
    pub fn software(&self) -> Option<&HiveFile> {
        self.software.as_ref()
    }

    /// The SECURITY hive.
    #[must_use]
    pub fn security(&self) -> Option<&HiveFile> {
        self.security.as_ref()
    }

    /// The newest write in any hive, of a key or of the file as its base block dates it: a candidate for the end of the collection.
    #[must_use]
    pub fn newest_write(&self) -> Option<Timestamp> {
        self.files()
            .filter_map(|file| file.hive.hive())
            .flat_map(|hive| [hive.newest_write(), hive.header().written])
            .flatten()
            .max()
    }

    /// The hives that are stale. What is there in them counts, but nothing is sure that rests on them alone.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        let stale = self.files().filter(|file| file.hive.is_stale());
        stale.map(|file| file.artifact.as_str())
    }

    /// What is wrong with the hives, and with what was asked of them so far.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = self.problems.clone();
        problems.extend(remarks.iter().cloned());
        for file in self.files() {
            let own = file.hive.hive().map(Hive::problems).unwrap_or_default();
            problems.extend(own.into_iter().map(|problem| Problem {
                artifact: file.artifact.clone(),
                at: Some(format!("byte {}", problem.at)),
                message: problem.message,
            }));
            if file.hive.is_stale() {
                problems.insert(Problem {
                    artifact: file.artifact.clone(),
                    at: None,
                    message: STALE.to_owned(),
                });
            }
        }
        problems.into_iter().collect()
    }

    /// Says how much of SYSTEM, SOFTWARE and SECURITY the collection holds.
    pub fn cover(&self, facts: &mut FactSet) {
        for subject in [
            Subject::SystemHive,
            Subject::SoftwareHive,
            Subject::SecurityHive,
        ] {
            let file = self.file(subject);
            let doubt = file.and_then(HiveFile::silence_proves_nothing);
            let coverage = match (file, doubt) {
                (None, _) => Coverage::Missing(facts.gaps.open(subject, self.why_missing(subject))),
                (Some(_), Some(why)) => Coverage::PresenceOnly(facts.gaps.open(subject, why)),
                (Some(file), None) if file.hive.text().is_some_and(|tree| !tree.is_whole()) => {
                    Coverage::PresenceOnly(facts.gaps.open(subject, PARTIAL))
                }
                (Some(_), None) => Coverage::Whole(Window::ALWAYS),
            };
            facts.cover(subject, coverage);
        }
    }

    /// The key at a place.
    pub fn key(&self, gaps: &mut Gaps, place: Place<'_>) -> Answer<Key<'_>> {
        let (file, path) = match self.resolve(gaps, place) {
            Ok(resolved) => resolved,
            Err(unanswered) => return unanswered.answer(),
        };
        let found = file.hive.key(&path);
        let written = match &found {
            Lookup::Present(key) => key.written(),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        };
        Answer {
            value: self.judge(gaps, place.subject(), file, found),
            source: Some(file.source(&path, None, written)),
            written,
        }
    }

    /// The subkeys of a key; none where the key is not there.
    pub fn subkeys(&self, gaps: &mut Gaps, place: Place<'_>) -> Answer<Listing<Key<'_>>> {
        self.key(gaps, place).map(|key| key.subkeys())
    }

    /// A value, of whatever type; the empty name is the key's default value.
    pub fn value(&self, gaps: &mut Gaps, place: Place<'_>, name: &str) -> Answer<Value> {
        let (file, path) = match self.resolve(gaps, place) {
            Ok(resolved) => resolved,
            Err(unanswered) => return unanswered.answer(),
        };
        let key = file.hive.key(&path);
        let written = match &key {
            Lookup::Present(key) => key.written(),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        };
        let found = key.and_then(|key| key.value(name));
        Answer {
            value: self.judge(gaps, place.subject(), file, found),
            source: Some(file.source(&path, Some(name), written)),
            written,
        }
    }

    /// A `REG_DWORD` of a key that [`Registry::subkeys`] gave for `place`: of thousands of keys none is looked for again.
    pub fn dword_of(
        &self,
        gaps: &mut Gaps,
        place: Place<'_>,
        key: &Key<'_>,
        name: &str,
    ) -> Answer<u32> {
        let file = match self.resolve(gaps, place) {
            Ok((file, _)) => file,
            Err(unanswered) => return unanswered.answer(),
        };
        let answer = Answer {
            value: self.judge(gaps, place.subject(), file, key.value(name)),
            source: Some(file.source(key.path(), Some(name), key.written())),
            written: key.written(),
        };
        self.read(gaps, place, answer, Value::dword)
    }

    /// A `REG_DWORD`.
    pub fn dword(&self, gaps: &mut Gaps, place: Place<'_>, name: &str) -> Answer<u32> {
        self.typed(gaps, place, name, Value::dword)
    }

    /// A `REG_SZ` or `REG_EXPAND_SZ`.
    pub fn text(&self, gaps: &mut Gaps, place: Place<'_>, name: &str) -> Answer<String> {
        self.typed(gaps, place, name, Value::text)
    }

    /// A `REG_MULTI_SZ`.
    pub fn multi_text(&self, gaps: &mut Gaps, place: Place<'_>, name: &str) -> Answer<Vec<String>> {
        self.typed(gaps, place, name, Value::multi_text)
    }

    /// A value as it is read by `read`; one that `read` refuses is open, and a problem.
    pub fn typed<T, E: std::fmt::Display>(
        &self,
        gaps: &mut Gaps,
        place: Place<'_>,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Answer<T> {
        let answer = self.value(gaps, place, name);
        self.read(gaps, place, answer, read)
    }

    fn read<T, E: std::fmt::Display>(
        &self,
        gaps: &mut Gaps,
        place: Place<'_>,
        answer: Answer<Value>,
        read: impl FnOnce(&Value) -> Result<T, E>,
    ) -> Answer<T> {
        let value = match answer.value {
            Known::Open(gap) => Known::Open(gap),
            Known::Is(None) => Known::Is(None),
            Known::Is(Some(value)) => match read(&value) {
                Ok(read) => Known::Is(Some(read)),
                Err(why) => {
                    let gap = self.refuse(gaps, place, answer.source.as_ref(), &why.to_string());
                    Known::Open(gap)
                }
            },
        };
        Answer {
            value,
            source: answer.source,
            written: answer.written,
        }
    }

    /// Records that a value is none that Windows can read, as a problem and as a gap.
    fn refuse(
        &self,
        gaps: &mut Gaps,
        place: Place<'_>,
        source: Option<&Source>,
        why: &str,
    ) -> GapId {
        let Some(Source::Value {
            artifact,
            key,
            name,
            ..
        }) = source
        else {
            return gaps.open(place.subject(), why);
        };
        let at = match name {
            Some(name) => format!("{key}\\{name}"),
            None => key.clone(),
        };
        let gap = gaps.open(place.subject(), format!("{at}: {why}"));
        self.remark(artifact, Some(at), why.to_owned());
        gap
    }

    /// Keeps something that was noticed while a question was answered.
    pub(super) fn remark(&self, artifact: &str, at: Option<String>, message: String) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.insert(Problem {
            artifact: artifact.to_owned(),
            at,
            message,
        });
    }

    fn judge<T>(
        &self,
        gaps: &mut Gaps,
        subject: Subject,
        file: &HiveFile,
        found: Lookup<T>,
    ) -> Known<Option<T>> {
        match found {
            Lookup::Present(value) => Known::Is(Some(value)),
            Lookup::Absent => match file.silence_proves_nothing() {
                Some(why) => Known::Open(gaps.open(subject, why)),
                None => Known::Is(None),
            },
            Lookup::Unreadable(trouble) if trouble.why == Why::NotExported => {
                Known::Open(gaps.open(subject, trouble.reason()))
            }
            Lookup::Unreadable(trouble) => {
                // One damaged list keeps many questions open; it is one problem.
                let at = format!("byte {}", trouble.offset);
                self.remark(&file.artifact, Some(at), trouble.to_string());
                Known::Open(gaps.open(subject, trouble.reason()))
            }
        }
    }

    fn resolve(
        &self,
        gaps: &mut Gaps,
        place: Place<'_>,
    ) -> Result<(&HiveFile, String), Unanswered> {
        let subject = place.subject();
        let missing = |gaps: &mut Gaps| Unanswered {
            gap: gaps.open(subject, self.why_missing(subject)),
            source: None,
        };
        match place {
            Place::Software(path) => match &self.software {
                Some(file) => Ok((file, path.to_owned())),
                None => Err(missing(gaps)),
            },
            Place::Security(path) => match &self.security {
                Some(file) => Ok((file, path.to_owned())),
                None => Err(missing(gaps)),
            },
            Place::System(path) => match &self.system {
                Some((file, _)) => Ok((file, path.to_owned())),
                None => Err(missing(gaps)),
            },
            Place::ControlSet(path) => match &self.system {
                Some((file, ControlSet::Named(set))) => Ok((file, format!("{set}\\{path}"))),
                Some((file, ControlSet::Unknown(why))) => {
                    self.remark(&file.artifact, Some("Select".to_owned()), why.clone());
                    Err(Unanswered {
                        gap: gaps.open(subject, why.clone()),
                        source: Some(file.source("Select", Some("Current"), None)),
                    })
                }
                None => Err(missing(gaps)),
            },
        }
    }

    fn file(&self, subject: Subject) -> Option<&HiveFile> {
        match subject {
            Subject::SystemHive => self.system(),
            Subject::SoftwareHive => self.software(),
            Subject::SecurityHive => self.security(),
            _ => None,
        }
    }

    /// The hives that are asked.
    pub fn files(&self) -> impl Iterator<Item = &HiveFile> {
        self.system()
            .into_iter()
            .chain(self.software())
            .chain(self.security())
    }
}

/// Windows keeps two or three; a forged hive could hold thousands.
const MOST_CONTROL_SETS: usize = 8;

const NOT_COLLECTED: &str = "not in the collection";

const PARTIAL: &str = "only some of its keys were exported, as text";

/// A question that could not be put: there is no hive, or no control set.
struct Unanswered {
    gap: GapId,
    source: Option<Source>,
}

impl Unanswered {
    fn answer<T>(self) -> Answer<T> {
        Answer {
            value: Known::Open(self.gap),
            source: self.source,
            written: None,
        }
    }
}

/// The bytes of a `REG_BINARY`.
///
/// # Errors
/// When the type is another.
pub(super) fn binary(value: &Value) -> Result<Vec<u8>, WrongType> {
    use crate::parse::hive::ValueKind;
    match value.kind {
        ValueKind::RegBinary => Ok(value.bytes.clone()),
        found => Err(WrongType {
            expected: "REG_BINARY",
            found,
            length: value.bytes.len(),
        }),
    }
}
