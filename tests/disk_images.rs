//! A disk image gives the verdict of the folder that was copied onto it: through every format, every way to divide a disk, and
//! with the permissions that stand on it. The images are made by other people's tools (mkntfs, ntfs-3g, qemu-img, setfattr); where
//! these, or FUSE, are not there, a line says so.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rdptriage::facts::catalog::key::{KeyFileAccess, KeyTrace};
use rdptriage::facts::fact::FactSet;
use rdptriage::facts::value::FieldState;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::Report;
use rdptriage::{Hashing, Options, diagnose, gather};
use support::mounted::{
    MACHINE_KEYS, MIB, Permission, VOLUME, copy, permit, permit_folder, program, run, text, volume,
};
use support::seeded::Seeded;
use tempfile::TempDir;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn collected(sample: &str) -> PathBuf {
    samples().join(sample).join("collected")
}

fn report(input: &Path) -> Report {
    let rules = RuleSet::builtin().expect("the rules are sound");
    let mut reports = diagnose(&[input.to_owned()], &rules, &Options::default())
        .unwrap_or_else(|error| panic!("{}: {error}", input.display()));
    assert_eq!(reports.len(), 1, "{}", input.display());
    reports.remove(0)
}

fn facts(input: &Path) -> FactSet {
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let mut hosts = gather(&[input.to_owned()], &options).expect("it opens");
    hosts.remove(0).facts
}

/// What the verdict comes to.
fn verdict(report: &Report) -> (String, Option<String>, Vec<String>) {
    let verdict = &report.verdict;
    (
        format!("{:?}", verdict.status),
        verdict.cause.clone(),
        verdict.consequences.clone(),
    )
}

/// The disk around a volume: a table of partitions, and the volume at the second mebibyte.
fn with_mbr(volume: &Path, disk: &Path) {
    let bytes = fs::read(volume).unwrap();
    let mut table = vec![0; MIB as usize];
    let entry = &mut table[446 + 16..446 + 32];
    entry[4] = 7;
    entry[8..12].copy_from_slice(&2048_u32.to_le_bytes());
    entry[12..16].copy_from_slice(&u32::try_from(VOLUME / 512).unwrap().to_le_bytes());
    table[510..512].copy_from_slice(&[0x55, 0xAA]);
    table.extend(bytes);
    table.extend(vec![0; MIB as usize]);
    fs::write(disk, table).unwrap();
}

fn with_gpt(volume: &Path, disk: &Path) {
    // Basic data, as it lies on a disk.
    const BASIC_DATA: [u8; 16] = [
        0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99,
        0xC7,
    ];
    with_mbr(volume, disk);
    let mut bytes = fs::read(disk).unwrap();
    bytes[446..510].fill(0);
    bytes[450] = 0xEE;
    bytes[454..458].copy_from_slice(&1_u32.to_le_bytes());
    bytes[458..462].copy_from_slice(&u32::MAX.to_le_bytes());
    let header = &mut bytes[512..1024];
    header[..8].copy_from_slice(b"EFI PART");
    header[72..80].copy_from_slice(&2_u64.to_le_bytes());
    header[80..84].copy_from_slice(&128_u32.to_le_bytes());
    header[84..88].copy_from_slice(&128_u32.to_le_bytes());
    let entry = &mut bytes[1024..1152];
    entry[..16].copy_from_slice(&BASIC_DATA);
    entry[32..40].copy_from_slice(&2048_u64.to_le_bytes());
    entry[40..48].copy_from_slice(&(2048 + VOLUME / 512 - 1).to_le_bytes());
    fs::write(disk, bytes).unwrap();
}

