//! What `rdptriage collect` prints, and the collections that it makes: told by their manifest, held against its digests, with the
//! steps that failed as the reason for what is missing.

#[allow(dead_code)]
#[path = "support/archive.rs"]
mod archive;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use archive::Files;
use rdptriage::parse::text::Text;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Report, Status};
use rdptriage::{Options, diagnose};
use serde_json::{Value, json};
use zip::CompressionMethod;

#[test]
fn the_script_is_plain_and_asks_for_every_log() {
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .arg("collect")
        .output()
        .unwrap();
    assert!(output.status.success());
    let script = String::from_utf8(output.stdout).unwrap();
    assert!(script.is_ascii());
    assert!(!script.contains("@CHANNELS@"));
    for channel in rdptriage::facts::channel::channels() {
        assert!(script.contains(&format!("'{channel}'")), "{channel}");
    }
    // Words of PowerShell 3 and later, and of modules, which a bare Server 2008 R2 does not know.
    for later in [
        "[ordered]",
        "[pscustomobject]",
        "ConvertTo-Json",
        "Get-FileHash",
        "Compress-Archive",
        "Import-Module",
        "::new(",
        " -in ",
    ] {
        let code = script
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        assert!(
            !code.into_iter().any(|line| line.contains(later)),
            "{later}"
        );
    }
    // Nothing that would change the machine.
    for harm in [
        "Set-ItemProperty",
        "New-ItemProperty",
        "Remove-Item",
        "Set-Acl",
        "/grant",
        "takeown",
        "Restart-Service",
        "Stop-Service",
        "reg add",
        "'add'",
        "'delete'",
        "'stop'",
        "'start'",
        "wevtutil cl",
        "Invoke-WebRequest",
        "Register-ScheduledTask",
    ] {
        assert!(!script.contains(harm), "{harm}");
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name)
        .join("collected")
}

fn files_below(folder: &Path) -> Files {
    let found = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter();
    let files = found
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file());
    let read = files.map(|entry| {
        let name = entry.path().strip_prefix(folder).unwrap();
        let name = name.to_str().unwrap().to_owned();
        (name, fs::read(entry.path()).unwrap())
    });
    read.collect()
}

/// A sample as the script would have collected it: logs and hives in their folders; key files only as the manifest lists them, with
/// the permissions of the sample's own listing.
struct Collection {
    files: Files,
    folders: Vec<Value>,
    steps: Vec<Value>,
}

const MACHINE_KEYS: &str = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys";

impl Collection {
    fn of(name: &str) -> Self {
        let mut files = Files::new();
        let mut keys: Vec<(String, usize)> = Vec::new();
        let mut permissions: Vec<(String, String)> = Vec::new();
        for (path, bytes) in files_below(&sample(name)) {
            let own = path.rsplit('/').next().unwrap().to_owned();
            match bytes.as_slice() {
                [b'E', b'l', b'f', ..] => files.push((format!("logs/{own}"), bytes)),
                [b'r', b'e', b'g', b'f', ..] => files.push((format!("registry/{own}"), bytes)),
                _ if path.contains("/MachineKeys/") => keys.push((own, bytes.len())),
                _ if own == "MachineKeys.acl" => permissions = saved(&bytes),
                _ => {}
            }
        }
        let descriptor = |name: &str| {
            let found = permissions.iter().find(|(saved, _)| saved.ends_with(name));
            found.map(|(_, sddl)| sddl.clone())
        };
        let entries: Vec<Value> = keys
            .iter()
            .map(|(name, bytes)| {
                json!({"name": name, "folder": false, "bytes": bytes,
                    "created": "2026-09-13T06:10:00.000Z", "written": "2026-09-13T06:10:01.000Z",
                    "sddl": descriptor(name), "sddl_failed": null})
            })
            .collect();
        let folder = |path: &str, entries: Vec<Value>| json!({"path": path, "exists": true, "failed": null, "written": null, "sddl": null, "entries": entries});
        let beside = json!({"name": "MachineKeys", "folder": true, "bytes": null, "sddl": null});
        Collection {
            files,
            folders: vec![
                folder(r"C:\ProgramData\Microsoft\Crypto\RSA", vec![beside]),
                folder(MACHINE_KEYS, entries),
            ],
            steps: Vec::new(),
        }
    }

