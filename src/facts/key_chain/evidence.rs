//! What a collection holds of keys: copies of key files, listings of their folders, master keys. The permissions of a copy
//! are its copier's and are never looked at; those in a listing were taken on the machine.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::bundle::disk::DiskTrouble;
use crate::bundle::path::components;
use crate::bundle::{self, Artifact, Kind};
use crate::facts::catalog::key::{KeyFolder, ListingForm};
use crate::facts::fact::Source;
use crate::facts::registry::Problem;
use crate::parse::acl_listing::{AclListing, ListingForm as Form};
use crate::parse::collection_manifest::CollectionManifest;
use crate::parse::folder_listing;
use crate::parse::guid::Guid;
use crate::parse::key_file::{ContainerHash, KeyFileName, known_container};
use crate::parse::security::SecurityDescriptor;
use crate::parse::text::Text;

use super::file_system::{KeyJournal, KeyRecords, KeyTable};
use super::manifest;
use super::place::{self, Place};

/// The most that is read of a listing, in bytes: 100,000 files take a quarter of it.
const LARGEST_LISTING: u64 = 64 << 20;

/// A key file that was seen, as a copy or in a listing.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) name: KeyFileName,
    pub(super) place: Place,
    /// The name of the folder it was in, where that is told.
    pub(super) folder: Option<String>,
    /// The copy's file, or the listing.
    pub(super) artifact: String,
    pub(super) source: Source,
    pub(super) shown: Shown,
}

/// When a listing says that a file was last written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    /// A moment.
    Exact(Timestamp),
    /// To the minute, by the clock on the machine's wall.
    OnTheWall(DateTime),
}

/// What was seen of a key file.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The file itself.
    Copy(Artifact),
    /// Its permissions, or why they cannot be read.
    Permissions(Result<SecurityDescriptor, String>),
    /// Its name, and its size where that is told.
    Name {
        size: Option<u64>,
        written: Option<Written>,
    },
}

/// What one listing, or one collected folder, shows of a folder of keys.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) folder: KeyFolder,
    pub(super) form: ListingForm,
    pub(super) artifact: String,
    pub(super) names: BTreeSet<KeyFileName>,
    /// What keeps it from being whole, whatever it lists.
    pub(super) flaw: Option<String>,
    /// Whether of very many key files only those of Remote Desktop's own container were all looked at.
    pub(super) own_only: bool,
    /// Whether it shows an object that administrators may not look at.
    pub(super) past_permissions: bool,
}

/// The permissions of a folder of keys.
#[derive(Debug, Clone)]
pub(super) struct FolderPermissions {
    pub(super) descriptor: Result<SecurityDescriptor, String>,
    pub(super) form: Form,
    pub(super) source: Source,
}

/// The permissions of the one file of a container, whatever its machine: `f686aace6942fb7f7ceb231212eef4a4_*`.
#[derive(Debug, Clone)]
pub(super) struct Starred {
    pub(super) hash: ContainerHash,
    pub(super) descriptor: Result<SecurityDescriptor, String>,
    pub(super) source: Source,
}

/// A folder of the machine's master keys.
#[derive(Debug, Clone, Default)]
pub(super) struct MasterKeys {
    /// The master keys seen, in either folder.
    pub(super) keys: BTreeSet<Guid>,
    /// Where each was seen, by file.
    pub(super) artifacts: BTreeSet<String>,
    /// Whether `Protect\S-1-5-18` and its folder `User` were both seen whole.
    pub(super) whole: [bool; 2],
}

/// What a collection holds of keys.
#[derive(Debug, Clone, Default)]
pub struct KeyEvidence {
    pub(super) sightings: Vec<Sighting>,
    pub(super) views: Vec<View>,
    pub(super) folder_permissions: Vec<FolderPermissions>,
    /// Permissions of files that were asked for with a star for the MachineGuid.
    pub(super) starred: Vec<Starred>,
    pub(super) master_keys: MasterKeys,
    /// Key files named in a line that lists nothing else of them: one that `icacls` was refused.
    pub(super) mentioned: BTreeSet<KeyFileName>,
    /// Where a disk is damaged at MachineKeys or on the way to it: that may be more than what was met.
    damage: Option<String>,
    /// Whether the folders beside the key folders were seen as well, on a disk.
    pub(super) siblings_seen: bool,
    /// What $MFT knows of keys.
    pub(super) tables: Vec<KeyTable>,
    /// What the change journal saw of them.
    pub(super) journals: Vec<KeyJournal>,
}

