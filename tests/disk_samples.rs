//! Every sample, laid onto a disk as Windows lays it: the image gives the verdict of the folder, and where the sample lists permissions,
//! those that stand on the disk say the same. Once on volumes that the tests forge themselves, once on volumes that mkntfs makes and
//! ntfs-3g writes.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use rdptriage::facts::catalog::Kind;
use rdptriage::facts::catalog::key::{KeyFileAccess, KeyFolderAccess};
use rdptriage::gather;
use rdptriage::parse::acl_listing::AclListing;
use rdptriage::parse::security::parse_sddl;
use rdptriage::verdict::model::Report;
use support::disk_layout::place;
use support::machine::at;
use support::mounted;
use support::ntfs::{Lies, Volume};
use support::permissions::binary;
use support::verdict::{diagnosed_folder, rules, unhashed, write};
use tempfile::TempDir;

const KEYS: &str = "ProgramData/Microsoft/Crypto/";
const MACHINE_KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// As Windows makes the folder, and its own key in it (measured on Server 2019 and 2022).
const USUAL_FOLDER: &str = "D:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)";
const USUAL_KEY: &str = "D:PAI(A;;FA;;;SY)(A;;0x120089;;;NS)(A;;FA;;;S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833)";

/// A sample, sorted.
#[derive(Default)]
struct Sorted {
    /// What lies on the disk, by its path there.
    on_disk: BTreeMap<String, Vec<u8>>,
    /// What people collect besides: exports, listings of folders that were not collected.
    beside: BTreeMap<String, Vec<u8>>,
    /// Security descriptors by path, in binary.
    permissions: BTreeMap<String, Vec<u8>>,
    /// Whether the permissions came as a listing.
    has_listing: bool,
}

impl Sorted {
    fn of(collected: &Path) -> Sorted {
        let mut sorted = Sorted::default();
        for (path, bytes) in files(collected) {
            match place(&path) {
                Some(place) => {
                    let before = sorted.on_disk.insert(place, bytes);
                    assert!(before.is_none(), "{path} is there twice");
                }
                None => {
                    sorted.beside.insert(path, bytes);
                }
            }
        }
        sorted.permit();
        sorted
    }

    /// Takes the listings of permissions for what is on the disk, and the usual ones for the rest.
    fn permit(&mut self) {
        let usual = |text: &str| binary(&parse_sddl(text).expect("it is SDDL"));
        let keys: Vec<String> = self
            .on_disk
            .keys()
            .filter(|path| path.starts_with(KEYS))
            .cloned()
            .collect();
        for path in &keys {
            self.permissions.insert(path.clone(), usual(USUAL_KEY));
        }
        if keys.iter().any(|path| path.starts_with(MACHINE_KEYS)) {
            let folder = MACHINE_KEYS.to_owned();
            self.permissions.insert(folder, usual(USUAL_FOLDER));
        }
        let mut used = Vec::new();
        for (name, bytes) in &self.beside {
            let Some(listing) = AclListing::parse(bytes) else {
                continue;
            };
            for entry in &listing.entries {
                let object = entry.name.as_deref().unwrap_or_default();
                let object = object.rsplit(['\\', '/']).next().unwrap_or_default();
                let paths = self.permissions.iter_mut();
                for (_, known) in paths.filter(|(path, _)| path.ends_with(object)) {
                    *known = binary(entry.descriptor.as_ref().expect("it is whole"));
                    used.push(name.clone());
                }
            }
        }
        self.has_listing = !used.is_empty();
        self.beside.retain(|name, _| !used.contains(name));
    }

    fn forged(&self) -> Vec<u8> {
        let mut volume = Volume::new(at("2024-02-01T08:00:00Z"));
        for (path, bytes) in &self.on_disk {
            volume.file(path, bytes, Lies::Simply);
        }
        for (path, descriptor) in &self.permissions {
            volume.at(path).descriptor = Some(descriptor.clone());
        }
        volume.build()
    }

