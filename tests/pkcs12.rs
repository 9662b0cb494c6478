//! PKCS #12 files: each way in which Windows and OpenSSL encrypt them, what is said where no password opens one, whether the key in
//! it is the certificate's, and that nothing of a private key or a password is ever shown.
//!
//! The files of `tests/pfx` were made with `openssl pkcs12 -export` from test keys made for them; `[-legacy -certpbe
//! PBE-SHA1-RC2-40 -keypbe PBE-SHA1-3DES -macalg sha1]` gives what Windows writes as "TripleDES-SHA1".

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rdptriage::bundle::{Password, open};
use rdptriage::facts::store::exported_with;
use rdptriage::parse::certificate::Certificate;
use rdptriage::parse::pkcs12::{Effort, KeyHeld, Part, Pkcs12, Pkcs12Problem, read};

const PASSWORD: &str = "Vordertür-7";

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pfx");
    fs::read(path.join(name)).unwrap()
}

fn opened(bytes: &[u8], passwords: &[&str]) -> Pkcs12 {
    read(bytes, passwords, Effort::USUAL)
}

/// The names and keys of the certificates, and the problems.
fn brief(read: &Pkcs12) -> (Vec<(String, KeyHeld)>, &[Pkcs12Problem]) {
    let certificates = read.certificates.iter().map(|held| {
        let name = held.certificate.as_ref().unwrap().subject_common_name();
        (name.unwrap().to_owned(), held.key)
    });
    (certificates.collect(), &read.problems)
}

#[test]
fn every_form_is_opened_with_its_password() {
    for (name, subject) in [
        ("triple-des-sha1.pfx", "ts01.contoso.example"),
        ("aes256-sha256.pfx", "ts01.contoso.example"),
        ("no-password.pfx", "ts01.contoso.example"),
        ("clear-certificate.pfx", "ts01.contoso.example"),
        ("clear-all.pfx", "ts01.contoso.example"),
        ("no-checksum.pfx", "ts01.contoso.example"),
        ("elliptic.pfx", "ts02.contoso.example"),
    ] {
        let read = opened(&file(name), &["another", PASSWORD]);
        let expected = vec![(subject.to_owned(), KeyHeld::Fits)];
        assert_eq!(brief(&read), (expected, &[][..]), "{name}");
    }
}

#[test]
fn without_its_password_what_is_clear_is_read_and_the_rest_is_said() {
    use Part::{Contents, PrivateKey};
    use Pkcs12Problem::{NoPassword, WrongPassword};
    let certificate = |key| vec![("ts01.contoso.example".to_owned(), key)];
    for (name, passwords, certificates, problems) in [
        (
            "triple-des-sha1.pfx",
            &[][..],
            vec![],
            vec![NoPassword(Contents), NoPassword(PrivateKey)],
        ),
        (
            "aes256-sha256.pfx",
            &["wrong"],
            vec![],
            vec![WrongPassword(Contents), WrongPassword(PrivateKey)],
        ),
        ("no-password.pfx", &[], certificate(KeyHeld::Fits), vec![]),
        (
            "clear-certificate.pfx",
            &[],
            certificate(KeyHeld::Locked),
            vec![NoPassword(PrivateKey)],
        ),
        ("clear-all.pfx", &[], certificate(KeyHeld::Fits), vec![]),
    ] {
        let read = opened(&file(name), passwords);
        assert_eq!(brief(&read), (certificates, &problems[..]), "{name}");
    }
    let said = NoPassword(Contents).to_string();
    assert!(said.contains("--pfx-password-file"), "{said}");
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

const DATA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x01";

/// A file of these bags, none encrypted.
fn clear(bags: &[Vec<u8>]) -> Vec<u8> {
    let data = |bytes: &[u8]| sequence(&[DATA, &element(0xA0, &element(0x04, bytes))]);
    let safe = sequence(&[&data(&sequence(&[&bags.concat()]))]);
    sequence(&[b"\x02\x01\x03", &data(&safe)])
}

fn bag(kind: u8, content: &[u8]) -> Vec<u8> {
    let identifier = [
        b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01",
        &[kind][..],
    ]
    .concat();
    // localKeyID 01
    let local_id =
        b"\x31\x12\x30\x10\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x09\x15\x31\x03\x04\x01\x01";
    sequence(&[&identifier, &element(0xA0, content), local_id])
}

fn certificate_bag(der: &[u8]) -> Vec<u8> {
    let x509 = b"\x06\x0A\x2A\x86\x48\x86\xF7\x0D\x01\x09\x16\x01";
    bag(3, &sequence(&[x509, &element(0xA0, &element(0x04, der))]))
}

/// A certificate, and its key as PKCS #8.
fn pair(name: &str) -> (Vec<u8>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.der().to_vec(), made.signing_key.serialize_der())
}