impl KeyEvidence {
    /// Reads it from the files of one host; `unread` is what could not be opened anywhere in the input. What is not understood
    /// is a problem.
    pub fn read(artifacts: &[Artifact], unread: &[bundle::Problem]) -> (KeyEvidence, Vec<Problem>) {
        let artifacts: Vec<&Artifact> = artifacts.iter().collect();
        let mut evidence = KeyEvidence::default();
        let mut problems = Vec::new();
        let roots = disk_roots(&artifacts);
        evidence.read_folders(&artifacts, &roots);
        evidence.read_disk(&artifacts);
        evidence.read_unread(unread);
        evidence.read_master_keys(&artifacts, &roots);
        for artifact in artifacts {
            let read = match artifact.kind {
                Kind::AclListing => KeyEvidence::read_permissions,
                Kind::FolderListing => KeyEvidence::read_directory,
                Kind::CollectionManifest => KeyEvidence::read_manifest,
                _ => continue,
            };
            let bytes = artifact
                .open()
                .and_then(|source| source.read_all(LARGEST_LISTING));
            match bytes {
                Ok(bytes) => read(&mut evidence, artifact, &bytes, &mut problems),
                Err(error) => problems.push(problem(artifact, None, error.to_string())),
            }
        }
        (evidence, problems)
    }

    /// Adds what the file system's own records hold. A table of all files lists a folder of keys as the disk itself does.
    pub fn add_records(&mut self, records: Vec<KeyRecords>) {
        for record in records {
            match record {
                KeyRecords::Journal(journal) => self.journals.push(journal),
                // A volume without Windows has nothing to say of it.
                KeyRecords::Table(table) if table.parent.is_none() => {}
                KeyRecords::Table(table) => {
                    self.read_table(&table);
                    self.tables.push(*table);
                }
            }
        }
    }

    fn read_table(&mut self, table: &KeyTable) {
        self.hold_against(table);
        let seen_itself = |view: &View| view.form == ListingForm::Disk && view.flaw.is_none();
        if self.views.iter().any(seen_itself) {
            return;
        }
        self.siblings_seen = true;
        let flaw = table.flaw.clone().or_else(|| self.damage.clone());
        let view = self.view(
            KeyFolder::MachineKeys,
            ListingForm::FileTable,
            &table.artifact,
        );
        view.past_permissions = true;
        view.flaw = flaw;
        view.own_only = table.own_only;
        for key in table.keys.iter().filter(|key| key.in_use) {
            let Some(folder) = table.folder_of(key).filter(|folder| folder.in_use) else {
                continue;
            };
            if folder.place == Place::Home(KeyFolder::MachineKeys) {
                let view = self.view(
                    KeyFolder::MachineKeys,
                    ListingForm::FileTable,
                    &table.artifact,
                );
                view.names.insert(key.name);
            }
            self.sightings.push(Sighting {
                name: key.name,
                place: folder.place,
                folder: Some(folder.name.clone()),
                artifact: table.artifact.clone(),
                source: Source::Record {
                    artifact: table.artifact.clone(),
                    number: key.entry.number,
                    offset: key.entry.number.saturating_mul(table.entry_bytes),
                },
                // Its times are facts of their own: key.trace.
                shown: Shown::Name {
                    size: key.bytes,
                    written: None,
                },
            });
        }
    }

    /// A folder of a disk whose list lacks a file that the table knows in it is damaged, though it does not look so.
    fn hold_against(&mut self, table: &KeyTable) {
        let home = Place::Home(KeyFolder::MachineKeys);
        let known = table.keys.iter().filter(|key| key.in_use);
        let known = known.filter(|key| {
            let folder = table.folder_of(key);
            folder.is_some_and(|folder| folder.in_use && folder.place == home)
        });
        let known: Vec<KeyFileName> = known.map(|key| key.name).collect();
        for view in &mut self.views {
            if view.form != ListingForm::Disk || view.folder != KeyFolder::MachineKeys {
                continue;
            }
            let is_listed =
                |name: &KeyFileName| view.names.contains(name) || self.mentioned.contains(name);
            if let Some(name) = known.iter().find(|name| !is_listed(name)) {
                view.flaw = view.flaw.take().or_else(|| {
                    Some(format!(
                        "{} knows {name} in it, which its own list does not",
                        table.artifact
                    ))
                });
            }
        }
    }