#[test]
fn every_format_and_partition_table_gives_the_same_facts() {
    let folder = TempDir::new().unwrap();
    let sample = collected("machinekeys-renamed");
    let Some(volume) = volume(&folder, |mount| copy(&sample, mount)) else {
        return;
    };
    let expected = verdict(&report(&volume));
    assert_eq!(expected.1.as_deref(), Some("machinekeys-relocated"));
    let at = |name: &str| folder.path().join(name);
    let (mbr, gpt) = (at("mbr.dd"), at("gpt.dd"));
    with_mbr(&volume, &mbr);
    with_gpt(&volume, &gpt);
    assert_eq!(verdict(&report(&mbr)), expected);
    assert_eq!(verdict(&report(&gpt)), expected);

    // A disk of 2 TiB with next to nothing on it costs what is on it.
    let sparse = at("sparse.dd");
    fs::copy(&mbr, &sparse).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&sparse).unwrap();
    match file.set_len(2 << 40) {
        Ok(()) => {
            let begun = std::time::Instant::now();
            assert_eq!(verdict(&report(&sparse)), expected);
            assert!(begun.elapsed().as_secs() < 60, "it reads what is empty");
        }
        Err(why) => eprintln!("skipped: no sparse file can be made here ({why})"),
    }

    let formats: [(&str, &[&str]); 9] = [
        (
            "fixed.vhd",
            &["-O", "vpc", "-o", "subformat=fixed,force_size"],
        ),
        (
            "dynamic.vhd",
            &["-O", "vpc", "-o", "subformat=dynamic,force_size"],
        ),
        ("dynamic.vhdx", &["-O", "vhdx"]),
        ("plain.qcow2", &["-O", "qcow2"]),
        (
            "packed.qcow2",
            &["-c", "-O", "qcow2", "-o", "cluster_size=4096"],
        ),
        ("sparse.vmdk", &["-O", "vmdk"]),
        (
            "flat.vmdk",
            &["-O", "vmdk", "-o", "subformat=monolithicFlat"],
        ),
        (
            "split.vmdk",
            &["-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"],
        ),
        (
            "stream.vmdk",
            &["-O", "vmdk", "-o", "subformat=streamOptimized"],
        ),
    ];
    for (name, options) in formats {
        let own = at(&format!("in-{name}"));
        fs::create_dir(&own).unwrap();
        let image = own.join(name);
        let mut arguments = vec!["convert", "-f", "raw"];
        arguments.extend(options);
        arguments.extend([text(&gpt), text(&image)]);
        if let Err(why) = run("qemu-img", &arguments) {
            eprintln!("skipped: {name} cannot be made here ({why}); install qemu-utils");
            continue;
        }
        assert_eq!(verdict(&report(&image)), expected, "{name}");
        // The folder that an image of several files lies in holds one disk.
        assert_eq!(verdict(&report(&own)), expected, "the folder of {name}");
        // Its name says nothing: the content tells what it is.
        let other = own.join("System.evtx");
        fs::rename(&image, &other).unwrap();
        assert_eq!(verdict(&report(&other)), expected, "{name}, renamed");
        fs::rename(&other, &image).unwrap();
        let parts: Vec<PathBuf> = fs::read_dir(&own)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        for part in parts {
            damaged(&image, &part);
        }
    }
}

#[test]
fn segments_of_e01_are_one_disk() {
    let folder = TempDir::new().unwrap();
    let sample = collected("machinekeys-renamed");
    let Some(volume) = volume(&folder, |mount| copy(&sample, mount)) else {
        return;
    };
    let expected = verdict(&report(&volume));
    let own = folder.path().join("segments");
    fs::create_dir(&own).unwrap();
    // What does not pack makes the segments many.
    let mut bytes = fs::read(&volume).unwrap();
    let mut seeded = Seeded::new(0xE01);
    bytes.extend((0..4 * MIB / 8).flat_map(|_| seeded.any().to_le_bytes()));
    let raw = folder.path().join("long.img");
    fs::write(&raw, bytes).unwrap();
    let target = own.join("disk");
    let arguments = [
        "-u",
        "-q",
        "-c",
        "deflate:fast",
        "-S",
        "1048576",
        "-t",
        text(&target),
        text(&raw),
    ];
    if let Err(why) = run("ewfacquire", &arguments) {
        eprintln!("skipped: E01 cannot be made here ({why}); install ewf-tools");
        return;
    }
    let first = own.join("disk.E01");
    assert!(own.join("disk.E03").exists(), "it is one segment only");
    assert_eq!(verdict(&report(&first)), expected);
    assert_eq!(verdict(&report(&own)), expected);
    damaged(&first, &first);
    damaged(&first, &own.join("disk.E02"));
    fs::remove_file(own.join("disk.E02")).unwrap();
    let rules = RuleSet::builtin().expect("the rules are sound");
    let error = diagnose(&[first], &rules, &Options::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("disk.E02"), "{error}");
}

