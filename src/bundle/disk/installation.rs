//! A Windows installation on a volume: which of its files matter, by where Windows keeps them.
//!
//! Only folders that are known by name are looked into. `Windows.old` and `RegBack` are copies of an earlier state of the same
//! machine, and are left alone. So are the traces of setup (`Panther`): that Windows was upgraded or generalized, and when, is in the
//! SYSTEM hive itself (`Setup`), in fields and without the language and the time zone of a log that is text.

use super::What;
use super::checked;
use super::ntfs::{File, FolderEntry, NtfsError, Reference, Volume};
use super::trouble::DiskTrouble;

const CONFIG: &[&str] = &["Windows", "System32", "config"];
const HIVES: [&str; 2] = ["SYSTEM", "SOFTWARE"];
const LOG_ENDINGS: [&str; 4] = ["", ".LOG", ".LOG1", ".LOG2"];
const EVENT_LOGS: &[&str] = &["Windows", "System32", "winevt", "Logs"];
const CRYPTO: &[&str] = &["ProgramData", "Microsoft", "Crypto"];
const PROTECT: &[&str] = &["Windows", "System32", "Microsoft", "Protect", "S-1-5-18"];
const SYSTEM: &[&str] = &["Windows", "System32"];
/// The libraries of the service and of its logons, whose versions tell what is known to be wrong with them.
const LIBRARIES: [&str; 2] = ["termsrv.dll", "tspkg.dll"];
/// Below the profile of a user, or of an account of services: the certificates that are its own, a file each. Those of the machine are
/// in SOFTWARE, and the service looks there alone; but a certificate that was to be the machine's is often found here.
const OWN_STORE: &[&str] = &[
    "AppData",
    "Roaming",
    "Microsoft",
    "SystemCertificates",
    "My",
    "Certificates",
];
const USERS: &[&str] = &["Users"];
const SERVICE_ACCOUNTS: &[&str] = &["Windows", "ServiceProfiles"];
const SYSTEM_ACCOUNT: &[&str] = &["Windows", "System32", "config", "systemprofile"];
const CHANGE_JOURNAL: &[&str] = &["$Extend", "$UsnJrnl"];
/// Machines that never delete keys have many thousands; more than these are not opened one by one.
const MOST_FILES: usize = 20_000;
/// More folders than anybody makes beside MachineKeys.
const MOST_FOLDERS: usize = 256;

/// What is taken of a volume.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) files: Vec<TakenFile>,
    pub(super) problems: Vec<(String, DiskTrouble)>,
}

/// A file or a folder that is taken.
#[derive(Debug)]
pub(super) struct TakenFile {
    /// Its path from the volume's root, with `/` between folders.
    pub(super) path: String,
    pub(super) file: Reference,
    pub(super) what: What,
}

/// A folder on the way.
struct Place {
    path: String,
    file: File,
}

/// Whether Windows is installed on a volume.
pub(super) fn is_on(volume: &Volume) -> bool {
    let config = walk(volume, CONFIG).ok().flatten();
    let hive = config.and_then(|config| volume.entry(&config.file, HIVES[0]).ok().flatten());
    hive.is_some_and(|entry| !entry.name.is_folder)
}

/// Whether Windows sleeps: the file that it sleeps in begins with its mark, which is wiped when it wakes.
pub(super) fn is_hibernated(volume: &Volume) -> bool {
    let head = || {
        let root = volume.root().ok()?;
        let entry = volume.entry(&root, "hiberfil.sys").ok()??;
        let file = volume.find(&Reference::from(&entry)).ok()?;
        let mut head = [0; 4];
        volume
            .data(&file, "")
            .ok()?
            .read_full_at(0, &mut head)
            .ok()?;
        Some(head)
    };
    head().is_some_and(|head| head.eq_ignore_ascii_case(b"HIBR"))
}

