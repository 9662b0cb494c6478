//! Certificates, PEM files and store entries: forged ones read back, damaged ones named for what they are.

mod support;

use jiff::Timestamp;
use rdptriage::parse::certificate::{
    AlternativeName, Certificate, CertificateError, CertificateProblem, Completeness, Curve,
    Extension, Field, Hash, KeyMatch, KeyUse, OtherFormat, PublicKey, Purpose, SignatureAlgorithm,
    Thumbprint,
};
use rdptriage::parse::pem::{PemError, is_pem, read_pem};
use rdptriage::parse::store_blob::{
    KeyStorage, SelfSignedMark, StoreBlob, StoreBlobProblem, StoreElement,
};
use support::certificate::{ForgedCertificate, SignatureLabel, StoreEntry, TestKey, pem};
use support::corpus::corpus;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn listener() -> ForgedCertificate {
    ForgedCertificate::listener("RDS01.corp.example", time("2024-03-11T07:12:55Z"))
}

fn read(der: &[u8]) -> Certificate {
    Certificate::from_der(der).unwrap()
}

#[test]
fn the_listeners_own_certificate_reads_as_the_service_makes_it() {
    let certificate = read(&listener().der());
    assert_eq!(certificate.subject.to_string(), "CN=RDS01.corp.example");
    assert_eq!(
        certificate.subject_common_name(),
        Some("RDS01.corp.example")
    );
    assert!(certificate.self_issued());
    assert_eq!(certificate.not_before, time("2024-03-10T07:12:55Z"));
    assert_eq!(certificate.not_after, time("2024-09-09T07:12:55Z"));
    assert_eq!(certificate.public_key.bits(), Some(2048));
    assert_eq!(
        certificate.signature_algorithm,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256)
    );
    let usage = certificate.key_usage.present().unwrap();
    assert_eq!(
        usage.uses(),
        [KeyUse::KeyEncipherment, KeyUse::DataEncipherment]
    );
    assert_eq!(
        certificate.extended_key_usage,
        Extension::Present(vec![Purpose::ServerAuthentication])
    );
    assert_eq!(certificate.alternative_names, Extension::Absent);
    assert_eq!(certificate.problems, []);
}

#[test]
fn forging_gives_the_same_bytes_every_time() {
    assert_eq!(listener().der(), listener().der());
    let ec = ForgedCertificate {
        key: TestKey::EcP256,
        ..listener()
    };
    assert_eq!(ec.der(), ec.der());
    assert_eq!(
        Thumbprint::of(&listener().der()).to_string(),
        "7F796FF15A3B2C2E6322A55D0DF7D8352DDBCC87",
    );
}

#[test]
fn an_issued_certificate_names_its_issuer_and_its_host() {
    let made = time("2024-01-01T00:00:00Z");
    let certificate =
        read(&ForgedCertificate::issued("rds01.corp.example", "Corp Issuing CA", made).der());
    assert!(!certificate.self_issued());
    assert_eq!(certificate.issuer.to_string(), "CN=Corp Issuing CA");
    assert_eq!(
        certificate.alternative_names,
        Extension::Present(vec![AlternativeName::Dns("rds01.corp.example".to_owned())]),
    );
}

#[test]
fn keys_of_every_kind_are_read_and_told_apart() {
    let key = |key| read(&ForgedCertificate { key, ..listener() }.der()).public_key;
    assert_eq!(
        key(TestKey::Rsa2048).compare(&key(TestKey::Rsa2048)),
        KeyMatch::Same
    );
    assert_eq!(
        key(TestKey::Rsa2048).compare(&key(TestKey::OtherRsa2048)),
        KeyMatch::Different
    );
    assert_eq!(key(TestKey::Rsa1024).bits(), Some(1024));
    let PublicKey::Ec(point) = key(TestKey::EcP256) else {
        panic!("an elliptic curve key")
    };
    assert_eq!(point.curve, Curve::P256);
    assert_eq!(point.point.len(), 65);
}

#[test]
fn weak_signatures_are_named() {
    let signed = |signature| {
        read(
            &ForgedCertificate {
                signature,
                ..listener()
            }
            .der(),
        )
        .signature_algorithm
    };
    assert_eq!(
        signed(SignatureLabel::Sha1),
        SignatureAlgorithm::RsaPkcs1(Hash::Sha1)
    );
    assert_eq!(
        signed(SignatureLabel::Md5),
        SignatureAlgorithm::RsaPkcs1(Hash::Md5)
    );
}