    /// The folders in which copies of key files lie.
    fn read_folders(&mut self, artifacts: &[&Artifact], roots: &BTreeSet<Vec<String>>) {
        for artifact in artifacts {
            let parts = components(&artifact.path);
            let Some((name, folders)) = parts.split_last() else {
                continue;
            };
            let place = place::of_folder(folders);
            let on_disk = |folder: KeyFolder| {
                place::disk_root(folders, folder).is_some_and(|root| roots.contains(&root))
            };
            let name = match artifact.kind {
                Kind::KeyFile => name.parse::<KeyFileName>().ok(),
                _ => None,
            };
            let below = match place {
                Place::Beside(KeyFolder::MachineKeys) | Place::Personal => {
                    // What lies beside MachineKeys on a disk shows that its parent was read: an empty folder leaves no file.
                    let mut home = folders.to_vec();
                    home.pop();
                    home.push("MachineKeys");
                    let root = place::disk_root(&home, KeyFolder::MachineKeys);
                    root.filter(|root| roots.contains(root)).is_some()
                }
                _ => false,
            };
            if below {
                self.siblings_seen = true;
                let path = folder_path(&artifact.path, folders.len().saturating_sub(1));
                self.view(
                    KeyFolder::MachineKeys,
                    ListingForm::Disk,
                    &format!("{path}/MachineKeys"),
                );
            }
            if let Place::Home(folder) = place
                && (name.is_some() || on_disk(folder))
            {
                let form = if on_disk(folder) {
                    self.siblings_seen |= folder == KeyFolder::MachineKeys;
                    ListingForm::Disk
                } else {
                    ListingForm::Copies
                };
                let path = folder_path(&artifact.path, folders.len());
                let view = self.view(folder, form, &path);
                view.names.extend(name);
            }
            if let Some(name) = name {
                self.sightings.push(Sighting {
                    name,
                    place,
                    folder: folders.last().map(|name| (*name).to_owned()),
                    artifact: artifact.path.clone(),
                    source: Source::File {
                        artifact: artifact.path.clone(),
                    },
                    shown: Shown::Copy((*artifact).clone()),
                });
            }
        }
    }

    /// What a disk itself says: folders that were listed whole, empty ones too, and permissions as they stand on the machine.
    fn read_disk(&mut self, artifacts: &[&Artifact]) {
        for artifact in artifacts {
            if !matches!(artifact.kind, Kind::Folder | Kind::KeyFile) {
                continue;
            }
            let Some(permissions) = artifact.permissions() else {
                continue;
            };
            let descriptor = permissions.and_then(|bytes| {
                SecurityDescriptor::from_bytes(&bytes).map_err(|error| error.to_string())
            });
            let source = Source::File {
                artifact: artifact.path.clone(),
            };
            let parts = components(&artifact.path);
            let Some((name, folders)) = parts.split_last() else {
                continue;
            };
            if artifact.kind == Kind::KeyFile {
                if let Ok(name) = name.parse::<KeyFileName>() {
                    self.sightings.push(Sighting {
                        name,
                        place: place::of_folder(folders),
                        folder: folders.last().map(|name| (*name).to_owned()),
                        artifact: artifact.path.clone(),
                        source,
                        shown: Shown::Permissions(descriptor),
                    });
                }
                continue;
            }
            if let Some(index) = protect_folder(&parts) {
                self.master_keys.whole[index] = true;
            }
            if place::is_parent_of_machine_keys(&parts) {
                // Where MachineKeys itself is not in it, there is none.
                self.siblings_seen = true;
                let path = format!("{}/MachineKeys", artifact.path);
                self.view(KeyFolder::MachineKeys, ListingForm::Disk, &path);
            }
            if let Place::Home(folder) = place::of_folder(&parts) {
                self.view(folder, ListingForm::Disk, &artifact.path);
                if folder == KeyFolder::MachineKeys {
                    self.folder_permissions.push(FolderPermissions {
                        descriptor,
                        form: Form::Sddl,
                        source,
                    });
                }
            }
        }
    }

