//! Attempts, clients and their state, as facts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use super::attempt::{Attempt, is_tls_failure};
use super::client::{Client, Fate};
use crate::facts::catalog::connection::{
    self as catalog, Carrier, ClientOutcome, Ending, ErrorSource, Passed, SecurityError, Stage,
};
use crate::facts::clock::Placed;
use crate::facts::event::Event;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::history::History;
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::facts::session::prevented;
use crate::facts::subject::Subject;
use crate::facts::value::Code;

/// So many attempts of a client stand as sources of what is said of it.
const SOURCES: usize = 16;

/// Whom a record concerns.
#[derive(Debug)]
pub struct Whom<'a> {
    state: ConnectionState,
    clients: BTreeMap<Option<IpAddr>, &'a Client>,
    /// For each place in the arranged events, the attempt it belongs to.
    attempts: BTreeMap<usize, &'a Attempt>,
    unseen: GapId,
    nameless: GapId,
}

impl<'a> Whom<'a> {
    /// Looks up attempts and clients.
    #[must_use]
    pub fn new(history: &'a History<'_>, facts: &mut FactSet) -> Self {
        Whom {
            state: history.standing.state,
            clients: history
                .clients
                .iter()
                .map(|client| (client.address, client))
                .collect(),
            attempts: history
                .attempts
                .iter()
                .flat_map(|attempt| attempt.records.iter().map(move |record| (*record, attempt)))
                .collect(),
            unseen: history.anchors.gap,
            nameless: facts.gaps.open(
                Subject::RdpCoreTsLog,
                "no log names the client of some attempts",
            ),
        }
    }

    /// The attempt that an event belongs to.
    #[must_use]
    pub fn attempt_of(&self, index: usize) -> Option<&'a Attempt> {
        self.attempts.get(&index).copied()
    }

    /// Whether the client of an attempt is locked out.
    #[must_use]
    pub fn is_affected(&self, attempt: Option<&Attempt>) -> Known<bool> {
        let client = attempt.and_then(|attempt| self.clients.get(&attempt.client).copied());
        match self.state {
            ConnectionState::Unseen => match client {
                Some(client) if client.stranger && client.address.is_some() => Known::Is(false),
                _ => Known::Open(self.unseen),
            },
            // Nobody is.
            ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
                Known::Is(false)
            }
            ConnectionState::Mixed | ConnectionState::Failing => match client {
                Some(client) if client.address.is_some() || !client.stranger => {
                    Known::Is(client.is_affected())
                }
                _ => Known::Open(self.nameless),
            },
        }
    }

    /// Whether a success of this attempt's client speaks against a fault that locks people out: its client is locked out; where
    /// nobody is, it counts.
    fn speaks_for_people(&self, attempt: &Attempt) -> Known<bool> {
        match self.state {
            ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
                Known::Is(!self.is_stranger(attempt))
            }
            ConnectionState::Unseen | ConnectionState::Mixed | ConnectionState::Failing => {
                self.is_affected(Some(attempt))
            }
        }
    }

    /// The client of an attempt, as facts name it.
    fn client(&self, attempt: Option<&Attempt>) -> Known<Option<String>> {
        match attempt.and_then(|attempt| attempt.client) {
            Some(address) => Known::Is(Some(address.to_string())),
            None => Known::Open(self.nameless),
        }
    }

    fn is_stranger(&self, attempt: &Attempt) -> bool {
        self.clients
            .get(&attempt.client)
            .is_some_and(|client| client.stranger)
    }
}

/// Adds the facts about attempts, clients and the state.
pub fn add_facts(history: &History<'_>, whom: &Whom<'_>, facts: &mut FactSet) {
    let attempts: Vec<FactId> = history
        .attempts
        .iter()
        .zip(&history.fates)
        .map(|(attempt, fate)| add_attempt(history, whom, attempt, *fate, facts))
        .collect();
    for (index, placed) in history.events.iter().enumerate() {
        add_security_error(whom, index, placed, facts);
    }
    let clients: Vec<FactId> = history
        .clients
        .iter()
        .map(|client| add_client(client, &attempts, facts))
        .collect();
    let strangers = history
        .clients
        .iter()
        .filter(|client| client.stranger)
        .count();
    let body = catalog::State {
        state: history.standing.state,
        stage: history.standing.stage,
        clients: history.clients.len() - strangers,
        strangers,
        prevented: prevented(history),
        without_session: prevented(history)
            .map(|prevented| prevented && history.standing.stage == Some(Stage::Credentials)),
        unseen: unseen(history),
    };
    facts.add(
        history.standing.first_failure,
        body,
        vec![Source::Derived(clients)],
    );
}

