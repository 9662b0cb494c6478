//! `rdptriage collect`: the script that collects on the server.

use std::process::ExitCode;

use anyhow::Result;
use rdptriage::facts::channel::channels;

use super::output;

const SCRIPT: &str = include_str!("collect.ps1");

pub(crate) fn run() -> Result<ExitCode> {
    output::print(script().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The script, with every log that a rule asks for.
fn script() -> String {
    let channels: Vec<String> = channels()
        .iter()
        .map(|channel| format!("    '{channel}'"))
        .collect();
    SCRIPT.replace("@CHANNELS@", &channels.join(",\n"))
}
