//! The exit code: 0 healthy, 1 a cause is confirmed or likely, 3 inconclusive or only possible. 2 is for what could not run.

use std::process::ExitCode;

use rdptriage::verdict::exit_status;
use rdptriage::verdict::model::Report;

/// The most serious of all hosts', or 0 where the user wants that.
pub(crate) fn of(reports: &[Report], exit_zero: bool) -> ExitCode {
    match exit_zero {
        true => ExitCode::SUCCESS,
        false => exit_status(reports).into(),
    }
}