/// What matters of an installation.
pub(super) fn take(volume: &Volume) -> Taken {
    let mut taken = Taken::default();
    taken.flat(volume, CONFIG, &|name| {
        HIVES.iter().any(|hive| {
            LOG_ENDINGS
                .iter()
                .any(|ending| name.eq_ignore_ascii_case(&format!("{hive}{ending}")))
        })
    });
    taken.flat(volume, EVENT_LOGS, &|name| {
        name.to_ascii_lowercase().ends_with(".evtx")
    });
    if let Some(protect) = taken.place(volume, PROTECT) {
        taken.whole(
            volume,
            &protect,
            &|name| name.eq_ignore_ascii_case("User"),
            1,
        );
    }
    if let Some(crypto) = taken.place(volume, CRYPTO) {
        // Keys, SystemKeys, RSA with MachineKeys in it, and whatever stands beside them under another name.
        let is_keys = |name: &str| {
            let name = name.to_lowercase();
            name == "rsa" || name.contains("keys")
        };
        for entry in taken.list(volume, &crypto, MOST_FOLDERS) {
            if !entry.name.is_folder || !is_keys(&entry.name.name) {
                continue;
            }
            if let Some(place) = taken.step(volume, &crypto.path, &entry) {
                let deeper = usize::from(entry.name.name.eq_ignore_ascii_case("RSA"));
                taken.whole(volume, &place, &|_| true, deeper);
            }
        }
    }
    taken.own_stores(volume);
    taken.libraries(volume);
    taken.records_of_the_file_system(volume);
    checked::check(volume, &mut taken);
    taken.files.sort_by(|one, other| one.path.cmp(&other.path));
    taken.problems.sort();
    taken.problems.dedup();
    taken
}

/// Goes down from the root; none where a folder on the way is not there.
fn walk(volume: &Volume, names: &[&str]) -> Result<Option<Place>, NtfsError> {
    let root = Place {
        path: String::new(),
        file: volume.root()?,
    };
    walk_from(volume, root, names)
}

/// The same from a folder on.
fn walk_from(
    volume: &Volume,
    mut place: Place,
    names: &[&str],
) -> Result<Option<Place>, NtfsError> {
    for name in names {
        let Some(entry) = volume.entry(&place.file, name)? else {
            return Ok(None);
        };
        if entry.name.is_reparse {
            return Err(NtfsError::NotReadable(
                "a folder on the way is a link to another place, which is not followed",
            ));
        }
        place = Place {
            path: join(&place.path, &entry.name.name),
            file: volume.find(&Reference::from(&entry))?,
        };
    }
    Ok(Some(place))
}

impl Taken {
    fn place(&mut self, volume: &Volume, names: &[&str]) -> Option<Place> {
        walk(volume, names).unwrap_or_else(|error| {
            self.problem(&names.join("/"), &error);
            None
        })
    }

    fn problem(&mut self, path: &str, error: &NtfsError) {
        let trouble = match error {
            NtfsError::NotReadable(why) => DiskTrouble::NotReadable(why),
            other => DiskTrouble::Damaged(other.to_string()),
        };
        self.problems.push((path.to_owned(), trouble));
    }

    fn list(&mut self, volume: &Volume, place: &Place, most: usize) -> Vec<FolderEntry> {
        match volume.folder(&place.file, most, &|name| is_own_key(name)) {
            Ok(mut content) => {
                let damage = content.flaw.map(DiskTrouble::Damaged);
                let rest = content
                    .too_many
                    .then_some(DiskTrouble::TooManyFiles { most });
                let troubles = damage.into_iter().chain(rest);
                self.problems
                    .extend(troubles.map(|trouble| (place.path.clone(), trouble)));
                content
                    .entries
                    .sort_by(|one, other| one.name.name.cmp(&other.name.name));
                content.entries.dedup();
                content.entries
            }
            Err(error) => {
                self.problem(&place.path, &error);
                Vec::new()
            }
        }
    }

    fn step(&mut self, volume: &Volume, above: &str, entry: &FolderEntry) -> Option<Place> {
        let path = join(above, &entry.name.name);
        let file = match entry.name.is_reparse {
            true => Err(NtfsError::NotReadable(
                "a link to another place, which is not followed",
            )),
            false => volume.find(&Reference::from(entry)),
        };
        match file {
            Ok(file) => Some(Place { path, file }),
            Err(error) => {
                self.problem(&path, &error);
                None
            }
        }
    }

    /// The files of one folder whose names are wanted.
    fn flat(&mut self, volume: &Volume, names: &[&str], wanted: &dyn Fn(&str) -> bool) {
        let Some(place) = self.place(volume, names) else {
            return;
        };
        for entry in self.list(volume, &place, MOST_FILES) {
            if !entry.name.is_folder && wanted(&entry.name.name) {
                self.file(&place, &entry);
            }
        }
    }

