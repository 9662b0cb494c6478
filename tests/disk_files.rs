//! The files of a disk, however NTFS keeps them and whatever lies beside them: packed, encrypted, elsewhere, under another case, of an
//! earlier installation, of somebody else.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rdptriage::bundle::{self, Kind, Origin};
use rdptriage::facts::catalog::key::KeyTrace;
use rdptriage::verdict::model::Report;
use rdptriage::{Options, diagnose, gather};
use sha1::{Digest, Sha1};
use support::certificate::{ForgedCertificate, StoreEntry};
use support::disk_layout::place;
use support::machine::{Channel, Machine, TlsFailure, Windows, at, minutes};
use support::mounted::{self, program};
use support::ntfs::{Lies, Volume, journal};
use support::permissions::binary;
use support::verdict::{diagnosed, finding, rules, says, unhashed};
use tempfile::TempDir;

const SAMPLE: &str = "machinekeys-renamed";
const CAUSE: &str = "machinekeys-relocated";
const SYSTEM_LOG: &str = "Windows/System32/winevt/Logs/System.evtx";
const MACHINE_KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
const INSTALLED: &str = "2024-02-01T08:00:00Z";

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name)
        .join("collected")
}

fn volume() -> Volume {
    let mut volume = Volume::new(at(INSTALLED));
    volume.copy(&sample(SAMPLE));
    volume
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn report(image: &Path) -> Report {
    let mut reports = diagnosed(&[image.to_owned()], &rules());
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn cause(image: &Path) -> Option<String> {
    report(image).verdict.cause
}

/// What is told of a file of an image.
fn told(image: &Path, file: &str) -> Vec<String> {
    let bundle = bundle::open(&[image.to_owned()]).unwrap();
    let of_file = bundle
        .problems
        .iter()
        .filter(|problem| problem.path.ends_with(file));
    of_file.map(|problem| problem.trouble.to_string()).collect()
}

#[test]
fn files_that_ntfs_compressed_are_read() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    let hive = volume.at("Windows/System32/config/SYSTEM").content.clone();
    let plain = volume.build().len();
    for node in volume.nodes.values_mut() {
        if ["SYSTEM", "SOFTWARE", "System.evtx"].contains(&node.name.as_str()) {
            node.lies = Lies::Packed;
        }
    }
    assert!(volume.build().len() < plain, "nothing was packed");
    // Some that do not compress, in units that are as they are.
    for node in volume.nodes.values_mut() {
        if node.lies == Lies::Simply && node.name.ends_with(".evtx") {
            node.lies = Lies::Compressed;
        }
    }
    let bytes = volume.build();
    let image = write(&folder, "compressed.dd", &bytes);
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    assert!(opened.problems.is_empty(), "{:?}", opened.problems);
    let on_disk = opened
        .artifact("compressed.dd/Windows/System32/config/SYSTEM")
        .unwrap();
    let read = on_disk.open().unwrap().read_all(64 << 20).unwrap();
    assert!(read == hive);
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

/// What ntfs-3g packs is read as it was.
#[test]
fn files_that_ntfs_3g_compressed_are_read() {
    let folder = TempDir::new().unwrap();
    let sample = sample(SAMPLE);
    let mut marked = Ok(());
    let made = mounted::volume_with(&folder, "compression", |mount| {
        let config = mount.join("Windows/System32/config");
        let logs = mount.join("Windows/System32/winevt/Logs");
        for folder in [&config, &logs] {
            fs::create_dir_all(folder).unwrap();
            // FILE_ATTRIBUTE_DIRECTORY and FILE_ATTRIBUTE_COMPRESSED, the high byte first: what is made in it is compressed.
            marked = marked.clone().and(mounted::run(
                "setfattr",
                &[
                    "-h",
                    "-n",
                    "system.ntfs_attrib_be",
                    "-v",
                    "0x00000810",
                    mounted::text(folder),
                ],
            ));
        }
        mounted::copy(&sample, mount);
    });
    let Some(image) = made else { return };
    if let Err(why) = marked {
        eprintln!("skipped: folders cannot be marked as compressed here ({why}); install attr");
        return;
    }
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    for name in [
        "config/SYSTEM",
        "config/SOFTWARE",
        "winevt/Logs/System.evtx",
    ] {
        let below = format!("Windows/System32/{name}");
        let on_disk = opened.artifact(&format!("volume.img/{below}")).unwrap();
        let read = on_disk.open().unwrap().read_all(64 << 20).unwrap();
        assert!(read == fs::read(sample.join(&below)).unwrap(), "{name}");
    }
    // It lies on fewer clusters than it has bytes.
    let said = Command::new("ntfsinfo")
        .args([
            "-F",
            "Windows/System32/config/SYSTEM",
            mounted::text(&image),
        ])
        .output();
    if let Ok(said) = said {
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("COMPRESSED"), "{said}");
    }
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

/// Clusters from one sector to 64 KiB, sectors of 4 KiB: with many files in a folder, whose list is then a tree.
#[test]
fn clusters_and_sectors_of_every_size() {
    let sample = sample(SAMPLE);
    for making in [
        &["-c", "512"][..],
        &["-c", "2048"],
        &["-c", "65536"],
        &["-s", "4096"],
        &["-s", "4096", "-c", "32768"],
    ] {
        let folder = TempDir::new().unwrap();
        let made = mounted::volume_made(&folder, making, "rw", |mount| {
            mounted::copy(&sample, mount);
            let keys = mount.join(MACHINE_KEYS);
            for number in 0..400_u32 {
                let name = format!("{number:032x}_7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55");
                fs::write(keys.join(name), b"key").unwrap();
            }
            // Some are gone again: nodes of the tree are freed.
            for number in 100..300_u32 {
                let name = format!("{number:032x}_7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55");
                fs::remove_file(keys.join(name)).unwrap();
            }
        });
        let Some(image) = made else { return };
        let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
        assert!(
            opened.problems.is_empty(),
            "{making:?} {:?}",
            opened.problems
        );
        let is_key = |path: &str| path.contains("/MachineKeys/0000");
        let keys = opened
            .artifacts
            .iter()
            .filter(|artifact| is_key(&artifact.path));
        assert_eq!(keys.count(), 200, "{making:?}");
        assert_eq!(cause(&image).as_deref(), Some(CAUSE), "{making:?}");
    }
}

/// A packed file whose clusters are damaged is told by its name; the others are read.
#[test]
fn a_compressed_file_that_is_damaged_is_told() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    volume.at(SYSTEM_LOG).lies = Lies::Packed;
    let mut bytes = volume.build();
    // A chunk's length with its mark, a byte of flags, and the first letters.
    let packed = bytes
        .windows(11)
        .position(|window| window[3..] == *b"ElfFile\0" && window[1] >> 4 == 0xB && window[2] == 0)
        .expect("it is packed");
    bytes[packed + 60..packed + 400].fill(0xFF);
    let image = write(&folder, "damaged.dd", &bytes);
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    let troubles: Vec<String> = told(&image, "System.evtx");
    assert!(
        troubles
            .iter()
            .any(|told| told.contains("damaged from byte 0")),
        "{troubles:?} {:?}",
        opened.problems
    );
    assert!(
        opened
            .artifacts
            .iter()
            .any(|artifact| artifact.path.ends_with("config/SYSTEM"))
    );
}

/// What only Windows, or only its owner, can read: which file, why, and what to do.
#[test]
fn files_that_cannot_be_read_say_how_to_get_them() {
    let folder = TempDir::new().unwrap();
    let cases: [(Lies, Option<u32>, &[&str]); 4] = [
        (Lies::Encrypted, None, &["EFS", "signed in as that account"]),
        (Lies::Simply, Some(0x8000_0017), &["WOF", "with Windows"]),
        (
            Lies::Simply,
            Some(0x8000_0013),
            &["deduplicated", "with Windows"],
        ),
        (Lies::Simply, Some(0xA000_000C), &["a link", "not followed"]),
    ];
    for (lies, reparse, words) in cases {
        let mut volume = volume();
        let log = volume.at(SYSTEM_LOG);
        (log.lies, log.reparse) = (lies, reparse);
        let image = write(&folder, "disk.dd", &volume.build());
        let troubles = told(&image, SYSTEM_LOG);
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        for word in words {
            assert!(troubles[0].contains(word), "{troubles:?}");
        }
        let report = report(&image);
        let listed = report
            .artifacts
            .iter()
            .flat_map(|artifact| &artifact.problems)
            .chain(report.problems.iter().map(|problem| &problem.message));
        assert!(
            listed.clone().any(|told| told.contains(words[0])),
            "{:?}",
            listed.collect::<Vec<_>>()
        );
    }
}

#[test]
fn other_streams_of_a_file_are_told_and_not_read() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    volume.at(SYSTEM_LOG).streams = vec![("hidden".to_owned(), b"ElfFile\0 not this".to_vec())];
    let image = write(&folder, "disk.dd", &volume.build());
    let troubles = told(&image, SYSTEM_LOG);
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains("hidden"), "{troubles:?}");
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

