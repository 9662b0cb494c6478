//! A collection in an archive gives what the folder gives, and an archive that is broken or hostile harms nobody.

#[allow(dead_code)]
#[path = "support/archive.rs"]
mod archive;

use std::fs;
use std::path::{Path, PathBuf};

use archive::Files;
use rdptriage::bundle::{
    Access, ArchiveTrouble, Bundle, Kind, LimitName, OpenError, Password, Trouble, open_with,
};
use rdptriage::rules::RuleSet;
use rdptriage::{Options, diagnose};
use serde_json::Value;
use tempfile::TempDir;
use zip::CompressionMethod;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("collected"))
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(found.len() >= 9, "{found:?}");
    found
}

fn files(folder: &Path) -> Files {
    let mut found: Files = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap();
            let name = name.to_str().unwrap().to_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn renamed(files: &Files, name: impl Fn(&str) -> String) -> Files {
    let files = files.iter();
    files
        .map(|(old, bytes)| (name(old), bytes.clone()))
        .collect()
}

fn rules() -> RuleSet {
    RuleSet::builtin().unwrap()
}

/// The reports of an input, with `prefix` taken out of every path and archives out of the lists.
fn reports(input: &Path, prefix: &str) -> Value {
    let reports = diagnose(&[input.to_owned()], &rules(), &Options::default()).unwrap();
    let text = serde_json::to_string(&reports).unwrap().replace(prefix, "");
    let mut reports: Value = serde_json::from_str(&text).unwrap();
    for report in reports.as_array_mut().unwrap() {
        report["artifacts"]
            .as_array_mut()
            .unwrap()
            .retain(|artifact| artifact["kind"] != "archive");
        // Which collector packed it is told, and what it never takes; everything else must be the same.
        let layout = report["layout"].take();
        if let Some(title) = layout["title"].as_str() {
            let never = format!(", and a {title} never holds it");
            for gap in report["gaps"].as_array_mut().unwrap() {
                gap["why"] = gap["why"].as_str().unwrap().replace(&never, "").into();
            }
        }
    }
    reports
}

fn in_folder(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn same(folder: &Path, expected: &Value, name: &str, bytes: &[u8], inside: &str) {
    let (_kept, path) = in_folder(name, bytes);
    let found = reports(&path, &format!("{name}/{inside}"));
    assert!(
        &found == expected,
        "{} as {name}: {}",
        folder.display(),
        difference(expected, &found, "")
    );
}

/// Where two values begin to differ.
fn difference(one: &Value, other: &Value, at: &str) -> String {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => one
            .iter()
            .map(|(key, value)| (key, value, other.get(key).unwrap_or(&Value::Null)))
            .find(|(_, one, other)| one != other)
            .map_or(format!("{at}: other keys"), |(key, one, other)| {
                difference(one, other, &format!("{at}.{key}"))
            }),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find(|(_, (one, other))| one != other)
            .map_or(String::new(), |(index, (one, other))| {
                difference(one, other, &format!("{at}[{index}]"))
            }),
        _ => format!("{at}: {one} is not {other}"),
    }
}

#[test]
fn every_sample_gives_the_same_from_each_archive() {
    for folder in samples() {
        let files = files(&folder);
        let expected = reports(&folder, "\0");
        let zipped = archive::zip(&files, CompressionMethod::Deflated);
        same(&folder, &expected, "case.zip", &zipped, "");
        let seven = archive::seven_zip(&files, None);
        same(&folder, &expected, "case.7z", &seven, "");
        let tar_gz = archive::gzip(&archive::tar(&files));
        same(&folder, &expected, "case.tar.gz", &tar_gz, "");
        let velociraptor = renamed(&files, |name| {
            format!("uploads/auto/C%3A/{}", name.replace('%', "%25"))
        });
        let zipped = archive::zip(&velociraptor, CompressionMethod::Deflated);
        same(&folder, &expected, "host.zip", &zipped, "uploads/auto/C:/");
    }
}

/// The same with the trees that KAPE, CyLR and Velociraptor leave in a folder.
#[test]
fn every_sample_gives_the_same_from_each_tree() {
    for folder in samples() {
        let files = files(&folder);
        let expected = reports(&folder, "\0");
        let trees = [
            renamed(&files, |name| format!("C/{name}")),
            renamed(&files, |name| {
                format!("uploads/auto/C%3A/{}", name.replace('%', "%25"))
            }),
        ];
        for (tree, prefix) in trees.iter().zip(["C/", "uploads/auto/C:/"]) {
            let unpacked = TempDir::new().unwrap();
            for (name, bytes) in tree {
                let path = unpacked.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            let found = reports(unpacked.path(), prefix);
            assert!(
                found == expected,
                "{} below {prefix}: {}",
                folder.display(),
                difference(&expected, &found, "")
            );
        }
    }
}

#[test]
fn one_sample_gives_the_same_however_it_is_packed() {
    let folder = samples()
        .into_iter()
        .find(|folder| folder.join("ProgramData").is_dir())
        .unwrap();
    let files = files(&folder);
    let expected = reports(&folder, "\0");
    let stored = archive::zip(&files, CompressionMethod::Stored);
    same(&folder, &expected, "stored.zip", &stored, "");
    let large = SimpleFileOptions::default().large_file(true);
    same(
        &folder,
        &expected,
        "zip64.zip",
        &archive::zip_with(&files, large),
        "",
    );
    let tar = archive::tar(&files);
    same(&folder, &expected, "case.tar", &tar, "");
    same(
        &folder,
        &expected,
        "case.tar.zst",
        &archive::zstandard(&tar),
        "",
    );
    // CyLR's names, with backslashes.
    let windows = renamed(&files, |name| format!("C\\{}", name.replace('/', "\\")));
    let zipped = archive::zip(&windows, CompressionMethod::Deflated);
    same(&folder, &expected, "cylr.zip", &zipped, "C/");
    // Two frames with one between them that holds nothing.
    let (first, second) = tar.split_at(tar.len() / 2);
    let frames = [
        archive::zstandard(first),
        vec![0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3],
        archive::zstandard(second),
    ];
    same(&folder, &expected, "frames.tar.zst", &frames.concat(), "");
    // An archive in an archive in an archive.
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let inner = vec![("in.tar.gz".to_owned(), archive::gzip(&tar))];
        let middle = vec![("a/in.7z".to_owned(), archive::seven_zip(&inner, None))];
        let outer = archive::zip(&middle, method);
        same(&folder, &expected, "out.zip", &outer, "a/in.7z/in.tar.gz/");
    }
}

/// What Explorer writes of files over 2 GB. The two ways differ only in the longest matches, of which a few bytes have none.
#[test]
fn deflate64_is_read() {
    let mut zipped = archive::zip(&log_named("a.evtx"), CompressionMethod::Deflated);
    for (header, method) in [(&b"PK\x03\x04"[..], 8), (b"PK\x01\x02", 10)] {
        let at = zipped.windows(4).position(|bytes| bytes == header).unwrap();
        assert_eq!(zipped[at + method], 8);
        zipped[at + method] = 9;
    }
    let (_kept, path) = in_folder("c.zip", &zipped);
    let bundle = open_with(&[path], &Access::default()).unwrap();
    let log = bundle.artifact("c.zip/a.evtx").unwrap();
    assert!(matches!(log.kind, Kind::EventLog(_)));
    assert_eq!(log.open().unwrap().flaw(), None);
}

const LOG: &[u8] = b"ElfFile\0";

fn log_named(name: &str) -> Files {
    vec![(name.to_owned(), LOG.to_vec())]
}

fn attempt(name: &str, bytes: &[u8], access: &Access) -> Result<Bundle, OpenError> {
    let (_kept, path) = in_folder(name, bytes);
    open_with(&[path], access)
}

fn paths(bundle: &Bundle) -> Vec<&str> {
    let artifacts = bundle.artifacts.iter();
    artifacts.map(|artifact| artifact.path.as_str()).collect()
}

/// What is wrong with archives, with the path each is told at.
fn troubles(problems: &[rdptriage::bundle::Problem]) -> Vec<(&str, &ArchiveTrouble)> {
    let told = problems
        .iter()
        .filter_map(|problem| match &problem.trouble {
            Trouble::Archive(trouble) => Some((problem.path.as_str(), trouble)),
            _ => None,
        });
    told.collect()
}

fn refused(result: Result<Bundle, OpenError>) -> Vec<rdptriage::bundle::Problem> {
    match result {
        Err(OpenError::NothingUsable { problems, .. }) => problems,
        other => panic!("{other:?}"),
    }
}

fn limited(name: LimitName, value: u64) -> Access {
    let mut access = Access::default();
    access.limits.set(name, value);
    access
}

#[test]
fn names_lead_nowhere_and_stay_apart() {
    let files = [
        log_named("../../etc/System.evtx"),
        log_named("/C:/Windows/Security.evtx"),
        log_named("a/System.evtx"),
        log_named("a\\System.evtx"),
    ];
    let zipped = archive::zip(&files.concat(), CompressionMethod::Deflated);
    let bundle = attempt("c.zip", &zipped, &Access::default()).unwrap();
    assert_eq!(
        paths(&bundle),
        [
            "c.zip",
            "c.zip/C:/Windows/Security.evtx",
            "c.zip/a/System.evtx",
            "c.zip/a/System.evtx (2)",
            "c.zip/etc/System.evtx"
        ]
    );
    assert_eq!(
        troubles(&bundle.problems),
        [
            ("c.zip/a/System.evtx", &ArchiveTrouble::SameName),
            ("c.zip/etc/System.evtx", &ArchiveTrouble::LeadsOutside)
        ]
    );
}

#[test]
fn links_in_archives_are_named_and_not_followed() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, "SYSTEM", "/etc/passwd")
        .unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(LOG.len() as u64);
    builder.append_data(&mut header, "a.evtx", LOG).unwrap();
    let tar = builder.into_inner().unwrap();
    for (name, bytes) in [("x.tar", tar.clone()), ("x.tar.gz", archive::gzip(&tar))] {
        let bundle = attempt(name, &bytes, &Access::default()).unwrap();
        assert_eq!(paths(&bundle), [name, &format!("{name}/a.evtx")]);
        let link = format!("{name}/SYSTEM");
        assert_eq!(
            troubles(&bundle.problems),
            [(link.as_str(), &ArchiveTrouble::Link)]
        );
    }
}

