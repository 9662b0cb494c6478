//! `rdptriage diagnose`: reads, judges, prints.

use std::ops::ControlFlow;
use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, Format, TextOptions, redact};
use rdptriage::verdict::exit_status;

use super::args::DiagnoseArgs;
use super::output::{self, OutputFile};
use super::run::{each_report, options, reports};
use super::summary::Summary;
use super::{exit_code, fleet, incident, screen};

pub(crate) fn run(args: &DiagnoseArgs) -> Result<ExitCode> {
    // What cannot be written is said before the work, not after it.
    let files = args
        .output
        .iter()
        .map(|path| OutputFile::plan(path, &args.paths))
        .collect::<Result<Vec<_>>>()?;
    let incident = args
        .incident
        .as_deref()
        .map(|time| incident::parse("--incident", time, args.tz.as_ref()))
        .transpose()?;

    if let Some(list) = &args.paths_from {
        return fleet::run(args, list, &options(args, incident)?);
    }

    let clock = Clock::new(args.tz.clone().unwrap_or(TimeZone::UTC));
    if Format::from(args.format) == Format::Jsonl && files.is_empty() {
        return each_host(args, incident, clock);
    }

    let mut reports = reports(args, incident)?;
    if args.redact {
        reports = redact(&reports);
    }

    // A file is opened by somebody who wants to read; -q is for the terminal.
    let in_file = match args.verbose {
        true => Detail::Reasoning,
        false => Detail::Screen,
    };
    let detail = match args.quiet {
        true => Detail::Verdict,
        false => in_file,
    };
    for file in &files {
        let options = screen::for_file(&args.screen, clock.clone(), in_file);
        file.write(&file.format().render(&reports, &options))?;
    }
    let options = TextOptions {
        detail,
        ..screen::for_terminal(&args.screen, clock)
    };
    let format = Format::from(args.format);
    let mut bytes = format.render(&reports, &options);
    if format == Format::Text && !args.quiet {
        let mut summary = Summary::default();
        reports.iter().for_each(|report| summary.add(None, report));
        if summary.is_of_several() {
            bytes.push(b'\n');
            bytes.extend(summary.render(&options));
        }
    }
    match format.is_styled() {
        true => output::print_styled(&bytes, args.screen.color)?,
        false => output::print(&bytes)?,
    }
    Ok(exit_code::of(&reports, args.exit_zero))
}

/// Prints a line for each host as soon as it is judged, the hosts by name, and a table of several beside the findings: no more is in
/// memory than the hosts in work.
fn each_host(args: &DiagnoseArgs, incident: Option<Timestamp>, clock: Clock) -> Result<ExitCode> {
    let options = screen::for_terminal(&args.screen, clock);
    let mut summary = Summary::default();
    let mut statuses = Vec::new();
    let mut printed = Ok(());
    each_report(args, incident, &mut |report| {
        let reports = match args.redact {
            true => redact(&[report]),
            false => vec![report],
        };
        statuses.push(exit_status(&reports));
        reports.iter().for_each(|report| summary.add(None, report));
        match output::print_on(&Format::Jsonl.render(&reports, &options)) {
            Ok(flow) => flow,
            Err(error) => {
                printed = Err(error);
                ControlFlow::Break(())
            }
        }
    })?;
    printed?;
    if summary.is_of_several() && !args.quiet {
        output::remark_styled(&summary.render(&options))?;
    }
    Ok(exit_code::most_serious(&statuses, args.exit_zero))
}