/// A damaged image is a message, or what is left of it; never a panic, and never a hang. One of its files is damaged where it lies.
fn damaged(image: &Path, part: &Path) {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (image_name, name) = (name(image), name(part));
    let whole = fs::read(part).unwrap();
    let rules = RuleSet::builtin().expect("the rules are sound");
    let (mut read, mut refused) = (0, 0);
    let mut try_it = |bytes: &[u8], what: &str| {
        fs::write(part, bytes).unwrap();
        match diagnose(&[image.to_owned()], &rules, &Options::default()) {
            Ok(_) => read += 1,
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains(&image_name), "{name}, {what}: {said}");
                refused += 1;
            }
        }
    };
    try_it(&[], "empty");
    try_it(&whole[..whole.len() / 2], "cut in the middle");
    try_it(&whole[..whole.len().min(100_000)], "cut early");
    for start in [16, 512, 66_000, 131_200, 200_000] {
        let mut bytes = whole.clone();
        let end = (start + 300).min(bytes.len());
        if start < end {
            bytes[start..end].fill(0xFF);
            try_it(&bytes, "overwritten");
        }
    }
    fs::write(part, &whole).unwrap();
    println!("{name}: {read} damaged images were read, {refused} refused");
}

#[test]
fn an_image_that_builds_on_another_needs_it() {
    let folder = TempDir::new().unwrap();
    let sample = collected("machinekeys-renamed");
    let Some(volume) = volume(&folder, |mount| copy(&sample, mount)) else {
        return;
    };
    let expected = verdict(&report(&volume));
    let own = folder.path().join("chain");
    fs::create_dir(&own).unwrap();
    let (base, top) = (own.join("base.qcow2"), own.join("top.qcow2"));
    let made = run(
        "qemu-img",
        &["convert", "-O", "qcow2", text(&volume), text(&base)],
    )
    .and_then(|()| {
        run(
            "qemu-img",
            &[
                "create",
                "-f",
                "qcow2",
                "-F",
                "qcow2",
                "-b",
                text(&base),
                text(&top),
            ],
        )
    });
    if let Err(why) = made {
        eprintln!("skipped: no chain of images can be made here ({why})");
        return;
    }
    assert_eq!(verdict(&report(&top)), expected);
    assert_eq!(verdict(&report(&own)), expected);
    fs::remove_file(&base).unwrap();
    let rules = RuleSet::builtin().expect("the rules are sound");
    let error = diagnose(&[top], &rules, &Options::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("base.qcow2"), "{error}");
}

