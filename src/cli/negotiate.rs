//! `rdptriage negotiate`: what a server and its clients would agree on in TLS.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, TextOptions, negotiation_json, negotiation_text};

use super::args::NegotiateArgs;
use super::format_name::TextOrJsonName;
use super::{output, screen};

pub(crate) fn run(args: &NegotiateArgs) -> Result<ExitCode> {
    let said = rdptriage::negotiate(&args.server, &args.client)?;
    let clock = Clock::new(args.tz.clone().unwrap_or(TimeZone::UTC));
    let options = TextOptions {
        detail: match args.verbose {
            true => Detail::Reasoning,
            false => Detail::Screen,
        },
        ..screen::for_terminal(&args.screen, clock)
    };
    match args.format {
        TextOrJsonName::Text => {
            output::print_styled(&negotiation_text(&said, &options), args.screen.color)?;
        }
        TextOrJsonName::Json => output::print(&negotiation_json(&said))?,
    }
    Ok(ExitCode::SUCCESS)
}
