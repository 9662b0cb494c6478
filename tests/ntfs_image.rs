//! A volume that the tests forge themselves: read by other people's tools as well as here, with files in every way that NTFS keeps
//! them, and with the traces that its own records keep of what is gone.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use rdptriage::facts::catalog::key::KeyTrace;
use rdptriage::facts::catalog::service::ServiceLibrary;
use rdptriage::facts::fact::FactSet;
use rdptriage::facts::value::{FieldState, Value};
use rdptriage::verdict::model::Report;
use rdptriage::{bundle, gather};
use support::machine::keys::{MACHINE_KEYS, listener_key};
use support::machine::{at, minutes, seconds};
use support::ntfs::{Lies, Times, Volume, journal};
use support::verdict::{diagnosed_folder, rules, unhashed};
use tempfile::TempDir;

const INSTALLED: &str = "2024-02-01T08:00:00Z";

fn samples(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name)
        .join("collected")
}

/// A volume with a sample's files, the larger ones in the ways that NTFS keeps large files.
fn volume(sample: &str) -> Volume {
    let mut volume = Volume::new(at(INSTALLED));
    let folder = samples(sample);
    for (index, entry) in files(&folder).into_iter().enumerate() {
        let content = fs::read(folder.join(&entry)).unwrap();
        let lies = match (content.len(), index % 3) {
            (0..=40_000, _) => Lies::Simply,
            (_, 0) => Lies::InPieces,
            (_, 1) => Lies::InRecords,
            _ => Lies::Simply,
        };
        volume.file(&entry, &content, lies);
    }
    volume
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let below = entry.path().strip_prefix(folder).unwrap();
            below.to_str().unwrap().replace('\\', "/")
        })
        .collect();
    names.sort();
    names
}

fn written(folder: &TempDir, volume: &Volume) -> PathBuf {
    let image = folder.path().join("disk.dd");
    fs::write(&image, volume.build()).unwrap();
    image
}

fn facts(image: &Path) -> FactSet {
    let mut hosts = gather(&[image.to_owned()], &unhashed()).expect("it opens");
    hosts.remove(0).facts
}

fn text(facts: &rdptriage::facts::fact::Fact, field: &str) -> String {
    match facts.field(field) {
        Some(FieldState::Is(value)) => value.to_string(),
        _ => String::new(),
    }
}

/// What another program says, or none where it is not installed.
fn tool(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            assert!(
                output.status.success(),
                "{program} {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(output.stdout)
        }
        Err(why) => {
            eprintln!("skipped: {program} ({why}); install ntfs-3g");
            None
        }
    }
}

#[test]
fn other_tools_read_the_forged_volume_alike() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume("machinekeys-renamed");
    let hidden: Vec<u8> = [
        vec![0; 64 << 10],
        (0..90_000_u32).map(|byte| byte as u8).collect(),
    ]
    .concat();
    volume.file("sparse.bin", &hidden, Lies::Sparse);
    volume.file("packed.bin", &hidden, Lies::Compressed);
    for number in 0..300 {
        let name = format!("many/a file with a long name, number {number:04}.txt");
        volume.file(&name, name.as_bytes(), Lies::Simply);
    }
    volume.delete(
        "many/a file with a long name, number 0007.txt",
        at("2025-03-01T10:00:00Z"),
    );
    let image = written(&folder, &volume);
    let image = image.to_str().unwrap();
    let Some(said) = tool("ntfsinfo", &["-m", image]) else {
        return;
    };
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.contains("Volume Name: forged"), "{said}");
    let listed = tool("ntfsls", &["-p", "many", image]).unwrap();
    let listed = String::from_utf8_lossy(&listed).into_owned();
    assert_eq!(
        listed
            .lines()
            .filter(|line| line.contains("number"))
            .count(),
        299
    );
    assert!(!listed.contains("0007"));
    let sample = samples("machinekeys-renamed");
    for name in files(&sample) {
        let read = tool("ntfscat", &[image, &name]).unwrap();
        assert!(read == fs::read(sample.join(&name)).unwrap(), "{name}");
    }
    assert!(tool("ntfscat", &[image, "sparse.bin"]).unwrap() == hidden);
    assert!(tool("ntfscat", &[image, "packed.bin"]).unwrap() == hidden);
    assert_eq!(
        tool(
            "ntfscat",
            &[image, "many/a file with a long name, number 0211.txt"]
        )
        .unwrap(),
        b"many/a file with a long name, number 0211.txt"
    );
}

