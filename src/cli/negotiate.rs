//! `rdptriage negotiate`: what a server and its clients would agree on in TLS.

use std::process::ExitCode;

use anyhow::Result;
use jiff::tz::TimeZone;
use rdptriage::report::{Clock, Detail, NegotiationFormat, TextOptions, negotiation};

use super::args::NegotiateArgs;
use super::format_name::NegotiationFormatName;
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
        NegotiationFormatName::Text => {
            let bytes = negotiation(&said, NegotiationFormat::Text, &options);
            output::print_styled(&bytes, args.screen.color)?;
        }
        NegotiationFormatName::Json => {
            output::print(&negotiation(&said, NegotiationFormat::Json, &options))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
