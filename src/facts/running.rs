//! What ran when the collection was made, as `sc query` and `qwinsta` printed it. Such a text says neither when it was made nor of
//! which machine: it tells what the registry and the logs leave open, and never outweighs them.

use std::collections::BTreeMap;

use super::catalog::listener::ListenerSession;
use super::catalog::service::ServiceState;
use super::fact::{Fact, FactSet, Source};
use super::known::Known;
use super::registry::Problem;
use super::subject::Subject;
use super::value::Code;
use crate::bundle::{Artifact, Kind};
use crate::parse::running_state::{self, RunningState, SessionList};

/// Texts are read up to this size, in bytes: all services and drivers of a machine take half a megabyte.
const LARGEST: u64 = 8 << 20;

const LISTENER: &str = "rdp-tcp";

/// ERROR_SERVICE_NEVER_STARTED: Windows did not try since its own start.
const NEVER_STARTED: u32 = 1077;

/// Adds `service.state` and `listener.session`; what cannot be read is a problem.
pub fn add_facts(artifacts: &[Artifact], facts: &mut FactSet) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut read: Vec<(&str, RunningState)> = Vec::new();
    for artifact in artifacts {
        // One output may follow another in a file.
        let may_hold = matches!(
            artifact.kind,
            Kind::RunningState | Kind::RegistryExport | Kind::CertificateListing
        );
        if !may_hold {
            continue;
        }
        match artifact.open().and_then(|source| source.read_all(LARGEST)) {
            Ok(bytes) => read.push((&artifact.path, running_state::read(&bytes))),
            Err(error) if artifact.kind == Kind::RunningState => problems.push(Problem {
                artifact: artifact.path.clone(),
                at: None,
                message: error.to_string(),
            }),
            // Whoever reads it for what it is says so.
            Err(_) => {}
        }
    }
    add_services(&read, facts);
    add_listener(&read, facts);
    problems
}

/// One fact for each service that Remote Desktop rests on; open where texts contradict one another.
fn add_services(read: &[(&str, RunningState)], facts: &mut FactSet) {
    let mut by_name: BTreeMap<&str, Vec<(&str, &running_state::ServiceState)>> = BTreeMap::new();
    for (artifact, state) in read {
        for service in &state.services {
            if let Some(name) = known_name(&service.name) {
                by_name.entry(name).or_default().push((artifact, service));
            }
        }
    }
    for (name, states) in by_name {
        let Some((_, first)) = states.first() else {
            continue;
        };
        let agree = states.iter().all(|(_, state)| state.runs == first.runs);
        let mut untold = |what: &str| {
            Known::Open(facts.gaps.open(
                Subject::SystemLog,
                format!("what was printed of the service {name} does not tell {what}"),
            ))
        };
        let running = match first.runs.filter(|_| agree) {
            Some(runs) => Known::Is(runs),
            None => untold("whether it ran"),
        };
        let code = first.exit_code.filter(|first| {
            let mut codes = states.iter().map(|(_, state)| state.exit_code);
            codes.all(|code| code == Some(*first))
        });
        let with_error = match code {
            Some(code) => Known::Is(!matches!(code, 0 | NEVER_STARTED)),
            None => untold("how it ended"),
        };
        let body = ServiceState {
            service: name.to_owned(),
            failed: running.clone().not().and(with_error.clone()),
            running,
            code: code.filter(|_| with_error == Known::Is(true)).map(Code),
        };
        let sources = states
            .iter()
            .map(|(artifact, state)| line(artifact, state.line));
        facts.add(None, body, sources.collect());
    }
}

/// The name as rules spell it; none of a service that nothing is asked of.
fn known_name(name: &str) -> Option<&'static str> {
    let mut known = super::service::SERVICES.into_iter();
    known.find(|known| known.eq_ignore_ascii_case(name))
}

/// One fact, where a list of sessions tells of the listener.
fn add_listener(read: &[(&str, RunningState)], facts: &mut FactSet) {
    let lists = read
        .iter()
        .filter_map(|(artifact, state)| Some((*artifact, state.sessions.as_ref()?)));
    let told: Vec<(Source, Option<bool>, Option<&str>)> = lists
        .filter_map(|(artifact, list)| told_of_listener(artifact, list))
        .collect();
    let Some((_, first, word)) = told.first() else {
        return;
    };
    let agree = told.iter().all(|(_, listens, _)| listens == first);
    let listens = match first.filter(|_| agree) {
        Some(listens) => Known::Is(listens),
        None => Known::Open(facts.gaps.open(
            Subject::RemoteConnectionManagerLog,
            match agree {
                true => format!(
                    "the state of the listener was printed in a language that is not known here ({})",
                    word.unwrap_or_default()
                ),
                false => "lists of sessions contradict one another about the listener".to_owned(),
            },
        )),
    };
    let body = ListenerSession {
        listens,
        state: word.map(str::to_owned),
    };
    let sources = told.iter().map(|(source, ..)| source.clone());
    facts.add(None, body, sources.collect());
}

/// Where a list tells of the listener, whether it listens, and in what word; none where it may have been cut before it.
fn told_of_listener<'l>(
    artifact: &str,
    list: &'l SessionList,
) -> Option<(Source, Option<bool>, Option<&'l str>)> {
    let mut listeners = list.rows.iter().filter(|row| row.is_listener());
    let row = listeners.find(|row| row.name.eq_ignore_ascii_case(LISTENER));
    match row {
        Some(row) => Some((line(artifact, row.line), row.listens(), Some(&row.state))),
        None if list.has_end => Some((line(artifact, list.line), Some(false), None)),
        None => None,
    }
}

fn line(artifact: &str, line: u64) -> Source {
    Source::Line {
        artifact: artifact.to_owned(),
        line,
    }
}

/// Whether a service ran, as it was printed, and the fact that says so; none where nothing was.
#[must_use]
pub fn service_runs<'f>(service: &str, facts: &'f FactSet) -> Option<(Known<bool>, &'f Fact)> {
    let mut states = facts.of_kind(ServiceState::KIND);
    let state = states.find(|fact| fact.is("service", service.to_owned()))?;
    Some((state.truth("running"), state))
}

/// Whether the listener listened, as it was printed, and the fact that says so; none where nothing was.
#[must_use]
pub fn listener_listens(facts: &FactSet) -> Option<(Known<bool>, &Fact)> {
    let state = facts.of_kind(ListenerSession::KIND).next()?;
    Some((state.truth("listens"), state))
}
