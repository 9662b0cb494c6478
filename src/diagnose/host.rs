//! One host: its history and its hives become facts, the facts a report.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::bundle::Layout;
use crate::facts::catalog::connection::{ClientReport, Passed};
use crate::facts::catalog::schannel::SchannelFailure;
use crate::facts::certificate::Choice;
use crate::facts::certificate_fitness;
use crate::facts::client_report;
use crate::facts::clock_change;
use crate::facts::connection;
use crate::facts::event::{Event, LoggedEvent};
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::gap::Gaps;
use crate::facts::history::{self, Bearing, History};
use crate::facts::hives::{self, Evidence};
use crate::facts::host::{Hints, Identity, identify, joined};
use crate::facts::key_chain::{self, KeyEvidence};
use crate::facts::known::Known;
use crate::facts::layout::never_holds;
use crate::facts::log_coverage::{self, CollectedLog};
use crate::facts::registry::{FileState, HiveFile, Registry};
use crate::facts::served::Served;
use crate::facts::stale::{self, Doubt};
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};
use crate::facts::{
    listener, listener_service, logon, revocation, running, session, store_listing, tls_listeners,
    undated, update,
};
use crate::parse::collection_manifest::{Failure, Target};
use crate::rules::RuleSet;
use crate::verdict::model::{
    ArtifactEntry, CollectionLayout, Connection, Host, Negotiation, Problem, Refused, Report,
};
use crate::verdict::{self, Surroundings};

use super::Options;
use super::collection::HostFiles;
use super::contradiction::contradictions;
use super::entries::{self, Used};
use super::negotiation::{self, Starts};
use super::surroundings;
use super::tampering::Tampering;

/// Everything that is known of one host, before it is judged.
pub(super) struct Gathered {
    pub facts: FactSet,
    host: Host,
    layout: CollectionLayout,
    connections: Vec<Connection>,
    negotiation: Negotiation,
    artifacts: Vec<ArtifactEntry>,
    problems: Vec<Problem>,
}

/// Diagnoses one host.
pub(super) fn report(
    files: HostFiles,
    clients: &[&[LoggedEvent]],
    rules: &RuleSet,
    options: &Options,
) -> Report {
    let Gathered {
        mut facts,
        host,
        layout,
        connections,
        negotiation,
        artifacts,
        problems,
    } = gather(files, clients, options);
    let judgement = verdict::judge(rules, &mut facts);
    let surroundings = Surroundings {
        host,
        layout,
        connections,
        negotiation,
        artifacts,
        problems,
        client_error: options.client_error.as_ref().map(|code| code.explain()),
    };
    verdict::assemble(rules, &facts, &judgement, surroundings)
}

