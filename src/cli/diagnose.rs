//! `rdptriage diagnose`: reads, judges, prints.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, Format, TextOptions, redact};

use super::args::DiagnoseArgs;
use super::output::{self, OutputFile};
use super::run::{options, reports};
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
    let clock = Clock::new(args.tz.clone().unwrap_or(TimeZone::UTC));
    for file in &files {
        let options = screen::for_file(&args.screen, clock.clone(), in_file);
        file.write(&file.format().render(&reports, &options))?;
    }
    let options = TextOptions {
        detail,
        ..screen::for_terminal(&args.screen, clock)
    };
    let format = Format::from(args.format);
    let bytes = format.render(&reports, &options);
    match format.is_styled() {
        true => output::print_styled(&bytes, args.screen.color)?,
        false => output::print(&bytes)?,
    }
    Ok(exit_code::of(&reports, args.exit_zero))
}
