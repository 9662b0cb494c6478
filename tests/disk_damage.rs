//! A file system that is damaged: what is left of it never makes another verdict than the whole one, only a weaker one.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rdptriage::verdict::model::{Level, Report, Status};
use support::machine::at;
use support::ntfs::{Lies, Volume};
use support::seeded::Seeded;
use support::verdict::{diagnosed_folder, finding, rules, unhashed};
use tempfile::TempDir;

/// Whether the verdict on the damaged disk contradicts that on the whole one.
fn contradicts(damaged: &Report, whole: &Report) -> bool {
    let (damaged, whole) = (&damaged.verdict, &whole.verdict);
    match damaged.status {
        Status::Confirmed | Status::Likely => {
            damaged.cause != whole.cause
                && !damaged
                    .cause
                    .as_ref()
                    .is_some_and(|cause| whole.consequences.contains(cause))
        }
        Status::Healthy => whole.status != Status::Healthy,
        Status::Possible | Status::Inconclusive => false,
    }
}

/// The disk of a sample's machine.
fn disk_of(sample: &str) -> Volume {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut volume = Volume::new(at("2024-02-01T08:00:00Z"));
    volume.copy(&samples.join(sample).join("collected"));
    volume
}

#[test]
fn damage_weakens_a_verdict_and_makes_no_other() {
    let rounds = std::env::var("RDPTRIAGE_ROUNDS").map_or(25, |rounds| rounds.parse().unwrap());
    let rules = rules();
    let mut seeded = Seeded::new(0x9E37_79B9_7F4A_7C15);
    let mut next = || seeded.any();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for name in [
        "machinekeys-renamed",
        "cng-key-healthy",
        "key-cut",
        "key-missing-object-exists",
    ] {
        let mut volume = disk_of(name);
        for (index, node) in volume.nodes.values_mut().enumerate() {
            if node.content.len() > 5000 && node.lies == Lies::Simply && index % 2 == 0 {
                node.lies = Lies::InPieces;
            }
        }
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("disk.dd");
        let whole = volume.build();
        fs::write(&image, &whole).unwrap();
        let expected = diagnosed_folder(&image, &rules);
        let places: Vec<usize> = whole
            .chunks(512)
            .enumerate()
            .filter(|(_, sector)| sector.starts_with(b"FILE") || sector.starts_with(b"INDX"))
            .filter(|(_, sector)| !sector.starts_with(b"FILE") || sector[22] & 1 != 0)
            .map(|(number, _)| number * 512)
            .collect();
        for round in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..1 + next() % 6 {
                let at = places[next() % places.len()] + next() % 1024;
                let value = [0, 0xFF, 0x7F, next() as u8][next() % 4];
                let len = [1, 2, 4, 64, 512][next() % 5];
                let end = (at + len).min(bytes.len());
                bytes[at..end].fill(value);
            }
            fs::write(&image, &bytes).unwrap();
            let begun = std::time::Instant::now();
            let told = match rdptriage::diagnose(std::slice::from_ref(&image), &rules, &unhashed())
            {
                Err(_) => "refused".to_owned(),
                Ok(mut reports) => {
                    let report = reports.remove(0);
                    let said = format!("{:?} {:?}", report.verdict.status, report.verdict.cause);
                    if contradicts(&report, &expected) {
                        wrong.push(format!("{name}, round {round}: {said}"));
                        if let Ok(keep) = std::env::var("RDPTRIAGE_KEEP") {
                            fs::write(format!("{keep}/{name}-{round}.dd"), &bytes).unwrap();
                        }
                    }
                    said
                }
            };
            if begun.elapsed().as_secs() > 20 {
                wrong.push(format!("{name}, round {round}: takes too long"));
            }
            *seen.entry(format!("{name}: {told}")).or_default() += 1;
        }
    }
    println!("{seen:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A folder that does not list the key file, though the file table knows it there, proves no absence.
#[test]
fn a_list_that_lost_a_key_file_proves_nothing() {
    let rules = rules();
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    let key = format!(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys/{}",
        support::machine::keys::listener_key()
    );
    let missing = |change: &dyn Fn(&mut Volume)| {
        let mut volume = disk_of("key-cut");
        change(&mut volume);
        fs::write(&image, volume.build()).unwrap();
        let report = diagnosed_folder(&image, &rules);
        finding(&report, "key-missing").level
    };
    let deleted = missing(&|volume| volume.delete(&key, at("2026-11-13T06:00:00Z")));
    assert_eq!(deleted, Level::Confirmed);
    let unlisted = missing(&|volume| volume.at(&key).is_unlisted = true);
    assert_eq!(unlisted, Level::RuledOut);
}

/// The record of the key file is damaged, and its folder names it still, or something that was its name: nobody can say that it is
/// gone.
#[test]
fn a_key_file_whose_record_is_damaged_is_not_gone() {
    const DIRECTORY: u8 = 2;
    let rules = rules();
    let volume = disk_of("key-cut");
    let whole = volume.build();
    let key = support::machine::keys::listener_key();
    let name: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Where the name stands in the only record of that kind that holds it.
    let named = |kind: u8| {
        let records = whole.chunks(1024).enumerate();
        let mut named = records
            .filter(|(_, record)| record.starts_with(b"FILE") && record[22] & DIRECTORY == kind)
            .filter_map(|(number, record)| {
                let within = record.windows(40).position(|text| text == &name[..40])?;
                Some((number * 1024, within))
            });
        let found = named.next().expect("a record with the name");
        assert_eq!(named.next(), None);
        found
    };
    // The list of the folder above RSA, which is how MachineKeys is reached: the length of its one entry, before the name in it.
    let rsa: Vec<u8> = "RSA".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let above = whole.chunks(1024).enumerate().find_map(|(number, record)| {
        let crypto: Vec<u8> = "Crypto".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let is_crypto = record.windows(crypto.len()).any(|text| text == crypto);
        let entry = record.windows(rsa.len()).position(|text| text == rsa)?;
        (is_crypto && record.starts_with(b"FILE")).then_some(number * 1024 + entry - 82)
    });
    let above = above.expect("the folder Crypto");
    let (record, in_record) = named(0);
    let (folder, in_folder) = named(DIRECTORY);
    let temporary = TempDir::new().unwrap();
    let image = temporary.path().join("disk.dd");
    for (what, at, value) in [
        ("its attributes begin nowhere", 20, 0xFF),
        ("it is free", 22, 0),
        ("it is a folder", 22, 3),
        ("its first attribute is none", 56, 0xFF),
        ("its name is another", in_record, b'g'),
        ("it lies in another folder", in_record - 66, 0x77),
        ("it was used once more", 16, 9),
    ] {
        for (place, in_list) in [
            (folder + in_folder, b'f'),
            (folder + in_folder, b'e'),
            (above + 8, 0xFF),
        ] {
            let mut bytes = whole.clone();
            bytes[record + at] = value;
            bytes[place] = in_list;
            fs::write(&image, &bytes).unwrap();
            let report = diagnosed_folder(&image, &rules);
            let missing = finding(&report, "key-missing").level;
            assert_ne!(missing, Level::Confirmed, "{what}");
            assert_ne!(
                report.verdict.cause.as_deref(),
                Some("key-missing"),
                "{what}"
            );
        }
    }
}

/// Each attribute in clusters that says it is longer than any disk: nothing is read for as long as it says.
#[test]
fn sizes_that_no_volume_has() {
    const RECORD: usize = 1024;
    let rules = rules();
    let volume = disk_of("key-cut");
    let whole = volume.build();
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    let number = |bytes: &[u8], at: usize| {
        usize::try_from(u32::from_le_bytes(*bytes[at..].first_chunk().unwrap())).unwrap()
    };
    let mut tried = 0;
    for start in (4 * 4096..whole.len()).step_by(RECORD) {
        let record = &whole[start..(start + RECORD).min(whole.len())];
        if !record.starts_with(b"FILE") || record[22] & 1 == 0 {
            continue;
        }
        let mut at = usize::from(record[20]);
        while number(record, at) != 0xFFFF_FFFF {
            // In clusters: allocated, size, and what was ever written.
            if record[at + 8] == 1 {
                let mut bytes = whole.clone();
                for field in [40, 48, 56] {
                    let place = start + at + field;
                    bytes[place..place + 8].copy_from_slice(&(1_u64 << 45).to_le_bytes());
                }
                fs::write(&image, &bytes).unwrap();
                let begun = std::time::Instant::now();
                let _ = rdptriage::diagnose(std::slice::from_ref(&image), &rules, &unhashed());
                let kind = number(record, at);
                let taken = begun.elapsed().as_secs();
                assert!(taken < 30, "record {start}, {kind:#x}: {taken} s");
                tried += 1;
            }
            at += number(record, at + 4);
        }
    }
    assert!(tried > 15, "{tried}");
}

/// Without its hives, a disk with event logs is still Windows': what is left is judged.
#[test]
fn a_disk_without_its_hives_is_judged_by_its_logs() {
    let mut volume = disk_of("key-cut");
    for hive in ["SYSTEM", "SOFTWARE"] {
        let path = format!("Windows/System32/config/{hive}");
        volume.delete(&path, at("2026-11-13T06:00:00Z"));
    }
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    fs::write(&image, volume.build()).unwrap();
    let report = diagnosed_folder(&image, &rules());
    assert!(report.verdict.first_failure.is_some());
    assert_ne!(report.verdict.status, Status::Healthy);
}
