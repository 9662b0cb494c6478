//! `rdptriage completions` and `rdptriage man`: what shells and readers of manuals are given, made of the arguments themselves.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::output;

pub(crate) fn run(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rdptriage", &mut script);
    output::print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// One page: the program, and every command of it.
pub(crate) fn man() -> Result<ExitCode> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    let made = || "cannot make the manual page";
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .with_context(made)?;
    for part in command
        .get_subcommands()
        .filter(|part| part.get_name() != "help")
    {
        let man = clap_mangen::Man::new(part.clone());
        page.extend_from_slice(
            format!(".SH \"rdptriage {}\"\n", part.get_name().to_uppercase()).as_bytes(),
        );
        man.render_description_section(&mut page)
            .with_context(made)?;
        man.render_options_section(&mut page).with_context(made)?;
        man.render_extra_section(&mut page).with_context(made)?;
    }
    output::print(&page)?;
    Ok(ExitCode::SUCCESS)
}
