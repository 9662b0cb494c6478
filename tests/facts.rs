//! `rdptriage facts`: the table, the formats for programs, single kinds, a case for a rule, and what it says to mistakes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .arg("facts")
        .args(arguments)
        .env("LANG", "en_US.UTF-8")
        .env_remove("LC_ALL")
        .env_remove("LC_CTYPE")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// What a run prints that goes well, with nothing on standard error.
#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), said.as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a run says that is refused, and prints nothing.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn sample(name: &str) -> String {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let folder: PathBuf = samples.join(name).join("collected");
    folder.to_str().expect("UTF-8").to_owned()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(arguments)).expect("JSON")
}

/// The facts of the one host.
fn facts(listed: &Value) -> &Vec<Value> {
    let hosts = listed.as_array().expect("hosts");
    assert_eq!(hosts.len(), 1);
    hosts[0]["facts"].as_array().expect("facts")
}

fn kinds(facts: &[Value]) -> BTreeSet<&str> {
    let kinds = facts.iter().map(|fact| fact["kind"].as_str());
    kinds.map(|kind| kind.expect("a kind")).collect()
}

/// The lines of a table that begin a fact; the others go on with one.
fn rows(table: &str) -> usize {
    let begins = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    table.lines().filter(begins).count()
}

#[test]
fn the_table_has_a_part_for_each_kind_and_a_line_for_each_fact() {
    let path = sample("protocols-off");
    let listed = json(&[&path, "-f", "json"]);
    let table = printed(&[&path, "--width", "200"]);
    assert!(table.starts_with("CONTOSO-"), "{table}");
    let count = facts(&listed).len();
    assert!(
        table.contains(&format!("{count} facts, times in UTC")),
        "{table}"
    );
    let heads: BTreeSet<&str> = kinds(facts(&listed));
    assert!(heads.len() > 10, "{heads:?}");
    let lines: BTreeSet<&str> = table.lines().map(str::trim_end).collect();
    for kind in heads {
        assert!(lines.contains(kind), "{kind} has no part:\n{table}");
    }
    assert_eq!(rows(&table), count, "{table}");
    // A fact that has no time, one that has, and where each comes from.
    assert!(
        table.contains("System.evtx #") && table.contains("SYSTEM!"),
        "{table}"
    );
    assert!(
        !table.contains(&path),
        "paths are those within the collection"
    );
    assert!(!table.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn times_are_shown_in_the_zone_that_is_asked_for() {
    let path = sample("protocols-off");
    let attempts = [&path[..], "--kind", "connection.attempt", "--width", "200"];
    let utc = printed(&attempts);
    let there = printed(&[&attempts[..], &["--tz", "+05:30"]].concat());
    assert!(there.contains("times in UTC+05:30"), "{there}");
    assert!(rows(&utc) > 0 && rows(&utc) == rows(&there), "{there}");
    // The first attempt is of 2026-11-09T07:30:00Z.
    assert!(utc.contains("  2026-11-09 07:30:00  ") && there.contains("  2026-11-09 13:00:00  "));
}

#[test]
fn json_names_the_source_of_every_fact_and_is_the_same_each_time() {
    let path = sample("key-zeroed");
    let listed = json(&[&path, "-f", "json"]);
    assert_eq!(listed, json(&[&path, "-f", "json"]));
    let facts = facts(&listed);
    let ids: BTreeSet<&str> = facts
        .iter()
        .filter_map(|fact| fact["id"].as_str())
        .collect();
    assert_eq!(ids.len(), facts.len(), "each has an id of its own");
    for fact in facts {
        let sources = fact["sources"].as_array().expect("sources");
        assert!(!sources.is_empty(), "{fact}");
        for derived in sources
            .iter()
            .filter_map(|source| source["facts"].as_array())
            .flatten()
        {
            assert!(ids.contains(derived.as_str().expect("an id")), "{fact}");
        }
    }
    assert!(listed[0]["gaps"].is_array());
    assert!(listed[0]["host"]["name"].is_string());
}

#[test]
fn every_format_lists_the_same_facts() {
    let path = sample("key-zeroed");
    let listed = json(&[&path, "-f", "json"]);
    let lines = printed(&[&path, "-f", "jsonl"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(Value::Array(lines), listed);
    let rows = printed(&[&path, "-f", "csv"]);
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    let head: Vec<String> = reader
        .headers()
        .expect("a head")
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(head, ["host", "id", "kind", "time", "says", "source"]);
    let ids: Vec<String> = reader
        .records()
        .map(|row| row.expect("a row")[1].to_owned())
        .collect();
    let expected: Vec<&str> = facts(&listed)
        .iter()
        .filter_map(|fact| fact["id"].as_str())
        .collect();
    assert_eq!(ids, expected);
}

#[test]
fn only_the_kinds_that_are_asked_for_are_listed() {
    let path = sample("key-zeroed");
    let all = json(&[&path, "-f", "json"]);
    let all = facts(&all);
    let both = json(&[
        &path,
        "-f",
        "json",
        "--kind",
        "key_file.state",
        "--kind",
        "host.identity",
    ]);
    let wanted: Vec<&Value> = all
        .iter()
        .filter(|fact| {
            ["key_file.state", "host.identity"].contains(&fact["kind"].as_str().unwrap_or(""))
        })
        .collect();
    let found: Vec<&Value> = facts(&both).iter().collect();
    assert!(!found.is_empty());
    assert_eq!(found, wanted);
    // A kind that this collection says nothing of is no mistake.
    let none = kinds(all);
    let none = rdptriage::facts::catalog::KINDS
        .iter()
        .find(|kind| !none.contains(kind.name));
    let none = none.expect("a kind without facts").name;
    assert_eq!(
        facts(&json(&[&path, "-f", "json", "--kind", none])).len(),
        0
    );
    assert!(printed(&[&path, "--kind", none]).contains("0 facts"));
}

#[test]
fn a_case_is_printed_for_the_verdict_or_for_the_rule_that_is_named() {
    let path = sample("key-zeroed");
    let case = printed(&[&path, "--as-case"]);
    assert!(case.starts_with("# key-damaged\n[[case]]\n"), "{case}");
    assert!(case.contains("expect = \"confirmed\""), "{case}");
    let other = printed(&[&path, "--as-case=key-missing"]);
    assert!(other.starts_with("# key-missing\n[[case]]\n"), "{other}");
    assert!(other.contains("expect = \"ruled-out\""), "{other}");
    for case in [case, other] {
        assert!(
            !case.contains("CONTOSO") && !case.contains("10.20."),
            "{case}"
        );
        let read: toml::Table = toml::from_str(&case).expect("TOML");
        assert_eq!(read["case"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn a_printed_case_can_be_put_into_a_rule_file_and_holds() {
    let path = sample("key-zeroed");
    let case = printed(&[&path, "--as-case"]);
    let folder = tempfile::TempDir::new().expect("a folder");
    let rule = folder.path().join("key-damaged.toml");
    let builtin = include_str!("../src/rules/builtin/key-damaged.toml");
    std::fs::write(&rule, format!("{builtin}\n{case}")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["rules", "test"])
        .arg(folder.path())
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_healthy_machine_has_no_case_until_a_rule_is_named() {
    let path = sample("healthy-under-scan");
    assert!(refused(&[&path, "--as-case"]).contains("name a rule: --as-case=RULE"));
    let case = printed(&[&path, "--as-case=key-missing"]);
    assert!(case.contains("expect = \"ruled-out\""), "{case}");
}

#[test]
fn mistakes_are_told_with_what_was_perhaps_meant() {
    let path = sample("key-zeroed");
    let said = refused(&[&path, "--kind", "key_file.stat"]);
    assert!(said.contains("did you mean key_file.state"), "{said}");
    // Part of a name: all that have it.
    let said = refused(&[&path, "--kind", "key_file"]);
    assert!(
        said.contains("key_file.state") && said.contains("key_file.access"),
        "{said}"
    );
    // Nothing like it: all there are.
    let said = refused(&[&path, "--kind", "xyzzy"]);
    assert!(
        said.contains("key_file.state") && said.contains("connection.state"),
        "{said}"
    );
    let said = refused(&[&path, "--as-case=key-mising"]);
    assert!(said.contains("did you mean key-missing"), "{said}");
    assert!(refused(&[&path, "--as-case=xyzzy"]).contains("rdptriage rules list"));
    assert!(
        refused(&[&path, "--as-case", "--kind", "host.identity"]).contains("cannot be used with")
    );
    assert!(refused(&[&path, "-f", "yaml"]).contains("possible values: text, json"));
    assert!(refused(&[&path, "--incident", "yesterday"]).contains("--incident"));
    assert!(refused(&[]).contains("<PATH>"));
}

#[test]
fn what_cannot_be_read_is_named() {
    let said = refused(&["/nowhere/at/all"]);
    assert!(said.contains("/nowhere/at/all"), "{said}");
    let empty = tempfile::TempDir::new().expect("a folder");
    let path = empty.path().to_str().expect("UTF-8");
    assert!(!refused(&[path]).is_empty());
    std::fs::write(empty.path().join("notes.txt"), "nothing to see").expect("written");
    assert!(!refused(&[path]).is_empty());
}
