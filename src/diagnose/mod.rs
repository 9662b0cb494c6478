//! The whole way, once: from what was collected to one report for each host.
//!
//! ```text
//! bundle::open → Collection::read → one host: history, hives, facts → verdict::judge → verdict::assemble
//! ```

mod collection;
mod contradiction;
mod entries;
mod host;
mod manifest;
mod negotiate;
mod negotiation;
mod progress;
mod surroundings;
mod tampering;

use std::net::IpAddr;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::bundle::{self, Access, Artifact, OpenError, Password};
use crate::facts::event::LoggedEvent;
use crate::facts::fact::FactSet;
use crate::rules::RuleSet;
use crate::tls::Client;
use crate::verdict::client_error::ClientCode;
use crate::verdict::model::{Report, Status};

use collection::{Collection, HostFiles};
pub use negotiate::{NegotiateError, client, negotiate};
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
    /// What the client that cannot connect offers in TLS; see [`client`].
    pub client: Option<Client>,
    /// How archives are opened.
    pub access: Access,
    /// What encrypted PKCS #12 files are opened with; the empty password is tried in any case.
    pub pfx_passwords: Vec<Password>,
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

/// What is known of one host.
#[derive(Debug, Clone)]
pub struct HostFacts {
    /// Its name, where anything names it.
    pub name: Option<String>,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// What rules judge.
    pub facts: FactSet,
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
    let mut reports: Vec<Report> = each_host(inputs, options, progress, |files, clients| {
        host::report(files, clients, rules, options)
    })?;
    reports.sort_by_cached_key(seriousness);
    Ok(reports)
}

/// What is known of each host in these files and folders, before any rule is asked: one set of facts for each host found, by name.
///
/// # Errors
/// [`OpenError`] where there is no input or nothing in it can be used.
pub fn gather(inputs: &[PathBuf], options: &Options) -> Result<Vec<HostFacts>, OpenError> {
    let mut hosts: Vec<HostFacts> =
        each_host(inputs, options, &Unseen, |files, clients| HostFacts {
            name: files.name.clone(),
            aliases: files.aliases.clone(),
            facts: host::gather(files, clients, options).facts,
        })?;
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(hosts)
}

/// Reads the inputs and asks for something of each host, given what all others logged as clients.
fn each_host<T>(
    inputs: &[PathBuf],
    options: &Options,
    progress: &dyn Progress,
    ask: impl Fn(HostFiles, &[&[LoggedEvent]]) -> T,
) -> Result<Vec<T>, OpenError> {
    let bundle = bundle::open_with(inputs, &options.access)?;
    progress.begin(bundle.artifacts.iter().map(Artifact::bytes_to_read).sum());
    let hosts = Collection::read(bundle, options, progress).hosts();
    let clients: Vec<Vec<LoggedEvent>> = hosts.iter().map(HostFiles::as_client).collect();
    let told = hosts.into_iter().enumerate().map(|(index, files)| {
        let others = clients
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index);
        let clients: Vec<&[LoggedEvent]> = others.map(|(_, events)| events.as_slice()).collect();
        ask(files, &clients)
    });
    Ok(told.collect())
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