#[test]
fn a_key_of_another_pair_is_told() {
    let (certificate, own) = pair("ts01.contoso.example");
    let (_, foreign) = pair("ts02.contoso.example");
    for (key, held, problems) in [
        (&own, KeyHeld::Fits, vec![]),
        (&foreign, KeyHeld::Another, vec![Pkcs12Problem::ForeignKey]),
    ] {
        let bytes = clear(&[certificate_bag(&certificate), bag(1, key)]);
        let read = opened(&bytes, &[]);
        assert_eq!(read.certificates[0].key, held);
        assert_eq!(read.problems, problems);
    }
}

#[test]
fn no_file_makes_the_reader_work_without_end() {
    // PBES2 with two billion rounds of HMAC-SHA-256; and the same of PKCS #12's own way.
    let pbkdf2 = sequence(&[
        b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C",
        &sequence(&[
            b"\x04\x04salt\x02\x04\x7F\xFF\xFF\xFF",
            &sequence(&[b"\x06\x08\x2A\x86\x48\x86\xF7\x0D\x02\x09\x05\x00"]),
        ]),
    ]);
    let aes = sequence(&[
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2A\x04\x10",
        &[7; 16],
    ]);
    let pbes2 = sequence(&[
        b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D",
        &sequence(&[&pbkdf2, &aes]),
    ]);
    let triple_des = sequence(&[
        b"\x06\x0A\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x01\x03",
        &sequence(&[b"\x04\x04salt\x02\x04\x7F\xFF\xFF\xFF"]),
    ]);
    for method in [&pbes2, &triple_des] {
        let shrouded = sequence(&[method, &element(0x04, &[0; 64])]);
        let bytes = clear(&vec![bag(2, &shrouded); 500]);
        let begun = Instant::now();
        let read = opened(&bytes, &["a", "b", "c"]);
        assert!(begun.elapsed() < Duration::from_secs(5));
        let refused = Pkcs12Problem::Rounds {
            part: Part::PrivateKey,
            asked: 0x7FFF_FFFF,
        };
        assert_eq!(read.problems, [refused]);
    }
    // Bags in bags.
    let mut nested = certificate_bag(&pair("ts01.contoso.example").0);
    for _ in 0..40 {
        nested = bag(6, &sequence(&[&nested]));
    }
    assert_eq!(
        opened(&clear(&[nested]), &[]).problems,
        [Pkcs12Problem::Damaged(Part::Contents)]
    );
}

#[test]
fn what_is_damaged_is_refused_or_said() {
    let bytes = file("aes256-sha256.pfx");
    for length in 0..bytes.len() {
        let read = opened(&bytes[..length], &[PASSWORD]);
        assert!(!read.problems.is_empty(), "cut to {length} bytes");
    }
    // One of the letters of the name, in a bag that is not encrypted: only the checksum tells.
    let mut bytes = file("clear-certificate.pfx");
    let at = bytes.windows(4).position(|four| four == b"ts01").unwrap();
    bytes[at] = b'x';
    let read = opened(&bytes, &[PASSWORD]);
    assert_eq!(read.problems, [Pkcs12Problem::Checksum]);
    assert_eq!(read.certificates.len(), 1);
}

