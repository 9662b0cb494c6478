//! From what was asked to the reports: the seam to the library.

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rayon::ThreadPool;
use rdptriage::verdict::model::Report;
use rdptriage::{Hashing, Options};

use super::args::DiagnoseArgs;
use super::progress::Bar;
use super::rules;

/// Reads and judges. The rules are looked at first: a mistake in them is told before the minutes that reading may take.
pub(crate) fn reports(args: &DiagnoseArgs, incident: Option<Timestamp>) -> Result<Vec<Report>> {
    let rules = rules::set(args.rules.as_deref())?;
    let options = options(args, incident)?;
    let bar = Bar::new();
    let read = threads(args.jobs)?
        .install(|| rdptriage::diagnose_seen(&args.paths, &rules, &options, &bar));
    bar.clear();
    Ok(read?)
}

/// Reads and judges, and hands each host's report over as soon as it is there.
pub(crate) fn each_report(
    args: &DiagnoseArgs,
    incident: Option<Timestamp>,
    take: &mut (dyn FnMut(Report) -> ControlFlow<()> + Send),
) -> Result<()> {
    let rules = rules::set(args.rules.as_deref())?;
    let options = options(args, incident)?;
    let bar = Bar::new();
    let read = threads(args.jobs)?.install(|| {
        rdptriage::diagnose_each(&args.paths, &rules, &options, &bar, &mut |report| {
            bar.clear();
            take(report)
        })
    });
    bar.clear();
    Ok(read?)
}

/// What the library is asked.
pub(crate) fn options(args: &DiagnoseArgs, incident: Option<Timestamp>) -> Result<Options> {
    Ok(Options {
        incident,
        client_addresses: args.client_address.clone(),
        client_error: args.client_error.clone(),
        access: args.archives.access(),
        pfx_passwords: args.pfx.passwords()?,
        client: args.client.as_deref().map(rdptriage::client).transpose()?,
        hashing: match args.no_hash {
            true => Hashing::Off,
            false => Hashing::Sha256,
        },
    })
}

/// The threads to read with.
pub(crate) fn threads(jobs: Option<u16>) -> Result<ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.map_or(0, usize::from))
        .build()
        .context("no threads to read with")
}
