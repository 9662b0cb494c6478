//! Registry exports of one host, brought together for each hive, so that whatever asks a hive can ask them.
//!
//! `CurrentControlSet` is the control set that `Select\Current` names, where that was exported too. Where two exports tell
//! different things of a key, neither is believed: they were made at different times, and neither says when. A hive of the
//! same machine tells more than its exports, which are then left aside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Problem;
use super::hive_file::{FileState, HiveFile, HiveRole, LINKED_SET, Part};
use crate::bundle::Artifact;
use crate::facts::grouping::Says;
use crate::parse::registry::Keys;
use crate::parse::registry_text::{
    self, Export, ExportedValue, Origin, RegistryText, TextTree, is_within, parent,
};

/// The longest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// So many contradictions are told one by one.
const MOST_PROBLEMS: usize = 20;

/// The roots of the hives that are asked. Of SECURITY nobody but the system itself sees everything, so that what an export does
/// not hold of it may be there.
const ROLES: [(HiveRole, &str, ShownToAdministrators); 3] = [
    (
        HiveRole::System,
        "HKEY_LOCAL_MACHINE\\SYSTEM",
        ShownToAdministrators::All,
    ),
    (
        HiveRole::Software,
        "HKEY_LOCAL_MACHINE\\SOFTWARE",
        ShownToAdministrators::All,
    ),
    (
        HiveRole::Security,
        "HKEY_LOCAL_MACHINE\\SECURITY",
        ShownToAdministrators::Part,
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum ShownToAdministrators {
    All,
    Part,
}

const MACHINE: &str = "hkey_local_machine";

/// A file of registry exports, read.
#[derive(Debug, Clone)]
pub struct ExportFile {
    /// Its path in the collection.
    pub artifact: String,
    text: RegistryText,
}

impl ExportFile {
    /// Reads a file.
    ///
    /// # Errors
    /// The problem, where it does not tell how a registry stands.
    pub fn open(artifact: &Artifact) -> Result<ExportFile, Problem> {
        let problem = |message: String| Problem {
            artifact: artifact.path.clone(),
            at: None,
            message,
        };
        let source = artifact
            .open()
            .map_err(|error| problem(error.to_string()))?;
        if source.len() > LARGEST {
            let mebibytes = LARGEST >> 20;
            return Err(problem(format!(
                "exports of more than {mebibytes} MiB are not read: collect the hive instead"
            )));
        }
        let bytes = source
            .read_all(LARGEST)
            .map_err(|error| problem(format!("could not be read: {error}")))?;
        let text = registry_text::read(&bytes).map_err(|refused| problem(refused.to_string()))?;
        Ok(ExportFile {
            artifact: artifact.path.clone(),
            text,
        })
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let problem = |at: Option<String>, message: String| Problem {
            artifact: self.artifact.clone(),
            at,
            message,
        };
        let mut problems = Vec::new();
        for export in &self.text.exports {
            let flaws = export.flaws.iter();
            problems
                .extend(flaws.map(|flaw| {
                    problem(Some(format!("line {}", flaw.line)), flaw.what.to_owned())
                }));
            if export.further_flaws > 0 {
                let more = export.further_flaws;
                problems.push(problem(
                    None,
                    format!("and {more} more lines that are damaged"),
                ));
            }
            let is_asked = export.keys.iter().any(|key| {
                let path = key.path.to_lowercase();
                ROLES
                    .iter()
                    .any(|(_, root, _)| is_within(&path, &root.to_lowercase()))
            });
            if !is_asked {
                let first = export.keys.first().map_or("", |key| key.path.as_str());
                problems.push(problem(
                    None,
                    format!("holds {first}: only HKEY_LOCAL_MACHINE\\SYSTEM, SOFTWARE and SECURITY are asked"),
                ));
            }
        }
        problems.truncate(MOST_PROBLEMS);
        problems
    }

    /// What it says of the host it comes from.
    #[must_use]
    pub fn says(&self) -> Says {
        const NAMES: [(&str, &str); 3] = [
            ("\\control\\computername\\computername", "computername"),
            ("\\services\\tcpip\\parameters", "nv hostname"),
            ("\\services\\tcpip\\parameters", "hostname"),
        ];
        let keys = || self.text.exports.iter().flat_map(|export| &export.keys);
        let mut names: Vec<String> = Vec::new();
        for (end, name) in NAMES {
            let found = keys().filter(|key| {
                let path = key.path.to_lowercase();
                path.starts_with("hkey_local_machine\\system\\") && path.ends_with(end)
            });
            for value in found.flat_map(|key| &key.values).map(|value| &value.value) {
                let text = value
                    .text()
                    .ok()
                    .filter(|_| value.name.to_lowercase() == name);
                let text = text.map(|text| text.trim().to_owned());
                names.extend(text.filter(|text| !text.is_empty()));
            }
        }
        match names.split_first() {
            Some((name, others)) => Says::Hive {
                name: name.clone(),
                others: others.to_vec(),
            },
            None => Says::Nothing,
        }
    }
}

/// Brings the exports of one host together; `hives` are its hives, which go before.
#[must_use]
pub fn join(files: &[ExportFile], hives: &[HiveFile]) -> (Vec<HiveFile>, Vec<Problem>) {
    let mut joined = Vec::new();
    let mut problems = Vec::new();
    for (role, root, shown) in ROLES {
        let mut views: Vec<View> = files
            .iter()
            .flat_map(|file| file.text.exports.iter().map(move |export| (file, export)))
            .filter_map(|(file, export)| View::of(&file.artifact, export, root, shown))
            .collect();
        if views.is_empty() {
            continue;
        }
        if let Some(hive) = hives.iter().find(|hive| hive.role == role) {
            problems.extend(views.iter().map(|view| Problem {
                artifact: view.artifact.to_string(),
                at: None,
                message: format!(
                    "not used for {root}: {} is the hive itself and tells more",
                    hive.artifact
                ),
            }));
            continue;
        }
        if role == HiveRole::System {
            name_control_set(&mut views);
        }
        let (tree, contradictions) = merge(&views);
        problems.extend(contradictions);
        let names: BTreeSet<&str> = views.iter().map(|view| view.artifact.as_ref()).collect();
        joined.push(HiveFile {
            artifact: names.into_iter().collect::<Vec<_>>().join(", "),
            role,
            hive: Keys::Text(tree),
            parts: views.into_iter().map(View::part).collect(),
            state: FileState::AsCollected,
        });
    }
    problems.sort();
    problems.dedup();
    (joined, problems)
}

/// One export as far as it is of one hive. Paths are from the hive's root; those that are compared are in lower case.
struct View<'e> {
    artifact: Arc<str>,
    /// The key that was exported whole.
    whole: Option<String>,
    keys: BTreeMap<String, Seen<'e>>,
    holes: BTreeSet<String>,
}

/// A key as one export shows it.
struct Seen<'e> {
    path: String,
    line: u64,
    values: Vec<&'e ExportedValue>,
}