#[test]
fn an_empty_part_of_a_name_hides_nothing_behind_it() {
    let mut der = listener().der();
    // CN's SET becomes an empty SET, and a SET with what was left: x509-parser alone would end the name there.
    let name = b"RDS01.corp.example";
    let set = der
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap()
        - 11;
    assert_eq!(der[set], 0x31);
    let attribute = der[set + 2..set + 2 + usize::from(der[set + 1])].to_vec();
    let shortened = [&attribute[..]].concat();
    // Two bytes for the empty SET are gained by cutting two characters off the name.
    let mut replaced = vec![0x31, 0x00, 0x31, der[set + 1] - 2];
    replaced.extend(&shortened[..shortened.len() - 2]);
    replaced[5] -= 2;
    replaced[12] -= 2;
    der.splice(set..set + 2 + attribute.len(), replaced);
    let certificate = read(&der);
    assert_eq!(certificate.issuer.completeness, Completeness::Incomplete);
    assert_eq!(certificate.issuer.to_string(), "CN=RDS01.corp.examp");
    assert_eq!(certificate.subject.completeness, Completeness::Complete);
    assert!(matches!(
        certificate.problems[..],
        [CertificateProblem::Name { field: Field::Issuer, offset, .. }] if offset == set
    ));
}

#[test]
fn bytes_after_the_certificate_are_told_and_not_part_of_it() {
    let der = listener().der();
    let certificate = read(&[&der[..], &[0; 3]].concat());
    assert_eq!(certificate.thumbprint, Thumbprint::of(&der));
    assert_eq!(
        certificate.problems,
        [CertificateProblem::Trailing {
            offset: der.len(),
            count: 3
        }]
    );
}

#[test]
fn what_is_no_certificate_is_named() {
    let der = listener().der();
    let error = |bytes: &[u8]| Certificate::from_der(bytes).unwrap_err();
    assert_eq!(error(&[]), CertificateError::Empty);
    assert_eq!(error(&[0; 700]), CertificateError::Zeroed { length: 700 });
    assert_eq!(
        error(&der[..100]),
        CertificateError::Cut {
            expected: der.len() as u64,
            actual: 100
        },
    );
    assert_eq!(error(b"MZ"), CertificateError::NotDer { first: b'M' });
    let half_zeroed = [
        &der[..der.len() / 3],
        &vec![0; der.len() - der.len() / 3][..],
    ]
    .concat();
    assert!(matches!(
        error(&half_zeroed),
        CertificateError::Field {
            field: Field::Extensions,
            ..
        }
    ));
}

#[test]
fn a_pem_file_gives_all_its_certificates() {
    let (one, two) = (
        listener(),
        ForgedCertificate {
            key: TestKey::OtherRsa2048,
            ..listener()
        },
    );
    let text = format!(
        "subject=/CN=RDS01\r\n{}\r\n{}",
        one.pem(),
        two.pem().replace("\r\n", "\n")
    );
    for bytes in [
        text.clone().into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        text.replace("\r\n", "\r").into_bytes(),
        text.replace(" CERTIFICATE", " X509 CERTIFICATE")
            .into_bytes(),
    ] {
        assert!(is_pem(&bytes));
        let found: Vec<_> = read_pem(&bytes)
            .into_iter()
            .map(|block| block.certificate.unwrap().der)
            .collect();
        assert_eq!(found, [one.der(), two.der()]);
    }
}

#[test]
fn garbage_in_one_block_leaves_the_others() {
    let block = listener().pem();
    let mut lines: Vec<&str> = block.lines().collect();
    lines.insert(4, "From: helpdesk <it@corp.example>");
    let text = format!(
        "{}\n{}{}",
        lines.join("\n"),
        "-----BEGIN CERTIFICATE-----\nMIIC\n",
        block
    );
    let blocks = read_pem(text.as_bytes());
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[0].certificate, Err(PemError::Garbage { line: 5 }));
    assert_eq!(blocks[1].certificate, Err(PemError::NoEnd));
    assert_eq!(blocks[2].line, lines.len() + 3);
    assert_eq!(
        blocks[2].certificate.as_ref().unwrap().der,
        listener().der()
    );
}

