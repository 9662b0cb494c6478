//! A hive of the collection: opened with its transaction logs, told which one it is, and asked for the host's name.

use jiff::Timestamp;
use rayon::prelude::*;

use super::Problem;
use super::export::{ExportFile, join};
use crate::bundle::{Artifact, Bundle, Kind, path};
use crate::facts::fact::Source;
use crate::facts::grouping::Says;
use crate::facts::subject::Subject;
use crate::parse::hive::{Hive, Lookup};
use crate::parse::registry::Keys;
use crate::parse::registry_text::is_within;

/// Which hive of a machine a file is, by the keys in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiveRole {
    /// `HKLM\SYSTEM`.
    System,
    /// `HKLM\SOFTWARE`.
    Software,
    /// `HKLM\SECURITY`.
    Security,
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
    pub hive: Keys,
    /// The exports that it was put together from; none of a hive.
    pub parts: Vec<Part>,
    /// Whether it is what was collected, by the digests in the collection's manifest.
    pub state: FileState,
}

/// Whether a file is what was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As far as anything tells.
    AsCollected,
    /// It was changed since.
    Altered,
}

/// An export that the keys of a hive were put together from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its path in the collection.
    pub artifact: String,
    /// The first key in it, from the root of the hive and in lower case.
    pub root: String,
    /// The same key, as it names it.
    pub title: String,
    /// Whether what is not in it, of that key and below, does not exist.
    pub is_whole: bool,
}

/// What Windows links to the control set in use; only an export holds it.
pub(super) const LINKED_SET: &str = "CurrentControlSet";

/// Why nothing is sure that a dirty hive does not hold.
pub(super) const STALE: &str = "the hive is dirty and its transaction logs (.LOG1, .LOG2) are missing or do not fit, so that what was written last is not in it";

const ALTERED: &str =
    "the hive was changed after it was collected, so that what is not in it may have been there";

/// Opens every hive of a collection, and every registry export as far as it is one of a hive, several at once; those that cannot
/// be read are problems. Each export stands by itself: nothing is said of whose it is.
#[must_use]
pub fn open_hives(bundle: &Bundle) -> (Vec<HiveFile>, Vec<Problem>) {
    let hives: Vec<&Artifact> = bundle
        .artifacts
        .iter()
        .filter(|artifact| matches!(artifact.kind, Kind::Hive(_) | Kind::RegistryExport))
        .collect();
    let opened: Vec<Vec<Result<HiveFile, Problem>>> = hives
        .into_par_iter()
        .map(|artifact| match artifact.kind {
            Kind::RegistryExport => opened_export(artifact),
            _ => vec![HiveFile::open(bundle, artifact)],
        })
        .collect();
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for outcome in opened.into_iter().flatten() {
        match outcome {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    (files, problems)
}

fn opened_export(artifact: &Artifact) -> Vec<Result<HiveFile, Problem>> {
    let file = match ExportFile::open(artifact) {
        Ok(file) => file,
        Err(problem) => return vec![Err(problem)],
    };
    let problems = file.problems();
    let (joined, contradictions) = join(&[file], &[]);
    let problems = problems.into_iter().chain(contradictions).map(Err);
    joined.into_iter().map(Ok).chain(problems).collect()
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
            hive: Keys::Hive(Box::new(hive)),
            parts: Vec::new(),
            state: FileState::AsCollected,
        })
    }

    /// Why what is not in it may have been there; none where it is whole and as it was collected.
    #[must_use]
    pub fn silence_proves_nothing(&self) -> Option<&'static str> {
        match (self.hive.is_stale(), self.state) {
            (true, _) => Some(STALE),
            (false, FileState::Altered) => Some(ALTERED),
            (false, FileState::AsCollected) => None,
        }
    }

    /// The files that it was read from: its own, or the exports that it was put together from.
    pub fn artifacts(&self) -> impl Iterator<Item = &str> {
        let own = self.parts.is_empty().then_some(self.artifact.as_str());
        let parts = self.parts.iter().map(|part| part.artifact.as_str());
        own.into_iter().chain(parts)
    }

    /// Where a key stands, or a value of it; of several exports the one that shows it, else the one whose own key is nearest.
    #[must_use]
    pub fn source(&self, key: &str, name: Option<&str>, written: Option<Timestamp>) -> Source {
        let text = self.hive.text();
        let origin = text.and_then(|tree| tree.origin(key, name));
        let artifact = match origin {
            Some(origin) => origin.artifact.to_string(),
            None => self.nearest(key).to_owned(),
        };
        Source::Value {
            artifact,
            key: key.to_owned(),
            name: name.map(str::to_owned),
            written,
            line: origin.map(|origin| origin.line),
        }
    }

    fn nearest(&self, key: &str) -> &str {
        let key = key.to_lowercase();
        let parts = self.parts.iter();
        let nearest = parts
            .filter(|part| is_within(&key, &part.root))
            .max_by_key(|part| part.root.len());
        nearest.map_or(&self.artifact, |part| &part.artifact)
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
    const SECURITY: [&str; 2] = ["Policy\\Accounts", "Policy\\PolAdtEv"];
    let has = |keys: &[&str]| {
        keys.iter()
            .any(|key| matches!(hive.key(key), Lookup::Present(_)))
    };
    let name = hive.name_in_header().to_lowercase();
    if has(&SYSTEM) {
        HiveRole::System
    } else if has(&SOFTWARE) {
        HiveRole::Software
    } else if has(&SECURITY) {
        HiveRole::Security
    } else if name.ends_with("\\config\\system") {
        HiveRole::System
    } else if name.ends_with("\\config\\software") {
        HiveRole::Software
    } else if name.ends_with("\\config\\security") {
        HiveRole::Security
    } else {
        HiveRole::Other
    }
}

/// Which hive a file is by its name alone.
pub(super) fn named(file: &str) -> Option<Subject> {
    let name = path::file_name(file).to_lowercase();
    let stem = name
        .strip_suffix(".hiv")
        .or_else(|| name.strip_suffix(".hive"))
        .unwrap_or(&name);
    match stem {
        "system" => Some(Subject::SystemHive),
        "software" => Some(Subject::SoftwareHive),
        "security" => Some(Subject::SecurityHive),
        _ => None,
    }
}

/// The name of the control set in use, where that is known.
#[must_use]
pub fn control_set_in_use(file: &HiveFile) -> Option<String> {
    match control_set(&file.hive) {
        ControlSet::Named(name) if file.role == HiveRole::System => Some(name),
        ControlSet::Named(_) | ControlSet::Unknown(_) => None,
    }
}

/// The control set in use, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ControlSet {
    Named(String),
    Unknown(String),
}

/// `Select\Current`; where that cannot be read, the only control set, if there is one alone.
pub(super) fn control_set(hive: &Keys) -> ControlSet {
    // What an export calls so was linked to the control set in use when it was made.
    if hive.text().is_some() && matches!(hive.key(LINKED_SET), Lookup::Present(_)) {
        return ControlSet::Named(LINKED_SET.to_owned());
    }
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
        // An export of one control set does not tell whether there are others.
        Lookup::Present(root) if hive.hive().is_some() || root.subkeys().is_whole() => {
            let names = root.subkeys().entries.into_iter().map(|key| key.name());
            names
                .filter(|name| name.to_lowercase().starts_with("controlset"))
                .collect()
        }
        Lookup::Present(_) | Lookup::Absent | Lookup::Unreadable(_) => Vec::new(),
    };
    match sets.as_slice() {
        [only] => ControlSet::Named(only.clone()),
        _ => ControlSet::Unknown(why),
    }
}
