//! The exit code: 0 healthy, 1 a cause is confirmed or likely, 3 inconclusive or only possible. 2 is for what could not run.

use std::process::ExitCode;

use rdptriage::verdict::model::{Report, Status};

/// The most serious of all hosts': 1, then 3, then 0.
pub(crate) fn of(reports: &[Report], exit_zero: bool) -> ExitCode {
    if exit_zero {
        return ExitCode::SUCCESS;
    }
    number(reports.iter().map(|report| report.verdict.status)).into()
}

fn number(verdicts: impl Iterator<Item = Status>) -> u8 {
    let codes: Vec<u8> = verdicts
        .map(|status| match status {
            Status::Confirmed | Status::Likely => 1,
            Status::Possible | Status::Inconclusive => 3,
            Status::Healthy => 0,
        })
        .collect();
    [1, 3]
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_serious_host_decides() {
        let number = |verdicts: &[Status]| number(verdicts.iter().copied());
        assert_eq!(number(&[Status::Healthy]), 0);
        assert_eq!(number(&[Status::Healthy, Status::Inconclusive]), 3);
        assert_eq!(number(&[Status::Possible]), 3);
        assert_eq!(
            number(&[Status::Inconclusive, Status::Likely, Status::Healthy]),
            1
        );
    }
}