#[test]
fn permissions_are_those_of_the_machine() {
    const SYSTEM: Permission = (0, 0x1f_01ff, &[18]);
    const NETWORK_SERVICE: Permission = (0, 0x12_0089, &[20]);
    let sample = collected("key-acl-without-network-service");
    let mut causes = BTreeMap::new();
    for (name, entries) in [
        ("without", &[SYSTEM][..]),
        ("with", &[SYSTEM, NETWORK_SERVICE][..]),
    ] {
        let folder = TempDir::new().unwrap();
        let mut done = Ok(());
        let filled = volume(&folder, |mount| {
            copy(&sample, mount);
            fs::remove_file(mount.join("MachineKeys.acl")).unwrap();
            permit_folder(mount);
            for entry in fs::read_dir(mount.join(MACHINE_KEYS)).unwrap() {
                let path = entry.unwrap().path();
                done = done.clone().and(permit(&path, entries));
            }
        });
        let Some(image) = filled else { return };
        if let Err(why) = done {
            eprintln!("skipped: permissions cannot be set here ({why}); install attr");
            return;
        }
        let found = report(&image);
        let facts = facts(&image);
        let reads: Vec<String> = facts
            .of_kind(KeyFileAccess::KIND)
            .filter_map(|fact| {
                Some(format!(
                    "{:?} {:?}",
                    fact.field("account")?,
                    fact.field("can_read")?
                ))
            })
            .collect();
        causes.insert(name, (found.verdict.cause, reads));
    }
    let (cause, reads) = &causes["without"];
    assert_eq!(cause.as_deref(), Some("key-access-denied"), "{reads:?}");
    let (cause, reads) = &causes["with"];
    assert_ne!(cause.as_deref(), Some("key-access-denied"), "{reads:?}");
    assert!(
        reads
            .iter()
            .any(|read| read.contains("S-1-5-20") && read.contains("true")),
        "{reads:?}"
    );
}

#[test]
fn a_disk_without_windows_says_what_it_is() {
    let folder = TempDir::new().unwrap();
    let rules = RuleSet::builtin().expect("the rules are sound");
    let said = |bytes: &[u8]| {
        let image = folder.path().join("disk.dd");
        fs::write(&image, bytes).unwrap();
        diagnose(&[image], &rules, &Options::default())
            .unwrap_err()
            .to_string()
    };
    let mut bitlocker = vec![0; 2 * MIB as usize];
    bitlocker[..11].copy_from_slice(b"\xeb\x58\x90-FVE-FS-");
    bitlocker[510..512].copy_from_slice(&[0x55, 0xAA]);
    assert!(said(&bitlocker).contains("manage-bde -unlock"));
    let mut table = vec![0; 2 * MIB as usize];
    table[450] = 0x83;
    table[454..458].copy_from_slice(&64_u32.to_le_bytes());
    table[458..462].copy_from_slice(&2048_u32.to_le_bytes());
    table[510..512].copy_from_slice(&[0x55, 0xAA]);
    table[64 * 512 + 1080..64 * 512 + 1082].copy_from_slice(&[0x53, 0xEF]);
    assert!(said(&table).contains("Linux file system"));
    // A table of logical partitions that names itself.
    table[450] = 5;
    table[64 * 512 + 450] = 5;
    table[64 * 512 + 458] = 1;
    table[64 * 512 + 510..64 * 512 + 512].copy_from_slice(&[0x55, 0xAA]);
    assert!(said(&table).contains("no partition table"));
}

/// Whatever is overwritten on a volume, what is left is read or told; it ends, and it ends soon.
#[test]
fn a_damaged_file_system_is_read_as_far_as_it_stands() {
    let folder = TempDir::new().unwrap();
    let sample = collected("machinekeys-renamed");
    let Some(volume) = volume(&folder, |mount| copy(&sample, mount)) else {
        return;
    };
    let whole = fs::read(&volume).unwrap();
    let places: Vec<usize> = whole
        .chunks(512)
        .enumerate()
        .filter(|(_, sector)| {
            [&b"FILE"[..], b"INDX", b"RSTR"]
                .iter()
                .any(|mark| sector.starts_with(mark))
        })
        .map(|(number, _)| number * 512)
        .collect();
    assert!(places.len() > 40, "{}", places.len());
    let image = folder.path().join("damaged.dd");
    let mut seeded = Seeded::new(0x9E37_79B9_7F4A_7C15);
    let mut next = || seeded.any();
    let begun = std::time::Instant::now();
    for round in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..12 {
            let at = places[next() % places.len()] + next() % 1024;
            let value = [0, 0xFF, 0x7F, next() as u8][next() % 4];
            let len = [1, 2, 4, 64][next() % 4];
            let end = (at + len).min(bytes.len());
            bytes[at..end].fill(value);
        }
        fs::write(&image, &bytes).unwrap();
        let opened = rdptriage::bundle::open(std::slice::from_ref(&image));
        if let Ok(bundle) = opened {
            for artifact in &bundle.artifacts {
                if artifact.path != "damaged.dd"
                    && let Ok(source) = artifact.open()
                {
                    let _ = source.read_all(64 * MIB);
                }
                let _ = artifact.permissions();
            }
        }
        assert!(
            begun.elapsed().as_secs() < 300,
            "round {round} takes too long"
        );
    }
}

