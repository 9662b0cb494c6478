//! Which transaction log belongs to which hive: the one beside it, of its name.

use super::artifact::Artifact;
use super::error::{Problem, Trouble};
use super::kind::Kind;
use super::path;

const ENDINGS: [&str; 3] = [".log1", ".log2", ".log"];

/// Whether a name is one that transaction logs have.
pub(super) fn is_name(name: &str) -> bool {
    hive_name(name).is_some()
}

/// Attaches each transaction log to the hive beside it; those without one are problems.
pub(super) fn attach(artifacts: &mut [Artifact]) -> Vec<Problem> {
    let hives: Vec<(String, String, String)> = artifacts
        .iter()
        .filter(|artifact| matches!(artifact.kind, Kind::Hive(_)))
        .map(|hive| {
            let name = hive.name().to_lowercase();
            (folder(&hive.path), name, hive.path.clone())
        })
        .collect();
    let mut alone = Vec::new();
    for artifact in artifacts {
        let log_folder = folder(&artifact.path);
        let name = artifact.name().to_lowercase();
        let Kind::TransactionLog { hive } = &mut artifact.kind else {
            continue;
        };
        let Some(wanted) = hive_name(&name) else {
            alone.push(Problem::of(&artifact.path, Trouble::TransactionLogAlone));
            continue;
        };
        let beside = || hives.iter().filter(|(folder, ..)| *folder == log_folder);
        let exact = beside().find(|(_, name, _)| name == wanted);
        // SYSTEM.hve beside SYSTEM.LOG1, if no second hive could be meant.
        let by_stem = || {
            let mut found = beside().filter(|(_, name, _)| stem(name) == wanted);
            found.next().filter(|_| found.next().is_none())
        };
        match exact.or_else(by_stem) {
            Some((.., path)) => *hive = Some(path.clone()),
            None => alone.push(Problem::of(&artifact.path, Trouble::TransactionLogAlone)),
        }
    }
    alone
}

/// The name of the hive that a transaction log of this name belongs to; `name` in lower case or not.
fn hive_name(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| {
        let (hive, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        (end.eq_ignore_ascii_case(ending) && !hive.is_empty()).then_some(hive)
    })
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn folder(shown: &str) -> String {
    let mut parts = path::components(shown);
    parts.pop();
    parts.join("/")
}