#[test]
fn a_cut_zip_gives_what_is_whole_in_it() {
    let files = [
        log_named("a.evtx"),
        vec![(
            "noise".to_owned(),
            (0..40_000_u32).flat_map(u32::to_le_bytes).collect(),
        )],
        log_named("z.evtx"),
    ]
    .concat();
    let whole = archive::zip(&files, CompressionMethod::Deflated);
    let bundle = attempt("c.zip", &whole[..whole.len() / 2], &Access::default()).unwrap();
    assert_eq!(bundle.artifact("c.zip/a.evtx").unwrap().bytes, 8);
    assert!(bundle.artifact("c.zip/z.evtx").is_none());
    let told = troubles(&bundle.problems);
    assert!(
        matches!(told.as_slice(), [("c.zip", ArchiveTrouble::Damaged(_)), ..]),
        "{told:?}"
    );
    // At every length: no panic, and never a file that was not there.
    let small = archive::zip(&log_named("a.evtx"), CompressionMethod::Stored);
    for length in 4..small.len() {
        match attempt("c.zip", &small[..length], &Access::default()) {
            Ok(bundle) => assert_eq!(paths(&bundle), ["c.zip", "c.zip/a.evtx"]),
            Err(error) => assert!(matches!(error, OpenError::NothingUsable { .. })),
        }
    }
}

