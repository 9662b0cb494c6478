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
        assert!(!rule["needs"].as_array().expect("a list").is_empty());
    }
    assert!(table.contains("private-key") && table.contains("SYSTEM hive"));
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
fn the_cases_of_ones_own_rules_run_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    // The whole rule that the README begins with.
    let readme = include_str!("../src/rules/builtin/README.md");
    let rule = readme
        .split("```toml\n")
        .find(|block| block.starts_with("id = \"print-spooler-disabled\""))
        .and_then(|block| block.split("```").next())
        .expect("a whole rule");
    std::fs::write(folder.path().join("mine.toml"), rule).expect("written");
    let path = folder.path().display().to_string();
    let output = run(&["rules", "test", &path]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output), "1 rule, 3 cases, all hold\n");

    let broken = rule.replace("expect = \"confirmed\"", "expect = \"likely\"");
    std::fs::write(folder.path().join("mine.toml"), broken).expect("written");
    let output = run(&["rules", "test", &path]);
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("print-spooler-disabled, case \"disabled\""));
    assert!(out(&output).ends_with("1 rule, 3 cases, 1 does not hold\n"));

    let without = rule.split("[[case]]").next().expect("a head");
    std::fs::write(folder.path().join("mine.toml"), without).expect("written");
    assert!(out(&run(&["rules", "test", &path])).contains("has no case"));
}

#[test]
fn what_is_asked_is_explained() {
    let output = run(&["explain", "0x904", "0x7"]);
    assert_eq!(code(&output), 0);
    let text = out(&output);
    for part in [
        "client error 0x904, extended 0x7",
        "What usually lies behind it",
        "no-connection-arrived",
        "What to collect",
        "source  https://",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let json = run(&["explain", "schannel", "36874", "-f", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(said["schema_version"], 1);
    let answer = &said["answers"][0];
    assert_eq!(answer["subject"], "event");
    assert_eq!(answer["behind"][0]["rule"], "tls-no-common-suite");
    assert!(!answer["collect"].as_array().expect("a list").is_empty());
    assert!(out(&run(&["explain", "-2146893802"])).contains("NTE_BAD_KEYSET"));
    assert!(out(&run(&["explain", "state", "10013"])).contains("unofficial"));
    let unknown = run(&["explain", "0x800903FF"]);
    assert_eq!(code(&unknown), 0);
    assert!(out(&unknown).contains("not known here") && out(&unknown).contains("Schannel"));
    refuses(&["explain", "key-mising"], "did you mean key-missing?");
    refuses(&["explain", "shannel", "36874"], "schannel 36874");
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
