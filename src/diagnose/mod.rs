//! The whole way, once: from what was collected to one report for each host.
//!
//! ```text
//! bundle::open → Collection::read → one host: history, hives, facts → verdict::judge → verdict::assemble
//! ```
//!
//! Of the hosts of a fleet, only a few for each thread are in work at a time.

mod collection;
mod contradiction;
mod entries;
mod host;
mod manifest;
mod negotiate;
mod negotiation;
mod newest;
mod progress;
mod reading;
mod room;
mod surroundings;
mod tampering;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::bundle::{self, Access, Artifact, OpenError, Password};
use crate::contain::contain;
use crate::facts::event::LoggedEvent;
use crate::facts::fact::FactSet;
use crate::rules::RuleSet;
use crate::tls::Client;
use crate::verdict::client_error::ClientCode;
use crate::verdict::model::{Report, Status};

use collection::{Collection, HostFiles, Member};
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
    let mut reports = Vec::new();
    diagnose_each(inputs, rules, options, progress, &mut |report| {
        reports.push(report);
        ControlFlow::Continue(())
    })?;
    reports.sort_by_cached_key(seriousness);
    Ok(reports)
}

/// As [`diagnose`], and hands each host's report over as soon as it is there, the hosts by name, until `take` has enough: no more
/// reports are in memory than hosts in work. A host whose diagnosis breaks off is inconclusive, and its problems say why.
///
/// # Errors
/// As [`diagnose`].
pub fn diagnose_each(
    inputs: &[PathBuf],
    rules: &RuleSet,
    options: &Options,
    progress: &dyn Progress,
    take: &mut dyn FnMut(Report) -> ControlFlow<()>,
) -> Result<(), OpenError> {
    let ask = |files: HostFiles, clients: &[&[LoggedEvent]]| {
        spared(files, &|files| host::report(files, clients, rules, options))
    };
    each_host(inputs, options, progress, ask, take)
}

/// What is known of each host in these files and folders, before any rule is asked: one set of facts for each host found, by name.
///
/// # Errors
/// [`OpenError`] where there is no input or nothing in it can be used.
pub fn gather(inputs: &[PathBuf], options: &Options) -> Result<Vec<HostFacts>, OpenError> {
    let mut hosts: Vec<HostFacts> = Vec::new();
    let ask = |files: HostFiles, clients: &[&[LoggedEvent]]| HostFacts {
        name: files.name.clone(),
        aliases: files.aliases.clone(),
        facts: host::gather(files, clients, options).facts,
    };
    each_host(inputs, options, &Unseen, ask, &mut |host| {
        hosts.push(host);
        ControlFlow::Continue(())
    })?;
    hosts.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(hosts)
}

/// Reads the inputs, asks for something of each host, given what all others logged as clients, and hands it over, by the hosts' names.
fn each_host<T: Send>(
    inputs: &[PathBuf],
    options: &Options,
    progress: &dyn Progress,
    ask: impl Fn(HostFiles, &[&[LoggedEvent]]) -> T + Sync,
    take: &mut dyn FnMut(T) -> ControlFlow<()>,
) -> Result<(), OpenError> {
    let bundle = bundle::open_with(inputs, &options.access)?;
    progress.begin(bundle.artifacts.iter().map(Artifact::bytes_to_read).sum());
    let mut collection = Collection::read(bundle, options, progress);
    let hosts = collection.hosts();
    let clients: Vec<Vec<LoggedEvent>> = hosts
        .iter()
        .map(|host| collection.as_client(host))
        .collect();
    let answer = |index: usize, host: &Member| {
        let others = clients.iter().enumerate();
        let others = others.filter(|(other, events)| *other != index && !events.is_empty());
        let clients: Vec<&[LoggedEvent]> = others.map(|(_, events)| events.as_slice()).collect();
        ask(collection.files_of(host), &clients)
    };
    // Two for each thread: none waits for long for the slowest.
    let in_work = 2 * rayon::current_num_threads();
    for (place, window) in hosts.chunks(in_work).enumerate() {
        let answers: Vec<T> = match window {
            // Its own work is spread over the threads.
            [only] => vec![answer(place * in_work, only)],
            several => several
                .par_iter()
                .enumerate()
                .map(|(index, host)| answer(place * in_work + index, host))
                .collect(),
        };
        for each in answers {
            if take(each).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A host's report; where its making breaks off, that of the host without its files, which says so.
fn spared(files: HostFiles, report: &dyn Fn(HostFiles) -> Report) -> Report {
    let mut emptied = files.emptied();
    contain(AssertUnwindSafe(|| report(files))).unwrap_or_else(|panicked| {
        let why = format!("the diagnosis of this host broke off: {}", panicked.message);
        emptied.problems.push(entries::problem_of_host(why));
        report(emptied)
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict;

    #[test]
    fn a_host_whose_diagnosis_breaks_off_is_inconclusive_and_says_why() {
        let input = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/key-cut/collected");
        let bundle = bundle::open(&[input]).expect("a sample");
        let mut collection = Collection::read(bundle, &Options::default(), &Unseen);
        let hosts = collection.hosts();
        let files = collection.files_of(&hosts[0]);
        let rules = RuleSet::builtin().expect("the rules");
        let report = spared(files, &|files| match files.hives.is_empty() {
            true => host::report(files, &[], &rules, &Options::default()),
            false => panic!("at sea"),
        });
        assert_eq!(report.verdict.status, Status::Inconclusive);
        assert_eq!(report.host.name.as_deref(), Some("CONTOSO-KY03"));
        assert!(!report.artifacts.is_empty());
        let told = |problem: &verdict::model::Problem| {
            problem.artifact.is_none() && problem.message.ends_with("broke off: at sea")
        };
        assert!(report.problems.iter().any(told), "{:?}", report.problems);
    }
}