/// Turns the files of one host into facts; `clients` is what other machines logged as clients.
pub(super) fn gather(files: HostFiles, clients: &[&[LoggedEvent]], options: &Options) -> Gathered {
    let HostFiles {
        name,
        aliases,
        logs,
        events,
        hives,
        certificates,
        revocation_lists,
        altered,
        failures,
        file_system,
        collected,
        unread,
        artifacts,
        problems,
        ..
    } = files;
    let exported_from: Vec<String> = certificates
        .iter()
        .map(|exported| exported.artifact.clone())
        .collect();
    let (listed, listing_problems) = store_listing::read(&collected);
    let registry = Registry::of(doubted(hives, &altered)).collected_among(&collected);
    let asked = history::Options {
        incident: options.incident,
        client_addresses: options.client_addresses.clone(),
    };
    let records = Records {
        name: name.clone(),
        events: &events,
        logs: &logs,
    };
    let (identity, history, mut facts) = begin(&registry, &records, &asked);
    let running_problems = running::add_facts(&collected, &mut facts);
    let evidence = Evidence {
        registry: &registry,
        identity: &identity,
        exported: certificates,
        listed,
        affected: options.client.clone(),
        served: Served::of(&history),
    };
    let from_hives = hives::read(evidence, &mut facts);
    let (lists_share, list_locks_out) = match &from_hives.tls {
        Some(computed) => (
            computed.lists_share(&mut facts.gaps),
            Known::Is(computed.list_locks_out()),
        ),
        None => {
            let why = registry.why_missing(Subject::SystemHive);
            let gap = facts.gaps.open(Subject::SystemHive, why);
            (Known::Open(gap), Known::Open(gap))
        }
    };
    let bearing = Bearing {
        lists_share,
        list_locks_out,
        listener_container: container(&from_hives.certificate, &mut facts.gaps),
        certificate_validity: validity(&from_hives.certificate),
        display_names: tls_listeners::display_names(&registry, &mut facts.gaps),
    };
    history.add_facts(&bearing, &mut facts);
    clock_change::add_facts(
        &history,
        &bearing.certificate_validity,
        &identity.domain,
        &mut facts,
    );
    listener_service::add_logged(&history, &bearing.display_names, &mut facts);
    let joined = joined(&identity, &registry, &mut facts.gaps);
    logon::add_facts(&history, &registry, &identity.build, &joined, &mut facts);
    let names: Vec<String> = name.iter().chain(&aliases).cloned().collect();
    for client in clients {
        client_report::add_facts(client, &names, &mut facts);
    }
    let server = connection::tried::Server {
        identity: &identity,
        registry: &registry,
    };
    let tried = tried(options, &facts);
    connection::tried::add_fact(&history, &server, tried, &mut facts);
    let proof = tls_proof(
        &history,
        listener::written(&registry, &mut facts.gaps),
        &registry,
        &facts,
    );
    from_hives.add_facts(&registry, &proof, &mut facts);
    listener_service::add_facts(&history, &registry, &mut facts);
    listener_service::add_libraries(&collected, &mut facts);
    session::add_facts(&history, &registry, &identity, &mut facts);
    update::add_facts(&history, &registry, &identity, &mut facts);
    let (mut keys, key_problems) = KeyEvidence::read(&collected, &unread);
    keys.add_records(file_system);
    let key_bearing = key_chain::Bearing {
        evidence: &keys,
        registry: &registry,
        stores: &from_hives.stores,
        identity: &identity,
        choice: &from_hives.certificate,
        standing: &from_hives.standing,
    };
    key_chain::add_facts(&key_bearing, &mut facts);

    let fitness_bearing = certificate_fitness::Bearing {
        registry: &registry,
        stores: &from_hives.stores,
        identity: &identity,
        choice: &from_hives.certificate,
        tls: from_hives.tls.as_ref(),
    };
    certificate_fitness::add_facts(&fitness_bearing, &mut facts);

    let mut revocation_lists = revocation_lists;
    revocation_lists.extend(revocation::in_stores(&registry, &mut facts));
    revocation::add_facts(
        &revocation_lists,
        &from_hives.stores,
        &from_hives.certificate,
        &mut facts,
    );

    stale::mark_doubtful(&changed_parts(&logs), &mut facts);
    let altered = altered.iter().map(String::as_str);
    stale::mark(&altered.collect(), Doubt::Altered, &mut facts);
    stale::mark(&registry.stale().collect(), Doubt::Dirty, &mut facts);
    let tampering = Tampering::read(&history, &logs, last_build(&events), &identity, &facts);
    if tampering.hives_do_not_fit() {
        let all = registry.files().flat_map(HiveFile::artifacts);
        stale::mark(&all.collect(), Doubt::DoesNotFit, &mut facts);
    }
    undated::mark(&mut facts);

    let used = Used {
        logs: &logs,
        hives: registry.files().collect(),
        certificates: exported_from.iter().map(String::as_str).collect(),
    };
    let mut all_problems = problems;
    let told = registry.problems().into_iter().chain(key_problems);
    let told = told.chain(listing_problems).chain(running_problems);
    all_problems.extend(told.map(entries::hive_problem));
    all_problems.extend(tampering.problems());
    all_problems.extend(contradictions(&history, from_hives.tls.as_ref()));
    let (artifacts, problems) = entries::artifacts(artifacts, &used, all_problems);
    Gathered {
        host: host(name, aliases, &identity, &history, &registry),
        layout: layout(Layout::of(&collected), &failures),
        connections: surroundings::connections(&history),
        negotiation: negotiation::of_host(from_hives.tls.as_ref(), Starts::of(&history.anchors)),
        artifacts,
        problems,
        facts,
    }
}