#[test]
fn a_cut_tar_gz_gives_what_was_unpacked() {
    let noise: Vec<u8> = (0..400_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let files = [
        log_named("a.evtx"),
        vec![("b".to_owned(), noise)],
        log_named("c.evtx"),
    ]
    .concat();
    let tar = archive::tar(&files);
    for (name, whole) in [
        ("c.tar.gz", archive::gzip(&tar)),
        ("c.tar.zst", archive::zstandard(&tar)),
        ("c.tar", tar.clone()),
    ] {
        let bundle = attempt(name, &whole[..whole.len() / 2], &Access::default()).unwrap();
        let first = bundle.artifact(&format!("{name}/a.evtx")).unwrap();
        assert!(matches!(first.kind, Kind::EventLog(_)));
        assert!(bundle.artifact(&format!("{name}/c.evtx")).is_none());
        assert!(!troubles(&bundle.problems).is_empty(), "{name}");
    }
}

#[test]
fn a_7z_without_its_end_says_so() {
    let whole = archive::seven_zip(&log_named("a.evtx"), None);
    let problems = refused(attempt(
        "c.7z",
        &whole[..whole.len() - 9],
        &Access::default(),
    ));
    let told = problems[0].to_string();
    assert!(told.contains("copy it again"), "{told}");
}

#[test]
fn a_log_that_ends_early_is_read_as_far_as_it_goes() {
    // Deflated, its second half overwritten: what comes out before that is a log's, and a list of files is not used at all.
    let mut log = LOG.to_vec();
    log.extend(
        (0..300_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()),
    );
    let mut list = b"D:PAI(A;;FA;;;SY)\r\n".to_vec();
    list.extend((0..300_000_u32).flat_map(|number| format!("{number:x}\r\n").into_bytes()));
    for (content, is_used) in [(log, true), (list, false)] {
        let files = vec![("x".to_owned(), content)];
        let mut zipped = archive::zip(&files, CompressionMethod::Deflated);
        let middle = zipped.len() / 2;
        zipped[middle..middle + 4000].fill(0xFF);
        let (_kept, path) = in_folder("c.zip", &zipped);
        let bundle = open_with(&[path], &Access::default()).unwrap();
        let artifact = bundle.artifact("c.zip/x").unwrap();
        assert_eq!(artifact.open().is_ok(), is_used);
        if is_used {
            let source = artifact.open().unwrap();
            assert!(source.flaw().unwrap().contains("only a part"));
            assert!(source.len() <= artifact.bytes);
        }
    }
}

#[test]
fn passwords_open_what_is_encrypted_and_say_when_not() {
    let files = log_named("a.evtx");
    let aes = SimpleFileOptions::default();
    let zip_aes = {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = aes.with_aes_encryption(zip::AesMode::Aes256, "s3cret");
        writer.start_file("a.evtx", options).unwrap();
        writer.write_all(LOG).unwrap();
        writer.finish().unwrap().into_inner()
    };
    let zip_old = archive::zip_with(&files, aes.with_deprecated_encryption(b"s3cret").unwrap());
    let seven = archive::seven_zip(&files, Some("s3cret"));
    let with = |password: &str| Access {
        password: Some(Password::new(password.to_owned())),
        ..Access::default()
    };
    for (name, bytes) in [("a.zip", zip_aes), ("o.zip", zip_old), ("s.7z", seven)] {
        let bundle = attempt(name, &bytes, &with("s3cret")).unwrap();
        let log = bundle.artifact(&format!("{name}/a.evtx")).unwrap();
        assert!(matches!(log.kind, Kind::EventLog(_)), "{name}");
        let problems = refused(attempt(name, &bytes, &Access::default()));
        let told = problems[0].to_string();
        assert!(told.contains("--archive-password"), "{told}");
        let problems = refused(attempt(name, &bytes, &with("wrong")));
        let told = problems[0].to_string();
        assert!(told.contains("does not open it"), "{name}: {told}");
        assert!(!format!("{:?}", with("s3cret")).contains("s3cret"));
    }
}

#[test]
fn bombs_are_refused_by_name() {
    // 300 MiB of nothing, in 300 KB.
    let nothing = vec![0; 300 << 20];
    let bomb = vec![("SYSTEM".to_owned(), nothing.clone())];
    let zipped = archive::zip(
        &[bomb, log_named("a.evtx")].concat(),
        CompressionMethod::Deflated,
    );
    let bundle = attempt("c.zip", &zipped, &Access::default()).unwrap();
    assert_eq!(paths(&bundle), ["c.zip", "c.zip/a.evtx"]);
    assert_eq!(
        troubles(&bundle.problems),
        [("c.zip/SYSTEM", &ArchiveTrouble::Ratio { limit: 200 })]
    );
    assert!(
        bundle.problems[0]
            .to_string()
            .contains("--archive-limit ratio=")
    );
    let packed = archive::gzip(&nothing);
    let problems = refused(attempt("c.gz", &packed, &Access::default()));
    assert_eq!(
        troubles(&problems),
        [("c.gz", &ArchiveTrouble::Ratio { limit: 200 })]
    );
}

#[test]
fn every_limit_holds_and_says_how_to_raise_it() {
    let files: Files = (0..20)
        .map(|number| (format!("{number:02}.evtx"), LOG.to_vec()))
        .collect();
    let zipped = archive::zip(&files, CompressionMethod::Deflated);
    let tar_gz = archive::gzip(&archive::tar(&files));
    let seven = archive::seven_zip(&files, None);
    for (name, bytes) in [("c.zip", &zipped), ("c.tgz", &tar_gz), ("c.7z", &seven)] {
        let bundle = attempt(name, bytes, &limited(LimitName::Entries, 5)).unwrap();
        assert_eq!(bundle.artifacts.len(), 6, "{name}");
        assert_eq!(
            troubles(&bundle.problems),
            [(name, &ArchiveTrouble::Entries { limit: 5 })]
        );
        let result = attempt(name, bytes, &limited(LimitName::Size, 7));
        let told = refused(result)[0].to_string();
        assert!(told.contains("--archive-limit size="), "{told}");
        let result = attempt(name, bytes, &limited(LimitName::Memory, 7));
        let told = refused(result)[0].to_string();
        assert!(told.contains("--archive-limit memory="), "{told}");
    }
    let nested = |bytes| vec![("in.zip".to_owned(), bytes)];
    let twice = archive::zip(&nested(zipped), CompressionMethod::Stored);
    let problems = refused(attempt("c.zip", &twice, &limited(LimitName::Depth, 1)));
    assert_eq!(
        troubles(&problems),
        [("c.zip/in.zip", &ArchiveTrouble::Depth { limit: 1 })]
    );
}

#[test]
fn archives_without_a_file_hold_nothing() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .add_directory("a/b", SimpleFileOptions::default())
        .unwrap();
    let folders = writer.finish().unwrap().into_inner();
    let empty = archive::zip(&Vec::new(), CompressionMethod::Stored);
    for bytes in [folders, empty] {
        let error = attempt("c.zip", &bytes, &Access::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("c.zip: an archive in which nothing can be used"),
            "{error}"
        );
    }
}

#[test]
fn damage_anywhere_is_survived() {
    let files = [log_named("a/SYSTEM.evtx"), log_named("b"), log_named("c")].concat();
    let packed = [
        ("c.zip", archive::zip(&files, CompressionMethod::Deflated)),
        ("c.7z", archive::seven_zip(&files, None)),
        ("c.tar", archive::tar(&files)),
        ("c.tar.gz", archive::gzip(&archive::tar(&files))),
        ("c.tar.zst", archive::zstandard(&archive::tar(&files))),
    ];
    for (name, bytes) in packed {
        let step = bytes.len().div_ceil(150);
        for at in (0..bytes.len()).step_by(step) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xA5;
            // Whatever comes out: it comes out.
            match attempt(name, &damaged, &Access::default()) {
                Ok(bundle) => assert!(bundle.artifacts.len() <= 4, "{name} at {at}"),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}