    /// What could not be opened: a file that is there all the same, or a folder that nobody looked into.
    fn read_unread(&mut self, unread: &[bundle::Problem]) {
        for trouble in unread {
            // What lies beside a file's content takes nothing from it.
            if matches!(
                trouble.trouble,
                bundle::Trouble::Disk(DiskTrouble::OtherStreams { .. })
            ) {
                continue;
            }
            let is_damage = matches!(
                trouble.trouble,
                bundle::Trouble::Disk(
                    DiskTrouble::Damaged(_)
                        | DiskTrouble::Shared { .. }
                        | DiskTrouble::UnreadableFile(_)
                )
            );
            let parts = components(&trouble.path);
            let Some((name, _)) = parts.split_last() else {
                continue;
            };
            if is_damage && is_on_the_way(&parts) {
                let damage = || format!("{}: {}", trouble.path, trouble.trouble);
                self.damage.get_or_insert_with(damage);
            }
            // A file that is there and cannot be read is there.
            if let Ok(name) = name.parse::<KeyFileName>() {
                self.mentioned.insert(name);
            }
            for view in &mut self.views {
                let inside = trouble
                    .path
                    .to_lowercase()
                    .starts_with(&view.artifact.to_lowercase())
                    || view
                        .artifact
                        .to_lowercase()
                        .starts_with(&trouble.path.to_lowercase());
                // Where the folder and the record disagree, the name may be what is damaged.
                if inside && (is_damage || name.parse::<KeyFileName>().is_err()) {
                    view.flaw = Some(format!("{}: {}", trouble.path, trouble.trouble));
                }
            }
        }
    }

    /// The view of a folder at this path of the collection.
    pub(super) fn view(&mut self, folder: KeyFolder, form: ListingForm, path: &str) -> &mut View {
        let found = self.views.iter().position(|view| {
            view.artifact.eq_ignore_ascii_case(path) && view.form == form && view.folder == folder
        });
        let index = found.unwrap_or_else(|| {
            self.views.push(View {
                folder,
                form,
                artifact: path.to_owned(),
                names: BTreeSet::new(),
                flaw: None,
                own_only: false,
                past_permissions: form == ListingForm::Disk,
            });
            self.views.len() - 1
        });
        &mut self.views[index]
    }

    fn read_permissions(&mut self, artifact: &Artifact, bytes: &[u8], problems: &mut Vec<Problem>) {
        let Some(listing) = AclListing::parse(bytes) else {
            let why = "not understood: neither icacls nor Get-Acl writes a list like this";
            problems.push(problem(artifact, None, why.to_owned()));
            return;
        };
        for each in &listing.problems {
            problems.push(problem(artifact, None, each.to_string()));
        }
        if listing.further_problems > 0 {
            let more = format!("{} more lines are not understood", listing.further_problems);
            problems.push(problem(artifact, None, more));
        }
        let text = (listing.form == Form::IcaclsConsole).then(|| Text::decode(bytes).characters);
        if let Some(text) = &text {
            self.mentioned.extend(names_in(text));
        }
        let flaw = flaw(&listing, text.as_deref());
        let form = match listing.form {
            Form::IcaclsSave => ListingForm::Saved,
            Form::IcaclsConsole => ListingForm::Console,
            Form::Sddl | Form::GetAclList | Form::AccessRules => ListingForm::GetAcl,
        };
        let own_name = own_name(artifact);
        let only_one = listing.entries.len() == 1;
        let names = listing
            .entries
            .iter()
            .filter_map(|entry| entry.name.as_deref());
        let listed = listed_folder(&own_name, names);
        for entry in listing.entries {
            let path = entry.name.clone().unwrap_or_else(|| own_name.clone());
            let parts: Vec<&str> = path
                .split(['\\', '/'])
                .filter(|part| !part.is_empty())
                .collect();
            let Some((last, folders)) = parts.split_last() else {
                continue;
            };
            let source = Source::Line {
                artifact: artifact.path.clone(),
                line: entry.line as u64,
            };
            let descriptor = entry.descriptor.map_err(|why| why.to_string());
            let starred = last
                .trim()
                .strip_suffix("_*")
                .map(str::parse::<ContainerHash>);
            if let Some(Ok(hash)) = starred {
                self.starred.push(Starred {
                    hash,
                    descriptor,
                    source,
                });
                continue;
            }
            let Ok(name) = last.trim().parse::<KeyFileName>() else {
                let named = entry.name.is_some() || only_one;
                if named && place::of_folder(&parts) == Place::Home(KeyFolder::MachineKeys) {
                    self.folder_permissions.push(FolderPermissions {
                        descriptor,
                        form: listing.form,
                        source,
                    });
                } else if let Ok(guid) = last.trim().parse::<Guid>() {
                    self.master_keys.keys.insert(guid);
                    self.master_keys.artifacts.insert(artifact.path.clone());
                }
                continue;
            };
            // Names without a folder are those of the folder that was listed.
            let place = match place::of_folder(folders) {
                Place::Loose => listed,
                told => told,
            };
            if let Place::Home(folder) = place {
                let hidden = descriptor
                    .as_ref()
                    .is_ok_and(super::access::hidden_from_administrators);
                let view = self.view(folder, form, &artifact.path);
                view.names.insert(name);
                view.flaw.clone_from(&flaw);
                view.past_permissions |= hidden;
            }
            self.sightings.push(Sighting {
                name,
                place,
                folder: folders.last().map(|name| (*name).to_owned()),
                artifact: artifact.path.clone(),
                source,
                shown: Shown::Permissions(descriptor),
            });
        }
    }

