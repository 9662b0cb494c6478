//! `rdptriage explain`: what a code, an event or a rule means, and what usually lies behind it.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::explain;
use rdptriage::report::{Clock, explanation_json, explanation_text};

use super::args::ExplainArgs;
use super::format_name::TextOrJsonName;
use super::{output, rules, screen};

pub(crate) fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let rules = rules::set(args.rules.as_deref())?;
    let explained = explain::explain(&args.what.join(" "), &rules)?;
    match args.format {
        TextOrJsonName::Text => {
            let options = screen::for_terminal(&args.screen, Clock::new(TimeZone::UTC));
            output::print_styled(&explanation_text(&explained, &options), args.screen.color)?;
        }
        TextOrJsonName::Json => output::print(&explanation_json(&explained))?,
    }
    Ok(ExitCode::SUCCESS)
}
