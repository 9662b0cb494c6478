//! Certificates as people export them with others: PKCS #7 of definite and indefinite length, binary and as text, and
//! serialized stores.

#[path = "support/corpus.rs"]
mod corpus;

use std::fs;
use std::path::Path;
use std::process::Command;

use corpus::corpus;
use rdptriage::bundle::{CertificateForm, Kind, OpenError, open};
use rdptriage::facts::store::exported;
use rdptriage::parse::certificate_bundle::{pkcs7, serialized_store};

fn certificate(name: &str) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    made.cert.der().to_vec()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn endless(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

/// A message without a signature, as `.p7b` files are; `wrap` writes what holds other elements.
fn message(certificates: &[Vec<u8>], wrap: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    const SIGNED: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02";
    const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";
    let fields = [
        vec![2, 1, 1],
        wrap(0x31, b""),
        wrap(0x30, DATA),
        wrap(0xA0, &certificates.concat()),
        wrap(0x31, b""),
    ];
    let signed = wrap(0xA0, &wrap(0x30, &fields.concat()));
    wrap(0x30, &[SIGNED, &signed].concat())
}

fn record(id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let header = [id, 1, length].map(u32::to_le_bytes).concat();
    [&header, data].concat()
}

fn store(certificates: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\0\0\0\0CERT".to_vec();
    for certificate in certificates {
        bytes.extend(record(11, b"n\0a\0\0\0"));
        bytes.extend(record(32, certificate));
    }
    bytes.extend([0; 12]);
    bytes
}

/// The thumbprints that are read from a file, and what is said against it.
fn read(name: &str, bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let bundle = open(&[folder.path().to_owned()]).unwrap();
    let (found, problems) = exported(&bundle.artifacts);
    let thumbprints = found
        .iter()
        .map(|one| one.certificate.thumbprint.to_string());
    let problems = problems.into_iter().map(|problem| problem.message);
    (thumbprints.collect(), problems.collect())
}

fn thumbprints(certificates: &[Vec<u8>]) -> Vec<String> {
    let each = certificates.iter().map(|certificate| {
        let (found, problems) = read("x.cer", certificate);
        assert!(problems.is_empty());
        found[0].clone()
    });
    each.collect()
}

#[test]
fn every_form_gives_the_same_certificates() {
    let certificates = [certificate("ts01.contoso.example"), certificate("ca")];
    let expected = (thumbprints(&certificates), Vec::new());
    let definite = message(&certificates, element);
    assert_eq!(read("a.p7b", &definite), expected);
    assert_eq!(read("b.p7b", &message(&certificates, endless)), expected);
    assert_eq!(read("c.sst", &store(&certificates)), expected);
    let base64 = base64(&definite);
    let text = format!("-----BEGIN PKCS7-----\r\n{base64}\r\n-----END PKCS7-----\r\n");
    assert_eq!(read("d.p7c", text.as_bytes()), expected);
    assert_eq!(
        read("e.p7b", &message(&[], element)),
        (Vec::new(), Vec::new())
    );
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=three.len()].copy_from_slice(three);
        let word = u32::from_be_bytes(word);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            match index <= three.len() {
                true => text.push(char::from(DIGITS[(word >> shift & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\r\n")
}

#[test]
fn what_is_cut_off_gives_what_stands_before_and_says_so() {
    let certificates = [certificate("ts01.contoso.example"), certificate("ca")];
    let first = &thumbprints(&certificates)[..1];
    let longer = certificates[0].len() + 120;
    for bytes in [
        message(&certificates, element),
        message(&certificates, endless),
        store(&certificates),
    ] {
        let (found, problems) = read("cut", &bytes[..longer]);
        assert_eq!(found, first);
        assert!(!problems.is_empty());
        // At no length is there a panic, or more than there was.
        for length in 0..bytes.len() {
            for (found, _) in [pkcs7(&bytes[..length]), serialized_store(&bytes[..length])] {
                assert!(found.len() <= 2);
            }
        }
    }
    // Nested without end: refused, not followed.
    let nested = [&[0x30, 0x80][..]].concat().repeat(100_000);
    assert!(pkcs7(&nested).0.is_empty());
}

/// Each file of the corpus is read, or refused with a reason; and of messages as many certificates as OpenSSL reads.
#[test]
fn the_corpus_is_read_or_refused() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let (mut used, mut refused, mut compared) = (0, 0, 0);
    for part in ["certs", "keys"] {
        for entry in walkdir::WalkDir::new(Path::new(&corpus).join(part)) {
            let entry = entry.unwrap();
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path();
            match open(&[path.to_owned()]) {
                Err(OpenError::NothingUsable { problems, files }) => {
                    assert!(!problems.is_empty() || !files.is_empty(), "{path:?}");
                    refused += 1;
                }
                Err(error) => panic!("{path:?}: {error}"),
                Ok(bundle) => {
                    used += 1;
                    let is_message = path
                        .extension()
                        .is_some_and(|ending| ending == "p7b" || ending == "p7c");
                    if is_message && let Some(expected) = counted_by_openssl(path) {
                        let (found, problems) = exported(&bundle.artifacts);
                        assert_eq!(found.len(), expected, "{path:?}: {problems:?}");
                        compared += 1;
                    }
                    for artifact in &bundle.artifacts {
                        if artifact.kind == Kind::Certificate(CertificateForm::SerializedStore) {
                            let (found, problems) = exported([artifact]);
                            assert!(!found.is_empty() && problems.is_empty(), "{path:?}");
                        }
                    }
                }
            }
        }
    }
    println!(
        "{used} files used, {refused} refused with a reason, {compared} compared with openssl"
    );
    assert!(used > 20 && refused < used);
}

fn counted_by_openssl(path: &Path) -> Option<usize> {
    ["DER", "PEM"].into_iter().find_map(|form| {
        let output = Command::new("openssl")
            .args(["pkcs7", "-print_certs", "-inform", form, "-in"])
            .arg(path)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let count = text.matches("-----BEGIN CERTIFICATE-----").count();
        output.status.success().then_some(count)
    })
}