impl<'e> View<'e> {
    fn of(
        artifact: &str,
        export: &'e Export,
        hive: &str,
        shown: ShownToAdministrators,
    ) -> Option<Self> {
        let hive = hive.to_lowercase();
        let inside = |path: &str| {
            let below = path.get(hive.len()..).unwrap_or_default();
            is_within(&path.to_lowercase(), &hive)
                .then(|| below.trim_start_matches('\\').to_owned())
        };
        let whole = match (&export.whole, shown) {
            (None, _) | (_, ShownToAdministrators::Part) => None,
            (Some(root), _) if root.to_lowercase() == MACHINE => Some(String::new()),
            (Some(root), _) => inside(root).map(|root| root.to_lowercase()),
        };
        let mut keys: BTreeMap<String, Seen<'e>> = BTreeMap::new();
        for key in &export.keys {
            if let Some(path) = inside(&key.path) {
                let seen = keys.entry(path.to_lowercase()).or_insert_with(|| Seen {
                    path,
                    line: key.line,
                    values: Vec::new(),
                });
                seen.values.extend(&key.values);
            }
        }
        if keys.is_empty() {
            return None;
        }
        let holes = export.holes.iter().filter_map(|hole| inside(hole));
        Some(View {
            artifact: Arc::from(artifact),
            whole,
            keys,
            holes: holes.collect(),
        })
    }

    fn part(self) -> Part {
        let top = self.keys.into_iter().next();
        let (folded, path) =
            top.map_or_else(Default::default, |(folded, seen)| (folded, seen.path));
        Part {
            artifact: self.artifact.to_string(),
            root: folded,
            title: path,
            is_whole: self.whole.is_some(),
        }
    }

    /// Whether it holds all that the key at `path` holds.
    fn is_all_of(&self, path: &str) -> bool {
        let root = self.whole.as_ref();
        root.is_some_and(|root| is_within(path, root))
            && self.keys.contains_key(path)
            && !self.holes.contains(path)
    }

