//! From what was asked to the reports: the seam to the library.

use anyhow::{Context, Result};
use jiff::Timestamp;
use rdptriage::verdict::model::Report;
use rdptriage::{Hashing, Options};

use super::args::DiagnoseArgs;
use super::progress::Bar;
use super::rules;

/// Reads and judges. The rules are looked at first: a mistake in them is told before the minutes that reading may take.
pub(crate) fn reports(args: &DiagnoseArgs, incident: Option<Timestamp>) -> Result<Vec<Report>> {
    let rules = rules::set(args.rules.as_deref())?;
    let options = Options {
        incident,
        client_addresses: args.client_address.clone(),
        client_error: args.client_error.clone(),
        access: args.archives.access(),
        client: args.client.as_deref().map(rdptriage::client).transpose()?,
        hashing: match args.no_hash {
            true => Hashing::Off,
            false => Hashing::Sha256,
        },
    };
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(args.jobs.map_or(0, usize::from))
        .build()
        .context("no threads to read with")?;
    let bar = Bar::new();
    let read = threads.install(|| rdptriage::diagnose_seen(&args.paths, &rules, &options, &bar));
    bar.clear();
    Ok(read?)
}