    fn manifest(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(path, bytes)| {
                let source: Vec<u8> = bytes.clone();
                let digest = rdptriage::bundle::sha256(&source).unwrap().to_string();
                json!({"path": path, "bytes": bytes.len(), "sha256": digest})
            })
            .collect();
        json!({"format": "rdptriage-collection", "version": 1, "host": "TS", "files": files,
            "folders": self.folders, "steps": self.steps})
    }

    /// The reports of the zip.
    fn report(&self, manifest: &Value) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("collection.zip");
        let mut files = self.files.clone();
        files.push(("manifest.json".to_owned(), written(manifest)));
        let bytes = archive::zip(&files, CompressionMethod::Deflated);
        fs::write(&path, bytes).unwrap();
        one(&path)
    }
}

/// The manifest as the script writes it: its kind in the first member.
fn written(manifest: &Value) -> Vec<u8> {
    let mut members = manifest.as_object().unwrap().clone();
    members.remove("format");
    let rest = serde_json::to_string(&members).unwrap();
    format!("{{\n\"format\":\"rdptriage-collection\",\n{}", &rest[1..]).into_bytes()
}

/// Names and descriptors of what `icacls /save` wrote.
fn saved(bytes: &[u8]) -> Vec<(String, String)> {
    let text = Text::decode(bytes).characters;
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let pairs = lines.chunks(2).filter(|pair| pair.len() == 2);
    pairs
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

fn one(path: &Path) -> Report {
    let rules = RuleSet::builtin().unwrap();
    let mut reports = diagnose(&[path.to_owned()], &rules, &Options::default()).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn verdict(report: &Report) -> (Status, Option<&str>) {
    (report.verdict.status, report.verdict.cause.as_deref())
}

#[test]
fn a_collection_gives_the_verdict_of_the_folder() {
    for name in [
        "key-acl-without-network-service",
        "ecdsa-only-policy",
        "healthy-under-scan",
        "machinekeys-hardened",
    ] {
        let folder = one(&sample(name));
        let collection = Collection::of(name);
        let report = collection.report(&collection.manifest());
        assert_eq!(verdict(&report), verdict(&folder), "{name}");
        assert_eq!(report.host.name, folder.host.name, "{name}");
        assert_eq!(report.layout.name, "rdptriage-collect", "{name}");
        assert_eq!(report.problems.len(), 0, "{name}: {:?}", report.problems);
    }
}

#[test]
fn the_manifest_lists_the_key_folder_whole() {
    let mut collection = Collection::of("key-acl-without-network-service");
    let report = collection.report(&collection.manifest());
    let listing = |report: &Report| {
        let mut found = report
            .facts
            .iter()
            .filter(|fact| fact.kind == "key_folder.listing" && fact.fields["form"] == "manifest");
        let fact = found.next().expect("a listing").clone();
        (
            fact.fields["files"].clone(),
            fact.fields["complete"].clone(),
        )
    };
    assert_eq!(listing(&report).1, json!(true));
    let written: Vec<_> = report
        .facts
        .iter()
        .filter(|fact| fact.kind == "key_file.written")
        .collect();
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].time.as_deref(), Some("2026-09-13T06:10:01Z"));
    // Nothing in it: the key is missing, for the listing is whole.
    collection.folders[1]["entries"] = json!([]);
    let report = collection.report(&collection.manifest());
    assert_eq!(listing(&report), (json!(0), json!(true)));
    assert_eq!(verdict(&report).1, Some("key-missing"));
    // The folder was refused: nobody knows.
    collection.folders[1]["failed"] = json!("Access to the path is denied.");
    let report = collection.report(&collection.manifest());
    assert_ne!(verdict(&report).1, Some("key-missing"));
    let gap = report.gaps.iter().find(|gap| {
        gap.why
            .contains("collect.ps1 could not list the folder: Access")
    });
    assert!(gap.is_some(), "{:?}", report.gaps);
}

