//! Private key files: whole ones belong to their certificate, damaged ones are named for what they are.

mod support;

use std::io;
use std::path::Path;

use rdptriage::bundle::{FileSource, ReadAt};
use rdptriage::parse::certificate::{Certificate, KeyMatch, PublicKey};
use rdptriage::parse::guid::Guid;
use rdptriage::parse::key_file::{
    KeyFile, KeyFileDamage, KeyFileForm, KeyFileName, KeyPurpose, NameInside,
};
use rdptriage::parse::store_blob::KeyStorage;
use support::certificate::{
    ForgedCertificate, KeyFileDamage as Damage, MASTER_KEY, TestKey, capi_key_file, cng_key_file,
};
use support::corpus::corpus;

fn public_key(key: TestKey) -> PublicKey {
    let made = "2024-03-11T07:12:55Z".parse().unwrap();
    let certificate = ForgedCertificate {
        key,
        ..ForgedCertificate::listener("RDS01", made)
    };
    Certificate::from_der(&certificate.der())
        .unwrap()
        .public_key
}

fn read(bytes: Vec<u8>) -> KeyFile {
    KeyFile::read(&bytes).unwrap()
}

fn capi() -> Vec<u8> {
    capi_key_file("TSSecKeySet1", TestKey::Rsa2048)
}

fn damaged(damage: Damage) -> Vec<KeyFileDamage> {
    read(damage.apply(capi())).damages
}

#[test]
fn a_capi_file_belongs_to_its_certificate() {
    let file = read(capi());
    assert_eq!(file.damages, []);
    assert_eq!(file.form, Some(KeyFileForm::Capi));
    assert_eq!(file.keys[0].purpose, KeyPurpose::Exchange);
    assert_eq!(file.name_inside("TSSECKEYSET1"), NameInside::Same);
    assert_eq!(
        file.public_key_matches(&public_key(TestKey::Rsa2048)),
        KeyMatch::Same
    );
    assert_eq!(
        file.public_key_matches(&public_key(TestKey::OtherRsa2048)),
        KeyMatch::Different
    );
    assert_eq!(
        file.public_key_matches(&public_key(TestKey::EcP256)),
        KeyMatch::Different
    );
    assert_eq!(file.protection.len(), 2);
    assert!(
        file.protection
            .iter()
            .all(|blob| blob.master_key == Guid::from_bytes(MASTER_KEY))
    );
}

#[test]
fn a_cng_file_belongs_to_its_certificate() {
    for key in [TestKey::Rsa2048, TestKey::EcP256] {
        let file = read(cng_key_file("le-rds01", key));
        assert_eq!(file.damages, []);
        assert_eq!(file.form, Some(KeyFileForm::Cng));
        assert_eq!(file.container.as_deref(), Some("le-rds01"));
        assert_eq!(file.public_key_matches(&public_key(key)), KeyMatch::Same);
        assert_eq!(
            file.public_key_matches(&public_key(TestKey::OtherRsa2048)),
            KeyMatch::Different
        );
        assert_eq!(file.protection[0].description, "Private Key Properties");
    }
}

#[test]
fn every_damage_is_named_for_what_it_is() {
    let length = capi().len();
    assert_eq!(damaged(Damage::Emptied), [KeyFileDamage::Empty]);
    assert_eq!(
        damaged(Damage::Zeroed),
        [KeyFileDamage::Zeroed { from: 0, length }]
    );
    assert_eq!(
        damaged(Damage::HalfZeroed),
        [KeyFileDamage::Zeroed {
            from: length / 2,
            length: length - length / 2
        }],
    );
    assert_eq!(
        damaged(Damage::Cut(700)),
        [KeyFileDamage::Cut {
            expected: length as u64,
            actual: 700
        }]
    );
    assert_eq!(
        damaged(Damage::Cut(20)),
        [KeyFileDamage::Cut {
            expected: 40,
            actual: 20
        }]
    );
    assert_eq!(
        damaged(Damage::Trailing(512)),
        [KeyFileDamage::Trailing {
            offset: length as u64,
            count: 512
        }],
    );
    assert_eq!(damaged(Damage::Garbage), [KeyFileDamage::NotAKeyFile]);
}