#[test]
fn files_are_read_however_they_are_kept() {
    let folder = TempDir::new().unwrap();
    let image = written(&folder, &volume("machinekeys-renamed"));
    let sample = samples("machinekeys-renamed");
    let bundle = bundle::open(std::slice::from_ref(&image)).unwrap();
    for name in files(&sample) {
        let artifact = bundle
            .artifact(&format!("disk.dd/{name}"))
            .unwrap_or_else(|| panic!("{name}"));
        let read = artifact.open().unwrap().read_all(64 << 20).unwrap();
        assert!(read == fs::read(sample.join(&name)).unwrap(), "{name}");
    }
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    let from_image = report(&image);
    let from_folder = diagnosed_folder(&sample, &rules());
    assert_eq!(from_image.verdict.cause, from_folder.verdict.cause);
    assert_eq!(from_image.verdict.status, from_folder.verdict.status);
}

fn report(image: &Path) -> Report {
    let mut reports =
        rdptriage::diagnose(&[image.to_owned()], &rules(), &unhashed()).expect("something to read");
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn first_failure(sample: &str) -> Timestamp {
    let report = diagnosed_folder(&samples(sample), &rules());
    report
        .verdict
        .first_failure
        .expect("somebody failed")
        .parse()
        .unwrap()
}

/// The sample's machine as it was, and then MachineKeys renamed eight minutes before the first failure, and made anew.
fn renamed() -> (Volume, Timestamp) {
    let sample = samples("machinekeys-renamed");
    let when = first_failure("machinekeys-renamed") - minutes(8);
    let mut volume = Volume::new(at(INSTALLED));
    for name in files(&sample) {
        if !name.contains("/MachineKeys/") {
            let content = fs::read(sample.join(&name)).unwrap();
            volume.file(
                &name.replace("MachineKeys_old", "MachineKeys"),
                &content,
                Lies::Simply,
            );
        }
    }
    volume.rename(MACHINE_KEYS, "MachineKeys_old", when);
    let anew = volume.folder(MACHINE_KEYS);
    volume.record(anew, journal::MADE | journal::CLOSED, when + seconds(40));
    volume.at(MACHINE_KEYS).times = Times::all(when + seconds(40));
    for name in files(&sample) {
        if name.contains("/MachineKeys/") {
            volume.file(&name, &fs::read(sample.join(&name)).unwrap(), Lies::Simply);
        }
    }
    (volume, when)
}

fn traces(facts: &FactSet) -> Vec<String> {
    facts
        .of_kind(KeyTrace::KIND)
        .map(|fact| {
            format!(
                "{} {} {} lost={} superseded={}",
                fact.at.map_or("-".to_owned(), |at| at.to_string()),
                text(fact, "told_by"),
                text(fact, "says"),
                text(fact, "lost"),
                text(fact, "superseded"),
            )
        })
        .collect()
}

#[test]
fn the_journal_says_when_machine_keys_was_renamed() {
    let folder = TempDir::new().unwrap();
    let (volume, when) = renamed();
    let image = written(&folder, &volume);
    let found = traces(&facts(&image));
    let expected = format!(
        "{when} change-journal the folder MachineKeys was renamed to MachineKeys_old lost=yes superseded=no"
    );
    assert!(found.contains(&expected), "{found:#?}");
    let report = report(&image);
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("machinekeys-relocated")
    );
    let summary = &report.verdict.summary;
    assert!(
        summary.contains("8 minutes before the first failure"),
        "{summary}"
    );
    let change = report
        .changes
        .iter()
        .find(|change| change.what.contains("renamed to MachineKeys_old"));
    assert!(
        change.is_some_and(|change| change.in_bracket),
        "{:#?}",
        report.changes
    );
    assert!(
        report
            .timeline
            .iter()
            .any(|entry| entry.kind == "key.trace")
    );
}

#[test]
fn what_was_renamed_back_took_nothing_away() {
    let folder = TempDir::new().unwrap();
    let (mut volume, when) = renamed();
    let back = when + minutes(1);
    for path in files(&samples("machinekeys-renamed")) {
        if path.contains("/MachineKeys/") {
            volume.delete(&path, back);
        }
    }
    volume.delete(MACHINE_KEYS, back);
    volume.rename(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys_old",
        "MachineKeys",
        back,
    );
    let image = written(&folder, &volume);
    let found = traces(&facts(&image));
    let away = format!(
        "{when} change-journal the folder MachineKeys was renamed to MachineKeys_old lost=yes superseded=yes"
    );
    assert!(found.contains(&away), "{found:#?}");
    let levels = report(&image).findings;
    let is_found = |cause: &str| {
        let finding = levels
            .iter()
            .find(|finding| finding.cause == cause)
            .unwrap();
        finding.level != rdptriage::verdict::model::Level::RuledOut
    };
    assert!(!is_found("machinekeys-relocated") && !is_found("key-missing"));
}

