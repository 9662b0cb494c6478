//! From what was asked to the reports: the seam to the library.

use anyhow::{Result, bail};
use jiff::Timestamp;
use rdptriage::verdict::model::Report;

use super::args::DiagnoseArgs;

pub(crate) fn reports(args: &DiagnoseArgs, incident: Option<Timestamp>) -> Result<Vec<Report>> {
    let _ = (
        &args.rules,
        args.no_hash,
        &args.client_address,
        &args.client_error,
        incident,
    );
    bail!("nothing can be read yet")
}