#[test]
fn names_are_found_in_another_case_and_beside_short_ones() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    let mut number = 0;
    for node in volume.nodes.values_mut() {
        if node.name.starts_with(['.', '$']) || node.name == SAMPLE {
            continue;
        }
        node.name = match node.name.len() % 2 {
            0 => node.name.to_uppercase(),
            _ => node.name.to_lowercase(),
        };
        number += 1;
        node.short = Some(format!("SHORT~{number}"));
    }
    let image = write(&folder, "disk.dd", &volume.build());
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

/// An upgraded machine still has its earlier Windows, and Windows keeps old hives; neither is the machine as it is.
#[test]
fn earlier_windows_and_backups_of_hives_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume();
    let other = sample("key-zeroed");
    for entry in walkdir::WalkDir::new(&other) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(&other).unwrap();
            let below = below.to_str().unwrap().replace('\\', "/");
            let bytes = fs::read(entry.path()).unwrap();
            volume.file(&format!("Windows.old/{below}"), &bytes, Lies::Simply);
            if let Some(hive) = below.strip_prefix("Windows/System32/config/") {
                let backup = format!("Windows/System32/config/RegBack/{hive}");
                volume.file(&backup, &bytes, Lies::Simply);
            }
        }
    }
    let image = write(&folder, "disk.dd", &volume.build());
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    let is_old = |path: &str| path.contains("Windows.old") || path.contains("RegBack");
    let old: Vec<&String> = opened
        .artifacts
        .iter()
        .map(|artifact| &artifact.path)
        .filter(|path| is_old(path))
        .collect();
    assert!(old.is_empty(), "{old:?}");
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
}

