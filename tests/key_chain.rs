//! The key chain, from what was collected to what is said of it.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rdptriage::parse::store_blob::KeyStorage;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::Report;
use rdptriage::{Hashing, Options, diagnose};
use serde_json::{Value, json};
use support::certificate::{KeyFileDamage, TestKey, capi_key_file};
use support::corpus::corpus;
use support::machine::keys::{
    HEALTHY_FOLDER, HEALTHY_KEY, LISTENER_CONTAINER, MACHINE_GUID, MACHINE_KEYS, OTHER_GUID,
    key_file_name, listener_key, saved,
};
use support::machine::{LISTENER, Machine, Windows, at};

type Files = BTreeMap<String, Vec<u8>>;

const DENIED_TO_ADMINISTRATORS: &str = "D:PAI(A;;FA;;;SY)";

/// The hives of a machine with its self-signed certificate, in their places on a disk.
fn disk() -> Files {
    hives("Windows/System32/config/")
}

/// The same, as `reg save` leaves them in a ticket.
fn ticket() -> Files {
    hives("")
}

fn hives(folder: &str) -> Files {
    let mut machine = Machine::new("RDS01", Windows::Server2022, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine.written(at("2026-11-13T08:05:00Z"));
    BTreeMap::from([
        (format!("{folder}SYSTEM"), machine.system.to_bytes()),
        (format!("{folder}SOFTWARE"), machine.software.to_bytes()),
    ])
}

fn report_of(files: &Files) -> Report {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    report_of_folder(folder.path())
}

fn report_of_folder(folder: &Path) -> Report {
    let rules = RuleSet::builtin().unwrap();
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let mut reports = diagnose(&[PathBuf::from(folder)], &rules, &options).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

/// A field of the only fact of that kind; an open one is "?".
fn field(report: &Report, kind: &str, name: &str) -> Value {
    let fact = report.facts.iter().find(|fact| fact.kind == kind);
    let fact = fact.unwrap_or_else(|| panic!("no {kind}"));
    match &fact.fields[name] {
        Value::Object(_) => json!("?"),
        value => value.clone(),
    }
}

fn state(report: &Report, name: &str) -> Value {
    field(report, "key_file.state", name)
}

/// What NETWORK SERVICE may do.
fn service_reads(report: &Report) -> Option<Value> {
    let fact = report
        .facts
        .iter()
        .find(|fact| fact.kind == "key_file.access" && fact.fields["account"] == "S-1-5-20")?;
    Some(match &fact.fields["can_read"] {
        Value::Object(_) => json!("?"),
        value => value.clone(),
    })
}

fn links(report: &Report) -> Vec<String> {
    let links = report.facts.iter().filter(|fact| fact.kind == "key.chain");
    links
        .map(|fact| fact.fields["standing"].as_str().unwrap().to_owned())
        .collect()
}

fn key() -> Vec<u8> {
    capi_key_file(LISTENER_CONTAINER, TestKey::Rsa2048)
}

fn iis(machine: &str) -> String {
    key_file_name("iisConfigurationKey", KeyStorage::Capi, machine)
}

fn in_folder(name: &str) -> String {
    format!("{MACHINE_KEYS}/{name}")
}

fn with(mut files: Files, more: &[(String, Vec<u8>)]) -> Files {
    files.extend(more.iter().cloned());
    files
}

#[test]
fn a_whole_chain_is_proved_to_its_end() {
    let master_key = "d22e853b-b454-ad84-397d-e8b5cf2b0d4d";
    let protect = "Windows/System32/Microsoft/Protect/S-1-5-18";
    let mut master = 2_u32.to_le_bytes().to_vec();
    master.extend([0; 8]);
    master.extend(master_key.encode_utf16().flat_map(u16::to_le_bytes));
    master.extend([7; 64]);
    let files = with(
        disk(),
        &[
            (in_folder(&listener_key()), key()),
            (in_folder(&iis(MACHINE_GUID)), key()),
            ("k.acl".into(), saved(&[(&listener_key(), HEALTHY_KEY)])),
            (format!("{protect}/{master_key}"), master.clone()),
            (format!("{protect}/User/Preferred"), vec![1; 24]),
        ],
    );
    let report = report_of(&files);
    assert_eq!(links(&report), ["proved"; 8]);
    assert_eq!(state(&report, "state"), "good");
    assert_eq!(field(&report, "master_key.state", "missing"), false);
    let mut files = files;
    files.remove(&format!("{protect}/{master_key}"));
    files.insert(format!("{protect}/Preferred"), vec![1; 24]);
    let report = report_of(&files);
    assert_eq!(field(&report, "master_key.state", "missing"), true);
    files.remove(&format!("{protect}/User/Preferred"));
    let report = report_of(&files);
    assert_eq!(field(&report, "master_key.state", "missing"), "?");
}

#[test]
fn only_what_could_have_shown_the_file_proves_it_missing() {
    let (iis, other) = (iis(MACHINE_GUID), iis(OTHER_GUID));
    let dir = |names: &[&str], end: &str| {
        let rows: String = names
            .iter()
            .map(|name| format!("11/13/2026  08:00 AM  2,225 {name}\r\n"))
            .collect();
        let text = format!(
            " Directory of C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\r\n\r\n{rows}{end}"
        );
        text.into_bytes()
    };
    let console =
        |sum: &str| format!("{iis} NT AUTHORITY\\SYSTEM:(F)\r\n\r\n{sum}\r\n").into_bytes();
    let table: Vec<(&str, Files, Value)> = vec![
        (
            "the folder of a disk",
            with(disk(), &[(in_folder(&iis), key())]),
            json!(true),
        ),
        (
            "only a folder beside it is left on the disk",
            with(disk(), &[(format!("{MACHINE_KEYS}.bak/{iis}"), key())]),
            json!(true),
        ),
        ("nothing of the folder", disk(), json!("?")),
        (
            "three copied files",
            with(ticket(), &[("a".to_owned() + "/" + &iis, key())]),
            json!("?"),
        ),
        (
            "a folder of that name in a ticket",
            with(ticket(), &[(format!("MachineKeys/{iis}"), key())]),
            json!("?"),
        ),
        (
            "saved by somebody who sees what administrators do not",
            with(
                ticket(),
                &[("m.acl".into(), saved(&[(&iis, DENIED_TO_ADMINISTRATORS)]))],
            ),
            json!(true),
        ),
        (
            "saved by an administrator, who is not shown the key of build 17763",
            with(
                ticket(),
                &[(
                    "m.acl".into(),
                    saved(&[(&iis, "D:(A;;FA;;;SY)(A;;FA;;;BA)")]),
                )],
            ),
            json!("?"),
        ),
        (
            "saved on another machine",
            with(
                ticket(),
                &[("m.acl".into(), saved(&[(&other, DENIED_TO_ADMINISTRATORS)]))],
            ),
            json!("?"),
        ),
        (
            "cut in the middle",
            with(
                ticket(),
                &[(
                    "m.acl".into(),
                    saved(&[(&iis, DENIED_TO_ADMINISTRATORS)])[..160].to_vec(),
                )],
            ),
            json!("?"),
        ),
        (
            "the console, nothing refused",
            with(
                ticket(),
                &[(
                    "m.txt".into(),
                    console("Successfully processed 1 files; Failed processing 0 files"),
                )],
            ),
            json!(true),
        ),
        (
            "the console, one refused",
            with(
                ticket(),
                &[(
                    "m.txt".into(),
                    console("Successfully processed 1 files; Failed processing 1 files"),
                )],
            ),
            json!("?"),
        ),
        (
            "dir",
            with(
                ticket(),
                &[(
                    "d.txt".into(),
                    dir(&[&iis], "   1 File(s)  2,225 bytes\r\n"),
                )],
            ),
            json!(true),
        ),
        (
            "dir, cut",
            with(ticket(), &[("d.txt".into(), dir(&[&iis], ""))]),
            json!("?"),
        ),
        (
            "dir of the one file that is there",
            with(
                ticket(),
                &[(
                    "d.txt".into(),
                    dir(&[&listener_key()], "   1 File(s)  2,225 bytes\r\n"),
                )],
            ),
            json!(false),
        ),
    ];
    for (what, files, missing) in table {
        let report = report_of(&files);
        assert_eq!(state(&report, "missing"), missing, "{what}");
    }
}

#[test]
fn a_listing_of_another_machine_is_named() {
    let (a, b) = (
        iis(OTHER_GUID),
        key_file_name("iisWasKey", KeyStorage::Capi, OTHER_GUID),
    );
    let listing = saved(&[
        (&a, DENIED_TO_ADMINISTRATORS),
        (&b, DENIED_TO_ADMINISTRATORS),
    ]);
    let report = report_of(&with(ticket(), &[("m.acl".into(), listing)]));
    assert_eq!(field(&report, "key_folder.listing", "other_machine"), true);
    assert_eq!(field(&report, "key_folder.listing", "complete"), false);
}

#[test]
fn permissions_count_only_where_they_were_taken_on_the_machine() {
    let copy = with(disk(), &[(in_folder(&listener_key()), key())]);
    assert_eq!(service_reads(&report_of(&copy)), None);
    for (descriptor, reads) in [
        (HEALTHY_KEY, json!(true)),
        ("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)", json!(false)),
        (
            "D:PAI(D;;0x120089;;;NS)(A;;FA;;;SY)(A;;0x120089;;;NS)",
            json!(false),
        ),
        // Not canonical: the grant comes first, and counts.
        ("D:PAI(A;;0x120089;;;NS)(D;;0x120089;;;NS)", json!(true)),
        ("D:PAI(A;;0x120089;;;WD)", json!(true)),
        // TermService's own SID, and SERVICE.
        (
            "D:PAI(A;;FR;;;S-1-5-80-446051430-1559341753-4161941529-1950928533-810483104)",
            json!(true),
        ),
        ("D:PAI(A;;FR;;;SU)", json!(true)),
        ("D:PAI(D;;FR;;;WD)(A;;0x120089;;;NS)", json!(false)),
        // Its data and no more.
        ("D:PAI(A;;0x1;;;NS)", json!("?")),
        ("D:P", json!(false)),
        ("D:NO_ACCESS_CONTROL", json!(true)),
    ] {
        let files = with(
            copy.clone(),
            &[("k.acl".into(), saved(&[(&listener_key(), descriptor)]))],
        );
        assert_eq!(
            service_reads(&report_of(&files)),
            Some(reads),
            "{descriptor}"
        );
    }
    let two = with(
        copy,
        &[
            ("a.acl".into(), saved(&[(&listener_key(), HEALTHY_KEY)])),
            (
                "b.acl".into(),
                saved(&[(&listener_key(), "D:PAI(A;;FA;;;SY)")]),
            ),
        ],
    );
    assert_eq!(
        service_reads(&report_of(&two)),
        Some(json!("?")),
        "two listings that differ"
    );
}

#[test]
fn a_copy_and_a_listing_that_differ_settle_nothing() {
    let text = format!(
        " Directory of C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\r\n\r\n1 2 2,225 {}\r\n 1 File(s) 2,225 bytes\r\n",
        listener_key()
    );
    let files = with(
        ticket(),
        &[
            (format!("keys/{}", listener_key()), Vec::new()),
            ("d.txt".into(), text.into_bytes()),
        ],
    );
    assert_eq!(
        state(&report_of(&files), "damaged"),
        "?",
        "the copier made an empty file"
    );
}

#[test]
fn what_would_be_lost_with_the_folder_is_named() {
    let files = with(
        disk(),
        &[
            (
                in_folder(&listener_key()),
                KeyFileDamage::Cut(900).apply(key()),
            ),
            (in_folder(&iis(MACHINE_GUID)), key()),
            (
                in_folder(&key_file_name(
                    "WMSvc Certificate Key Container",
                    KeyStorage::Capi,
                    MACHINE_GUID,
                )),
                key(),
            ),
        ],
    );
    let report = report_of(&files);
    assert_eq!(field(&report, "key_folder.dependents", "others"), 2);
    let beside = state(&report, "beside");
    let beside = beside.as_str().unwrap();
    assert!(
        beside.contains("iisConfigurationKey") && beside.contains("WMSvc"),
        "{beside}"
    );
    assert!(!beside.contains("TSSecKeySet1"), "{beside}");
}

#[test]
fn the_folders_permissions_are_held_to_the_measured_ones() {
    let folder = |descriptor: &str| {
        let inside = format!("MachineKeys\\{}", listener_key());
        let listing = saved(&[("MachineKeys", descriptor), (&inside, HEALTHY_KEY)]);
        report_of(&with(ticket(), &[("m.acl".into(), listing)]))
    };
    let told = |report: &Report| {
        let of = |name| field(report, "key_folder.access", name);
        (of("is_default"), of("next_key_lacks_entry"))
    };
    assert_eq!(told(&folder(HEALTHY_FOLDER)), (json!(true), json!(false)));
    let hardened = folder("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)");
    assert_eq!(told(&hardened), (json!(false), json!(true)));
    // The certificate ends 2027-03-15; the next one, made then, 182 days later.
    let strikes = field(&hardened, "key_folder.access", "strikes");
    assert!(
        strikes.as_str().unwrap().starts_with("2027-09"),
        "{strikes}"
    );
    let widened = folder("D:PAI(A;;0x12019f;;;WD)(A;;FA;;;BA)(A;;FA;;;NS)");
    assert_eq!(told(&widened), (json!(false), json!(false)));
}

/// SYSTEM and Administrators with everything; before them what is given: kind, mask, sub-authorities of S-1-5.
fn store_descriptor(first: &[(u8, u32, &[u32])]) -> Vec<u8> {
    let mut entries = first.to_vec();
    entries.push((0, 0xf_003f, &[18]));
    entries.push((0, 0xf_003f, &[32, 544]));
    support::hive::descriptor(&[18], &[18], &entries)
}

#[test]
fn a_store_that_denies_system_is_told_from_one_that_inherits() {
    let store = r"Microsoft\SystemCertificates\Remote Desktop";
    let report = |first: &[(u8, u32, &[u32])]| {
        let mut machine = Machine::new("RDS01", Windows::Server2022, at("2026-06-02T06:00:00Z"));
        machine.self_signed_certificate(at("2026-02-14T06:10:00Z"));
        machine.software.security(store, &store_descriptor(first));
        machine.system.touch(LISTENER, at("2026-11-13T08:05:00Z"));
        report_of(&BTreeMap::from([
            ("SYSTEM".to_owned(), machine.system.to_bytes()),
            ("SOFTWARE".to_owned(), machine.software.to_bytes()),
        ]))
    };
    let told = |report: &Report| {
        let of = |name| field(report, "certificate_store.access", name);
        (of("can_write"), of("denied"), of("needed"))
    };
    // The certificate ended in August, so that the listener needs a new one.
    assert_eq!(told(&report(&[])), (json!(true), json!(false), json!(true)));
    assert_eq!(
        told(&report(&[(1, 0x6, &[18])])),
        (json!(false), json!(true), json!(true))
    );
    // A denial of reading is another matter.
    assert_eq!(
        told(&report(&[(1, 0x8, &[18])])),
        (json!(true), json!(false), json!(true))
    );
}

/// The hives of the Windows 7 machine beside one of the forged key files: the chain is proved or broken where it should be.
#[test]
fn the_corpus_keys_are_bound_to_the_certificate_of_their_machine() {
    let Some(keys) = corpus("keys/SOFTWARE") else {
        return;
    };
    let machine = corpus("hives/wks-win732bita").unwrap();
    let mut files = Files::new();
    for name in ["SYSTEM", "SOFTWARE"] {
        let bytes = std::fs::read(machine.join(name)).unwrap();
        files.insert(format!("Windows/System32/config/{name}"), bytes);
    }
    for (folder, expected) in [
        ("MachineKeys", "good"),
        ("bad_garbage", "garbage"),
        ("bad_halfzero", "zeroed"),
        ("bad_trailing", "trailing"),
        ("bad_truncated", "cut"),
        ("bad_wrongmodulus", "mismatch"),
        ("bad_wrongname", "other-name"),
        ("bad_zeroed", "zeroed"),
        ("bad_zerolen", "empty"),
    ] {
        let mut files = files.clone();
        for entry in std::fs::read_dir(keys.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            files.insert(in_folder(&name), std::fs::read(entry.path()).unwrap());
        }
        for beside in ["store.sst", "rdp-store.reg"] {
            let bytes = std::fs::read(keys.join(beside)).unwrap();
            files.insert(beside.to_owned(), bytes);
        }
        let report = report_of(&files);
        assert_eq!(state(&report, "state"), expected, "{folder}");
        let entry = |name: &str| {
            let mut artifacts = report.artifacts.iter();
            artifacts.find(|artifact| artifact.path == name).unwrap()
        };
        for beside in ["store.sst", "rdp-store.reg"] {
            assert!(!entry(beside).coverage.starts_with("not used"), "{beside}");
        }
    }
}

/// What lies on a file system beside the bytes is never read: a collection that was packed and unpacked tells the same.
#[test]
fn neither_times_nor_modes_of_files_change_the_report() {
    let mut compared = 0;
    for (name, folder) in samples_of_keys() {
        let copy = tempfile::tempdir().unwrap();
        let mut files: Vec<_> = files_below(&folder);
        files.reverse();
        for (index, path) in files.iter().enumerate() {
            let to = copy.path().join(path.strip_prefix(&folder).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(&to, std::fs::read(path).unwrap()).unwrap();
            let file = std::fs::File::options().write(true).open(&to).unwrap();
            let days = std::time::Duration::from_secs(86_400 * (index as u64 + 1));
            file.set_modified(std::time::UNIX_EPOCH + days).unwrap();
            let mut permissions = file.metadata().unwrap().permissions();
            permissions.set_readonly(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                permissions.set_mode(if index % 2 == 0 { 0o400 } else { 0o755 });
            }
            file.set_permissions(permissions).unwrap();
        }
        let told = |folder: &Path| serde_json::to_string(&report_of_folder(folder)).unwrap();
        assert_eq!(told(&folder), told(copy.path()), "{name}");
        compared += 1;
    }
    assert!(
        compared >= 11,
        "only {compared} samples hold keys or listings"
    );
}

/// No output, log or error holds a byte of what a key file keeps secret: neither as it is, nor in hexadecimal.
#[test]
fn nothing_private_is_ever_printed() {
    let mut looked_for = 0;
    let mut held_keys = 0;
    for (name, folder) in samples_of_keys() {
        let secrets: BTreeSet<Vec<u8>> = files_below(&folder)
            .iter()
            .filter(|path| is_key_file(path))
            .flat_map(|path| pieces(&private_part(&std::fs::read(path).unwrap())))
            .collect();
        if !files_below(&folder).iter().any(|path| is_key_file(path)) {
            continue;
        }
        held_keys += 1;
        looked_for += secrets.len();
        let in_hexadecimal: BTreeSet<Vec<u8>> = secrets
            .iter()
            .map(|piece| {
                let digits = piece.iter().map(|byte| format!("{byte:02x}"));
                digits.collect::<String>().into_bytes()
            })
            .collect();
        let output = everything_printed(&folder);
        let told = output.windows(8).find(|window| secrets.contains(*window));
        assert_eq!(told, None, "{name}");
        // In hexadecimal of either case, with spaces between the pairs or without.
        let mut digits = output.to_ascii_lowercase();
        digits.retain(|byte| *byte != b' ');
        let runs = digits.split(|byte| !byte.is_ascii_hexdigit());
        let told = runs
            .flat_map(|run| run.windows(16))
            .find(|window| in_hexadecimal.contains(*window));
        assert_eq!(told, None, "{name}");
    }
    assert!(held_keys >= 8, "only {held_keys} samples hold key files");
    assert!(
        looked_for > 1000,
        "only {looked_for} pieces of key files were looked for"
    );
}

/// Eight bytes each; those with zeros occur everywhere.
fn pieces(secret: &[u8]) -> Vec<Vec<u8>> {
    secret
        .chunks_exact(8)
        .filter(|piece| piece.iter().filter(|byte| **byte == 0).count() <= 1)
        .map(<[u8]>::to_vec)
        .collect()
}

/// What is encrypted begins behind the description of the first DPAPI blob, after the public key; without one, everything counts.
fn private_part(file: &[u8]) -> Vec<u8> {
    let provider = [0xd0, 0x8c, 0x9d, 0xdf, 0x01, 0x15, 0xd1, 0x11];
    let place = file.windows(8).position(|window| window == provider);
    let private = place.map_or(0, |place| place + 120);
    file[private.min(file.len())..].to_vec()
}

/// Every format of the report, what is said on the screen with and without the reasoning, and the commands that look things up.
fn everything_printed(folder: &Path) -> Vec<u8> {
    let written = tempfile::tempdir().unwrap();
    let mut output = Vec::new();
    let mut run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rdptriage"));
        let ended = command.args(arguments).arg(folder).output().unwrap();
        output.extend(ended.stdout);
        output.extend(ended.stderr);
    };
    let names = ["r.txt", "r.json", "r.jsonl", "r.md", "r.html", "r.csv"];
    let paths = names.map(|name| written.path().join(name).display().to_string());
    let mut diagnose = vec!["diagnose", "-v"];
    for path in &paths {
        diagnose.extend(["-o", path]);
    }
    run(&diagnose);
    for arguments in [
        ["facts", "--as-case"].as_slice(),
        &["facts"],
        &["timeline"],
        &["certs"],
    ] {
        run(arguments);
    }
    for path in paths {
        let written = std::fs::read(&path).unwrap();
        assert!(!written.is_empty(), "{path}");
        output.extend(written);
    }
    output
}

fn is_key_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.parse::<rdptriage::parse::key_file::KeyFileName>()
        .is_ok()
}

/// The samples that hold key files, or listings of their permissions.
fn samples_of_keys() -> Vec<(String, PathBuf)> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(samples)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("collected").is_dir())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path().join("collected"))
        })
        .filter(|(name, folder)| {
            let is_listing = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.to_lowercase().contains("machinekeys")
            };
            let files = files_below(folder);
            let seen = |path: &PathBuf| is_key_file(path) || is_listing(path);
            name.starts_with("key-") || files.iter().any(seen)
        })
        .collect();
    found.sort();
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
