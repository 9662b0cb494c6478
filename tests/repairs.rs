//! What every built-in repair owes to whoever runs it: a risk, an undo that really restores, a way to see that it worked, and commands
//! that can be pasted.

use std::collections::{BTreeMap, BTreeSet};

use rdptriage::rules::RuleSet;
use rdptriage::rules::command::{Command, commands};
use rdptriage::rules::model::FixStep;

fn text(template: Option<&rdptriage::rules::template::Template>) -> String {
    template.map(ToString::to_string).unwrap_or_default()
}

fn only_reads(fix: &FixStep) -> bool {
    text(fix.risk.as_ref()).starts_with("none")
}

/// What is wrong with the steps of every rule, as `wrong` says of one step and the command lines before and of it.
fn faults(wrong: impl Fn(&FixStep, &[String]) -> Option<String>) -> Vec<String> {
    let rules = RuleSet::builtin().unwrap();
    let mut faults = Vec::new();
    for rule in rules.rules() {
        let mut lines = Vec::new();
        for (at, fix) in rule.fixes.iter().enumerate() {
            lines.push(text(fix.run.as_ref()));
            if let Some(what) = wrong(fix, &lines) {
                faults.push(format!("{} step {}: {what}", rule.id, at + 1));
            }
        }
    }
    faults
}

fn assert_none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_step_has_its_risk_and_every_change_its_undo_and_its_proof() {
    assert_none(&faults(|fix, _| {
        if fix.risk.is_none() {
            return Some("no risk".to_owned());
        }
        let lacks = [
            ("undo", fix.rollback.is_none()),
            ("verify", fix.verify.is_none()),
        ];
        let lacks: Vec<&str> = lacks
            .iter()
            .filter(|(_, lacks)| *lacks)
            .map(|(what, _)| *what)
            .collect();
        (!only_reads(fix) && !lacks.is_empty()).then(|| format!("no {}", lacks.join(", no ")))
    }));
}

#[test]
fn what_only_reads_writes_nothing() {
    const WRITES: [&str; 13] = [
        "Remove-",
        "Set-",
        "/grant",
        "/remove",
        "/setowner",
        " del ",
        "delete",
        "-delstore",
        "Restart-",
        "Stop-",
        "Move-Item",
        "/configure",
        "Disable-",
    ];
    assert_none(&faults(|fix, lines| {
        let run = lines.last()?;
        let writes = commands(run)
            .iter()
            .any(|command| matches!(command, Command::Write(_)));
        let word = WRITES.iter().find(|word| run.contains(**word));
        (only_reads(fix) && (writes || word.is_some()))
            .then(|| format!("says that it only reads: {run}"))
    }));
}

/// The files that a text saves to, or restores from, after any of these words.
fn files<'t>(line: &'t str, words: &[&str]) -> BTreeSet<&'t str> {
    let mut files = BTreeSet::new();
    for word in words {
        for (at, _) in line.match_indices(word) {
            let rest = line[at + word.len()..].trim_start();
            let file = rest
                .split([' ', '"', ';', ')', '\''])
                .next()
                .unwrap_or_default();
            files.insert(file.trim_end_matches(','));
        }
    }
    files
}

const RESTORES: [&str; 6] = [
    "reg import ",
    "/restore ",
    "/cfg ",
    "advfirewall import ",
    "Import-Clixml ",
    "auditpol /restore /file:",
];

fn saved(lines: &[String]) -> BTreeSet<String> {
    let mut saved = BTreeSet::new();
    for line in lines {
        for command in commands(line) {
            if let Command::Export { file, .. } = command {
                saved.insert(file);
            }
        }
        let other = files(
            line,
            &[
                "/save ",
                "secedit /export /cfg ",
                "advfirewall export ",
                "Export-Clixml ",
            ],
        );
        saved.extend(other.into_iter().map(str::to_owned));
    }
    saved
}

#[test]
fn what_an_undo_restores_was_saved_before() {
    assert_none(&faults(|fix, lines| {
        let undo = text(fix.rollback.as_ref());
        let saved = saved(lines);
        let lost: Vec<&str> = files(&undo, &RESTORES)
            .into_iter()
            .filter(|file| !saved.contains(*file))
            .collect();
        (!lost.is_empty()).then(|| format!("nothing saved {}: {undo}", lost.join(", ")))
    }));
}

/// `reg import` brings back what was there, and leaves what was added.
#[test]
fn an_undo_takes_away_what_was_added() {
    assert_none(&faults(|fix, lines| {
        let undo = text(fix.rollback.as_ref()).replace('"', "").to_lowercase();
        let left: Vec<String> = commands(lines.last()?)
            .into_iter()
            .filter_map(|command| match command {
                Command::Write(write) if !write.is_of_a_service() => Some(write),
                _ => None,
            })
            .filter(|write| {
                let value = write.value.clone().unwrap_or_default();
                let removed = format!("reg delete {} /v {value} /f", write.key).to_lowercase();
                !undo.contains("reg import") || (write.adds && !undo.contains(&removed))
            })
            .map(|write| write.place())
            .collect();
        (!left.is_empty()).then(|| format!("the undo leaves {}", left.join(", ")))
    }));
}

#[test]
fn one_file_holds_one_state() {
    let rules = RuleSet::builtin().unwrap();
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for rule in rules.rules() {
        for fix in &rule.fixes {
            for command in commands(&text(fix.run.as_ref())) {
                let Command::Export { key, file } = command else {
                    continue;
                };
                let known = held.entry(file.clone()).or_insert_with(|| key.clone());
                if *known != key {
                    faults.push(format!(
                        "{}: {file} holds {key}, and elsewhere {known}",
                        rule.id
                    ));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn commands_can_be_pasted() {
    let blanks = regex::Regex::new(r"(?:^|[^A-Za-z0-9$%_/])(SERVER|NAME|USER|NUMBER|ADDRESS|LICENCE-SERVER|PORT|THUMBPRINT|FILE|PATH|KEY)(?:[^A-Za-z0-9=_%]|$)").unwrap();
    assert_none(&faults(|fix, lines| {
        let undo = text(fix.rollback.as_ref());
        let run = lines.last()?;
        let found = blanks.captures(run).or_else(|| blanks.captures(&undo))?;
        Some(format!(
            "{} stands for something: {run} | {undo}",
            &found[1]
        ))
    }));
}

/// A prompt stops what is pasted or sent by a run command.
#[test]
fn deleting_asks_nothing() {
    assert_none(&faults(|fix, lines| {
        let undo = text(fix.rollback.as_ref());
        let asks = [lines.last()?, &undo]
            .into_iter()
            .flat_map(|line| line.split(" & "))
            .find(|part| {
                part.trim_start().starts_with("reg delete") && !part.contains("/f")
                    || part.trim_start().starts_with("reg add") && !part.contains("/f")
            });
        asks.map(str::to_owned)
    }));
}
