//! Many collections in one run: a line for each, whatever becomes of the others.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str], list: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "--paths-from", "-"])
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who refuses the arguments does not read it.
    let _ = stdin.write_all(list.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> BTreeMap<String, Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["path"].as_str().unwrap().to_owned(), line)
    });
    lines.collect()
}

const HEALTHY: &str = "cng-key-healthy/collected";
const BROKEN: &str = "key-cut/collected";

#[test]
fn each_collection_gets_its_line_and_a_bad_one_stops_nothing() {
    let output = run(&[], &format!("{BROKEN}\r\n\nnowhere\n{HEALTHY}"));
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    assert_eq!(
        lines.keys().collect::<Vec<_>>(),
        [HEALTHY, BROKEN, "nowhere"]
    );
    assert_eq!(
        lines[BROKEN]["reports"][0]["verdict"]["cause"],
        "key-damaged"
    );
    assert_eq!(lines[HEALTHY]["reports"][0]["verdict"]["status"], "healthy");
    assert!(lines[HEALTHY].get("error").is_none());
    let why = lines["nowhere"]["error"].as_str().unwrap();
    assert!(why.contains("no such file"), "{why}");
    assert_eq!(lines["nowhere"]["reports"].as_array().unwrap().len(), 0);
    let summary = String::from_utf8(output.stderr).unwrap();
    for expected in ["CONTOSO-KY03", "confirmed", "healthy", "unreadable"] {
        assert!(summary.contains(expected), "{summary}");
    }
}

#[test]
fn a_line_is_what_the_collection_gives_by_itself() {
    let line = lines(&run(&["-q"], BROKEN)).remove(BROKEN).unwrap();
    let alone = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "-f", "json", BROKEN])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"))
        .output()
        .unwrap();
    let alone: Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(line["reports"], alone["reports"]);
    assert_eq!(line["schema_version"], alone["schema_version"]);
}

#[test]
fn exit_codes_tell_of_all_of_them() {
    let code = |arguments: &[&str], list: &str| run(arguments, list).status.code();
    assert_eq!(code(&[], HEALTHY), Some(0));
    assert_eq!(code(&[], &format!("{HEALTHY}\nnowhere\n")), Some(3));
    assert_eq!(code(&["--exit-zero"], BROKEN), Some(0));
    assert_eq!(code(&["--exit-zero"], "nowhere"), Some(2));
    assert_eq!(code(&[], ""), Some(2));
    assert_eq!(code(&["-f", "html"], HEALTHY), Some(2));
    let quiet = run(&["-q"], HEALTHY);
    assert!(quiet.stderr.is_empty());
}

/// Two hosts in one folder, each in one of its own; the second path of the alphabet holds the first name.
fn folder_of_two() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for (name, sample) in [("1", "two-causes"), ("2", "cng-key-healthy")] {
        copy(
            &samples.join(sample).join("collected"),
            &folder.path().join(name),
        );
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &copied),
            false => drop(std::fs::copy(&path, &copied).unwrap()),
        }
    }
}

fn diagnose(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .arg("diagnose")
        .args(arguments)
        .arg(folder)
        .output()
        .unwrap()
}

fn hosts(lines: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(lines).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .map(|line: Value| line["reports"][0].clone())
        .collect()
}

#[test]
fn a_folder_of_hosts_gives_a_line_each_by_name_and_a_table_beside_them() {
    let folder = folder_of_two();
    let output = diagnose(&["-f", "jsonl"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    let reports = hosts(&output.stdout);
    let names: Vec<&str> = reports
        .iter()
        .map(|report| report["host"]["name"].as_str().unwrap())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names.len(), 2);
    assert_eq!(names, sorted);
    // The same as the whole document, which has the most serious first.
    let whole = diagnose(&["-f", "json"], folder.path());
    let whole: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!(whole["reports"][0]["verdict"]["status"], "confirmed");
    for report in whole["reports"].as_array().unwrap() {
        assert!(reports.contains(report));
    }
    let table = String::from_utf8(output.stderr).unwrap();
    for expected in ["first failure", "confirmed", "healthy", names[0], names[1]] {
        assert!(table.contains(expected), "{table}");
    }
    assert!(
        diagnose(&["-f", "jsonl", "-q"], folder.path())
            .stderr
            .is_empty()
    );
}

#[test]
fn what_people_read_of_several_hosts_ends_in_a_table() {
    let folder = folder_of_two();
    let output = diagnose(&["--width", "100"], folder.path());
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, table) = text.rsplit_once("first failure\n").expect("a table");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert!(rows[0].contains("confirmed"), "{table}");
    assert!(rows[1].contains("healthy"), "{table}");
    // One host is its own summary.
    let alone = diagnose(&[], &folder.path().join("1"));
    let alone = String::from_utf8(alone.stdout).unwrap();
    assert!(!alone.contains("first failure\n"), "{alone}");
}
