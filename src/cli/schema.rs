//! `rdptriage schema`: the JSON Schema of the JSON report.

use std::process::ExitCode;

use anyhow::Result;

use super::output;

pub(crate) fn run() -> Result<ExitCode> {
    output::print(&rdptriage::report::schema())?;
    Ok(ExitCode::SUCCESS)
}
