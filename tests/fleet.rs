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
    stdin.write_all(list.as_bytes()).unwrap();
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
