//! `rdptriage facts`: what the evidence says, and a case for a rule made of it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use jiff::tz::TimeZone;
use rdptriage::facts::redact::Redactor;
use rdptriage::report::{Charset, Clock, ListFormat, escape, fact_list};
use rdptriage::rules::{RuleSet, case};
use rdptriage::{Hashing, HostFacts, Options, verdict};

use super::args::FactsArgs;
use super::{incident, output, rules, screen};

pub(crate) fn run(args: &FactsArgs) -> Result<ExitCode> {
    let rules = rules::set(args.rules.as_deref())?;
    let incident = args
        .incident
        .as_deref()
        .map(|time| incident::parse("--incident", time, args.tz.as_ref()))
        .transpose()?;
    let options = Options {
        incident,
        client_addresses: args.client_address.clone(),
        hashing: Hashing::Off,
        access: args.archives.access(),
        pfx_passwords: args.pfx.passwords()?,
        ..Options::default()
    };
    match &args.as_case {
        Some(rule) => as_cases(args, rule.as_deref(), &rules, &options)?,
        None => list(args, &rules, &options)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &FactsArgs, rules: &RuleSet, options: &Options) -> Result<()> {
    let reports = rdptriage::diagnose(&args.paths, rules, options)?;
    let clock = Clock::new(args.tz.clone().unwrap_or(TimeZone::UTC));
    let shown = screen::for_terminal(&args.screen, clock);
    let format = ListFormat::from(args.format);
    let list = fact_list(&reports, &args.kind, format, &shown);
    output::print_list(format, args.screen.color, &list)
}

/// One case for each host.
fn as_cases(args: &FactsArgs, id: Option<&str>, rules: &RuleSet, options: &Options) -> Result<()> {
    if let Some(id) = id {
        // A mistake is told before the minutes that reading may take.
        rules::named(rules, id)?;
    }
    let mut cases = Vec::new();
    for host in rdptriage::gather(&args.paths, options)? {
        let id = match id {
            Some(id) => id.to_owned(),
            None => verdict_of(&host, rules)?,
        };
        let rule = rules::named(rules, &id)?;
        let mut redactor = Redactor::of(host.name.iter().chain(&host.aliases).cloned());
        let case = case::case_of(rule, &host.facts, &mut redactor);
        cases.push(format!("# {id}\n{case}"));
    }
    let shown: String = cases
        .join("\n")
        .lines()
        .map(|line| escape::visible(line, Charset::Unicode) + "\n")
        .collect();
    output::print(shown.as_bytes())
}

/// The rule that is the host's verdict.
fn verdict_of(host: &HostFacts, rules: &RuleSet) -> Result<String> {
    match verdict::judge(rules, &mut host.facts.clone()).cause {
        Some(cause) => Ok(cause.to_owned()),
        None => bail!(
            "there is no cause to print a case of; name a rule: --as-case=RULE (`rdptriage rules list` names them all)"
        ),
    }
}