#[test]
fn a_cut_file_still_tells_whose_key_it_is() {
    let file = read(Damage::Cut(700).apply(capi()));
    assert_eq!(file.name_inside("TSSecKeySet1"), NameInside::Same);
    assert_eq!(
        file.public_key_matches(&public_key(TestKey::Rsa2048)),
        KeyMatch::Same
    );
    let file = read(Damage::Cut(200).apply(capi()));
    assert_eq!(
        file.public_key_matches(&public_key(TestKey::Rsa2048)),
        KeyMatch::Undecided
    );
}

#[test]
fn a_zeroed_sector_in_the_middle_is_found() {
    let mut bytes = capi();
    bytes[1024..1536].fill(0);
    assert_eq!(
        read(bytes).damages,
        [KeyFileDamage::Zeroed {
            from: 1024,
            length: 512
        }]
    );
}

#[test]
fn a_flipped_length_breaks_the_frame_where_it_stands() {
    let mut bytes = capi();
    let description = bytes
        .windows(4)
        .position(|bytes| bytes == [b'C', 0, b'r', 0])
        .unwrap();
    bytes[description - 4] ^= 1;
    let file = read(bytes);
    assert!(
        matches!(
            file.damages[..],
            [KeyFileDamage::Part {
                part: "private key",
                ..
            }]
        ),
        "{:?}",
        file.damages
    );
}

#[test]
fn another_name_inside_is_told() {
    let file = read(capi_key_file("OtherKey", TestKey::Rsa2048));
    assert!(file.is_whole());
    assert_eq!(
        file.name_inside("TSSecKeySet1"),
        NameInside::Differs {
            name: "OtherKey".to_owned()
        }
    );
    assert_eq!(
        read(vec![7; 100]).name_inside("TSSecKeySet1"),
        NameInside::Unreadable
    );
}

#[test]
fn cng_damage_is_named_too() {
    let whole = cng_key_file("le-rds01", TestKey::EcP256);
    for length in 1..whole.len() {
        let file = read(whole[..length].to_vec());
        assert!(
            matches!(
                file.damages[0],
                KeyFileDamage::Cut { .. } | KeyFileDamage::NotAKeyFile
            ),
            "cut to {length}"
        );
        assert!(
            length < 4 || file.damages[0] != KeyFileDamage::NotAKeyFile,
            "cut to {length}"
        );
    }
    let file = read([&whole[..], &[1]].concat());
    assert_eq!(
        file.damages,
        [KeyFileDamage::Trailing {
            offset: whole.len() as u64,
            count: 1
        }]
    );
    let half = Damage::HalfZeroed.apply(whole.clone());
    assert!(matches!(
        read(half).damages[..],
        [KeyFileDamage::Zeroed { .. }]
    ));
}

/// A file that says it has 100 MB and counts what is asked of it.
struct Huge {
    beginning: Vec<u8>,
    asked: std::sync::atomic::AtomicU64,
}

impl ReadAt for Huge {
    fn len(&self) -> u64 {
        100 << 20
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.asked
            .fetch_add(buffer.len() as u64, std::sync::atomic::Ordering::Relaxed);
        buffer.fill(0xcc);
        if offset == 0 {
            let count = self.beginning.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.beginning[..count]);
        }
        Ok(buffer.len())
    }
}

#[test]
fn a_huge_file_is_not_read_whole() {
    for (beginning, expected) in [
        (Vec::new(), KeyFileDamage::NotAKeyFile),
        (
            capi(),
            KeyFileDamage::Trailing {
                offset: capi().len() as u64,
                count: (100 << 20) - capi().len() as u64,
            },
        ),
    ] {
        let huge = Huge {
            beginning,
            asked: 0.into(),
        };
        assert_eq!(KeyFile::read(&huge).unwrap().damages, [expected]);
        assert!(huge.asked.into_inner() <= 1 << 20);
    }
}

