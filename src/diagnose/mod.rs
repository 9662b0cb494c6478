//! The whole way, once: from what was collected to one report for each host.
//!
//! ```text
//! bundle::open → Collection::read → one host: history, hives, facts → verdict::judge → verdict::assemble
//! ```

mod collection;
mod entries;
mod host;
mod progress;
mod surroundings;

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::bundle::{self, OpenError};
use crate::facts::event::LoggedEvent;
use crate::rules::RuleSet;
use crate::verdict::client_error::ClientCode;
use crate::verdict::model::{Report, Status};

use collection::{Collection, HostFiles};
pub use progress::{Progress, Unseen};

/// What the user asks for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// When Remote Desktop broke, where the user knows better than the logs.
    pub incident: Option<Timestamp>,
    /// Addresses of people's clients, which count whether or not they ever got in.
    pub client_addresses: Vec<IpAddr>,
    /// The code that the client showed; explained, never judged.
    pub client_error: Option<ClientCode>,
    /// Whether every file's SHA-256 is computed.
    pub hashing: Hashing,
}

/// Whether files are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hashing {
    /// Each gets its SHA-256.
    #[default]
    Sha256,
    /// None does: reading is faster.
    Off,
}

/// Diagnoses everything in these files and folders: one report for each host found, the most serious first.
///
/// # Errors
/// [`OpenError`] where there is no input or nothing in it can be used.
pub fn diagnose(
    inputs: &[PathBuf],
    rules: &RuleSet,
    options: &Options,
) -> Result<Vec<Report>, OpenError> {
    diagnose_seen(inputs, rules, options, &Unseen)
}

/// As [`diagnose`], and tells how far it is.
///
/// # Errors
/// As [`diagnose`].
pub fn diagnose_seen(
    inputs: &[PathBuf],
    rules: &RuleSet,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<Report>, OpenError> {
    let bundle = bundle::open(inputs)?;
    progress.begin(bundle.artifacts.iter().map(|artifact| artifact.bytes).sum());
    let mut collection = Collection::read(bundle, options.hashing, progress);
    let hosts = collection.hosts();
    // What each machine, as a client, logged about others.
    let clients: Vec<Vec<LoggedEvent>> = hosts.iter().map(HostFiles::as_client).collect();
    let mut reports: Vec<Report> = hosts
        .into_iter()
        .enumerate()
        .map(|(index, files)| {
            let others = clients
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index);
            let clients: Vec<&[LoggedEvent]> =
                others.map(|(_, events)| events.as_slice()).collect();
            host::report(files, &clients, rules, options)
        })
        .collect();
    reports.sort_by_cached_key(seriousness);
    Ok(reports)
}

/// What comes first: causes, then what is open, then health; among equals the hosts by name.
fn seriousness(report: &Report) -> (u8, Option<String>) {
    let status = match report.verdict.status {
        Status::Confirmed => 0,
        Status::Likely => 1,
        Status::Possible => 2,
        Status::Inconclusive => 3,
        Status::Healthy => 4,
    };
    (status, report.host.name.clone())
}