    /// A folder itself, all files in it, and so many steps deeper the folders in it that are wanted.
    fn whole(
        &mut self,
        volume: &Volume,
        place: &Place,
        wanted: &dyn Fn(&str) -> bool,
        deeper: usize,
    ) {
        self.files.push(TakenFile {
            path: place.path.clone(),
            file: Reference::of_record(place.file.number()),
            what: What::Index,
        });
        for entry in self.list(volume, place, MOST_FILES) {
            if !entry.name.is_folder {
                self.file(place, &entry);
            } else if let Some(deeper) = deeper.checked_sub(1)
                && wanted(&entry.name.name)
                && let Some(inner) = self.step(volume, &place.path, &entry)
            {
                self.whole(volume, &inner, wanted, deeper);
            }
        }
    }

    /// The certificates of users and of accounts of services. Profiles that cannot be looked into, as links of old names, are passed
    /// over: they are nobody's that matters.
    fn own_stores(&mut self, volume: &Volume) {
        let mut profiles: Vec<Place> = Vec::new();
        profiles.extend(walk(volume, SYSTEM_ACCOUNT).ok().flatten());
        for above in [USERS, SERVICE_ACCOUNTS] {
            let Ok(Some(above)) = walk(volume, above) else {
                continue;
            };
            for entry in self.list(volume, &above, MOST_FOLDERS) {
                if entry.name.is_folder
                    && !entry.name.is_reparse
                    && let Some(profile) = self.step(volume, &above.path, &entry)
                {
                    profiles.push(profile);
                }
            }
        }
        for profile in profiles {
            let Ok(Some(store)) = walk_from(volume, profile, OWN_STORE) else {
                continue;
            };
            for entry in self.list(volume, &store, MOST_FOLDERS) {
                if !entry.name.is_folder {
                    self.file(&store, &entry);
                }
            }
        }
    }

    /// Libraries by name. Windows keeps those of its clients compressed by a means of its own (WOF), which is nothing to be told of.
    fn libraries(&mut self, volume: &Volume) {
        let Some(place) = self.place(volume, SYSTEM) else {
            return;
        };
        for name in LIBRARIES {
            let Ok(Some(entry)) = volume.entry(&place.file, name) else {
                continue;
            };
            let opened = volume
                .find(&Reference::from(&entry))
                .and_then(|file| volume.data(&file, ""));
            if !matches!(opened, Err(NtfsError::NotReadable(_))) {
                self.file(&place, &entry);
            }
        }
    }

    /// $MFT, and the change journal where there is one: what files were there, and what became of them.
    fn records_of_the_file_system(&mut self, volume: &Volume) {
        self.files.push(TakenFile {
            path: "$MFT".to_owned(),
            file: Reference::of_record(0),
            what: What::Data,
        });
        if let Some(journal) = self.place(volume, CHANGE_JOURNAL) {
            self.files.push(TakenFile {
                path: format!("{}/$J", journal.path),
                file: Reference::of_record(journal.file.number()),
                what: What::Journal,
            });
        }
    }

    fn file(&mut self, place: &Place, entry: &FolderEntry) {
        self.files.push(TakenFile {
            path: join(&place.path, &entry.name.name),
            file: Reference::from(entry),
            what: What::Data,
        });
    }
}

/// Whether a file is the key of the certificate that Remote Desktop makes itself, of whatever machine: its container is
/// TSSecKeySet1, and the name begins with that name's MD5.
fn is_own_key(name: &str) -> bool {
    const CONTAINER: &str = "f686aace6942fb7f7ceb231212eef4a4_";
    name.get(..CONTAINER.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(CONTAINER))
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// Most folders and files of a volume that a collector filled.
const MOST_OF_A_CONTAINER: usize = 20_000;
const DEEPEST: usize = 64;

/// Every file of a volume without Windows: a container that a collector wrote its files into.
pub(super) fn take_all(volume: &Volume) -> Taken {
    let mut taken = Taken::default();
    let Ok(root) = volume.root() else {
        return taken;
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut waiting = vec![(
        Place {
            path: String::new(),
            file: root,
        },
        0,
    )];
    while let Some((place, depth)) = waiting.pop() {
        if !seen.insert(place.file.number()) || depth > DEEPEST {
            continue;
        }
        let left = MOST_OF_A_CONTAINER.saturating_sub(taken.files.len() + waiting.len());
        for entry in taken.list(volume, &place, left) {
            if entry.number < 24 || entry.name.name == "System Volume Information" {
                continue;
            }
            if !entry.name.is_folder {
                taken.file(&place, &entry);
            } else if let Some(inner) = taken.step(volume, &place.path, &entry) {
                waiting.push((inner, depth + 1));
            }
        }
    }
    taken.files.sort_by(|one, other| one.path.cmp(&other.path));
    taken.problems.sort();
    taken.problems.dedup();
    taken
}
