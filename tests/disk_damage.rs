//! A file system that is damaged: what is left of it never makes another verdict than the whole one, only a weaker one.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rdptriage::verdict::model::{Level, Report, Status};
use support::machine::at;
use support::ntfs::{Lies, Volume};
use support::verdict::{finding, rules, unhashed};
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

#[test]
fn damage_weakens_a_verdict_and_makes_no_other() {
    let rounds = std::env::var("RDPTRIAGE_ROUNDS").map_or(25, |rounds| rounds.parse().unwrap());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    // Xorshift: the same places each time.
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for name in [
        "machinekeys-renamed",
        "cng-key-healthy",
        "key-cut",
        "key-missing-object-exists",
    ] {
        let mut volume = Volume::new(at("2024-02-01T08:00:00Z"));
        volume.copy(&samples.join(name).join("collected"));
        for (index, node) in volume.nodes.values_mut().enumerate() {
            if node.content.len() > 5000 && node.lies == Lies::Simply && index % 2 == 0 {
                node.lies = Lies::InPieces;
            }
        }
        let folder = TempDir::new().unwrap();
        let image = folder.path().join("disk.dd");
        let whole = volume.build();
        fs::write(&image, &whole).unwrap();
        let expected = rdptriage::diagnose(std::slice::from_ref(&image), &rules(), &unhashed())
            .unwrap()
            .remove(0);
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
            let told =
                match rdptriage::diagnose(std::slice::from_ref(&image), &rules(), &unhashed()) {
                    Err(_) => "refused".to_owned(),
                    Ok(mut reports) => {
                        let report = reports.remove(0);
                        let said =
                            format!("{:?} {:?}", report.verdict.status, report.verdict.cause);
                        if contradicts(&report, &expected) {
                            wrong.push(format!("{name}, round {round}: {said}"));
                            if let Ok(keep) = std::env::var("RDPTRIAGE_KEEP") {
                                fs::write(format!("{keep}/{name}-{round}.dd"), &bytes).unwrap();
                            }
                        }
                        said
                    }
                };
            *seen.entry(format!("{name}: {told}")).or_default() += 1;
        }
    }
    println!("{seen:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A folder that does not list the key file, though the file table knows it there, proves no absence.
#[test]
fn a_list_that_lost_a_key_file_proves_nothing() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/key-cut/collected");
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    let key = format!(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys/{}",
        support::machine::keys::listener_key()
    );
    let missing = |change: &dyn Fn(&mut Volume)| {
        let mut volume = Volume::new(at("2024-02-01T08:00:00Z"));
        volume.copy(&sample);
        change(&mut volume);
        fs::write(&image, volume.build()).unwrap();
        let report = rdptriage::diagnose(std::slice::from_ref(&image), &rules(), &unhashed())
            .unwrap()
            .remove(0);
        finding(&report, "key-missing").level
    };
    let deleted = missing(&|volume| volume.delete(&key, at("2026-11-13T06:00:00Z")));
    assert_eq!(deleted, Level::Confirmed);
    let unlisted = missing(&|volume| volume.at(&key).is_unlisted = true);
    assert_eq!(unlisted, Level::RuledOut);
}