/// The chunks of logs in which some record is not as it was written.
fn changed_parts(logs: &[CollectedLog]) -> stale::Parts<'_> {
    let mut parts = stale::Parts::new();
    for log in logs {
        // They are sorted by place.
        for doubt in &log.summary.doubts {
            let end = doubt.offset + doubt.length;
            let of_log = parts.entry(&*log.artifact).or_default();
            match of_log.last_mut().filter(|last| doubt.offset < last.end) {
                Some(last) => last.end = last.end.max(end),
                None => of_log.push(doubt.offset..end),
            }
        }
    }
    parts
}

/// The hives, with those told that are not what was collected.
fn doubted(mut hives: Vec<HiveFile>, altered: &BTreeSet<String>) -> Vec<HiveFile> {
    for hive in &mut hives {
        if hive.artifacts().any(|file| altered.contains(file)) {
            hive.state = FileState::Altered;
        }
    }
    hives
}

/// What the logs of one host hold.
pub(super) struct Records<'r> {
    pub name: Option<String>,
    pub events: &'r [LoggedEvent],
    pub logs: &'r [CollectedLog],
}

/// Who the host is and what its logs tell, and an empty set for the facts.
pub(super) fn begin<'r>(
    registry: &Registry,
    records: &Records<'r>,
    asked: &history::Options,
) -> (Identity, History<'r>, FactSet) {
    let mut gaps = Gaps::default();
    let hints = Hints {
        name: records.name.clone(),
        build: last_build(records.events),
    };
    let identity = identify(registry, &hints, &mut gaps);
    let elsewhere = history::Surroundings {
        written: registry.newest_write(),
        logging: tls_listeners::logging(registry, &mut gaps),
        others: tls_listeners::others(registry, &identity, &mut gaps),
    };
    let history = History::read(records.events, records.logs, &elsewhere, asked, &mut gaps);
    let facts = FactSet::new(gaps, history.anchors.clone());
    (identity, history, facts)
}

/// When somebody is known to have tried: as the user says, else the last time that a client's own log tells of this host.
fn tried(options: &Options, facts: &FactSet) -> (Option<Timestamp>, Vec<Source>) {
    if let Some(incident) = options.incident {
        let option = "--incident".to_owned();
        return (Some(incident), vec![Source::CommandLine { option }]);
    }
    let reports = facts.of_kind(ClientReport::KIND);
    let of_this_host = reports.filter(|fact| fact.is("names_host", true));
    match of_this_host.max_by_key(|fact| (fact.at, fact.id)) {
        Some(last) => (last.at, vec![Source::Derived(vec![last.id])]),
        None => (None, Vec::new()),
    }
}

/// The build that the last boot logged.
fn last_build(events: &[LoggedEvent]) -> Option<(u32, Source)> {
    let builds = events.iter().filter_map(|event| match event.event {
        Event::Booted {
            build: Some(build), ..
        } => Some((event.order, build, event.source())),
        _ => None,
    });
    builds
        .max_by_key(|(order, ..)| *order)
        .map(|(_, build, source)| (build, source))
}

fn container(choice: &Choice, gaps: &mut Gaps) -> Known<Option<String>> {
    match choice {
        Choice::Certificate(chosen) => chosen.container(gaps),
        Choice::None(_) => Known::Is(None),
        Choice::Unknown(gap) => Known::Open(*gap),
    }
}

fn validity(choice: &Choice) -> Known<Option<(Timestamp, Timestamp)>> {
    match choice {
        Choice::Certificate(chosen) => Known::Is(
            chosen
                .certificate()
                .map(|certificate| (certificate.not_before, certificate.not_after)),
        ),
        Choice::None(_) => Known::Is(None),
        Choice::Unknown(gap) => Known::Open(*gap),
    }
}

