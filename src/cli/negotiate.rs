//! `rdptriage negotiate`: what a server and its clients would agree on in TLS.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, Format, TextOptions, negotiation};

use super::args::{FormatName, NegotiateArgs};
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
        FormatName::Text => {
            output::print_styled(
                &negotiation(&said, Format::Text, &options),
                args.screen.color,
            )?;
        }
        FormatName::Json => output::print(&negotiation(&said, Format::Json, &options))?,
    }
    Ok(ExitCode::SUCCESS)
}