/// On a volume that Windows NT made, or some tool, descriptors are kept with the files; and where $Secure is damaged, its copy counts.
#[test]
fn permissions_are_found_wherever_they_are_kept() {
    use rdptriage::parse::security::parse_sddl;
    let folder = TempDir::new().unwrap();
    let denied = parse_sddl("O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)").unwrap();
    let volume = |keeps: bool| {
        let mut volume = Volume::new(at(INSTALLED));
        let sample = sample("key-acl-without-network-service");
        volume.copy(&sample);
        let keys: Vec<usize> = volume
            .nodes
            .iter()
            .filter(|(_, node)| node.name.contains("_7c3b5a90"))
            .map(|(number, _)| *number)
            .collect();
        assert!(keys.len() > 1);
        for number in keys {
            let node = volume.nodes.get_mut(&number).unwrap();
            node.descriptor = Some(binary(&denied));
            node.keeps_descriptor = keeps;
        }
        volume.build()
    };
    let denied = Some("key-access-denied");
    for keeps in [false, true] {
        let image = write(&folder, "disk.dd", &volume(keeps));
        assert_eq!(cause(&image).as_deref(), denied, "{keeps}");
    }
    // The table's first half is gone: every descriptor is found 256 KiB further on.
    let mut bytes = volume(false);
    let first = bytes
        .windows(24)
        .position(|window| {
            window[4..8] == 0x100_u32.to_le_bytes() && window[8..16] == [0; 8] && window[20] == 1
        })
        .unwrap();
    bytes[first..first + 4096].fill(0xDB);
    let image = write(&folder, "disk.dd", &bytes);
    assert_eq!(cause(&image).as_deref(), denied);
}