    fn read_directory(&mut self, artifact: &Artifact, bytes: &[u8], problems: &mut Vec<Problem>) {
        let folders = folder_listing::read(bytes);
        if folders.is_empty() {
            problems.push(problem(
                artifact,
                None,
                "no folder is named in it".to_owned(),
            ));
        }
        for listed in folders {
            let parts: Vec<&str> = listed.path.split('\\').collect();
            let place = place::of_folder(&parts);
            if let Some(index) = protect_folder(&parts) {
                let guids = listed
                    .names
                    .iter()
                    .filter_map(|name| name.name.parse::<Guid>().ok());
                self.master_keys.keys.extend(guids);
                self.master_keys.artifacts.insert(artifact.path.clone());
                self.master_keys.whole[index] |= listed.ended && !listed.names.is_empty();
                continue;
            }
            let flaw = (!listed.ended).then(|| "the listing breaks off".to_owned());
            if let Place::Home(folder) = place {
                let view = self.view(folder, ListingForm::Directory, &artifact.path);
                view.flaw = flaw;
            }
            for each in listed.names {
                let Ok(name) = each.name.parse::<KeyFileName>() else {
                    continue;
                };
                if let Place::Home(folder) = place {
                    let view = self.view(folder, ListingForm::Directory, &artifact.path);
                    view.names.insert(name);
                }
                self.sightings.push(Sighting {
                    name,
                    place,
                    folder: parts.last().map(|name| (*name).to_owned()),
                    artifact: artifact.path.clone(),
                    source: Source::Line {
                        artifact: artifact.path.clone(),
                        line: each.line as u64,
                    },
                    shown: Shown::Name {
                        size: each.size,
                        written: each.written.map(Written::OnTheWall),
                    },
                });
            }
        }
    }

    /// The folders that the manifest of a collection lists.
    fn read_manifest(&mut self, artifact: &Artifact, bytes: &[u8], problems: &mut Vec<Problem>) {
        match CollectionManifest::parse(bytes) {
            Ok(read) => manifest::read(self, artifact, &read),
            Err(error) => problems.push(problem(artifact, None, error.to_string())),
        }
    }

    fn read_master_keys(&mut self, artifacts: &[&Artifact], roots: &BTreeSet<Vec<String>>) {
        for artifact in artifacts {
            let parts = components(&artifact.path);
            let Some((name, folders)) = parts.split_last() else {
                continue;
            };
            let Some(index) = protect_folder(folders) else {
                continue;
            };
            if let Ok(guid) = name.parse::<Guid>() {
                self.master_keys.keys.insert(guid);
                self.master_keys.artifacts.insert(artifact.path.clone());
            }
            // Only SYSTEM may look into these folders: that they were read at all shows who read them. Their root must be that
            // of a disk, so that they are the whole folders and no pick.
            let root = folders.len().saturating_sub(PROTECT.len() + index);
            let root: Vec<String> = folders
                .iter()
                .take(root)
                .map(|part| part.to_lowercase())
                .collect();
            if roots.contains(&root) {
                self.master_keys.whole[index] = true;
            }
        }
    }

    /// Every key file that was seen in its own folder, by name.
    pub(super) fn names_at_home(&self, folder: KeyFolder) -> BTreeSet<KeyFileName> {
        self.sightings
            .iter()
            .filter(|sighting| sighting.place == Place::Home(folder))
            .map(|sighting| sighting.name)
            .collect()
    }
}

const PROTECT: [&str; 5] = ["windows", "system32", "microsoft", "protect", "s-1-5-18"];

