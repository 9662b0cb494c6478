//! `rdptriage diagnose`: reads, judges, prints.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, Format, TextOptions};

use super::args::{DiagnoseArgs, FormatName};
use super::output::{self, OutputFile};
use super::run::reports;
use super::{exit_code, incident, screen};

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
        .map(|time| incident::parse(time, args.tz.as_ref()))
        .transpose()?;

    let reports = reports(args, incident)?;

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
    let format = match args.format {
        FormatName::Text => Format::Text,
        FormatName::Json => Format::Json,
    };
    let bytes = format.render(&reports, &options);
    match format {
        Format::Text => output::print_styled(&bytes, args.screen.color)?,
        Format::Json => output::print(&bytes)?,
    }
    Ok(exit_code::of(&reports, args.exit_zero))
}