/// What the programs print for a collection with this PFX beside a sample's files.
fn printed(pfx: &[u8], options: &[&str]) -> Vec<Output> {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/machine-keys/collected");
    for entry in fs::read_dir(sample).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    fs::write(folder.path().join("export.pfx"), pfx).unwrap();
    fs::write(
        folder.path().join("passwords"),
        format!("nothing\n{PASSWORD}\n"),
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rdptriage"));
        command.args(arguments).arg(folder.path()).args(options);
        let file = folder.path().join("passwords");
        command.arg("--pfx-password-file").arg(file);
        command.env("RUST_BACKTRACE", "1").output().unwrap()
    };
    let mut outputs = vec![
        run(&["facts", "--kind", "certificate.export"]),
        run(&["facts", "-f", "json"]),
        run(&["certs"]),
        run(&["certs", "-f", "json"]),
    ];
    let listed = open(&[folder.path().to_owned()]).unwrap();
    let (found, _) = exported_with(&listed.artifacts, &[Password::new(PASSWORD.to_owned())]);
    for one in found.iter().filter(|one| one.artifact == "export.pfx") {
        let thumbprint = one.certificate.thumbprint.to_string();
        outputs.push(run(&["certs", "--show", &thumbprint]));
    }
    for format in ["text", "json", "jsonl", "html", "md", "csv"] {
        outputs.push(run(&["diagnose", "-v", "-f", format]));
    }
    outputs
}

/// Sixteen bytes of a key in the ways in which they could be printed.
fn spellings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let hex = |join: &str| {
        let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(join)
    };
    let decimal: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut found = vec![bytes.to_vec(), decimal.join(", ").into_bytes()];
    for text in ["", " ", ":", ", "].map(hex) {
        found.push(text.to_uppercase().into_bytes());
        found.push(text.into_bytes());
    }
    found
}

#[test]
fn a_private_key_serves_to_compare_and_is_never_shown() {
    // The private exponent stands in the clear in this file, behind modulus and public exponent.
    let pfx = file("clear-all.pfx");
    let exponent = b"\x02\x03\x01\x00\x01\x02\x82\x01";
    let at = pfx.windows(8).rposition(|eight| eight == exponent).unwrap() + 16;
    let secret = &pfx[at..at + 16];
    let outputs = printed(&pfx, &["--pfx-password", "S3cret-of-the-line"]);
    assert_eq!(outputs.len(), 11);
    for output in &outputs {
        let all = [&output.stdout[..], &output.stderr].concat();
        assert!(
            !output.stdout.is_empty(),
            "{}",
            String::from_utf8_lossy(&all)
        );
        let texts = [PASSWORD.as_bytes().to_vec(), b"S3cret-of-the-line".to_vec()];
        for spelled in spellings(secret).iter().chain(&texts) {
            let shown = all.windows(spelled.len()).any(|part| part == spelled);
            assert!(!shown, "{spelled:?}");
        }
    }
    let text = |index: usize| String::from_utf8_lossy(&outputs[index].stdout).into_owned();
    assert!(text(0).contains("exported with its private"), "{}", text(0));
    assert!(text(3).contains("its key is here"), "{}", text(3));
    assert!(text(4).contains("holds the private key of this certificate"));
}

/// A PFX made by the openssl here, or none where that method is not in it.
fn made_by_openssl(folder: &Path, options: &[&str]) -> Option<PathBuf> {
    let [key, certificate, out] = ["key.pem", "cert.pem", "made.pfx"].map(|name| folder.join(name));
    if !key.exists() {
        let made = rcgen::generate_simple_self_signed(["ts03.contoso.example".to_owned()]).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        fs::write(&certificate, made.cert.pem()).unwrap();
    }
    let mut command = Command::new("openssl");
    command.args(["pkcs12", "-export", "-inkey"]).arg(key);
    command.arg("-in").arg(certificate).arg("-out").arg(&out);
    let output = command.args(options).output().ok()?;
    output.status.success().then_some(out)
}

