//! Every case of every built-in rule runs as a test of its own, and every test of every rule must be needed by one of them.

use std::collections::BTreeSet;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use rdptriage::rules::case::{needless_tests, run};
use rdptriage::rules::model::Rule;
use rdptriage::rules::{Cases, RuleSet};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![Trial::test(
        "the built-in rules are those of the folder",
        || same_as_folder().map_err(Failed::from),
    )];
    trials.push(Trial::test(
        "the built-in rules are those of the catalogue",
        || same_as_catalogue().map_err(Failed::from),
    ));
    match RuleSet::builtin() {
        Ok(rules) => {
            let tests: usize = rules.rules().map(|rule| rule.tests.len()).sum();
            let needless: usize = rules.rules().map(|rule| needless_tests(rule).len()).sum();
            if !arguments.list {
                println!(
                    "{} of {tests} tests of rules change a case's level when dropped",
                    tests - needless
                );
            }
            trials.extend(rules.rules().flat_map(trials_of));
        }
        Err(errors) => trials.push(Trial::test("the built-in rules load", move || {
            Err(errors.to_string().into())
        })),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The catalogue was copied by hand into the rules' README: a rule that is not in it has a name that nobody agreed on, and a cause
/// without a rule is one that nobody can find.
fn same_as_catalogue() -> Result<(), String> {
    const CAUSES: usize = 78;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/builtin/README.md");
    let readme = std::fs::read_to_string(readme).map_err(|error| error.to_string())?;
    let list = readme.split("## The catalogue").nth(1).unwrap_or_default();
    let listed: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.strip_suffix('`'))
        .collect();
    let catalogue: BTreeSet<&str> = listed.iter().copied().collect();
    if (listed.len(), catalogue.len()) != (CAUSES, CAUSES) {
        return Err(format!(
            "the list has {} lines and {} different ids, not {CAUSES}",
            listed.len(),
            catalogue.len()
        ));
    }
    let rules = RuleSet::builtin().map_err(|errors| errors.to_string())?;
    let built_in: BTreeSet<&str> = rules.rules().map(|rule| rule.id.as_str()).collect();
    let strangers: Vec<&&str> = built_in.difference(&catalogue).collect();
    if !strangers.is_empty() {
        return Err(format!("not in the catalogue: {strangers:?}"));
    }
    let missing: Vec<&str> = catalogue.difference(&built_in).copied().collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{} causes have no rule: {}",
            missing.len(),
            missing.join(", ")
        )),
    }
}

fn trials_of(rule: &Rule) -> Vec<Trial> {
    let mut trials: Vec<Trial> = rule
        .cases
        .iter()
        .map(|case| {
            let (rule, case) = (rule.clone(), case.clone());
            Trial::test(format!("{}: {}", rule.id, case.name), move || {
                let failures = run(&rule, &case).failures;
                if failures.is_empty() {
                    Ok(())
                } else {
                    Err(failures.join("\n").into())
                }
            })
        })
        .collect();
    let rule = rule.clone();
    trials.push(Trial::test(
        format!("{}: every test is needed", rule.id),
        move || {
            let needless = needless_tests(&rule);
            if needless.is_empty() {
                Ok(())
            } else {
                Err(format!("no case changes its level without: {}", needless.join("; ")).into())
            }
        },
    ));
    trials
}

/// A rule file that is not compiled in would be a rule that nobody runs.
fn same_as_folder() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules/builtin");
    let on_disk = RuleSet::from_texts([], Cases::Optional)
        .and_then(|empty| empty.with_dir(&folder, Cases::Required))
        .map_err(|errors| errors.to_string())?;
    let compiled = RuleSet::builtin().map_err(|errors| errors.to_string())?;
    let files = |rules: &RuleSet| -> BTreeSet<String> {
        rules.rules().map(|rule| rule.file.clone()).collect()
    };
    let (on_disk, compiled) = (files(&on_disk), files(&compiled));
    if on_disk == compiled {
        Ok(())
    } else {
        Err(format!(
            "in the folder: {on_disk:?}\ncompiled in: {compiled:?}"
        ))
    }
}