#[test]
fn a_pem_block_with_characters_missing_is_refused() {
    let text = listener().pem().replacen('M', "", 1);
    assert_eq!(
        read_pem(text.as_bytes())[0].certificate,
        Err(PemError::Base64)
    );
}

#[test]
fn a_private_key_is_named_and_never_read() {
    let key = pem("PRIVATE KEY", b"not a key, and not looked at");
    let cut = "-----BEGIN RSA PRIVATE KEY-----\nAAAA";
    let blocks = read_pem(format!("{key}{}{cut}", listener().pem()).as_bytes());
    assert_eq!(blocks[0].certificate, Err(PemError::PrivateKey));
    assert!(blocks[1].certificate.is_ok());
    assert_eq!(blocks[2].certificate, Err(PemError::PrivateKey));
}

#[test]
fn openssls_trust_settings_are_no_damage() {
    let der = [listener().der(), vec![0x30, 0x00]].concat();
    let blocks = read_pem(pem("TRUSTED CERTIFICATE", &der).as_bytes());
    assert_eq!(blocks[0].certificate.as_ref().unwrap().problems, []);
    let blocks = read_pem(pem("CERTIFICATE", &der).as_bytes());
    assert_eq!(blocks[0].certificate.as_ref().unwrap().problems.len(), 1);
}

#[test]
fn a_store_entry_gives_certificate_container_and_mark() {
    let entry = StoreEntry {
        friendly_name: Some("listener".to_owned()),
        ..StoreEntry::listener(listener().der())
    };
    let blob = StoreBlob::parse(&entry.blob());
    assert_eq!(blob.problems, []);
    assert_eq!(
        blob.certificate().unwrap().thumbprint,
        blob.sha1_property.unwrap()
    );
    assert_eq!(blob.self_signed_mark, SelfSignedMark::Marked);
    assert_eq!(blob.friendly_name.as_deref(), Some("listener"));
    let key = blob.key_provider.unwrap();
    assert_eq!(key.container, "TSSecKeySet1");
    assert_eq!(
        key.provider,
        "Microsoft Enhanced Cryptographic Provider v1.0"
    );
    assert_eq!((key.provider_type, key.flags, key.key_spec), (1, 0x20, 1));
    assert_eq!(key.storage(), KeyStorage::Capi);
    assert_eq!(
        blob.other_properties
            .iter()
            .map(|property| property.id)
            .collect::<Vec<_>>(),
        [89]
    );

    let cng = StoreBlob::parse(&StoreEntry::cng(listener().der(), "le-1234").blob());
    assert_eq!(cng.key_provider.unwrap().storage(), KeyStorage::Cng);
    assert_eq!(cng.self_signed_mark, SelfSignedMark::NotMarked);
}

#[test]
fn a_store_entry_cut_anywhere_keeps_what_stands_before_the_cut() {
    let whole = StoreEntry::listener(listener().der()).blob();
    assert_eq!(StoreBlob::parse(&[]).problems, [StoreBlobProblem::Empty]);
    for length in 1..whole.len() {
        let blob = StoreBlob::parse(&whole[..length]);
        let at_a_boundary = blob.problems.is_empty();
        assert_eq!(blob.certificate(), None, "cut to {length}");
        if !at_a_boundary {
            assert!(
                matches!(
                    blob.problems[..],
                    [StoreBlobProblem::Cut { .. }
                        | StoreBlobProblem::HeaderCut { .. }
                        | StoreBlobProblem::Zeroed { .. }]
                ),
                "cut to {length}: {:?}",
                blob.problems
            );
        }
    }
    let without_certificate = StoreBlob::parse(&whole[..whole.len() - listener().der().len() - 12]);
    assert_eq!(without_certificate.element, StoreElement::Missing);
    assert!(without_certificate.key_provider.is_some());
}

#[test]
fn a_store_entry_with_zeros_or_garbage_after_it_is_read_up_to_them() {
    let whole = StoreEntry::listener(listener().der()).blob();
    let blob = StoreBlob::parse(&[&whole[..], &[0; 40]].concat());
    assert_eq!(
        blob.problems,
        [StoreBlobProblem::Zeroed {
            offset: whole.len(),
            length: 40
        }]
    );
    assert!(blob.certificate().is_some());
    let blob = StoreBlob::parse(&[&whole[..], &[0xee; 40]].concat());
    assert_eq!(
        blob.problems,
        [StoreBlobProblem::NotARecord {
            offset: whole.len(),
            id: 0xeeee_eeee
        }]
    );
}