/// Facts that prove TLS in use since the listener's settings were written: Schannel events of the service in the server role, and
/// RdpCoreTS 153.
fn tls_proof(
    history: &History<'_>,
    written: Option<Timestamp>,
    registry: &Registry,
    facts: &FactSet,
) -> Vec<FactId> {
    let negotiated: BTreeSet<Source> = history
        .events
        .iter()
        .filter(|placed| matches!(placed.event.event, Event::TlsNegotiated { .. }))
        .map(|placed| placed.event.source())
        .collect();
    let is = |state: Option<&FieldState>, value: Value| state == Some(&FieldState::Is(value));
    let text = |word: &str| Value::Text(word.to_owned());
    let failures = facts.of_kind(SchannelFailure::KIND).filter(|fact| {
        is(fact.field("attributed"), Value::Bool(true)) && is(fact.field("role"), text("server"))
    });
    let passed = facts.of_kind(Passed::KIND).filter(|fact| {
        is(fact.field("stage"), text("tls"))
            && fact
                .sources
                .iter()
                .any(|source| negotiated.contains(source))
    });
    let since = |at: Option<Timestamp>| match (at, written) {
        (Some(at), Some(written)) => at > written,
        // A text does not say when a setting was written: what was logged may be older.
        (Some(_), None) => registry
            .system()
            .is_none_or(|file| file.hive.text().is_none()),
        (None, _) => false,
    };
    // One of each kind is proof enough; the last is the one to show.
    let last_failure = failures
        .filter(|fact| since(fact.at))
        .max_by_key(|fact| (fact.at, fact.id));
    let last_passed = passed
        .filter(|fact| since(fact.at))
        .max_by_key(|fact| (fact.at, fact.id));
    last_failure
        .into_iter()
        .chain(last_passed)
        .map(|fact| fact.id)
        .collect()
}

fn layout(layout: Layout, failures: &[Failure]) -> CollectionLayout {
    CollectionLayout {
        name: layout.word().to_owned(),
        title: (layout != Layout::Plain).then(|| layout.title().to_owned()),
        never_holds: never_holds(layout)
            .iter()
            .map(|subject| subject.name().to_owned())
            .collect(),
        refused: failures.iter().filter_map(refused).collect(),
    }
}

/// What a failed step leaves open.
fn refused(failure: &Failure) -> Option<Refused> {
    let subject = match &failure.target {
        Target::Log(channel) | Target::AbsentLog(channel) => log_coverage::subject_of(channel)?,
        Target::Hive(hive) if hive == "SYSTEM" => Subject::SystemHive,
        Target::Hive(hive) if hive == "SOFTWARE" => Subject::SoftwareHive,
        Target::Hive(hive) if hive == "SECURITY" => Subject::SecurityHive,
        Target::Hive(_) | Target::Store(_) | Target::Folder(_) | Target::Other(_) => return None,
    };
    let why = match &failure.target {
        Target::AbsentLog(_) => "this Windows has no such log".to_owned(),
        _ => format!("collect.ps1 could not collect it ({})", failure.why.trim()),
    };
    Some(Refused {
        what: subject.name().to_owned(),
        why,
    })
}

fn host(
    name: Option<String>,
    mut aliases: Vec<String>,
    identity: &Identity,
    history: &History<'_>,
    registry: &Registry,
) -> Host {
    let settled = |known: &Known<Option<String>>| known.settled().cloned().flatten();
    let name = name.or_else(|| settled(&identity.name));
    aliases.retain(|alias| Some(alias) != name.as_ref());
    let as_of = history.clock.as_of;
    let first = history.clock.oldest.or_else(|| registry.newest_write());
    let collected = first
        .zip(as_of)
        .map(|(first, last)| [first.min(last).to_string(), last.to_string()]);
    Host {
        name,
        aliases,
        domain: settled(&identity.domain),
        product: settled(&identity.product),
        build: identity.build.settled().copied(),
        as_of: as_of.map(|time| time.to_string()),
        time_zone: settled(&identity.time_zone),
        collected,
    }
}