    /// A volume that ntfs-3g writes; none where it cannot.
    fn mounted(&self) -> Option<Vec<u8>> {
        let folder = TempDir::new().unwrap();
        let mut permitted = Ok(());
        let volume = mounted::volume(&folder, |mount| {
            for (path, bytes) in &self.on_disk {
                write(mount, path, bytes);
            }
            for (path, descriptor) in &self.permissions {
                permitted = permitted
                    .clone()
                    .and(mounted::give(&mount.join(path), descriptor));
            }
        })?;
        match permitted {
            Ok(()) => Some(fs::read(volume).unwrap()),
            Err(why) => {
                eprintln!("skipped: permissions cannot be set here ({why}); install attr");
                None
            }
        }
    }
}

/// The files of a sample; those of a ticket's archive too.
fn files(collected: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(collected) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let below = entry.path().strip_prefix(collected).unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        if bytes.starts_with(b"PK\x03\x04") {
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            for index in 0..archive.len() {
                let mut file = archive.by_index(index).unwrap();
                let name = file.name().unwrap().into_owned();
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).unwrap();
                if file.is_file() {
                    found.push((name, bytes));
                }
            }
        } else {
            found.push((below.to_str().unwrap().replace('\\', "/"), bytes));
        }
    }
    found
}

fn samples() -> Vec<PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found: Vec<PathBuf> = fs::read_dir(samples)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("collected"))
        .filter(|collected| collected.is_dir())
        .collect();
    found.sort();
    found
}

/// What is compared of a verdict.
fn verdict(report: &Report) -> (String, Option<String>, String, Vec<String>, Vec<String>) {
    let verdict = &report.verdict;
    (
        format!("{:?}", verdict.status),
        verdict.cause.clone(),
        format!("{:?}", verdict.state),
        verdict.consequences.clone(),
        verdict.contributing.clone(),
    )
}

/// Who may do what to which key file and to the folder, as far as that is known.
fn access(collection: &Path) -> BTreeSet<String> {
    let mut hosts = gather(&[collection.to_owned()], &unhashed()).expect("it opens");
    let facts = hosts.remove(0).facts;
    let of = |kind: &'static Kind, fields: &[&str]| -> Vec<String> {
        facts
            .of_kind(kind)
            .map(|fact| {
                let told = fields
                    .iter()
                    .map(|field| format!("{:?}", fact.field(field)));
                format!("{} {}", kind.name, told.collect::<Vec<_>>().join(" "))
            })
            .collect()
    };
    let files = of(KeyFileAccess::KIND, &["account", "can_read", "can_write"]);
    let folders = of(
        KeyFolderAccess::KIND,
        &["is_default", "next_key_lacks_entry"],
    );
    files.into_iter().chain(folders).collect()
}

/// Compares every sample with its image; how many were.
fn compared(image: impl Fn(&Sorted) -> Option<Vec<u8>>) -> Option<(usize, usize)> {
    let (mut verdicts, mut listings) = (0, 0);
    for sample in samples() {
        let sorted = Sorted::of(&sample);
        let folder = TempDir::new().unwrap();
        write(folder.path(), "disk.dd", &image(&sorted)?);
        for (name, bytes) in &sorted.beside {
            write(folder.path(), name, bytes);
        }
        let from_image = diagnosed_folder(folder.path(), &rules());
        let from_folder = diagnosed_folder(&sample, &rules());
        let name = sample.parent().unwrap().display();
        assert_eq!(verdict(&from_image), verdict(&from_folder), "{name}");
        verdicts += 1;
        if sorted.has_listing {
            let (on_disk, listed) = (access(folder.path()), access(&sample));
            assert!(!listed.is_empty(), "{name}");
            let other: Vec<&String> = listed.difference(&on_disk).collect();
            assert!(
                other.is_empty(),
                "{name}: {other:#?} is not in {on_disk:#?}"
            );
            listings += 1;
        }
    }
    Some((verdicts, listings))
}

#[test]
fn every_sample_gives_its_verdict_from_a_forged_image() {
    let (verdicts, listings) = compared(|sorted| Some(sorted.forged())).unwrap();
    assert!(verdicts >= 40 && listings >= 3, "{verdicts}, {listings}");
}

#[test]
fn every_sample_gives_its_verdict_from_an_image_that_ntfs_3g_wrote() {
    let Some((verdicts, listings)) = compared(Sorted::mounted) else {
        return;
    };
    assert!(verdicts >= 40 && listings >= 3, "{verdicts}, {listings}");
}
