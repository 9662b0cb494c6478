//! From paths to the files in them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::archive::name::unescaped;
use super::error::{Problem, Trouble};
use super::origin::Origin;
use super::path::{shown_name, shown_path};

/// How many files and folders of one input are looked at. A machine's whole volume has fewer.
const MOST_ENTRIES: usize = 2_000_000;

/// A file that was found, by the name that it has in reports.
pub(super) struct Found {
    pub(super) path: String,
    /// Its path below the input that it was found in; empty for the input itself.
    pub(super) below: String,
    pub(super) given: Option<String>,
    pub(super) origin: Origin,
}

/// What the inputs hold.
#[derive(Default)]
pub(super) struct Walked {
    pub(super) found: Vec<Found>,
    pub(super) problems: Vec<Problem>,
}

/// An argument, with its canonical path: the same whatever the working directory and the links on the way to it.
struct Input {
    given: PathBuf,
    root: PathBuf,
}

/// One place in an input: a file, or something that cannot be read.
struct Place {
    /// Which input it was reached through.
    input: usize,
    /// The path below the input's root; empty for the root itself.
    below: PathBuf,
    trouble: Option<Trouble>,
}

/// Finds every file in the inputs. A file that several of them reach belongs to the outermost.
pub(super) fn walk(arguments: &[PathBuf]) -> Walked {
    let mut walked = Walked::default();
    let mut inputs = Vec::new();
    for given in arguments {
        match fs::canonicalize(given) {
            Ok(root) => inputs.push(Input {
                given: given.clone(),
                root,
            }),
            Err(error) => walked.problems.push(not_there(given, &error)),
        }
    }
    // An outer folder sorts before what lies in it. The same root given in two ways is one input.
    inputs.sort_by(|one, other| (&one.root, &one.given).cmp(&(&other.root, &other.given)));
    inputs.dedup_by(|one, other| one.root == other.root);
    let mut places: BTreeMap<PathBuf, Place> = BTreeMap::new();
    for (index, input) in inputs.iter().enumerate() {
        for (below, trouble) in input.places(MOST_ENTRIES) {
            let whole = if below.as_os_str().is_empty() {
                input.root.clone()
            } else {
                input.root.join(&below)
            };
            places.entry(whole).or_insert(Place {
                input: index,
                below,
                trouble,
            });
        }
    }
    let labels = labels(&inputs, &places);
    let names = Names::of(&places);
    for (whole, place) in places {
        let input = &inputs[place.input];
        let is_root = place.below.as_os_str().is_empty();
        let label = labels.get(&place.input).map_or("", String::as_str);
        let path = match (label, is_root) {
            ("", true) => last_name(&input.root),
            (label, true) => label.to_owned(),
            ("", false) => names.shown(&place),
            (label, false) => format!("{label}/{}", names.shown(&place)),
        };
        let given = is_root.then(|| input.given.display().to_string());
        match place.trouble {
            None => walked.found.push(Found {
                path,
                below: names.shown(&place),
                given,
                origin: Origin::File(whole),
            }),
            Some(trouble) => walked.problems.push(Problem {
                path,
                given,
                trouble,
            }),
        }
    }
    walked
}

/// How often each path would be shown, by input: what a collector escaped (`C%3A`) is read as it was on the machine, unless
/// another file has that name.
struct Names(BTreeMap<(usize, String), usize>);

impl Names {
    fn of(places: &BTreeMap<PathBuf, Place>) -> Self {
        let mut names = BTreeMap::new();
        for place in places.values() {
            let shown = shown_path(&place.below);
            let read = unescaped(&shown);
            for name in [Some(shown), read].into_iter().flatten() {
                *names.entry((place.input, name)).or_default() += 1;
            }
        }
        Names(names)
    }

    fn shown(&self, place: &Place) -> String {
        let shown = shown_path(&place.below);
        match unescaped(&shown) {
            Some(read) if self.0.get(&(place.input, read.clone())) == Some(&1) => read,
            _ => shown,
        }
    }
}