#[test]
fn an_oversized_record_and_a_repeated_one_are_named() {
    let mut blob = StoreEntry::listener(listener().der()).blob();
    let twice = [&blob[..], &blob[..]].concat();
    let problems = StoreBlob::parse(&twice).problems;
    assert!(
        problems.contains(&StoreBlobProblem::Repeated {
            id: 2,
            offset: blob.len() + 34 + 44
        }),
        "{problems:?}"
    );
    blob[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    let expected = StoreBlobProblem::Cut {
        id: 89,
        offset: 0,
        expected: u32::MAX,
        actual: blob.len() - 12,
    };
    assert_eq!(StoreBlob::parse(&blob).problems, [expected]);
}

#[test]
fn no_mutation_makes_a_reader_panic() {
    let der = listener().der();
    let blob = StoreEntry::listener(der.clone()).blob();
    let text = listener().pem().into_bytes();
    let mut state = 1_u64;
    for _ in 0..4000 {
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        for (which, original) in [&der, &blob, &text].into_iter().enumerate() {
            let mut bytes = original.clone();
            for _ in 0..=random() % 4 {
                let place = random() % bytes.len();
                bytes[place] = random() as u8;
            }
            bytes.truncate(if random() % 4 == 0 {
                random() % bytes.len()
            } else {
                bytes.len()
            });
            match which {
                0 => drop(Certificate::from_der(&bytes)),
                1 => drop(StoreBlob::parse(&bytes)),
                _ => drop(read_pem(&bytes)),
            }
        }
    }
}

#[test]
fn real_listener_entries_are_read() {
    let Some(folder) = corpus("certs/rdp-real") else {
        return;
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "blob") {
            continue;
        }
        let blob = StoreBlob::parse(&std::fs::read(&path).unwrap());
        let der = std::fs::read(path.with_extension("der")).unwrap();
        assert_eq!(blob.problems, []);
        let certificate = blob.certificate().unwrap();
        assert_eq!(certificate.der, der);
        assert_eq!(blob.sha1_property, Some(certificate.thumbprint));
        let stem = path.file_stem().unwrap().to_string_lossy();
        assert!(stem.ends_with(&certificate.thumbprint.to_string()));
        assert_eq!(blob.self_signed_mark, SelfSignedMark::Marked);
        assert_eq!(
            blob.key_provider.as_ref().unwrap().container,
            "TSSecKeySet1"
        );
        assert!(certificate.self_issued());
        assert_eq!(
            certificate.extended_key_usage,
            Extension::Present(vec![Purpose::ServerAuthentication])
        );
        assert_eq!(certificate.problems, []);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn every_real_file_is_read_or_refused_with_its_reason() {
    let Some(folder) = corpus("certs") else {
        return;
    };
    let mut read = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        let path = entry.path().display().to_string();
        let blocks = read_pem(&bytes);
        if !blocks.is_empty() {
            for block in blocks {
                let bundle = path.ends_with(".p7b") || path.ends_with(".p7c");
                match (&block.certificate, bundle) {
                    (Ok(_), _) => read += 1,
                    (Err(PemError::OtherLabel { .. } | PemError::Certificate(_)), true) => {}
                    (other, _) => panic!("{path}: {other:?}"),
                }
            }
            continue;
        }
        let extension = path.rsplit('.').next().unwrap_or_default();
        let expected_format = match extension {
            "p7b" | "p7c" => Some(OtherFormat::Pkcs7),
            "pfx" => Some(OtherFormat::Pkcs12),
            "msu" => Some(OtherFormat::Cabinet),
            _ => None,
        };
        match (Certificate::from_der(&bytes), extension) {
            (Ok(_), "cer" | "der") => read += 1,
            (Err(CertificateError::OtherFormat(format)), _) => {
                assert_eq!(Some(format), expected_format, "{path}")
            }
            (Err(CertificateError::NotDer { .. }), "csproj" | "md" | "blob") => {}
            // A PKCS #7 message as text, which has tests of its own.
            (Err(CertificateError::NotDer { first: b'-' }), "p7b" | "p7c") => {}
            (other, _) => panic!("{path}: {other:?}"),
        }
    }
    assert!(read >= 14, "only {read} certificates were read");
}
