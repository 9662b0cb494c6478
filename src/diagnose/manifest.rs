//! A collection held against its manifest: what was changed after it was collected, what was lost, and which steps failed.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::Artifact;
use crate::bundle::path::components;
use crate::parse::collection_manifest::{CollectionManifest, Failure, Target};
use crate::verdict::model::Problem;

use super::entries::problem;

/// How many lost files are named.
const MOST_NAMED: usize = 20;

/// What a manifest says of the files beside it.
#[derive(Default)]
pub(super) struct Checked {
    /// Those that are not what was collected, by path.
    pub altered: BTreeSet<String>,
    /// What is to be told.
    pub problems: Vec<Problem>,
}

/// Files by the parts of their paths, in lower case.
pub(super) type ByPath<'a> = BTreeMap<Vec<String>, &'a Artifact>;

/// All files by their paths.
pub(super) fn by_path<'a>(artifacts: impl Iterator<Item = &'a Artifact>) -> ByPath<'a> {
    artifacts
        .map(|artifact| (lower(&artifact.path), artifact))
        .collect()
}

/// Holds the files against the manifest that lies at `at`. Digests are compared where they were computed, sizes in any case.
pub(super) fn check(at: &str, manifest: &CollectionManifest, here: &ByPath<'_>) -> Checked {
    let mut folder = lower(at);
    folder.pop();
    let mut checked = Checked::default();
    let mut lost = Vec::new();
    for file in &manifest.files {
        let mut path = folder.clone();
        path.extend(lower(&file.path));
        let Some(artifact) = here.get(&path) else {
            lost.push(&file.path);
            continue;
        };
        let digest = artifact.sha256.map(|digest| digest.to_string());
        let differs = match (&file.sha256, &digest) {
            (Some(collected), Some(found)) => collected != found,
            _ => false,
        };
        if differs || artifact.bytes != file.bytes {
            let what = match differs {
                true => "its SHA-256",
                false => "its size",
            };
            let message = format!(
                "{what} is not the one in {at}: it was changed or damaged after it was collected. What rests on it alone is at most likely, and its silence proves nothing; collect again"
            );
            checked.altered.insert(artifact.path.clone());
            checked
                .problems
                .push(problem(&artifact.path, None, message));
        }
    }
    for path in lost.iter().take(MOST_NAMED) {
        let message =
            "collected, says the manifest, and not here: the collection is not whole".to_owned();
        checked
            .problems
            .push(problem(at, Some((*path).clone()), message));
    }
    if let Some(more) = lost.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        checked.problems.push(problem(
            at,
            None,
            format!("and {more} more files that are not here"),
        ));
    }
    for failure in &manifest.failures {
        checked.problems.extend(told(at, failure));
    }
    checked
}

/// A step that failed. That a log does not exist on this Windows is no failure, and how the hives were copied nobody's concern.
fn told(at: &str, failure: &Failure) -> Option<Problem> {
    let what = match &failure.target {
        Target::AbsentLog(_) => return None,
        Target::Other(what) if what.starts_with("shadow ") => return None,
        Target::Log(channel) => format!("the log {channel}"),
        Target::Hive(hive) => format!("the hive {hive}"),
        Target::Store(store) => format!("the certificate store {store}"),
        Target::Folder(path) => format!("the list of {path}"),
        Target::Other(what) => what.clone(),
    };
    let message = format!("could not be collected: {}", failure.why.trim());
    Some(problem(at, Some(what), message))
}

fn lower(path: &str) -> Vec<String> {
    components(path)
        .into_iter()
        .map(str::to_lowercase)
        .collect()
}