impl Input {
    /// What lies in it: the paths below its root, and why one cannot be read.
    fn places(&self, limit: usize) -> Vec<(PathBuf, Option<Trouble>)> {
        let below = |path: &Path| path.strip_prefix(&self.root).unwrap_or(path).to_path_buf();
        let mut places = Vec::new();
        let entries = WalkDir::new(&self.root).follow_links(false).into_iter();
        for (count, entry) in entries.enumerate() {
            if count >= limit {
                places.push((PathBuf::new(), Some(Trouble::TooManyEntries { limit })));
                break;
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => {
                    let kind = entry.file_type();
                    let trouble = if kind.is_symlink() {
                        Some(Trouble::SymbolicLink)
                    } else if kind.is_file() {
                        None
                    } else {
                        Some(Trouble::NotAFile)
                    };
                    places.push((below(entry.path()), trouble));
                }
                Err(error) => {
                    let path = error.path().map(below).unwrap_or_default();
                    let why = error
                        .io_error()
                        .map_or_else(|| error.to_string(), io::Error::to_string);
                    places.push((path, Some(Trouble::UnreadableFolder(why))));
                }
            }
        }
        if places.is_empty() {
            places.push((PathBuf::new(), Some(Trouble::EmptyFolder)));
        }
        places
    }
}

/// What stands before the paths of each input: nothing for a single folder, else the end of the input's own path, as
/// short as tells it from the others.
fn labels(inputs: &[Input], places: &BTreeMap<PathBuf, Place>) -> BTreeMap<usize, String> {
    let mut owners: BTreeMap<usize, Label> = BTreeMap::new();
    for place in places.values() {
        owners
            .entry(place.input)
            .or_insert_with(|| Label::of(&inputs[place.input].root));
    }
    if owners.len() == 1 {
        return BTreeMap::new();
    }
    let keys: Vec<usize> = owners.keys().copied().collect();
    loop {
        let clashing: Vec<usize> = keys
            .iter()
            .copied()
            .filter(|one| {
                let clashes = |other| one != other && owners[one].clashes(&owners[other]);
                keys.iter().any(clashes)
            })
            .collect();
        let mut grew = false;
        for label in clashing {
            grew |= owners.get_mut(&label).is_some_and(Label::grow);
        }
        if !grew {
            break;
        }
    }
    owners
        .into_iter()
        .map(|(index, label)| (index, label.text()))
        .collect()
}

/// The last few names of a path.
struct Label {
    names: Vec<String>,
    shown: usize,
}

impl Label {
    fn of(root: &Path) -> Self {
        let names: Vec<String> = root
            .components()
            .filter_map(|component| match component {
                Component::Normal(name) => Some(shown_name(name)),
                // A drive: needed only where two of them hold the same path.
                Component::Prefix(prefix) => Some(shown_name(prefix.as_os_str())),
                _ => None,
            })
            .collect();
        Label { names, shown: 1 }
    }

    fn tail(&self) -> &[String] {
        &self.names[self.names.len().saturating_sub(self.shown)..]
    }

    fn text(&self) -> String {
        self.tail().join("/")
    }

    /// Whether a file below one could get the same path as a file below the other.
    fn clashes(&self, other: &Label) -> bool {
        self.tail().starts_with(other.tail()) || other.tail().starts_with(self.tail())
    }

    fn grow(&mut self) -> bool {
        let can = self.shown < self.names.len();
        self.shown += usize::from(can);
        can
    }
}

fn not_there(given: &Path, error: &io::Error) -> Problem {
    let trouble = match error.kind() {
        io::ErrorKind::NotFound => Trouble::NoSuchPath,
        _ => Trouble::UnreadableFile(error.to_string()),
    };
    Problem {
        path: last_name(given),
        given: Some(given.display().to_string()),
        trouble,
    }
}

fn last_name(path: &Path) -> String {
    path.file_name().map_or_else(|| ".".to_owned(), shown_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_end_is_looked_at_for_a_while() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in 0..20 {
            fs::write(folder.path().join(name.to_string()), b"").expect("written");
        }
        let input = Input {
            given: folder.path().to_owned(),
            root: folder.path().to_owned(),
        };
        assert_eq!(input.places(100).len(), 20);
        let limited = input.places(8);
        let told = Some(Trouble::TooManyEntries { limit: 8 });
        assert_eq!(limited.len(), 8); // the folder itself counts
        assert_eq!(
            limited.last().map(|(_, trouble)| trouble.clone()),
            Some(told)
        );
    }
}
