//! The commands that look things up: what a reader finds with them, in the form a program takes, and what they say of bad input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn collected(sample: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("samples").join(sample).join("collected")
}

fn run(arguments: &[&str], sample: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdptriage"));
    let (name, rest) = arguments.split_first().expect("a command");
    command
        .arg(name)
        .arg(collected(sample))
        .args(rest)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command.output().expect("the program starts")
}

#[track_caller]
fn text(arguments: &[&str], sample: &str) -> String {
    let output = run(arguments, sample);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The rows of a list, as objects.
#[track_caller]
fn rows(arguments: &[&str], sample: &str) -> Vec<Value> {
    let lines = text(&[arguments, &["-f", "jsonl"]].concat(), sample);
    let rows = lines.lines().map(serde_json::from_str::<Value>);
    rows.collect::<Result<_, _>>().expect("an object a line")
}

#[track_caller]
fn refuses(arguments: &[&str], sample: &str, because: &str) {
    let output = run(arguments, sample);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(errors.contains(because), "{arguments:?}: {errors}");
}

#[track_caller]
fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {row}"))
}

#[test]
fn events_are_found_by_id_provider_time_and_text() {
    let all = rows(&["events"], "machine-keys");
    let refusals = rows(&["events", "--id", "36870"], "machine-keys");
    assert!(!refusals.is_empty() && refusals.len() < all.len());
    assert!(refusals.iter().all(|row| field(row, "event_id") == "36870"));
    assert!(
        refusals
            .iter()
            .all(|row| field(row, "provider") == "Schannel")
    );
    let by_name = rows(&["events", "--provider", "schannel"], "machine-keys");
    assert!(
        by_name.len() >= refusals.len()
            && by_name
                .iter()
                .all(|row| field(row, "provider") == "Schannel")
    );
    let first = field(&refusals[0], "datetime").to_owned();
    let later = rows(
        &["events", "--id", "36870", "--since", &first],
        "machine-keys",
    );
    assert_eq!(
        later.len(),
        refusals.len(),
        "--since names the first that is shown"
    );
    let before = rows(
        &["events", "--id", "36870", "--until", &first],
        "machine-keys",
    );
    assert!(before.is_empty(), "--until names the first that is not");
    let spoken = rows(&["events", "--text", "8009030D"], "machine-keys");
    assert!(!spoken.is_empty() && spoken.len() <= by_name.len());
    let newest = rows(&["events", "--limit", "1"], "machine-keys");
    assert_eq!(newest.first(), all.last());
}

#[test]
fn a_table_of_events_says_in_words_what_they_are() {
    let table = text(
        &["events", "--id", "36870", "--limit", "1", "--width", "120"],
        "machine-keys",
    );
    assert!(
        table.contains("the private key could not be opened"),
        "{table}"
    );
    assert!(
        table
            .lines()
            .all(|line| line.trim_end().chars().count() <= 120),
        "{table}"
    );
}

#[test]
fn csv_has_a_head_and_a_row_for_each_record() {
    let table = text(&["events", "-f", "csv"], "machine-keys");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let head = reader.headers().expect("a head").clone();
    assert_eq!(head.get(0), Some("datetime"));
    assert_eq!(
        reader.records().filter(Result::is_ok).count(),
        rows(&["events"], "machine-keys").len()
    );
}

#[test]
fn a_key_is_found_under_every_name_that_people_use_for_it() {
    let names = [
        r"SYSTEM\CurrentControlSet\Services\TermService",
        r"HKLM\SYSTEM\CurrentControlSet\Services\TermService",
        r"HKEY_LOCAL_MACHINE\System\ControlSet001\services\termservice",
        r"SYSTEM\ControlSet001\Services\TermService",
    ];
    let found: Vec<Vec<Value>> = names
        .iter()
        .map(|name| {
            rows(
                &["registry", "--key", name, "--value", "Start"],
                "service-disabled",
            )
        })
        .collect();
    let [first, others @ ..] = found.as_slice() else {
        unreachable!("four names");
    };
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(field(&first[0], "value"), "Start");
    assert_eq!(field(&first[0], "data"), "4 (0x4)");
    assert!(field(&first[0], "written").ends_with('Z'));
    assert!(others.iter().all(|other| other == first), "{others:?}");
}

#[test]
fn a_key_that_is_not_there_and_a_folder_without_hives_are_said() {
    refuses(
        &[
            "registry",
            "--key",
            r"SYSTEM\CurrentControlSet\Services\TermServise",
        ],
        "service-disabled",
        "TermServise",
    );
    refuses(&["certs", "--show", "00FF00FF"], "machine-keys", "00FF00FF");
    refuses(&["events", "--id", "1-"], "machine-keys", "1-");
    refuses(
        &["events", "--since", "yesterday"],
        "machine-keys",
        "yesterday",
    );
}

/// The thumbprint of the certificate in a store, and what is said of its key.
fn listed(sample: &str) -> (String, String) {
    let rows = rows(&["certs"], sample);
    let row = rows
        .iter()
        .find(|row| !field(row, "key").is_empty())
        .unwrap_or_else(|| panic!("{sample}: nothing is said of a key: {rows:?}"));
    (
        field(row, "thumbprint").to_owned(),
        field(row, "key").to_owned(),
    )
}

#[test]
fn a_certificate_says_which_collected_file_holds_its_key() {
    for (sample, brief, says) in [
        (
            "cng-key-healthy",
            "its key is here",
            "holds the key of this certificate",
        ),
        (
            "key-of-another-pair",
            "another key is here",
            "holds the key of another pair",
        ),
        (
            "key-zeroed",
            "its key file is damaged",
            "its key cannot be read",
        ),
    ] {
        let (thumbprint, key) = listed(sample);
        assert_eq!(key, brief, "{sample}");
        let shown = text(
            &["certs", "--show", &thumbprint[..8], "-f", "jsonl"],
            sample,
        );
        assert!(shown.contains(says), "{sample}: {shown}");
    }
}

#[test]
fn a_certificate_is_shown_in_words() {
    let (thumbprint, _) = listed("cng-key-healthy");
    let shown = text(
        &["certs", "--show", &thumbprint, "--width", "200"],
        "cng-key-healthy",
    );
    for part in [
        "RSA 2048",
        "RSA with SHA-256",
        "key encipherment",
        "server authentication",
    ] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
}

#[test]
fn a_timeline_is_in_order_and_its_filters_hold() {
    let all = rows(&["timeline"], "machine-keys");
    let times: Vec<&str> = all.iter().map(|row| field(row, "datetime")).collect();
    assert!(times.len() > 3 && times.is_sorted(), "{times:?}");
    let failures = rows(&["timeline", "--failures"], "machine-keys");
    let changes = rows(&["timeline", "--changes"], "machine-keys");
    assert!(!failures.is_empty() && failures.len() < all.len());
    assert!(!changes.is_empty() && changes.len() < all.len());
    assert!(failures.iter().chain(&changes).all(|row| all.contains(row)));
    let since = times[times.len() / 2];
    let later = rows(&["timeline", "--since", since], "machine-keys");
    assert_eq!(
        later.len(),
        times.iter().filter(|time| **time >= since).count()
    );
}

#[test]
fn a_timeline_is_what_timesketch_imports() {
    let table = text(&["timeline", "-f", "csv"], "machine-keys");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let head: Vec<String> = reader
        .headers()
        .expect("a head")
        .iter()
        .map(str::to_owned)
        .collect();
    for column in ["message", "datetime", "timestamp_desc"] {
        assert!(head.iter().any(|name| name == column), "{column}: {head:?}");
    }
}
