//! The hives of one host: which of them answers what, and what an answer is worth.
//!
//! SYSTEM is read below the control set that `Select\Current` names. An answer is settled only where the hive proves it:
//! in a hive that is stale (dirty, its transaction logs missing), a value that is there counts, one that is not there may
//! have been written since; a value of another type than Windows reads is open, and named as a problem.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rayon::prelude::*;

use super::coverage::{Coverage, Window};
use super::fact::{FactSet, Source};
use super::gap::{GapId, Gaps};
use super::grouping::Says;
use super::known::Known;
use super::subject::Subject;
use crate::bundle::{Artifact, Bundle, Kind};
use crate::parse::hive::{Hive, Key, Listing, Lookup, Value, WrongType};

/// Something in a hive that could not be read, or that a reader of the report should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The hive.
    pub artifact: String,
    /// Where in it: a key and a value, or a byte.
    pub at: Option<String>,
    /// What, and what it hides.
    pub message: String,
}

/// Which hive of a machine a file is, by the keys in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiveRole {
    /// `HKLM\SYSTEM`.
    System,
    /// `HKLM\SOFTWARE`.
    Software,
    /// Another one, of which nothing is asked.
    Other,
}

/// A hive of the collection, opened.
#[derive(Debug)]
pub struct HiveFile {
    /// Its path in the collection.
    pub artifact: String,
    /// Which one it is.
    pub role: HiveRole,
    /// Its content.
    pub hive: Hive,
}

