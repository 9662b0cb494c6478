//! `rdptriage rules`: what is judged, and whether rules of one's own are sound.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use jiff::tz::TimeZone;
use rdptriage::report::{Charset, Clock, ListFormat, escape, rule_list, rule_text};
use rdptriage::rules::model::Rule;
use rdptriage::rules::{Cases, RuleSet, case, load, show};

use super::args::{RulesCommand, ScreenArgs};
use super::{output, screen};

/// A case does not hold.
const FAILING: u8 = 1;

pub(crate) fn run(command: &RulesCommand) -> Result<ExitCode> {
    match command {
        RulesCommand::List {
            rules,
            format,
            screen,
        } => list(&set(rules.as_deref())?, (*format).into(), screen),
        RulesCommand::Show { id, rules, screen } => one(&set(rules.as_deref())?, id, screen),
        RulesCommand::Check { paths } => check(paths),
        RulesCommand::Test { folder } => test(folder.as_deref()),
    }
}

/// The built-in rules, and those of a folder.
pub(crate) fn set(folder: Option<&Path>) -> Result<RuleSet> {
    let builtin = RuleSet::builtin()?;
    Ok(match folder {
        Some(folder) => builtin.with_dir(folder, Cases::Optional)?,
        None => builtin,
    })
}

fn list(rules: &RuleSet, format: ListFormat, args: &ScreenArgs) -> Result<ExitCode> {
    let listed: Vec<show::Listed> = rules.rules().map(show::listed).collect();
    let options = screen::for_terminal(args, Clock::new(TimeZone::UTC));
    output::print_list(format, args.color, &rule_list(&listed, format, &options))?;
    Ok(ExitCode::SUCCESS)
}

fn one(rules: &RuleSet, id: &str, args: &ScreenArgs) -> Result<ExitCode> {
    let rule = named(rules, id)?;
    let options = screen::for_terminal(args, Clock::new(TimeZone::UTC));
    output::print_styled(&rule_text(rule, &options), args.color)?;
    Ok(ExitCode::SUCCESS)
}

/// The rule of that id, or an error that names the nearest.
pub(crate) fn named<'r>(rules: &'r RuleSet, id: &str) -> Result<&'r Rule> {
    if let Some(rule) = rules.rule(id) {
        return Ok(rule);
    }
    let near = rules
        .rules()
        .map(|rule| (strsim::damerau_levenshtein(id, &rule.id), &rule.id))
        .filter(|(distance, near)| *distance <= near.len() / 3)
        .min();
    match near {
        Some((_, near)) => bail!("there is no rule {id}; did you mean {near}?"),
        None => bail!("there is no rule {id}; `rdptriage rules list` names them all"),
    }
}

fn check(paths: &[PathBuf]) -> Result<ExitCode> {
    let files = rule_files(paths)?;
    let ids = ids(&files);
    // Beside the built-in rules, less those that are replaced: what is explained may be one of them.
    let builtin = RuleSet::builtin()?;
    let kept = builtin
        .rules()
        .filter(|rule| !ids.contains(&rule.id))
        .filter_map(|rule| Some((rule.file.as_str(), builtin.text(&rule.id)?)));
    let own = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    RuleSet::from_texts(kept.chain(own), Cases::Optional)?;
    let said = match files.len() {
        1 => "1 rule is sound\n".to_owned(),
        many => format!("{many} rules are sound\n"),
    };
    output::print(said.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The files, and the `*.toml` of the folders, with their texts.
fn rule_files(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries =
            fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()
            .with_context(|| format!("cannot read {}", path.display()))?;
        found.retain(|file| {
            file.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
        });
        if found.is_empty() {
            bail!(
                "{}: no rules in this folder; rules are files named *.toml",
                path.display()
            );
        }
        found.sort();
        files.extend(found);
    }
    files
        .into_iter()
        .map(|file| {
            let text = rdptriage::rules::set::read_file(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            Ok((file.display().to_string(), text))
        })
        .collect()
}

/// Runs the cases of the built-in rules, or those of a folder's own; of these it also says what no case needs.
fn test(folder: Option<&Path>) -> Result<ExitCode> {
    let rules = set(folder)?;
    let own = match folder {
        Some(folder) => Some(ids(&rule_files(&[folder.to_owned()])?)),
        None => None,
    };
    let tested: Vec<&Rule> = rules
        .rules()
        .filter(|rule| own.as_ref().is_none_or(|own| own.contains(&rule.id)))
        .collect();
    let mut failing = 0_usize;
    let mut cases = 0_usize;
    let mut said = String::new();
    for rule in &tested {
        for case in &rule.cases {
            cases += 1;
            let failures = case::run(rule, case).failures;
            if !failures.is_empty() {
                failing += 1;
                say(&mut said, &format!("{}, case \"{}\":", rule.id, case.name));
            }
            for line in failures.iter().flat_map(|failure| failure.lines()) {
                say(&mut said, &format!("  {line}"));
            }
        }
        if own.is_some() {
            remark(rule, &mut said);
        }
    }
    let rules = match tested.len() {
        1 => "1 rule".to_owned(),
        many => format!("{many} rules"),
    };
    let cases = match cases {
        1 => "1 case".to_owned(),
        many => format!("{many} cases"),
    };
    let outcome = match failing {
        0 => "all hold".to_owned(),
        1 => "1 does not hold".to_owned(),
        some => format!("{some} do not hold"),
    };
    say(&mut said, &format!("{rules}, {cases}, {outcome}"));
    output::print(said.as_bytes())?;
    Ok(match failing {
        0 => ExitCode::SUCCESS,
        _ => FAILING.into(),
    })
}

/// What a rule lacks that still is sound: cases, and tests that one of them needs.
fn remark(rule: &Rule, said: &mut String) {
    if rule.cases.is_empty() {
        say(
            said,
            &format!("{}: has no case, so nothing shows that it works", rule.id),
        );
        return;
    }
    let needless = case::needless_tests(rule);
    if !needless.is_empty() {
        let tests = needless.join("; ");
        say(
            said,
            &format!("{}: no case changes its level without: {tests}", rule.id),
        );
    }
}

/// A line of somebody else's words.
fn say(said: &mut String, line: &str) {
    said.push_str(&escape::visible(line, Charset::Unicode));
    said.push('\n');
}

/// The ids of the rules in these files that load.
fn ids(files: &[(String, String)]) -> BTreeSet<String> {
    files
        .iter()
        .filter_map(|(name, text)| Some(load::load(name, text).ok()?.rule.id))
        .collect()
}