#[test]
fn without_a_journal_the_file_table_tells_between_which_moments() {
    let folder = TempDir::new().unwrap();
    let (mut volume, when) = renamed();
    volume.without_journal();
    let image = written(&folder, &volume);
    let facts = facts(&image);
    let trace = facts
        .of_kind(KeyTrace::KIND)
        .find(|fact| text(fact, "happened") == "renamed")
        .unwrap_or_else(|| panic!("{:#?}", traces(&facts)));
    assert_eq!(trace.at, Some(when));
    assert_eq!(text(trace, "told_by"), "file-table");
    assert_eq!(
        trace.field("exact"),
        Some(&FieldState::Is(Value::Bool(false)))
    );
    assert_eq!(text(trace, "not_before"), at(INSTALLED).to_string());
    assert_eq!(
        report(&image).verdict.cause.as_deref(),
        Some("machinekeys-relocated")
    );
}

#[test]
fn a_folder_that_was_copied_was_not_renamed() {
    let folder = TempDir::new().unwrap();
    let mut volume = volume("machinekeys-renamed");
    volume.without_journal();
    let copied = at("2025-01-01T00:00:00Z");
    volume
        .at("ProgramData/Microsoft/Crypto/RSA/MachineKeys_old")
        .times = Times::all(copied);
    let found = traces(&facts(&written(&folder, &volume)));
    assert!(
        found
            .iter()
            .any(|trace| trace.contains("MachineKeys_old was made")),
        "{found:#?}"
    );
    assert!(
        !found.iter().any(|trace| trace.contains("renamed")),
        "{found:#?}"
    );
}

/// The machine whose key file is there, and then deleted ten minutes before the first failure.
fn deleted() -> (Volume, Timestamp) {
    let mut volume = volume("machinekeys-renamed");
    let when = first_failure("machinekeys-renamed") - minutes(10);
    let name = format!("{MACHINE_KEYS}/{}", listener_key());
    let old = format!(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys_old/{}",
        listener_key()
    );
    let content = volume.at(&old).content.clone();
    // As if that folder had never been.
    for path in files(&samples("machinekeys-renamed")) {
        if path.contains("MachineKeys_old") {
            volume.delete(&path, at(INSTALLED));
        }
    }
    volume.delete(
        "ProgramData/Microsoft/Crypto/RSA/MachineKeys_old",
        at(INSTALLED),
    );
    volume.without_journal();
    volume.file(&name, &content, Lies::Simply);
    volume.delete(&name, when);
    (volume, when)
}

#[test]
fn a_deleted_key_file_is_found_in_its_entry_and_in_the_journal() {
    let folder = TempDir::new().unwrap();
    let (mut volume, when) = deleted();
    let image = written(&folder, &volume);
    let says = format!("the key file {} was deleted", listener_key());
    let found = traces(&facts(&image));
    let journal = format!("{when} change-journal {says} lost=yes superseded=no");
    assert!(found.contains(&journal), "{found:#?}");
    let told = report(&image);
    assert_eq!(told.verdict.cause.as_deref(), Some("key-missing"));
    assert!(
        told.verdict
            .summary
            .contains("10 minutes before the first failure"),
        "{}",
        told.verdict.summary
    );

    volume.without_journal();
    let image = written(&folder, &volume);
    let found = traces(&facts(&image));
    let table = format!(
        "{when} file-table {says} between {} and {when} lost=yes superseded=no",
        at(INSTALLED)
    );
    assert!(found.contains(&table), "{found:#?}");

    // Another key came into the folder since: when the deleted one went is not told by the folder's time.
    let later = when + minutes(3);
    let other = format!("{MACHINE_KEYS}/{}", listener_key().replace("f686", "0686"));
    let number = volume.file(&other, b"key", Lies::Simply);
    volume.nodes.get_mut(&number).unwrap().times = Times::all(later);
    volume.at(MACHINE_KEYS).times.modified = later;
    let found = traces(&facts(&written(&folder, &volume)));
    assert!(
        found.contains(&format!(
            "- file-table {says} after {} lost=yes superseded=no",
            at(INSTALLED)
        )),
        "{found:#?}"
    );
}

#[test]
fn the_entry_of_a_folder_that_another_has_by_now_tells_nothing_sure() {
    let folder = TempDir::new().unwrap();
    let (mut volume, _) = deleted();
    volume.without_journal();
    // The folder was freed and taken again since: its count went on.
    volume.at(MACHINE_KEYS).uses += 1;
    let found = traces(&facts(&written(&folder, &volume)));
    let unsure =
        |trace: &&String| trace.contains("may have lain elsewhere") && trace.contains("lost=no");
    assert_eq!(found.iter().filter(unsure).count(), 1, "{found:#?}");
}

