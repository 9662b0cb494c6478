//! `rdptriage events`: event records, looked up.

use std::process::ExitCode;

use anyhow::{Result, bail};
use rdptriage::bundle;
use rdptriage::lookup::events::{self, Query};
use rdptriage::report::{ListFormat, event_list};

use super::args::EventsArgs;
use super::timeline::{clock, span};
use super::{output, screen};

pub(crate) fn run(args: &EventsArgs) -> Result<ExitCode> {
    let (since, until) = span(&args.span)?;
    let bundle = bundle::open_with(&args.paths, &args.archives.access())?;
    let query = Query {
        providers: args.provider.clone(),
        ids: args.id.clone(),
        text: args.text.clone(),
        since,
        until,
    };
    let found = events::find(&bundle, &query);
    for problem in &found.problems {
        output::remark(problem);
    }
    if found.logs == 0 {
        bail!("there is no event log among these files");
    }
    let from = found
        .events
        .len()
        .saturating_sub(args.limit.unwrap_or(usize::MAX));
    let format = ListFormat::from(args.format);
    let options = screen::for_terminal(&args.screen, clock(args.span.tz.as_ref()));
    let listing = event_list(
        found.events.get(from..).unwrap_or_default(),
        format,
        &options.clock,
    );
    if listing.is_empty() {
        output::remark("no record matches");
    } else if from > 0 {
        output::remark(&format!(
            "the newest {} of {} records",
            found.events.len() - from,
            found.events.len()
        ));
    }
    output::print_list(format, args.screen.color, &listing.render(format, &options))?;
    Ok(ExitCode::SUCCESS)
}