#[test]
fn nothing_of_the_private_part_is_kept() {
    for bytes in [
        capi(),
        cng_key_file("le-rds01", TestKey::Rsa2048),
        Damage::Cut(1500).apply(capi()),
    ] {
        let shown = format!("{:?}", read(bytes.clone()));
        // What is kept of the bytes stands as decimal numbers: four of the private half in a row would show.
        let private = &bytes[bytes.len() - 400..];
        for four in private.windows(4) {
            let shape = format!("{}, {}, {}, {}", four[0], four[1], four[2], four[3]);
            assert!(!shown.contains(&shape) || four == [0; 4], "{shape}");
        }
    }
}

#[test]
fn no_mutation_makes_the_reader_panic() {
    let originals = [
        capi(),
        cng_key_file("le-rds01", TestKey::Rsa2048),
        cng_key_file("le-rds01", TestKey::EcP256),
    ];
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..6000 {
        for original in &originals {
            let mut bytes = original.clone();
            for _ in 0..=random() % 3 {
                // Headers and lengths stand in front.
                let place = random() % if random() % 2 == 0 { 64 } else { bytes.len() };
                bytes[place] = random() as u8;
            }
            bytes.truncate(if random() % 4 == 0 {
                random() % bytes.len()
            } else {
                bytes.len()
            });
            let _ = read(bytes);
        }
    }
}

/// The only file in a folder, with its name.
fn only_file(folder: &Path) -> (KeyFileName, KeyFile) {
    let path = std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let name = path.file_name().unwrap().to_string_lossy().parse().unwrap();
    (
        name,
        KeyFile::read(&FileSource::open(&path).unwrap()).unwrap(),
    )
}

#[test]
fn the_corpus_key_files_are_what_their_folders_say() {
    let Some(folder) = corpus("keys") else { return };
    let certificates = corpus("certs/rdp-real").unwrap();
    for entry in std::fs::read_dir(certificates).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_none_or(|extension| extension != "der") {
            continue;
        }
        let certificate = Certificate::from_der(&std::fs::read(&path).unwrap()).unwrap();
        let keys = folder.join(stem.split_once('_').unwrap().0);
        let matches = |file: &KeyFile| file.public_key_matches(&certificate.public_key);

        let (name, good) = only_file(&keys.join("MachineKeys"));
        assert_eq!(
            KeyFileName::expected("TSSecKeySet1", KeyStorage::Capi, name.machine),
            Some(name)
        );
        assert_eq!(good.damages, []);
        assert_eq!(good.name_inside("TSSecKeySet1"), NameInside::Same);
        assert_eq!(matches(&good), KeyMatch::Same);

        let (name, cng) = only_file(&keys.join("Keys"));
        assert_eq!(cng.damages, []);
        let container = cng.container.clone().unwrap();
        assert_eq!(
            KeyFileName::expected(&container, KeyStorage::Cng, name.machine),
            Some(name)
        );
        assert_eq!(matches(&cng), KeyMatch::Same);

        let bad = |kind: &str| only_file(&keys.join(format!("bad_{kind}"))).1;
        assert_eq!(bad("zerolen").damages, [KeyFileDamage::Empty]);
        assert!(matches!(
            bad("zeroed").damages[..],
            [KeyFileDamage::Zeroed {
                from: 0,
                length: 2225
            }]
        ));
        assert!(matches!(
            bad("halfzero").damages[..],
            [KeyFileDamage::Zeroed { from: 1.., .. }]
        ));
        assert_eq!(
            bad("truncated").damages,
            [KeyFileDamage::Cut {
                expected: 2225,
                actual: 700
            }]
        );
        assert_eq!(
            bad("trailing").damages,
            [KeyFileDamage::Trailing {
                offset: 2225,
                count: 512
            }]
        );
        assert_eq!(bad("garbage").damages, [KeyFileDamage::NotAKeyFile]);
        assert_eq!(bad("wrongname").damages, []);
        assert!(matches!(
            bad("wrongname").name_inside("TSSecKeySet1"),
            NameInside::Differs { .. }
        ));
        assert_eq!(matches(&bad("wrongname")), KeyMatch::Same);
        assert_eq!(bad("wrongmodulus").damages, []);
        assert_eq!(matches(&bad("wrongmodulus")), KeyMatch::Different);
    }
}