/// A collector that copies $MFT and the journal, and no folder of keys: they stand for the folder.
#[test]
fn a_copied_file_table_lists_machine_keys() {
    let (volume, _) = renamed();
    let bytes = volume.build();
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    fs::write(&image, &bytes).unwrap();
    let bundle = bundle::open(std::slice::from_ref(&image)).unwrap();
    let collected = folder.path().join("collected");
    for artifact in &bundle.artifacts {
        let Some(below) = artifact.path.strip_prefix("disk.dd/") else {
            continue;
        };
        let is_wanted = below.starts_with("Windows/") || below == "$MFT" || below.ends_with("$J");
        if is_wanted && artifact.kind != bundle::Kind::Folder {
            let content = artifact.open().unwrap().read_all(64 << 20).unwrap();
            let target = collected.join("C").join(below.replace("/$UsnJrnl/", "/"));
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, content).unwrap();
        }
    }
    let report = diagnosed_folder(&collected, &rules());
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("machinekeys-relocated")
    );
    assert!(
        report.verdict.summary.contains("8 minutes before"),
        "{}",
        report.verdict.summary
    );
    let listing = report
        .facts
        .iter()
        .find(|fact| fact.kind == "key_folder.listing")
        .unwrap();
    assert_eq!(listing.fields["form"], "mft");
    assert_eq!(listing.fields["complete"], true);
}

/// Machines that never delete keys come to have very many. More than are opened one by one: $MFT still tells whether the listener's
/// is among them, in bounded memory. `RDPTRIAGE_MANY=1000000` makes it a million.
#[test]
fn a_folder_of_very_many_key_files() {
    let many = std::env::var("RDPTRIAGE_MANY").map_or(30_000_u32, |many| many.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("disk.dd");
    {
        let (mut volume, _) = deleted();
        let machine = listener_key().split_once('_').unwrap().1.to_owned();
        volume.fill(
            MACHINE_KEYS,
            (0..many).map(|number| format!("{:032x}_{machine}", u128::from(number) << 90)),
        );
        fs::write(&image, volume.build()).unwrap();
    }
    let begun = std::time::Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "-f", "json", "--exit-zero"])
        .arg(&image)
        .stdout(fs::File::create(folder.path().join("report.json")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak_memory(child.id()).unwrap_or(peak);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    };
    println!(
        "{many} key files, an image of {} MiB: {} ms, at most {} MiB of memory",
        fs::metadata(&image).unwrap().len() >> 20,
        begun.elapsed().as_millis(),
        peak >> 10
    );
    assert!(status.success(), "{status}");
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let report = &report["reports"][0];
    assert_eq!(
        report["verdict"]["cause"], "key-missing",
        "{}",
        report["verdict"]
    );
    assert!(peak <= 256 << 10, "{peak} KiB");
}

/// The most memory that a process had so far, in KiB; none where the system does not tell.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The service's library as it lies on the disk: which version it is, and that somebody patched it.
#[test]
fn the_services_library_is_looked_at() {
    const TERMSRV: &str = "Windows/System32/termsrv.dll";
    let folder = TempDir::new().unwrap();
    let mut volume = volume("machinekeys-renamed");
    let library = |facts: &FactSet| {
        let mut found = facts.of_kind(ServiceLibrary::KIND);
        let fact = found.next().expect("it is told");
        (
            text(fact, "version"),
            text(fact, "damage"),
            text(fact, "altered"),
        )
    };
    volume.file(TERMSRV, &[0; 5000], Lies::Simply);
    let (version, damage, _) = library(&facts(&written(&folder, &volume)));
    assert_eq!(version, "");
    assert!(damage.contains("does not begin as a program"), "{damage}");

    volume.at(TERMSRV).content = support::program::library([10, 0, 17763, 5644]);
    let whole = library(&facts(&written(&folder, &volume)));
    assert_eq!(
        whole,
        ("10.0.17763.5644".to_owned(), String::new(), "no".to_owned())
    );
    let level = |report: &Report| {
        let found = report
            .findings
            .iter()
            .find(|finding| finding.cause == "termservice-replaced");
        found.unwrap().level
    };
    use rdptriage::verdict::model::Level;
    let image = written(&folder, &volume);
    assert_eq!(level(&report(&image)), Level::RuledOut);

    let patched = volume.at(TERMSRV);
    let middle = patched.content.len() - 40;
    patched.content[middle..middle + 12].fill(0x90);
    let image = written(&folder, &volume);
    assert_eq!(library(&facts(&image)).2, "yes");
    let told = report(&image);
    assert_eq!(level(&told), Level::Confirmed);
    assert!(
        told.verdict
            .contributing
            .contains(&"termservice-replaced".to_owned()),
        "{:?}",
        told.verdict
    );
}
