//! The program as it is run: arguments, exit codes, what goes where.

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn rdptriage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdptriage"));
    for name in [
        "LC_ALL",
        "LC_CTYPE",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "CLICOLOR",
    ] {
        command.env_remove(name);
    }
    command.env("LANG", "en_US.UTF-8").stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    rdptriage()
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// It refuses with 2, says why on standard error, and prints no finding.
#[track_caller]
fn refuses(arguments: &[&str], because: &str) {
    let output = run(arguments);
    assert_eq!(code(&output), 2, "{arguments:?}");
    assert_eq!(out(&output), "", "{arguments:?}");
    assert!(
        err(&output).contains(because),
        "{arguments:?}: {}",
        err(&output)
    );
}

#[test]
fn without_arguments_it_says_what_it_can_do() {
    let output = run(&[]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("diagnose")
            && err(&output).contains("Start with: rdptriage diagnose FOLDER")
    );
}

#[test]
fn help_has_groups_examples_and_exit_codes() {
    let output = run(&["diagnose", "--help"]);
    assert_eq!(code(&output), 0);
    let help = out(&output);
    for part in [
        "What you know:",
        "Output:",
        "Examples:",
        "Exit codes:",
        "--client-address <IP>",
    ] {
        assert!(help.contains(part), "{part} is missing:\n{help}");
    }
}

#[test]
fn only_formats_that_exist_are_offered() {
    let help = out(&run(&["diagnose", "--help"]));
    assert!(help.contains("text") && help.contains("json"));
    refuses(&["diagnose", ".", "-f", "pdf"], "invalid value 'pdf'");
}

#[test]
fn a_mistyped_option_is_answered_with_the_nearest() {
    refuses(
        &["diagnose", ".", "--client-adress", "10.0.0.1"],
        "--client-address",
    );
    refuses(&["diagnos", "."], "diagnose");
    refuses(
        &["rules", "show", "tls-handshake-faild"],
        "did you mean tls-handshake-failed?",
    );
}

#[test]
fn wrong_values_are_refused_with_what_is_right() {
    refuses(&["diagnose"], "<PATH>");
    refuses(&["diagnose", ".", "--client-error", "tls"], "0x904/0x7");
    refuses(
        &["diagnose", ".", "--client-address", "10.0.0"],
        "IP address",
    );
    refuses(&["diagnose", ".", "--tz", "Mars/Olympus"], "Europe/Berlin");
    refuses(&["diagnose", ".", "--width", "20"], "60..=200");
    refuses(&["diagnose", ".", "--incident", "2026-11-18 09:58"], "--tz");
    refuses(&["diagnose", ".", "-q", "-v"], "cannot be used with");
}

#[test]
fn a_report_is_never_written_into_the_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("case.json");
    let input = folder.path().display().to_string();
    refuses(
        &["diagnose", &input, "-o", &inside.display().to_string()],
        "evidence",
    );
    assert!(!inside.exists());
}

#[test]
fn a_file_that_cannot_be_written_is_said_before_the_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().display().to_string();
    refuses(&["diagnose", &input, "-o", "case.pdf"], "names no format");
    refuses(
        &["diagnose", &input, "-o", "/no/such/folder/case.txt"],
        "/no/such/folder",
    );
}

#[test]
fn the_schema_is_a_schema() {
    let output = run(&["schema"]);
    assert_eq!(code(&output), 0);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema));
    assert!(out(&output).ends_with("}\n"));
}

#[test]
fn rules_are_listed_for_people_and_for_programs() {
    let table = out(&run(&["rules", "list"]));
    assert!(table.starts_with("Rule "), "{table}");
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );
    let json = run(&["rules", "list", "-f", "json"]);
    let rules: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).expect("an array");
    assert!(!rules.is_empty());
    for rule in &rules {
        let id = rule["id"].as_str().expect("an id");
        assert!(table.contains(id), "{id}");
        assert!(
            rule["family"].is_string() && rule["standing"].is_string() && rule["title"].is_string()
        );
        assert!(rule["explains"].is_array());
    }
}

#[test]
fn a_rule_is_shown_with_its_tests() {
    let output = run(&["rules", "show", "termservice-disabled"]);
    assert_eq!(code(&output), 0);
    assert!(out(&output).starts_with("termservice-disabled") && out(&output).contains("decisive"));
}

#[test]
fn the_cases_of_the_rules_hold() {
    let output = run(&["rules", "test"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert!(out(&output).ends_with("all hold\n"));
}

#[test]
fn a_rule_of_ones_own_is_checked_with_line_and_caret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "id = \"mine\"\nfamliy = \"tls\"\n").expect("written");
    for path in [file.as_path(), folder.path()] {
        let output = run(&["rules", "check", &path.display().to_string()]);
        assert_eq!(code(&output), 2);
        assert!(
            err(&output).contains("mine.toml:2:1") && err(&output).contains('^'),
            "{}",
            err(&output)
        );
    }
    refuses(
        &["rules", "check", "/no/such/rule.toml"],
        "/no/such/rule.toml",
    );
}

#[test]
fn colors_are_there_only_when_they_are_wanted() {
    let styled = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = rdptriage()
            .args(arguments)
            .envs(variables.iter().copied())
            .output();
        out(&output.expect("the program starts")).contains('\u{1b}')
    };
    assert!(!styled(&["rules", "list"], &[]), "a pipe");
    assert!(styled(&["rules", "list", "--color", "always"], &[]));
    assert!(styled(&["rules", "list"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!styled(
        &["rules", "list"],
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
    ));
    assert!(!styled(
        &["rules", "list", "--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
}

#[test]
fn a_pipe_that_is_closed_is_no_failure() {
    for arguments in [&["schema"][..], &["rules", "list"], &["--help"]] {
        let mut child = rdptriage()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert_eq!(err(&output), "", "{arguments:?}");
    }
}

#[test]
fn control_characters_in_a_path_are_not_sent_to_the_terminal() {
    let output = run(&["rules", "check", "no\u{1b}[31msuch.toml"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("no\\u{1b}[31msuch.toml"));
    assert!(!Path::new("no\u{1b}[31msuch.toml").exists());
}
