//! The same evidence gives the same bytes: on every run, from every working directory, with the arguments in any order.

use std::path::{Path, PathBuf};
use std::process::Command;

mod support;

use support::event_log::{CHUNK_SIZE, Event, LogBuilder, Value};

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("collected").is_dir())
        .collect();
    found.sort();
    assert!(found.len() >= 9, "{found:?}");
    found
}

fn diagnose(format: &str, folder: &Path, inputs: &[&Path]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "--width", "100", "-f", format])
        .args(inputs)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        !output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[test]
fn on_every_run_and_from_every_working_directory() {
    for sample in samples() {
        let collected = sample.join("collected");
        for format in ["json", "text"] {
            let first = diagnose(format, &sample, &[&collected]);
            let again = diagnose(format, &sample, &[&collected]);
            let from_inside = diagnose(format, &collected, &[Path::new(".")]);
            let from_beside = diagnose(format, &sample, &[Path::new("collected")]);
            assert!(first == again, "{}: another run", sample.display());
            assert!(first == from_inside, "{}: from inside", sample.display());
            assert!(first == from_beside, "{}: from beside", sample.display());
        }
    }
}

#[test]
fn with_the_arguments_in_any_order() {
    let samples = samples();
    let folders: Vec<PathBuf> = samples
        .iter()
        .take(3)
        .map(|sample| sample.join("collected"))
        .collect();
    let forth: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let back: Vec<&Path> = forth.iter().rev().copied().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let one = diagnose("json", root, &forth);
    assert!(one == diagnose("json", root, &back));
    let parsed: serde_json::Value = serde_json::from_slice(&one).unwrap();
    assert_eq!(
        parsed["reports"].as_array().unwrap().len(),
        3,
        "one report for each host"
    );
}

#[test]
fn files_of_one_host_given_one_by_one_are_the_folder() {
    let collected = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/cipher-mismatch/collected");
    let whole = diagnose("json", &collected, &[&collected]);
    let files = ["rdp.cer", "System.evtx", "SYSTEM"].map(|name| collected.join(name));
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert!(whole == diagnose("json", &collected, &files));
}

#[test]
fn on_any_number_of_threads() {
    // Several stretches that are read at the same time, with wanted records in each.
    let start = jiff::Timestamp::from_second(1_767_225_600).unwrap();
    let logon = |number: i64| {
        Event::new("Microsoft-Windows-Security-Auditing", 4625)
            .at(start + jiff::SignedDuration::from_secs(number))
            .data("TargetUserName", format!("user{number}").as_str())
            .data("Status", Value::Hex32(0xc000_006d))
            .data("SubStatus", Value::Hex32(0xc000_006a))
            .data("LogonType", Value::U32(3))
            .data("IpAddress", "203.0.113.7")
    };
    let log = LogBuilder::new("Security").computer("TS1.corp.example");
    let log = (1..=8000).fold(log, |log, number| log.push(logon(number)));
    let bytes = log.to_bytes();
    assert!(bytes.len() > 40 * CHUNK_SIZE, "{}", bytes.len());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Security.evtx"), bytes).unwrap();

    let samples = samples();
    let mut inputs: Vec<PathBuf> = vec![folder.path().to_owned()];
    inputs.extend(
        samples
            .iter()
            .take(3)
            .map(|sample| sample.join("collected")),
    );
    for input in &inputs {
        let with = |threads: &str| {
            let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
                .args(["diagnose", "-f", "json", "-j", threads])
                .arg(input)
                .output()
                .unwrap();
            assert!(!output.stdout.is_empty());
            output.stdout
        };
        let one = with("1");
        for threads in ["2", "7"] {
            assert!(
                one == with(threads),
                "{}: {threads} threads",
                input.display()
            );
        }
    }
}