fn add_attempt(
    history: &History<'_>,
    whom: &Whom<'_>,
    attempt: &Attempt,
    fate: Fate,
    facts: &mut FactSet,
) -> FactId {
    let source = |record: usize| {
        history
            .events
            .get(record)
            .map(|placed| placed.event.source())
    };
    let stranger = whom.is_stranger(attempt);
    let body = catalog::Attempt {
        client: whom.client(Some(attempt)),
        transport: match attempt.udp {
            true => Known::Is(Carrier::TcpAndUdp),
            false if tells_endings(history, attempt.at) => Known::Is(Carrier::Tcp),
            false => Known::Open(facts.gaps.open(
                Subject::RdpCoreTsLog,
                "nothing tells what carried some attempts",
            )),
        },
        session: attempt.session,
        reached: attempt.reached(),
        ended: match fate {
            Fate::In(_) => Known::Is(None),
            Fate::Failed(Some(ending)) => Known::Is(Some(ending)),
            Fate::Failed(None) if tells_endings(history, attempt.at) => {
                Known::Is(Some(Ending::Silent))
            }
            Fate::Failed(None) | Fate::Unclear => Known::Open(facts.gaps.open(
                Subject::RdpCoreTsLog,
                "nothing tells how some attempts ended",
            )),
        },
        code: attempt
            .death
            .filter(|_| !matches!(fate, Fate::In(_)))
            .and_then(|death| death.code),
        affected: whom.is_affected(Some(attempt)),
        stranger,
    };
    let sources = attempt
        .records
        .iter()
        .filter_map(|record| source(*record))
        .collect();
    let id = facts.add(Some(attempt.at), body, sources);
    for stage in Stage::ALL
        .iter()
        .copied()
        .filter(|stage| *stage <= attempt.reached())
    {
        // Where no record shows a stage, the first one beyond it does.
        let Some((_, record)) = attempt.passed.range(stage..).next() else {
            continue;
        };
        let Some(placed) = history.events.get(*record) else {
            continue;
        };
        let body = Passed {
            stage,
            client: whom.client(Some(attempt)),
            affected: whom.speaks_for_people(attempt),
            stranger,
        };
        facts.add(Some(placed.at), body, vec![placed.event.source()]);
    }
    id
}

/// The stages that no log shows at the end of the collection.
fn unseen(history: &History<'_>) -> Option<String> {
    let stages = [
        (Stage::Arrived, Subject::Arrivals),
        (Stage::Tls, Subject::TlsOutcomes),
        (Stage::Credentials, Subject::CredentialOutcomes),
        (Stage::Session, Subject::Sessions),
    ];
    let shown = |subject| {
        let as_of = history.clock.as_of;
        as_of.is_some_and(|as_of| history.coverage.covers_moment(subject, as_of))
    };
    let unseen: Vec<&str> = stages
        .into_iter()
        .filter(|(_, subject)| !shown(*subject))
        .map(|(stage, _)| stage.word())
        .collect();
    (!unseen.is_empty()).then(|| unseen.join(", "))
}

/// Whether a log that tells how attempts end covers the moment.
fn tells_endings(history: &History<'_>, at: Timestamp) -> bool {
    history.coverage.covers_moment(Subject::RdpCoreTsLog, at)
}

fn add_client(client: &Client, attempts: &[FactId], facts: &mut FactSet) -> FactId {
    let last: Vec<FactId> = client
        .attempts
        .iter()
        .rev()
        .take(SOURCES)
        .filter_map(|attempt| attempts.get(*attempt).copied())
        .collect();
    let body = ClientOutcome {
        client: client
            .address
            .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
        state: client.outcome,
        stage: client.stage,
        code: client.code,
        since: client.since(),
        stranger: client.stranger,
        named: client.named,
    };
    facts.add(client.since(), body, vec![Source::Derived(last)])
}

fn add_security_error(whom: &Whom<'_>, index: usize, placed: &Placed<'_>, facts: &mut FactSet) {
    let (source, event, code, transition) = match &placed.event.event {
        Event::SecurityLayerError { code, .. } => (ErrorSource::RdpCoreTs, 139, *code, None),
        Event::TransitionFailed { machine, code } => {
            (ErrorSource::RdpCoreTs, 226, *code, Some(machine.clone()))
        }
        Event::DriverError { event, code, .. } => (ErrorSource::TermDd, *event, *code, None),
        _ => return,
    };
    let no_status = facts.gaps.open(
        Subject::RdpCoreTsLog,
        "the record of an error holds no status",
    );
    let by_status = |code: Option<Code>, tells: &dyn Fn(Code) -> bool| match code {
        Some(code) => Known::Is(tells(code)),
        None => Known::Open(no_status),
    };
    let tls = match (event, transition.as_deref()) {
        (139, _) => Known::Is(true),
        (_, Some(machine)) if machine.eq_ignore_ascii_case("RDP_TCP") => Known::Is(false),
        (_, machine) => by_status(code, &|code| is_tls_failure(machine.unwrap_or(""), code)),
    };
    let attempt = whom.attempt_of(index);
    let body = SecurityError {
        source,
        event,
        code: by_status_value(code, no_status),
        transition,
        tls,
        client: whom.client(attempt),
        affected: whom.is_affected(attempt),
    };
    facts.add(Some(placed.at), body, vec![placed.event.source()]);
}

fn by_status_value(code: Option<Code>, gap: GapId) -> Known<Option<Code>> {
    match code {
        Some(code) => Known::Is(Some(code)),
        None => Known::Open(gap),
    }
}