#[test]
fn whatever_openssl_encrypts_with_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    let ciphers = [
        "PBE-SHA1-RC2-40",
        "PBE-SHA1-RC2-128",
        "PBE-SHA1-3DES",
        "PBE-SHA1-2DES",
        "AES-128-CBC",
        "AES-192-CBC",
        "AES-256-CBC",
        "DES-EDE3-CBC",
    ];
    for (index, cipher) in ciphers.into_iter().enumerate() {
        for checksum in ["sha1", "sha256", "sha384", "sha512"] {
            for password in [
                "",
                "x",
                "päss wörd 🔑 of some length, longer than one block of a hash has bytes",
            ] {
                // Every password with every cipher, and every checksum with some.
                if index % 4 != checksum.len() % 4 && password.len() == 1 {
                    continue;
                }
                let pass = format!("pass:{password}");
                let options = [
                    "-certpbe", cipher, "-keypbe", cipher, "-macalg", checksum, "-passout", &pass,
                ];
                let made = made_by_openssl(folder.path(), &options).or_else(|| {
                    made_by_openssl(folder.path(), &[&["-legacy"], &options[..]].concat())
                });
                let Some(made) = made else { continue };
                let read = opened(&fs::read(made).unwrap(), &[password]);
                let (certificates, problems) = brief(&read);
                assert!(problems.is_empty(), "{options:?}: {problems:?}");
                assert_eq!(certificates.len(), 1, "{options:?}");
                assert_eq!(certificates[0].1, KeyHeld::Fits, "{options:?}");
                compared += 1;
            }
        }
    }
    if compared == 0 {
        assert!(
            std::env::var_os("RDPTRIAGE_OPENSSL").is_none_or(|value| value != "required"),
            "the openssl command is required here and is missing"
        );
        println!("skipped: the openssl command is not there to make files with");
    }
    println!("{compared} files made by openssl were opened");
}

/// The passwords that the corpus' own documentation names, and how many certificates openssl reads with each.
#[test]
fn of_the_corpus_as_many_certificates_are_read_as_openssl_reads() {
    let Some(corpus) = std::env::var_os("RDPTRIAGE_CORPUS") else {
        println!("skipped: RDPTRIAGE_CORPUS does not name the corpus");
        return;
    };
    let passwords = ["testcertificate", "PLACEHOLDER", "test", ""];
    let (mut files, mut same, mut certificates) = (0, 0, 0);
    for entry in walkdir::WalkDir::new(Path::new(&corpus).join("certs")).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry
            .path()
            .extension()
            .is_none_or(|ending| ending != "pfx")
        {
            continue;
        }
        files += 1;
        let read = opened(&fs::read(entry.path()).unwrap(), &passwords);
        let counted = passwords.iter().filter_map(|password| {
            let output = Command::new("openssl")
                .args(["pkcs12", "-legacy", "-nokeys", "-passin"])
                .arg(format!("pass:{password}"))
                .arg("-in")
                .arg(entry.path())
                .output()
                .ok()?;
            let text = String::from_utf8_lossy(&output.stdout);
            Some(text.matches("-----BEGIN CERTIFICATE-----").count())
        });
        let expected = counted.max().unwrap_or_default();
        assert_eq!(
            read.certificates.len(),
            expected,
            "{entry:?}: {:?}",
            read.problems
        );
        assert!(expected > 0 || !read.problems.is_empty(), "{entry:?}");
        let fits = read
            .certificates
            .iter()
            .filter(|held| held.key == KeyHeld::Fits);
        assert!(expected == 0 || fits.count() > 0, "{entry:?}");
        let parsed = read
            .certificates
            .iter()
            .filter(|held| held.certificate.is_ok());
        certificates += parsed.count();
        same += usize::from(expected > 0);
        if expected == 0 {
            println!("{}: {:?}", entry.path().display(), read.problems);
        }
    }
    println!("{files} files, {same} opened as openssl opens them, {certificates} certificates");
    assert!(same > 0);
}

#[test]
fn what_is_read_is_the_certificate_that_was_exported() {
    let (der, key) = pair("ts01.contoso.example");
    let read = opened(&clear(&[certificate_bag(&der), bag(1, &key)]), &[]);
    let expected = Certificate::from_der(&der).unwrap();
    assert_eq!(
        **read.certificates[0].certificate.as_ref().unwrap(),
        expected
    );
}
