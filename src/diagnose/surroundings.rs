//! The parts of a report that are shown as they are: connections by client, and what TLS would come to.

use std::collections::BTreeMap;

use crate::facts::connection::attempt::Attempt;
use crate::facts::history::History;
use crate::facts::tls_settings::Computed;
use crate::tls::{self, Client, GroupStanding, Outcome, Standing, State, SuiteStanding};
use crate::verdict::model::{
    ClientNegotiation, Connection, Negotiation, ServerOffer, SuiteEntry, VersionEntry,
};

/// How each client's connections fared, those that count first, then by address.
pub(super) fn connections(history: &History<'_>) -> Vec<Connection> {
    let mut found: Vec<Connection> = history
        .clients
        .iter()
        .map(|client| {
            let attempts: Vec<&Attempt> = client
                .attempts
                .iter()
                .filter_map(|index| history.attempts.get(*index))
                .collect();
            let mut reached: BTreeMap<String, u64> = BTreeMap::new();
            for attempt in &attempts {
                *reached
                    .entry(attempt.reached().word().to_owned())
                    .or_default() += 1;
            }
            Connection {
                client: client
                    .address
                    .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
                stranger: client.stranger,
                attempts: attempts.len() as u64,
                first: attempts
                    .iter()
                    .map(|attempt| attempt.at)
                    .min()
                    .map(|time| time.to_string()),
                last: attempts
                    .iter()
                    .map(|attempt| attempt.at)
                    .max()
                    .map(|time| time.to_string()),
                reached,
                state: client.outcome.word().to_owned(),
            }
        })
        .collect();
    found.sort_by(|one, other| (one.stranger, &one.client).cmp(&(other.stranger, &other.client)));
    found
}

/// What the server offers and whom it agrees with.
pub(super) fn negotiation(computed: Option<&Computed>) -> Negotiation {
    let Some(computed) = computed else {
        return Negotiation::default();
    };
    let offer = &computed.offer;
    let versions = offer.versions.iter().map(|standing| VersionEntry {
        version: standing.version.to_string(),
        state: state(&standing.state).to_owned(),
        reason: standing.reason.clone(),
    });
    let groups = offer.groups.iter().filter(|group| is_offered(group));
    let server = ServerOffer {
        versions: versions.collect(),
        suites: offer.suites.iter().map(suite).collect(),
        groups: groups.map(|group| group.group.to_string()).collect(),
    };
    let clients = Client::all()
        .iter()
        .map(|client| negotiated(computed, client))
        .collect();
    Negotiation {
        server: Some(server),
        clients,
    }
}

fn state(state: &State) -> &'static str {
    match state {
        State::On => "on",
        State::Off => "off",
        State::Uncertain(_) => "uncertain",
    }
}

fn is_offered(group: &GroupStanding) -> bool {
    group.state.is_possible()
}

fn suite(standing: &SuiteStanding) -> SuiteEntry {
    SuiteEntry {
        name: standing.name.clone(),
        standing: word(&standing.standing).to_owned(),
        reason: standing.reason.clone(),
    }
}

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Offered => "offered",
        Standing::Uncertain(_) => "uncertain",
        Standing::NotInPolicy => "not-in-policy",
        Standing::NotInLocalList => "not-in-local-list",
        Standing::NotRegistered(_) => "not-registered",
        Standing::NotTls => "not-tls",
        Standing::OnlyOnRequest => "only-on-request",
        Standing::FipsExcluded => "fips",
        Standing::AlgorithmDisabled { .. } => "algorithm-disabled",
        Standing::NoEnabledVersion => "no-enabled-version",
        Standing::CertificateType { .. } => "certificate-type",
        Standing::NeedsDecryptKey => "needs-decrypt-key",
    }
}

fn negotiated(computed: &Computed, client: &Client) -> ClientNegotiation {
    let negotiation = tls::negotiate(&computed.offer, client);
    let agreed = negotiation.agreement();
    let outcome = match &negotiation.outcome {
        Outcome::Agreed { .. } => "agreed",
        Outcome::None { .. } => "none",
        Outcome::Uncertain { .. } => "uncertain",
    };
    let mut reason = match &negotiation.outcome {
        Outcome::Agreed { agreement, .. } => agreement.to_string(),
        Outcome::None { failure, .. } => failure.explanation.clone(),
        Outcome::Uncertain { doubts, .. } => {
            let doubts: Vec<String> = doubts.iter().map(ToString::to_string).collect();
            doubts.join("; ")
        }
    };
    for assumption in &negotiation.assumptions {
        reason.push_str("; ");
        reason.push_str(&assumption.to_string());
    }
    ClientNegotiation {
        profile: client.id.clone(),
        outcome: outcome.to_owned(),
        version: agreed.map(|agreement| agreement.version.to_string()),
        suite: agreed.map(|agreement| agreement.suite.clone()),
        reason,
    }
}
