//! `rdptriage timeline`: what happened, in order.

use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rdptriage::report::timeline::{Only, Span, listing, moments};
use rdptriage::report::{Clock, ListFormat, redact};
use rdptriage::{Hashing, Options};

use super::args::{SpanArgs, TimelineArgs};
use super::{incident, output, rules, screen};

pub(crate) fn run(args: &TimelineArgs) -> Result<ExitCode> {
    let (since, until) = span(&args.span)?;
    let span = Span {
        since,
        until,
        only: match (args.changes, args.failures) {
            (true, _) => Only::Changes,
            (_, true) => Only::Failures,
            (false, false) => Only::Everything,
        },
    };
    let options = Options {
        hashing: Hashing::Off,
        access: args.archives.access(),
        ..Options::default()
    };
    let mut reports = rdptriage::diagnose(&args.paths, &rules::set(None)?, &options)?;
    if args.redact {
        reports = redact(&reports);
    }
    let found = moments(&reports, &span);
    let clock = clock(args.span.tz.as_ref());
    let format = ListFormat::from(args.format);
    let listing = match format {
        ListFormat::Text => listing(&found, Some(&clock)),
        ListFormat::Csv | ListFormat::Jsonl | ListFormat::Json => listing(&found, None),
    };
    if listing.is_empty() {
        anstream::eprintln!("nothing happened in that time that any rule asks about");
    }
    let options = screen::for_terminal(&args.screen, clock);
    output::print_list(format, args.screen.color, &listing.render(format, &options))?;
    Ok(ExitCode::SUCCESS)
}

/// The ends of a stretch of time.
pub(crate) fn span(args: &SpanArgs) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let end = |option: &str, text: &Option<String>| {
        text.as_deref()
            .map(|text| incident::parse(option, text, args.tz.as_ref()))
            .transpose()
    };
    Ok((end("--since", &args.since)?, end("--until", &args.until)?))
}

/// The zone that was asked for, or UTC.
pub(crate) fn clock(zone: Option<&TimeZone>) -> Clock {
    Clock::new(zone.cloned().unwrap_or(TimeZone::UTC))
}