/// A certificate that was imported into somebody's own store is not the machine's: the service does not find it, and the report says
/// where it is.
#[test]
fn a_pinned_certificate_in_a_users_store_is_not_the_machines() {
    const HOST: &str = "FABRIKAM-RD5";
    let certificate = ForgedCertificate::issued(
        "fabrikam-rd5.contoso.example",
        "Contoso Issuing CA 1",
        at("2026-10-20T08:00:00Z"),
    )
    .der();
    let thumbprint = Sha1::digest(&certificate);
    let mut machine = Machine::new(HOST, Windows::Server2019, at("2026-05-04T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine
        .boots(at("2026-11-01T03:00:00Z"))
        .listener_starts(at("2026-11-01T03:00:40Z"));
    machine.pins(&thumbprint, at("2026-10-20T09:00:00Z"));
    machine.gets_in(at("2026-11-11T08:00:00Z"), "10.20.4.17", "anna");
    machine.leaves(at("2026-11-11T09:00:00Z"), "10.20.4.17", "anna");
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, "10.20.4.17", TlsFailure::NoCredential);
    }
    machine.written(at("2026-11-12T13:00:00Z"));
    let files = machine.logs_and_hives(&[
        Channel::System,
        Channel::RdpCoreTs,
        Channel::RemoteConnectionManager,
        Channel::LocalSessionManager,
    ]);
    let folder = TempDir::new().unwrap();
    let element = StoreEntry::cng(certificate, "rdp-2026").blob();
    let own = "AppData/Roaming/Microsoft/SystemCertificates/My/Certificates";
    let name: String = thumbprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    for profile in [
        "Users/anna",
        "Windows/ServiceProfiles/NetworkService",
        "Windows/System32/config/systemprofile",
    ] {
        let mut volume = Volume::new(at(INSTALLED));
        for (path, bytes) in &files {
            volume.file(&place(path).unwrap(), bytes, Lies::Simply);
        }
        volume.file(&format!("{profile}/{own}/{name}"), &element, Lies::Simply);
        let image = write(&folder, "disk.dd", &volume.build());
        let report = report(&image);
        assert_eq!(says(&report), "confirmed certificate-pin-dangling failing");
        let summary = &report.verdict.summary;
        assert!(
            summary.contains("only in that of a user") && summary.contains(profile),
            "{summary}"
        );
        // Its key is not taken for the machine's either.
        assert!(
            finding(&report, "key-missing").level != rdptriage::verdict::model::Level::Confirmed
        );
        let (code, listed) = program(&[
            "certs",
            "--width",
            "200",
            "--show",
            &name,
            mounted::text(&image),
        ]);
        assert_eq!(code, Some(0), "{listed}");
        assert!(
            listed.contains("a user's") && listed.contains(profile),
            "{listed}"
        );
    }
}

