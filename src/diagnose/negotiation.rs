//! What TLS would come to, as the report shows it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::facts::fact::Source;
use crate::facts::incident::Anchors;
use crate::facts::tls_settings::{Computed, FoundValue, ReadAt};
use crate::tls::{
    self, Client, Doubt, Knowledge, ListSource, Obstacle, Outcome, Residue, Role, Standing, State,
    SuiteStanding,
};
use crate::verdict::model::{
    ASSUMING, ClientNegotiation, Negotiation, ServerOffer, SettingEntry, SuiteEntry, VersionEntry,
};

/// When Windows and the service last started, where that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Starts {
    boot: Option<Timestamp>,
    service: Option<Timestamp>,
}

impl Starts {
    pub(super) fn of(anchors: &Anchors) -> Self {
        let boot = anchors.last_boot.settled().copied();
        let service = anchors.service_start.settled().copied();
        Starts {
            boot,
            service: boot.max(service),
        }
    }
}

/// What a host offers and whom it agrees with: the client asked about, then every profile.
pub(super) fn of_host(computed: Option<&Computed>, starts: Starts) -> Negotiation {
    let Some(computed) = computed else {
        return Negotiation::default();
    };
    let asked = computed.affected().map(|(client, _)| client.clone());
    let others = Client::all()
        .into_iter()
        .filter(|client| asked.as_ref().is_none_or(|asked| asked.id != client.id));
    let others: Vec<Client> = others.collect();
    let common: BTreeSet<String> = Client::common()
        .into_iter()
        .map(|client| client.id)
        .collect();
    // Who names a client asks about that one.
    let is_common = |client: &Client| asked.is_none() && common.contains(&client.id);
    let asked_entry = asked
        .iter()
        .map(|client| client_entry(&computed.offer, client, true));
    let entries = others
        .iter()
        .map(|client| client_entry(&computed.offer, client, is_common(client)));
    Negotiation {
        server: Some(server_entry(
            &computed.offer,
            &computed.collected.values,
            starts,
        )),
        clients: asked_entry.chain(entries).collect(),
    }
}

/// What a server offers; `values` are those of its registry.
pub(super) fn server_entry(
    offer: &tls::ServerOffer,
    values: &[FoundValue],
    starts: Starts,
) -> ServerOffer {
    let versions = offer.versions.iter().map(|standing| VersionEntry {
        version: standing.version.to_string(),
        state: state(&standing.state).to_owned(),
        reason: standing.reason.clone(),
    });
    let groups = offer
        .groups
        .iter()
        .filter(|group| group.state.is_possible());
    let list = match offer.list_source {
        ListSource::Policy => "policy",
        ListSource::Local => "local",
        ListSource::BuildDefault => "build-default",
        ListSource::Unknown => "unknown",
    };
    let of_server = values
        .iter()
        .filter(|value| value.role != Some(Role::Client));
    ServerOffer {
        versions: versions.collect(),
        suites: offer.suites.iter().map(suite).collect(),
        groups: groups.map(|group| group.group.to_string()).collect(),
        windows: offer.generation.map(|found| found.title()),
        certificate: offer
            .certificate
            .as_ref()
            .map(|certificate| certificate.key.to_string()),
        list: list.to_owned(),
        settings: of_server
            .filter_map(|value| setting(value, starts))
            .collect(),
        residue: offer.residue.iter().map(Residue::to_string).collect(),
        assumptions: offer.assumptions.iter().map(ToString::to_string).collect(),
    }
}

fn setting(value: &FoundValue, starts: Starts) -> Option<SettingEntry> {
    let Source::Value {
        artifact,
        key,
        name,
        ..
    } = &value.source
    else {
        return None;
    };
    let (read_at, start) = match value.read_at {
        ReadAt::Boot => (Some("boot"), starts.boot),
        ReadAt::ServiceStart => (Some("service start"), starts.service),
        ReadAt::Once => (None, None),
    };
    let waits = match read_at {
        None => Some(false),
        Some(_) => value
            .written
            .zip(start)
            .map(|(written, start)| written > start),
    };
    Some(SettingEntry {
        artifact: artifact.clone(),
        key: key.clone(),
        name: name.clone().unwrap_or_default(),
        value: value.shown.clone(),
        written: value.written.map(|time| time.to_string()),
        waits,
        read_at: read_at.map(str::to_owned),
    })
}

fn state(state: &State) -> &'static str {
    match state {
        State::On => "on",
        State::Off => "off",
        State::Uncertain(_) => "uncertain",
    }
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

/// What one client comes to with the server.
pub(super) fn client_entry(
    offer: &tls::ServerOffer,
    client: &Client,
    common: bool,
) -> ClientNegotiation {
    let negotiation = tls::negotiate(offer, client);
    let agreed = negotiation.agreement();
    let (outcome, mut reason, doubts) = match &negotiation.outcome {
        Outcome::Agreed {
            agreement,
            otherwise,
            doubts,
        } => {
            let mut reason = agreement.to_string();
            for other in otherwise {
                reason.push_str(&format!("; or {other}"));
            }
            if !doubts.is_empty() && !otherwise.is_empty() {
                reason.push_str(&format!(
                    "; which of them is not certain: {}",
                    joined(doubts)
                ));
            }
            ("agreed", reason, doubts)
        }
        Outcome::None {
            failure, doubts, ..
        } => ("none", failure.explanation.clone(), doubts),
        Outcome::Uncertain { doubts, likely } => {
            let reason = match likely {
                Some(Ok(agreement)) => format!("likely {agreement}, but {}", joined(doubts)),
                Some(Err(failure)) => {
                    format!(
                        "likely not: {}, but {}",
                        failure.explanation,
                        joined(doubts)
                    )
                }
                None => joined(doubts),
            };
            ("uncertain", reason, doubts)
        }
    };
    let failure = match &negotiation.outcome {
        Outcome::None { failure, .. }
        | Outcome::Uncertain {
            likely: Some(Err(failure)),
            ..
        } => Some(failure),
        Outcome::Agreed { .. } | Outcome::Uncertain { .. } => None,
    };
    for also in failure.into_iter().flat_map(|failure| &failure.also) {
        reason.push_str("; and besides: ");
        reason.push_str(also);
    }
    let assumptions: Vec<String> = negotiation
        .assumptions
        .iter()
        .map(ToString::to_string)
        .collect();
    if !assumptions.is_empty() {
        reason.push_str(ASSUMING);
        reason.push_str(&assumptions.join(" and "));
    }
    ClientNegotiation {
        profile: client.id.clone(),
        outcome: outcome.to_owned(),
        version: agreed.map(|agreement| agreement.version.to_string()),
        suite: agreed.map(|agreement| agreement.suite.clone()),
        reason,
        title: client.title.clone(),
        common: common || client.knowledge == Knowledge::Collected,
        group: agreed.and_then(|agreement| Some(agreement.group.as_ref()?.to_string())),
        signature: agreed.and_then(|agreement| Some(agreement.signature?.to_string())),
        obstacle: failure.map(|failure| obstacle(failure.obstacle).to_owned()),
        also: failure
            .map(|failure| failure.also.clone())
            .unwrap_or_default(),
        open: doubts.iter().map(Doubt::to_string).collect(),
    }
}

fn obstacle(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Version => "version",
        Obstacle::Suite => "suite",
        Obstacle::Group => "group",
        Obstacle::Signature => "signature",
    }
}

fn joined(doubts: &BTreeSet<Doubt>) -> String {
    let doubts: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
    doubts.join("; ")
}
