//! The folders of keys in the manifest of a collection: what lay in them, how large, since when, and who might open it.

use crate::bundle::Artifact;
use crate::facts::catalog::key::{KeyFolder, ListingForm};
use crate::facts::fact::Source;
use crate::parse::acl_listing::ListingForm as Form;
use crate::parse::collection_manifest::{
    CollectedFolder, CollectionManifest, FolderContent, FolderEntry,
};
use crate::parse::guid::Guid;
use crate::parse::key_file::KeyFileName;
use crate::parse::security::parse_sddl;

use super::evidence::{FolderPermissions, KeyEvidence, Shown, Sighting, Written, protect_folder};
use super::place::{self, Place};

/// Adds what the manifest says.
pub(super) fn read(evidence: &mut KeyEvidence, artifact: &Artifact, manifest: &CollectionManifest) {
    for folder in &manifest.folders {
        let parts: Vec<&str> = folder
            .path
            .split('\\')
            .filter(|part| !part.is_empty())
            .collect();
        let entries: &[FolderEntry] = match &folder.content {
            FolderContent::Whole(entries) => entries,
            FolderContent::Absent | FolderContent::Refused(_) => &[],
        };
        if let Some(index) = protect_folder(&parts) {
            let guids = entries
                .iter()
                .filter_map(|entry| entry.name.parse::<Guid>().ok());
            evidence.master_keys.keys.extend(guids);
            if matches!(folder.content, FolderContent::Whole(_)) {
                evidence.master_keys.artifacts.insert(artifact.path.clone());
                evidence.master_keys.whole[index] = true;
            }
            continue;
        }
        if place::is_parent_of_machine_keys(&parts) {
            evidence.siblings_seen |= matches!(folder.content, FolderContent::Whole(_));
            continue;
        }
        key_folder(evidence, artifact, folder, &parts, entries);
    }
}

fn key_folder(
    evidence: &mut KeyEvidence,
    artifact: &Artifact,
    folder: &CollectedFolder,
    parts: &[&str],
    entries: &[FolderEntry],
) {
    let place = place::of_folder(parts);
    let source = |line: usize| Source::Line {
        artifact: artifact.path.clone(),
        line: line as u64,
    };
    if let Place::Home(home) = place {
        let view = evidence.view(home, ListingForm::Manifest, &artifact.path);
        if let FolderContent::Refused(why) = &folder.content {
            view.flaw = Some(format!(
                "collect.ps1 could not list the folder: {}",
                why.trim()
            ));
        }
        let names = entries.iter().filter_map(name_of);
        view.names.extend(names);
        if let (KeyFolder::MachineKeys, Some(sddl)) = (home, &folder.sddl) {
            evidence.folder_permissions.push(FolderPermissions {
                descriptor: parse_sddl(sddl).map_err(|error| error.to_string()),
                form: Form::Sddl,
                source: source(folder.line),
            });
        }
    }
    for (index, entry) in entries.iter().enumerate() {
        let Some(name) = name_of(entry) else { continue };
        // Each stands on a line of its own.
        let source = source(folder.line + 1 + index);
        let permissions = match &entry.sddl {
            Ok(sddl) => parse_sddl(sddl).map_err(|error| error.to_string()),
            Err(why) => Err(format!(
                "collect.ps1 could not read the file's permissions: {}",
                why.trim()
            )),
        };
        let shown = [
            Shown::Name {
                size: entry.bytes,
                written: entry.written.map(Written::Exact),
            },
            Shown::Permissions(permissions),
        ];
        for shown in shown {
            evidence.sightings.push(Sighting {
                name,
                place,
                folder: parts.last().map(|name| (*name).to_owned()),
                artifact: artifact.path.clone(),
                source: source.clone(),
                shown,
            });
        }
    }
}

fn name_of(entry: &FolderEntry) -> Option<KeyFileName> {
    entry.name.parse().ok()
}