/// Opens every hive of a collection, several at once; those that cannot be read are problems.
#[must_use]
pub fn open_hives(bundle: &Bundle) -> (Vec<HiveFile>, Vec<Problem>) {
    let hives: Vec<&Artifact> = bundle
        .artifacts
        .iter()
        .filter(|artifact| matches!(artifact.kind, Kind::Hive(_)))
        .collect();
    let opened: Vec<Result<HiveFile, Problem>> = hives
        .into_par_iter()
        .map(|artifact| HiveFile::open(bundle, artifact))
        .collect();
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for outcome in opened {
        match outcome {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    (files, problems)
}

impl HiveFile {
    /// Opens one hive with the transaction logs beside it.
    ///
    /// # Errors
    /// The problem, where nothing can be read from it.
    pub fn open(bundle: &Bundle, artifact: &Artifact) -> Result<HiveFile, Problem> {
        let problem = |message: String| Problem {
            artifact: artifact.path.clone(),
            at: None,
            message,
        };
        let primary = artifact
            .open()
            .map_err(|error| problem(error.to_string()))?;
        let mut sources = Vec::new();
        for log in bundle.transaction_logs(artifact) {
            let source = log.open().map_err(|error| problem(error.to_string()))?;
            sources.push((log.path.as_str(), source));
        }
        let logs: Vec<_> = sources
            .iter()
            .map(|(name, source)| (*name, source.as_ref()))
            .collect();
        let hive =
            Hive::open(primary.as_ref(), &logs).map_err(|error| problem(error.to_string()))?;
        Ok(HiveFile {
            artifact: artifact.path.clone(),
            role: role(&hive),
            hive,
        })
    }

    /// What it says of the host it comes from. Only SYSTEM holds a name.
    #[must_use]
    pub fn says(&self) -> Says {
        if self.role != HiveRole::System {
            return Says::Nothing;
        }
        let ControlSet::Named(set) = control_set(&self.hive) else {
            return Says::Nothing;
        };
        let text = |key: &str, value: &str| {
            let found = self.hive.key(&format!("{set}\\{key}"));
            let text = found
                .and_then(|key| key.value(value))
                .present()?
                .text()
                .ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let names: Vec<String> = [
            text("Control\\ComputerName\\ComputerName", "ComputerName"),
            text("Control\\ComputerName\\ActiveComputerName", "ComputerName"),
            text("Services\\Tcpip\\Parameters", "NV Hostname"),
            text("Services\\Tcpip\\Parameters", "Hostname"),
        ]
        .into_iter()
        .flatten()
        .collect();
        match names.split_first() {
            Some((name, others)) => Says::Hive {
                name: name.clone(),
                others: others.to_vec(),
            },
            None => Says::Nothing,
        }
    }
}

fn role(hive: &Hive) -> HiveRole {
    const SYSTEM: [&str; 3] = ["Select", "ControlSet001", "ControlSet002"];
    const SOFTWARE: [&str; 4] = [
        "Microsoft\\Windows NT",
        "Microsoft\\SystemCertificates",
        "Microsoft\\Cryptography",
        "Policies\\Microsoft",
    ];
    let has = |keys: &[&str]| {
        keys.iter()
            .any(|key| matches!(hive.key(key), Lookup::Present(_)))
    };
    let name = hive.name_in_header().to_lowercase();
    if has(&SYSTEM) {
        HiveRole::System
    } else if has(&SOFTWARE) {
        HiveRole::Software
    } else if name.ends_with("\\config\\system") {
        HiveRole::System
    } else if name.ends_with("\\config\\software") {
        HiveRole::Software
    } else {
        HiveRole::Other
    }
}

/// The control set in use, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ControlSet {
    Named(String),
    Unknown(String),
}

/// `Select\Current`; where that cannot be read, the only control set, if there is one alone.
fn control_set(hive: &Hive) -> ControlSet {
    let current = match hive.key("Select").and_then(|key| key.value("Current")) {
        Lookup::Present(value) => value.dword().map_err(|wrong| wrong.to_string()),
        Lookup::Absent => Err("it is not there".to_owned()),
        Lookup::Unreadable(trouble) => Err(trouble.to_string()),
    };
    let why = match current {
        Ok(number) => {
            let name = format!("ControlSet{number:03}");
            if matches!(hive.key(&name), Lookup::Present(_)) {
                return ControlSet::Named(name);
            }
            format!("Select\\Current names {name}, which cannot be found")
        }
        Err(why) => format!("Select\\Current does not say which control set is in use: {why}"),
    };
    let sets: Vec<String> = match hive.key("") {
        Lookup::Present(root) => {
            let names = root.subkeys().entries.into_iter().map(|key| key.name());
            names
                .filter(|name| name.to_lowercase().starts_with("controlset"))
                .collect()
        }
        Lookup::Absent | Lookup::Unreadable(_) => Vec::new(),
    };
    match sets.as_slice() {
        [only] => ControlSet::Named(only.clone()),
        _ => ControlSet::Unknown(why),
    }
}

/// Where a key lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'p> {
    /// In SYSTEM, below the control set in use.
    ControlSet(&'p str),
    /// In SYSTEM, from its root.
    System(&'p str),
    /// In SOFTWARE.
    Software(&'p str),
}

impl Place<'_> {
    fn subject(self) -> Subject {
        match self {
            Place::ControlSet(_) | Place::System(_) => Subject::SystemHive,
            Place::Software(_) => Subject::SoftwareHive,
        }
    }
}

/// What a hive says to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// The value; known to be none where the hive proves that; open with its gap else.
    pub value: Known<Option<T>>,
    /// Where it stands, or would stand; none where there is no hive.
    pub source: Option<Source>,
    /// When the key was last written.
    pub written: Option<Timestamp>,
}

impl<T> Answer<T> {
    /// Goes on with the value, if there is one; to none where it cannot be used.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: self.value.map(|value| value.map(change)),
            source: self.source,
            written: self.written,
        }
    }

    /// The value, where it is there.
    pub fn present(&self) -> Option<&T> {
        self.value.settled().and_then(Option::as_ref)
    }

    /// Whether the hive proves that it is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self.value, Known::Is(None))
    }
}

