//! From what was asked to the reports: the seam to the library.

use anyhow::{Result, bail};
use jiff::Timestamp;
use rdptriage::verdict::model::Report;

use super::args::DiagnoseArgs;
use super::rules;

/// Reads and judges. The rules are looked at first: a mistake in them is told before the minutes that reading may take.
pub(crate) fn reports(args: &DiagnoseArgs, incident: Option<Timestamp>) -> Result<Vec<Report>> {
    let _rules = rules::set(args.rules.as_deref())?;
    let _known = (
        &args.paths,
        &args.client_address,
        &args.client_error,
        incident,
        args.no_hash,
    );
    bail!("this build cannot read evidence yet")
}