#[test]
fn every_command_takes_an_image() {
    let folder = TempDir::new().unwrap();
    let image = write(&folder, "disk.vhd", &volume().build());
    let image = mounted::text(&image);
    let (code, said) = program(&["events", image]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("RdpCoreTS"), "{said}");
    let key = r"SYSTEM\CurrentControlSet\Services\TermService";
    let (code, said) = program(&["registry", image, "-k", key]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Start"), "{said}");
    let (code, said) = program(&["certs", image]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("F10AA383"), "{said}");
    let (code, said) = program(&["timeline", image]);
    assert_eq!(code, Some(0), "{said}");
}

/// The journal copied with all that Windows has let go of, as zeros before what it keeps.
#[test]
fn a_journal_behind_zeros_is_read() {
    let mut volume = volume();
    let folder_number = volume.find(MACHINE_KEYS).unwrap();
    volume.record(
        folder_number,
        journal::PERMISSIONS | journal::CLOSED,
        at("2024-06-01T10:00:00Z"),
    );
    volume.rename(MACHINE_KEYS, "MachineKeys.kept", at("2024-06-02T10:00:00Z"));
    let folder = TempDir::new().unwrap();
    let image = write(&folder, "disk.dd", &volume.build());
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    let content = |ending: &str| {
        let found = opened
            .artifacts
            .iter()
            .find(|artifact| artifact.path.ends_with(ending))
            .unwrap_or_else(|| panic!("{ending}"));
        found.open().unwrap().read_all(64 << 20).unwrap()
    };
    let kept = content("$J");
    let copied = |journal: &[u8]| {
        let collected = TempDir::new().unwrap();
        support::verdict::write(collected.path(), "C/$MFT", &content("$MFT"));
        let hive = "C/Windows/System32/config/SYSTEM";
        support::verdict::write(collected.path(), hive, &content("config/SYSTEM"));
        support::verdict::write(collected.path(), "C/$Extend/$J", journal);
        let mut hosts = gather(&[collected.path().to_owned()], &unhashed()).unwrap();
        let facts = hosts.remove(0).facts;
        let told = facts.of_kind(KeyTrace::KIND);
        told.filter_map(|fact| Some(format!("{:?} {:?}", fact.at?, fact.field("says")?)))
            .collect::<Vec<_>>()
    };
    let expected = copied(&kept);
    assert!(
        expected
            .iter()
            .any(|told| told.contains("MachineKeys.kept")),
        "{expected:?}"
    );
    let mut whole = vec![0; usize::try_from(volume.journal_gone).unwrap()];
    whole.extend(&kept);
    assert_eq!(copied(&whole), expected);
    // What was allocated behind the last record is zero as well.
    whole.resize(whole.len().next_multiple_of(64 << 10), 0);
    assert_eq!(copied(&whole), expected);
    // Zeros alone, and zeros before something else, are no journal.
    for other in [vec![0; 1 << 20], [vec![0; 1 << 20], kept].concat()] {
        let path = write(&folder, "other", &other);
        let (_, said) = program(&["diagnose", mounted::text(&path)]);
        assert!(said.contains("zero"), "{said}");
    }
}

/// Stored as it is, an image is read inside of the archive; packed, it has to be unpacked first.
#[test]
fn an_image_in_an_archive() {
    use std::io::{Cursor, Write};
    let folder = TempDir::new().unwrap();
    let disk = volume().build();
    let archive = |method| {
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("disk.dd", options).unwrap();
        writer.write_all(&disk).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let stored = write(
        &folder,
        "stored.zip",
        &archive(zip::CompressionMethod::Stored),
    );
    assert_eq!(cause(&stored).as_deref(), Some(CAUSE));
    let packed = write(
        &folder,
        "packed.zip",
        &archive(zip::CompressionMethod::Deflated),
    );
    let said = diagnose(&[packed], &rules(), &unhashed())
        .unwrap_err()
        .to_string();
    assert!(said.contains("unpack it first"), "{said}");
}

/// An image is only ever read: another program may hold it locked, nobody may write to it, and afterwards it is as it was.
#[test]
fn an_image_is_neither_written_nor_locked() {
    let folder = TempDir::new().unwrap();
    let image = write(&folder, "disk.dd", &volume().build());
    let before = fs::read(&image).unwrap();
    let locked = fs::File::options()
        .read(true)
        .write(true)
        .open(&image)
        .unwrap();
    locked.lock().unwrap();
    let mut permissions = fs::metadata(&image).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&image, permissions).unwrap();
    let written = fs::metadata(&image).unwrap().modified().unwrap();
    assert_eq!(cause(&image).as_deref(), Some(CAUSE));
    assert_eq!(fs::metadata(&image).unwrap().modified().unwrap(), written);
    assert!(fs::read(&image).unwrap() == before);
    drop(locked);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    // While it is open here, another program may lock it.
    let opened = bundle::open(std::slice::from_ref(&image)).unwrap();
    let sources: Vec<_> = opened
        .artifacts
        .iter()
        .filter(|artifact| !matches!(artifact.kind, Kind::NotUsed(_)))
        .map(|artifact| artifact.open().unwrap())
        .collect();
    assert!(sources.len() > 3);
    let other = fs::File::open(&image).unwrap();
    other.try_lock().expect("nobody holds it");
    assert!(matches!(opened.artifacts[0].origin, Origin::File(_)));
}

/// With hashes, as users run it, an image costs no digest of the whole disk.
#[test]
fn an_image_is_not_hashed_as_a_whole() {
    let folder = TempDir::new().unwrap();
    let image = write(&folder, "disk.dd", &volume().build());
    let report = diagnose(&[image], &rules(), &Options::default())
        .unwrap()
        .remove(0);
    let digest = |path: &str| {
        let mut artifacts = report.artifacts.iter();
        let found = artifacts.find(|artifact| artifact.path == path);
        found.unwrap_or_else(|| panic!("{path}")).sha256.clone()
    };
    assert_eq!(digest("disk.dd"), None);
    assert!(digest(&format!("disk.dd/{SYSTEM_LOG}")).is_some());
}
