//! The exit code: 0 healthy, 1 a cause is confirmed or likely, 3 inconclusive or only possible. 2 is for what could not run.

use std::process::ExitCode;

use rdptriage::verdict::exit_status;
use rdptriage::verdict::model::Report;

/// A cause is confirmed or likely.
const BROKEN: u8 = 1;
/// Something is open.
pub(crate) const OPEN: u8 = 3;

/// The most serious of all hosts', or 0 where the user wants that.
pub(crate) fn of(reports: &[Report], exit_zero: bool) -> ExitCode {
    most_serious(&[exit_status(reports)], exit_zero)
}

/// The most serious of these, or 0 where the user wants that.
pub(crate) fn most_serious(statuses: &[u8], exit_zero: bool) -> ExitCode {
    let worst = [BROKEN, OPEN]
        .into_iter()
        .find(|code| statuses.contains(code));
    match exit_zero {
        true => ExitCode::SUCCESS,
        false => worst.unwrap_or(0).into(),
    }
}