    /// Whether it shows that there is no key at `path`.
    fn denies(&self, path: &str) -> bool {
        let root = self.whole.as_ref();
        let above = parent(path).unwrap_or_default();
        !self.keys.contains_key(path)
            && root.is_some_and(|root| is_within(path, root))
            && !self.holes.contains(above)
    }

    /// Puts what stands under one name under another; what is there already stays.
    fn rename(&mut self, from: &str, to: &str) {
        let folded = from.to_lowercase();
        let renamed = |path: &str| {
            let rest = path.get(folded.len()..).unwrap_or_default();
            is_within(path, &folded).then(|| format!("{}{rest}", to.to_lowercase()))
        };
        for (path, mut seen) in std::mem::take(&mut self.keys) {
            let Some(new) = renamed(&path) else {
                self.keys.insert(path, seen);
                continue;
            };
            let rest = seen.path.get(from.len()..).unwrap_or_default();
            seen.path = format!("{to}{rest}");
            self.keys.entry(new).or_insert(seen);
        }
        let holes = std::mem::take(&mut self.holes).into_iter();
        self.holes = holes.map(|hole| renamed(&hole).unwrap_or(hole)).collect();
        if let Some(root) = self.whole.as_deref().and_then(renamed) {
            self.whole = Some(root);
        }
    }
}

/// Gives `CurrentControlSet` the name that `Select\Current` gives it, where all exports of that agree.
fn name_control_set(views: &mut [View<'_>]) {
    let numbers: BTreeSet<u32> = views
        .iter()
        .filter_map(|view| view.keys.get("select"))
        .flat_map(|key| &key.values)
        .filter(|value| value.value.name.eq_ignore_ascii_case("current"))
        .filter_map(|value| value.value.dword().ok())
        .collect();
    let mut numbers = numbers.into_iter();
    if let (Some(number), None) = (numbers.next(), numbers.next()) {
        let name = format!("ControlSet{number:03}");
        for view in views {
            view.rename(LINKED_SET, &name);
        }
    }
}

/// All keys of all views, without what they contradict each other in.
fn merge(views: &[View<'_>]) -> (TextTree, Vec<Problem>) {
    let mut tree = TextTree::default();
    let mut problems = Vec::new();
    // Keys of which something was left out, or that lie above a key that was.
    let mut doubtful = BTreeSet::new();
    let mut contradicted = |view: &View<'_>, key: &str| {
        if problems.len() < MOST_PROBLEMS {
            problems.push(Problem {
                artifact: view.artifact.to_string(),
                at: Some(key.to_owned()),
                message: "another export of this machine tells otherwise, and neither says when it was made: not used".to_owned(),
            });
        }
    };
    let paths: BTreeSet<&String> = views.iter().flat_map(|view| view.keys.keys()).collect();
    for path in &paths {
        let having: Vec<(&View<'_>, &Seen<'_>)> = views
            .iter()
            .filter_map(|view| Some((view, view.keys.get(*path)?)))
            .collect();
        let Some((first, seen)) = having.first() else {
            continue;
        };
        if let Some(denying) = views.iter().find(|view| view.denies(path)) {
            let above = parent(path).unwrap_or_default();
            if denying.keys.contains_key(above) {
                contradicted(denying, &seen.path);
            }
            doubtful.insert(above.to_owned());
            continue;
        }
        let origin = |view: &View<'_>, line: u64| Origin {
            artifact: Arc::clone(&view.artifact),
            line,
        };
        tree.add_key(&seen.path, Some(origin(first, seen.line)));
        let mut by_name: BTreeMap<String, Vec<(&View<'_>, &ExportedValue)>> = BTreeMap::new();
        for (view, seen) in &having {
            for value in &seen.values {
                let same = by_name.entry(value.value.name.to_lowercase()).or_default();
                same.push((view, value));
            }
        }
        for values in by_name.into_values() {
            let Some((view, shown)) = values.first() else {
                continue;
            };
            let differs = values.iter().any(|(_, value)| {
                value.value.kind != shown.value.kind || value.value.bytes != shown.value.bytes
            });
            let lacks = having.iter().any(|(view, _)| {
                view.is_all_of(path)
                    && !values
                        .iter()
                        .any(|(having, _)| std::ptr::eq(*having, *view))
            });
            if differs || lacks {
                contradicted(view, &format!("{}\\{}", seen.path, shown.value.name));
                doubtful.insert((*path).clone());
            } else {
                tree.add_value(&seen.path, shown.value.clone(), origin(view, shown.line));
            }
        }
    }
    for path in paths {
        if !doubtful.contains(path) && views.iter().any(|view| view.is_all_of(path)) {
            tree.is_all_of(path);
        }
    }
    (tree, problems)
}
