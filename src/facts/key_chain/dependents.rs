//! What else lies in a folder of keys, and would be lost with it: whoever renames the folder for the sake of one file should
//! know.

use std::collections::BTreeSet;

use crate::facts::catalog::key::{KeyFolder, KeyFolderDependents};
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::store::{Home, Stores};
use crate::parse::guid::Guid;
use crate::parse::key_file::{KeyFileName, known_container};

use super::evidence::KeyEvidence;
use super::place::Place;
use super::wanted::Wanted;

/// What to say where the folder was not seen.
const ANY: &str =
    "the keys of every other service of the machine (IIS, WMSvc, .NET, the Azure agent ...)";
/// So many owners are named in a sentence: all containers that are known by name, and the certificates of a busy web server.
const NAMED: usize = 16;

/// Adds `key_folder.dependents`, where the folder was seen; what goes with it, as a clause.
pub(super) fn add_facts(
    evidence: &KeyEvidence,
    stores: &Stores,
    wanted: &Wanted,
    folder: KeyFolder,
    path: &str,
    listings: &[FactId],
    facts: &mut FactSet,
) -> String {
    let seen = evidence.names_at_home(folder);
    let others: Vec<KeyFileName> = seen
        .iter()
        .copied()
        .filter(|name| !wanted.hashes.contains(&name.hash))
        .collect();
    if listings.is_empty() {
        return ANY.to_owned();
    }
    let owners = match folder {
        KeyFolder::MachineKeys => owners(&others),
        KeyFolder::Keys | KeyFolder::SystemKeys => Vec::new(),
    };
    let certificates = certificates(stores, &wanted.machine, &others);
    let clause = clause(others.len(), &owners, &certificates);
    let body = KeyFolderDependents {
        path: path.to_owned(),
        others: others.len(),
        owners,
        certificates,
    };
    facts.add(None, body, vec![Source::Derived(listings.to_vec())]);
    clause
}

/// What lies in the folder beside, this machine's keys, with the listener's: as a clause.
pub(super) fn in_old_folder(
    evidence: &KeyEvidence,
    stores: &Stores,
    wanted: &Wanted,
    folder: KeyFolder,
) -> Option<String> {
    let of_machine = |name: &KeyFileName| match &wanted.machine {
        Known::Is(machine) => name.machine == *machine,
        Known::Open(_) => true,
    };
    let there: BTreeSet<KeyFileName> = evidence
        .sightings
        .iter()
        .filter(|sighting| sighting.place == Place::Beside(folder))
        .map(|sighting| sighting.name)
        .filter(of_machine)
        .collect();
    let there: Vec<KeyFileName> = there.into_iter().collect();
    let mut named = owners(&there);
    named.extend(certificates(stores, &wanted.machine, &there));
    match (there.len(), named.is_empty()) {
        (0, _) => None,
        (1, true) => Some("one key file of this machine".to_owned()),
        (1, false) => Some(format!(
            "one key file of this machine: {}",
            named.join("; ")
        )),
        (count, true) => Some(format!("{count} key files of this machine")),
        (count, false) => Some(format!(
            "{count} key files of this machine, among them {}",
            named.join("; ")
        )),
    }
}

/// The known owners of these key files, which are CryptoAPI's.
fn owners(names: &[KeyFileName]) -> Vec<String> {
    let known = names.iter().filter_map(|name| {
        let known = known_container(name.hash)?;
        Some(match known.name {
            Some(container) => format!("{} ({container})", known.owner),
            None => known.owner.to_owned(),
        })
    });
    let known: BTreeSet<String> = known.collect();
    known.into_iter().collect()
}

/// The certificates of MY whose key files are among these.
fn certificates(stores: &Stores, machine: &Known<Guid>, others: &[KeyFileName]) -> Vec<String> {
    let Known::Is(machine) = machine else {
        return Vec::new();
    };
    let mut found: Vec<String> = stores
        .entries
        .iter()
        .filter(|entry| entry.home == Home::Personal)
        .filter_map(|entry| {
            let info = entry.key_provider.settled()?.as_ref()?;
            let name = KeyFileName::expected(&info.container, info.storage(), *machine)?;
            others.contains(&name).then(|| {
                let subject = entry
                    .certificate
                    .as_ref()
                    .and_then(|certificate| certificate.subject_common_name())
                    .unwrap_or("?");
                format!("{subject} ({})", entry.thumbprint)
            })
        })
        .collect();
    found.sort();
    found
}

fn clause(others: usize, owners: &[String], certificates: &[String]) -> String {
    let named: Vec<&str> = owners
        .iter()
        .chain(certificates)
        .map(String::as_str)
        .take(NAMED)
        .collect();
    match (others, named.is_empty()) {
        (0, _) => ANY.to_owned(),
        (1, true) => "the one other key that lies there".to_owned(),
        (_, true) => format!("the {others} other keys that lie there"),
        (1, false) => format!("the one other key that lies there: {}", named.join("; ")),
        (_, false) => format!(
            "the {others} other keys that lie there, among them {}",
            named.join("; ")
        ),
    }
}