/// 0 for `...\Protect\S-1-5-18`, 1 for its folder `User`.
pub(super) fn protect_folder(folders: &[&str]) -> Option<usize> {
    let lower: Vec<String> = folders.iter().map(|name| name.to_lowercase()).collect();
    let ends = |suffix: &[&str]| {
        let start = lower.len().checked_sub(suffix.len());
        start
            .and_then(|start| lower.get(start..))
            .is_some_and(|end| end.iter().eq(suffix.iter()))
    };
    if ends(&PROTECT) {
        Some(0)
    } else {
        let user: Vec<&str> = PROTECT.iter().copied().chain(["user"]).collect();
        ends(&user).then_some(1)
    }
}

/// The roots of disks in the collection: where the hives lie in their places. A running Windows keeps them locked, so that
/// whoever has them there has read the disk itself, past all permissions.
fn disk_roots(artifacts: &[&Artifact]) -> BTreeSet<Vec<String>> {
    let mut roots = BTreeSet::new();
    for artifact in artifacts {
        if !matches!(artifact.kind, Kind::Hive(_)) {
            continue;
        }
        let lower: Vec<String> = components(&artifact.path)
            .iter()
            .map(|part| part.to_lowercase())
            .collect();
        let parts: Vec<&str> = lower.iter().map(String::as_str).collect();
        let root = match parts.as_slice() {
            [
                root @ ..,
                "windows",
                "system32",
                "config",
                "system" | "software",
            ]
            | [root @ .., "config", "system" | "software"] => root,
            _ => continue,
        };
        roots.insert(root.iter().map(|part| (*part).to_owned()).collect());
    }
    roots
}

fn folder_path(path: &str, folders: usize) -> String {
    let parts = components(path);
    parts.get(..folders).unwrap_or_default().join("/")
}

/// A listing's own name without its ending: `MachineKeys.acl`.
fn own_name(artifact: &Artifact) -> String {
    let name = artifact.name();
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

/// Key files that a text names anywhere.
fn names_in(text: &str) -> impl Iterator<Item = KeyFileName> {
    text.split(|character: char| {
        character.is_whitespace() || matches!(character, '\\' | '/' | ':' | '"')
    })
    .filter_map(|word| word.parse().ok())
}

/// The folder that a listing of bare names is of: the one that the listing is named after, else the one where keys belong. Somebody
/// who calls it `keys` need not mean `Crypto\Keys`: the containers that every machine has in `MachineKeys` tell.
fn listed_folder<'n>(own_name: &str, mut names: impl Iterator<Item = &'n str>) -> Place {
    let shows_capi = |name: &str| {
        let name = name.rsplit(['\\', '/']).next().unwrap_or(name).trim();
        name.parse::<KeyFileName>()
            .is_ok_and(|name| known_container(name.hash).is_some())
    };
    match place::of_folder(&[own_name]) {
        Place::Loose => Place::Home(KeyFolder::MachineKeys),
        Place::Home(KeyFolder::Keys) if names.any(shows_capi) => {
            Place::Home(KeyFolder::MachineKeys)
        }
        named => named,
    }
}

/// What keeps a listing of permissions from being whole.
fn flaw(listing: &AclListing, text: Option<&str>) -> Option<String> {
    if let Some(problem) = listing.problems.iter().find(|problem| {
        use crate::parse::acl_listing::ListingProblem as P;
        !matches!(problem, P::CodePage)
    }) {
        return Some(problem.to_string());
    }
    let text = text?;
    // "Successfully processed 12 files; Failed processing 0 files": the numbers come in this order in every language.
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let mut numbers = last
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse::<usize>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(done), Some(0)) if done == listing.entries.len() => None,
        (Some(_), Some(failed)) if failed > 0 => {
            Some(format!("icacls was refused {failed} of the files"))
        }
        _ => Some("the sum that icacls prints at the end is missing".to_owned()),
    }
}

fn problem(artifact: &Artifact, at: Option<String>, message: String) -> Problem {
    Problem {
        artifact: artifact.path.clone(),
        at,
        message,
    }
}

/// Whether a path of a disk leads to MachineKeys, or into it.
fn is_on_the_way(parts: &[&str]) -> bool {
    const WAY: [&str; 5] = ["programdata", "microsoft", "crypto", "rsa", "machinekeys"];
    let is_first = |part: &&str| part.eq_ignore_ascii_case(WAY[0]);
    match parts.iter().position(is_first) {
        Some(first) => parts[first..]
            .iter()
            .zip(WAY)
            .all(|(part, way)| part.eq_ignore_ascii_case(way)),
        // The volume's root, or the whole disk.
        None => parts.len() == 1,
    }
}