#[test]
fn volumes_are_listed_and_chosen() {
    let folder = TempDir::new().unwrap();
    let sample = collected("machinekeys-renamed");
    let Some(volume) = volume(&folder, |mount| copy(&sample, mount)) else {
        return;
    };
    let disk = folder.path().join("two.dd");
    // Two installations on one disk: the same one twice.
    let bytes = fs::read(&volume).unwrap();
    let mut table = vec![0; MIB as usize];
    let sectors = u32::try_from(VOLUME / 512).unwrap();
    for (index, start) in [2048, 2048 + sectors].into_iter().enumerate() {
        let entry = &mut table[446 + 16 * index..462 + 16 * index];
        entry[4] = 7;
        entry[8..12].copy_from_slice(&start.to_le_bytes());
        entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    }
    table[510..512].copy_from_slice(&[0x55, 0xAA]);
    table.extend_from_slice(&bytes);
    table.extend_from_slice(&bytes);
    fs::write(&disk, table).unwrap();
    let (code, listed) = program(&["volumes", text(&disk)]);
    assert_eq!(code, Some(0), "{listed}");
    assert!(
        listed.starts_with("raw image of 49.00 MiB, MBR"),
        "{listed}"
    );
    assert_eq!(listed.matches("Windows").count(), 2, "{listed}");
    let (code, said) = program(&["diagnose", text(&disk)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("volumes 1, 2"), "{said}");
    let (code, said) = program(&["diagnose", "--volume", "2", text(&disk)]);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = program(&["diagnose", "--volume", "3", text(&disk)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no volume 3"), "{said}");
    let (code, said) = program(&[
        "volumes",
        text(&sample.join("Windows/System32/config/SYSTEM")),
    ]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("no disk image"), "{said}");
}

/// What ntfs-3g leaves behind of a folder that was renamed on the mounted volume, and of a key file that was deleted there. It
/// keeps no change journal.
#[test]
fn renaming_and_deleting_on_the_mounted_volume_shows() {
    let folder = TempDir::new().unwrap();
    let sample = collected("key-acl-without-network-service");
    let keys = |name: &str| format!("ProgramData/Microsoft/Crypto/RSA/{name}");
    let filled = volume(&folder, |mount| {
        copy(&sample, mount);
        let machine_keys = mount.join(MACHINE_KEYS);
        let key = fs::read_dir(&machine_keys)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.to_str().is_some_and(|path| path.contains("f686")))
            .unwrap();
        fs::remove_file(key).unwrap();
        fs::rename(&machine_keys, mount.join(keys("MachineKeys.old"))).unwrap();
        fs::create_dir(mount.join(MACHINE_KEYS)).unwrap();
    });
    let Some(image) = filled else { return };
    let facts = facts(&image);
    let told: Vec<String> = facts
        .of_kind(KeyTrace::KIND)
        .filter_map(|fact| match fact.field("says") {
            Some(FieldState::Is(says)) => Some(says.to_string()),
            _ => None,
        })
        .collect();
    let says = |words: &[&str]| {
        told.iter()
            .any(|told| words.iter().all(|word| told.contains(word)))
    };
    assert!(
        says(&["MachineKeys was renamed to MachineKeys.old"]),
        "{told:#?}"
    );
    assert!(says(&["f686", "was deleted"]), "{told:#?}");
}