#[test]
fn what_was_changed_after_it_was_collected_counts_for_less() {
    let mut collection = Collection::of("ecdsa-only-policy");
    let manifest = collection.manifest();
    assert_eq!(
        collection.report(&manifest).verdict.status,
        Status::Confirmed
    );
    for (path, bytes) in &mut collection.files {
        if path.ends_with("SOFTWARE") {
            // Padding behind the last hive bin, which no reader looks at.
            bytes.extend([0; 512]);
        }
    }
    let report = collection.report(&manifest);
    let problem = report
        .problems
        .iter()
        .find(|problem| problem.artifact.as_deref() == Some("collection.zip/registry/SOFTWARE"))
        .expect("it is told");
    assert!(problem.message.contains("SHA-256"), "{}", problem.message);
    assert_eq!(
        verdict(&report),
        (Status::Likely, Some("tls-suite-policy-unusable"))
    );
}

#[test]
fn what_a_changed_hive_does_not_hold_may_have_been_there() {
    let collection = Collection::of("healthy-under-scan");
    let manifest = collection.manifest();
    let field = |report: &Report, (kind, name): (&str, &str)| {
        let mut facts = report.facts.iter();
        let fact = facts.find(|fact| fact.kind == kind);
        fact.expect("a fact").fields[name].clone()
    };
    let whole = collection.report(&manifest);
    for (hive, asked) in [
        ("SYSTEM", ("certificate.pin", "thumbprint")),
        ("SOFTWARE", ("certificate.enrolment", "template")),
    ] {
        assert_eq!(
            field(&whole, asked),
            Value::Null,
            "{hive}: known to be none"
        );
        let mut altered = Collection::of("healthy-under-scan");
        for (path, bytes) in &mut altered.files {
            if path.ends_with(hive) {
                bytes.extend([0; 512]);
            }
        }
        let report = altered.report(&manifest);
        let told = field(&report, asked);
        assert!(told.is_object(), "{hive}: {told}");
        assert!(report.verdict.cause.is_none(), "{hive}");
    }
}

#[test]
fn what_is_lost_or_was_refused_is_told_for_what_it_is() {
    let mut collection = Collection::of("healthy-under-scan");
    collection
        .files
        .push(("logs/Security.evtx".to_owned(), b"x".to_vec()));
    collection.steps = vec![
        json!({"kind": "log", "of": "Security", "command": "wevtutil.exe epl Security", "exit": 5, "failed": "Zugriff verweigert"}),
        json!({"kind": "log", "of": "Microsoft-Windows-TerminalServices-SessionBroker-Client/Operational", "command": "wevtutil.exe", "exit": 15007, "failed": "not found"}),
    ];
    let manifest = collection.manifest();
    collection.files.pop();
    let report = collection.report(&manifest);
    let told: Vec<String> = report
        .problems
        .iter()
        .map(|problem| format!("{:?}: {}", problem.at, problem.message))
        .collect();
    assert!(
        told.iter()
            .any(|one| one.contains("logs/Security.evtx") && one.contains("not here")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|one| one.contains("Security") && one.contains("Zugriff verweigert")),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|one| one.contains("SessionBroker")),
        "{told:?}"
    );
    let gap = |kind: &str, why: &str| {
        let mut of_kind = report.gaps.iter().filter(|gap| gap.kind == kind);
        assert!(
            of_kind.any(|gap| gap.why.contains(why)),
            "{:?}",
            report.gaps
        );
    };
    gap(
        "Security log",
        "collect.ps1 could not collect it (Zugriff verweigert)",
    );
    gap("SessionBroker-Client log", "this Windows has no such log");
}

#[test]
fn a_manifest_that_cannot_be_read_is_told() {
    let collection = Collection::of("healthy-under-scan");
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &collection.files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let cut = &written(&collection.manifest())[..300];
    fs::write(folder.path().join("manifest.json"), cut).unwrap();
    let report = one(folder.path());
    assert_eq!(report.verdict.status, Status::Healthy);
    let told = report
        .problems
        .iter()
        .find(|one| one.artifact.as_deref() == Some("manifest.json"));
    assert!(told.unwrap().message.contains("cannot be read"));
}