/// The hives of one host.
#[derive(Debug)]
pub struct Registry {
    system: Option<(HiveFile, ControlSet)>,
    software: Option<HiveFile>,
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
        let system = system.map(|file| {
            let set = control_set(&file.hive);
            (file, set)
        });
        Registry {
            system,
            software,
            problems,
            remarks: Mutex::default(),
        }
    }

    /// The SYSTEM hive.
    #[must_use]
    pub fn system(&self) -> Option<&HiveFile> {
        self.system.as_ref().map(|(file, _)| file)
    }

    /// The SOFTWARE hive.
    #[must_use]
    pub fn software(&self) -> Option<&HiveFile> {
        self.software.as_ref()
    }

    /// The newest write of a key in either hive: a candidate for the end of the collection.
    #[must_use]
    pub fn newest_write(&self) -> Option<Timestamp> {
        self.files()
            .filter_map(|file| file.hive.newest_write())
            .max()
    }

    /// What is wrong with the hives, and with what was asked of them so far.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = self.problems.clone();
        problems.extend(remarks.iter().cloned());
        for file in self.files() {
            problems.extend(file.hive.problems().into_iter().map(|problem| Problem {
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

    /// Says how much of SYSTEM and SOFTWARE the collection holds.
    pub fn cover(&self, facts: &mut FactSet) {
        for subject in [Subject::SystemHive, Subject::SoftwareHive] {
            let coverage = match self.file(subject) {
                None => Coverage::Missing(facts.gaps.open(subject, NOT_COLLECTED)),
                Some(file) if file.hive.is_stale() => {
                    Coverage::PresenceOnly(facts.gaps.open(subject, STALE))
                }
                Some(_) => Coverage::Whole(Window::ALWAYS),
            };
            facts.cover(subject, coverage);
        }
    }

    /// The key at a place.
    pub fn key(&self, gaps: &mut Gaps, place: Place<'_>) -> Answer<Key<'_>> {
        let (file, path) = match self.resolve(gaps, place) {
            Ok(resolved) => resolved,
            Err(gap) => return unanswered(gap),
        };
        let found = file.hive.key(&path);
        let written = match &found {
            Lookup::Present(key) => key.written(),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        };
        Answer {
            value: self.judge(gaps, place.subject(), file, &path, found),
            source: Some(source(file, &path, None, written)),
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
            Err(gap) => return unanswered(gap),
        };
        let key = file.hive.key(&path);
        let written = match &key {
            Lookup::Present(key) => key.written(),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        };
        let what = format!("{path}\\{name}");
        let found = key.and_then(|key| key.value(name));
        Answer {
            value: self.judge(gaps, place.subject(), file, &what, found),
            source: Some(source(file, &path, Some(name), written)),
            written,
        }
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
        what: &str,
        found: Lookup<T>,
    ) -> Known<Option<T>> {
        match found {
            Lookup::Present(value) => Known::Is(Some(value)),
            Lookup::Absent if file.hive.is_stale() => Known::Open(gaps.open(subject, STALE)),
            Lookup::Absent => Known::Is(None),
            Lookup::Unreadable(trouble) => {
                self.remark(&file.artifact, Some(what.to_owned()), trouble.to_string());
                Known::Open(gaps.open(subject, format!("damaged: {trouble}")))
            }
        }
    }

    fn resolve(&self, gaps: &mut Gaps, place: Place<'_>) -> Result<(&HiveFile, String), GapId> {
        let subject = place.subject();
        let missing = |gaps: &mut Gaps| gaps.open(subject, NOT_COLLECTED);
        match place {
            Place::Software(path) => match &self.software {
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
                    Err(gaps.open(subject, why.clone()))
                }
                None => Err(missing(gaps)),
            },
        }
    }

    fn file(&self, subject: Subject) -> Option<&HiveFile> {
        match subject {
            Subject::SystemHive => self.system(),
            Subject::SoftwareHive => self.software(),
            _ => None,
        }
    }

    /// The hives that are asked.
    pub fn files(&self) -> impl Iterator<Item = &HiveFile> {
        self.system().into_iter().chain(self.software())
    }
}

/// Why nothing is known of a hive that is not there.
pub(super) const NOT_COLLECTED: &str = "not in the collection";

const STALE: &str = "the hive is dirty and its transaction logs (.LOG1, .LOG2) are missing or do not fit, so that what was written last is not in it";

fn unanswered<T>(gap: GapId) -> Answer<T> {
    Answer {
        value: Known::Open(gap),
        source: None,
        written: None,
    }
}

fn source(file: &HiveFile, key: &str, name: Option<&str>, written: Option<Timestamp>) -> Source {
    Source::Value {
        artifact: file.artifact.clone(),
        key: key.to_owned(),
        name: name.map(str::to_owned),
        written,
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
