//! The command line: the only place that looks at arguments, terminal, environment and standard output.

mod archive;
mod args;
mod certs;
mod collect;
mod completions;
mod diagnose;
mod events;
mod exit_code;
mod explain;
mod facts;
mod fleet;
mod format_name;
mod incident;
mod negotiate;
mod output;
mod panic;
mod pfx;
mod progress;
mod registry;
mod rules;
mod run;
mod schema;
mod screen;
mod summary;
mod timeline;
mod volumes;

use std::process::ExitCode;

use clap::Parser;
use rdptriage::report::{Charset, escape};
use rdptriage::rules::RuleErrors;

use self::args::{Cli, Command};

/// Could not run.
const FAILED: u8 = 2;

/// Parses, runs, and says how it went.
pub(crate) fn main() -> ExitCode {
    panic::speak_for_ourselves();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A pipe that was closed on the help text is no fault.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(FAILED).into();
        }
    };
    match std::panic::catch_unwind(|| run(&cli.command)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            complain(&error);
            FAILED.into()
        }
        Err(_) => FAILED.into(),
    }
}

fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Diagnose(args) => diagnose::run(args),
        Command::Facts(args) => facts::run(args),
        Command::Negotiate(args) => negotiate::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Rules { command } => rules::run(command),
        Command::Timeline(args) => timeline::run(args),
        Command::Events(args) => events::run(args),
        Command::Registry(args) => registry::run(args),
        Command::Certs(args) => certs::run(args),
        Command::Volumes { image } => volumes::run(image),
        Command::Collect => collect::run(),
        Command::Schema => schema::run(),
        Command::Completions { shell } => completions::run(*shell),
        Command::Man => completions::man(),
    }
}

/// Says what went wrong. Names of files are the users' own, and may hold anything.
fn complain(error: &anyhow::Error) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let said = format!("{error:#}");
    // Those of rules say so themselves, each of them.
    let says_error = error.is::<RuleErrors>();
    for (index, line) in said.lines().enumerate() {
        let line = escape::visible(line, Charset::Unicode);
        match index {
            0 if !says_error => anstream::eprintln!("{red}error:{red:#} {line}"),
            _ => anstream::eprintln!("{line}"),
        }
    }
}
