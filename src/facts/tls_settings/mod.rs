//! What the machine's TLS settings come to: Schannel's values are read from the hives, the model in [`crate::tls`] judges them,
//! and what it says becomes facts.

mod certificate_kind;
mod read;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use read::{Collected, read};

use super::catalog::host::Role as HostRole;
use super::catalog::tls::{
    ListFault, ListSource, LocalSuites, Obstacle, Overlap, Peer, SuitePolicy, TlsServer,
};
use super::certificate::Choice;
use super::effect::{Effect, at_boot, at_service_start};
use super::fact::{FactId, FactSet, Source};
use super::gap::{Gap, GapId, Gaps};
use super::host::Identity;
use super::known::Known;
use super::registry::Registry;
use super::subject::Subject;
use crate::tls::{
    self, CertificateKind, Client, Doubt, Generation, GenerationMatch, ListVerdict, Negotiation,
    Outcome, Product, Role, ServerOffer, Setting, Settled, Standing, State,
};
use certificate_kind::certificate_kind;

/// What the settings come to.
#[derive(Debug)]
pub struct Computed {
    /// What the server offers.
    pub offer: ServerOffer,
    /// What it comes to with each of the mainstream Windows clients, and with the affected client where that is known.
    pub negotiations: Vec<(Client, Negotiation)>,
    /// The fact `tls.server`.
    pub server: FactId,
}

/// Adds the facts `tls.server`, `tls.suite_policy`, `tls.local_suites` and `tls.overlap`; none without SYSTEM. `affected` is the
/// client that is locked out, where its settings were given.
pub fn compute(
    registry: &Registry,
    identity: &Identity,
    choice: &Choice,
    affected: Option<Client>,
    facts: &mut FactSet,
) -> Option<Computed> {
    registry.system()?;
    let collected = read(registry, &mut facts.gaps);
    let generation = generation(identity);
    let certificate = certificate_kind(choice);
    let offer = ServerOffer::evaluate(&collected.settings, generation, certificate.clone());
    let newest = collected
        .protocols
        .iter()
        .filter_map(|(_, written)| *written)
        .max();
    let protocols = at_service_start(facts, TlsServer::KIND.name, newest);
    let set = |answer: Option<Timestamp>, present: bool| answer.filter(|_| present);
    let policy_written = set(
        collected.policy.written,
        collected.policy.present().is_some(),
    );
    let policy = at_boot(facts, SuitePolicy::KIND.name, policy_written);
    let local_written = set(collected.local.written, collected.local.present().is_some());
    let local = at_boot(facts, LocalSuites::KIND.name, local_written);
    let list = match offer.list_source {
        tls::ListSource::Policy => policy,
        tls::ListSource::Local => local,
        tls::ListSource::BuildDefault | tls::ListSource::Unknown => Effect::Since(None),
    };

    let server = server(&offer, &collected, protocols, list, facts);
    suite_policy(&offer, &collected, policy, facts);
    local_suites(&collected, generation, certificate, local, facts);

    let in_effect = match protocols.pending().or(list.pending()) {
        Some(gap) => Effect::Pending(gap),
        None => Effect::Since(protocols.since().max(list.since())),
    };
    let negotiate = |client: Client| {
        let negotiation = tls::negotiate(&offer, &client);
        (client, negotiation)
    };
    let mut negotiations: Vec<(Client, Negotiation)> =
        Client::mainstream().into_iter().map(negotiate).collect();
    let with = Peer::MainstreamWindows;
    overlap(with, &negotiations, &offer, server, in_effect, facts);
    if let Some(client) = affected {
        let own = [negotiate(client)];
        overlap(Peer::AffectedClient, &own, &offer, server, in_effect, facts);
        negotiations.extend(own);
    }
    Some(Computed {
        offer,
        negotiations,
        server,
    })
}

fn generation(identity: &Identity) -> Option<GenerationMatch> {
    let product = match identity.role {
        Known::Is(HostRole::Client) => Product::Client,
        Known::Is(HostRole::Server | HostRole::DomainController) => Product::Server,
        Known::Open(_) => Product::Unknown,
    };
    Generation::for_build(*identity.build.settled()?, product)
}

/// A gap that names the questions which public sources leave open.
fn doubtful(gaps: &mut Gaps, about: &str, doubts: &BTreeSet<Doubt>) -> GapId {
    let reasons: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
    let unread = doubts
        .iter()
        .any(|doubt| matches!(doubt, Doubt::Unread(_) | Doubt::BuildUnknown));
    let obtain = if unread {
        "reg save HKLM\\SYSTEM SYSTEM.hiv and reg save HKLM\\SOFTWARE SOFTWARE.hiv"
    } else {
        "on the machine: Get-TlsCipherSuite; from a client: nmap --script ssl-enum-ciphers -p 3389 SERVER"
    };
    gaps.record(Gap {
        about: about.to_owned(),
        why: reasons.join("; "),
        obtain: obtain.to_owned(),
    })
}

fn settled(gaps: &mut Gaps, about: &str, answer: &Settled) -> Known<bool> {
    match answer {
        Settled::Yes => Known::Is(true),
        Settled::No => Known::Is(false),
        Settled::Open(doubts) => Known::Open(doubtful(gaps, about, doubts)),
    }
}

fn server(
    offer: &ServerOffer,
    collected: &Collected,
    protocols: Effect,
    list: Effect,
    facts: &mut FactSet,
) -> FactId {
    let gaps = &mut facts.gaps;
    let about = TlsServer::KIND.name;
    let all_versions_off = settled(gaps, about, &offer.all_versions_off());
    let versions = offer
        .versions
        .iter()
        .filter(|standing| standing.state == State::On);
    let versions = versions
        .map(|standing| standing.version.to_string())
        .collect();
    let possible: Vec<&State> = offer
        .versions
        .iter()
        .map(|standing| &standing.state)
        .filter(|state| state.is_possible())
        .collect();
    let by_default = |state: &&State| {
        state
            .doubts()
            .any(|doubt| *doubt == Doubt::OffByDefault(Role::Server))
    };
    let off_by_default_only = !possible.is_empty() && possible.iter().all(by_default);
    let unknown = || BTreeSet::from([Doubt::BuildUnknown]);
    let list_source = match offer.list_source {
        tls::ListSource::Policy => Known::Is(ListSource::Policy),
        tls::ListSource::Local => Known::Is(ListSource::Local),
        tls::ListSource::BuildDefault => Known::Is(ListSource::BuildDefault),
        tls::ListSource::Unknown => Known::Open(doubtful(gaps, about, &unknown())),
    };
    let offered = offer
        .suites
        .iter()
        .filter(|suite| suite.standing == Standing::Offered);
    let offered: Vec<String> = offered.map(|suite| suite.name.clone()).collect();
    let suites = list_source.as_ref().map(|_| offered);
    let mut sources: Vec<Source> = collected
        .protocols
        .iter()
        .map(|(source, _)| source.clone())
        .collect();
    sources.extend(
        collected
            .policy
            .present()
            .and(collected.policy.source.clone()),
    );
    sources.extend(collected.local.source.clone());
    sources.extend(collected.provider.source.clone());
    sources.dedup();
    let fact = TlsServer {
        versions: unless_pending(protocols, Known::Is(versions)),
        all_versions_off: unless_pending(protocols, all_versions_off),
        off_by_default_only: unless_pending(protocols, Known::Is(off_by_default_only)),
        suites: unless_pending(protocols, unless_pending(list, suites)),
        list_source,
        policy_known: offer.policy_is_known(),
    };
    facts.add(protocols.since(), fact, sources)
}

/// What is in effect now is not known where the setting waits for a start.
fn unless_pending<T>(effect: Effect, value: Known<T>) -> Known<T> {
    effect.pending().map_or(value, Known::Open)
}

fn verdict(
    gaps: &mut Gaps,
    about: &str,
    verdict: &ListVerdict,
) -> (Known<bool>, Known<Option<ListFault>>) {
    match verdict {
        ListVerdict::Usable { .. } => (Known::Is(true), Known::Is(None)),
        ListVerdict::Unusable { faults } => (Known::Is(false), Known::Is(main_fault(faults))),
        ListVerdict::Uncertain { doubts, .. } => {
            let gap = doubtful(gaps, about, doubts);
            (Known::Open(gap), Known::Open(gap))
        }
        ListVerdict::NoList => {
            let gap = doubtful(gaps, about, &BTreeSet::from([Doubt::BuildUnknown]));
            (Known::Open(gap), Known::Open(gap))
        }
    }
}

/// The fault that stands for all: what the names that do count come to before those that do not.
fn main_fault(faults: &[tls::ListFault]) -> Option<ListFault> {
    let named = faults.iter().map(|fault| match fault {
        tls::ListFault::Empty => (0, ListFault::Empty),
        tls::ListFault::CertificateType { .. } => (1, ListFault::CertificateType),
        tls::ListFault::NoEnabledVersion => (2, ListFault::NoVersion),
        tls::ListFault::NotForRemoteDesktop => (3, ListFault::NotForRemoteDesktop),
        tls::ListFault::OtherGeneration(_) => (4, ListFault::OtherGeneration),
        tls::ListFault::Cut { .. } => (5, ListFault::Cut),
        tls::ListFault::UnknownNames(_) => (6, ListFault::UnknownNames),
    });
    named.min().map(|(_, fault)| fault)
}

fn suite_policy(offer: &ServerOffer, collected: &Collected, effect: Effect, facts: &mut FactSet) {
    let Some(source) = collected.policy.source.clone() else {
        return;
    };
    let gaps = &mut facts.gaps;
    let unregistered =
        |suite: &&tls::SuiteStanding| matches!(suite.standing, Standing::NotRegistered(_));
    let fact = match &collected.policy.value {
        Known::Is(Some(list)) => {
            let (usable, fault) = verdict(gaps, SuitePolicy::KIND.name, &offer.list_verdict);
            let first = offer.suites.iter().find(unregistered);
            SuitePolicy {
                present: Known::Is(true),
                usable: unless_pending(effect, usable),
                fault: unless_pending(effect, fault),
                length: Known::Is(Some(list.length())),
                first_unknown: Known::Is(first.map(|suite| suite.name.clone())),
            }
        }
        // What is not set stands in nobody's way.
        Known::Is(None) => SuitePolicy {
            present: Known::Is(false),
            usable: Known::Is(true),
            fault: Known::Is(None),
            length: Known::Is(None),
            first_unknown: Known::Is(None),
        },
        Known::Open(gap) => SuitePolicy {
            present: Known::Open(*gap),
            usable: Known::Open(*gap),
            fault: Known::Open(*gap),
            length: Known::Open(*gap),
            first_unknown: Known::Open(*gap),
        },
    };
    facts.add(effect.since(), fact, vec![source]);
}

/// The local list judged as if no policy replaced it; whether one does is a field of its own.
fn local_suites(
    collected: &Collected,
    generation: Option<GenerationMatch>,
    certificate: Option<CertificateKind>,
    effect: Effect,
    facts: &mut FactSet,
) {
    let Some(source) = collected.local.source.clone() else {
        return;
    };
    let mut settings = collected.settings.clone();
    settings.policy_suites = Setting::Absent;
    let offer = ServerOffer::evaluate(&settings, generation, certificate);
    let (usable, fault) = verdict(&mut facts.gaps, LocalSuites::KIND.name, &offer.list_verdict);
    let in_force = collected
        .policy
        .value
        .as_ref()
        .map(|policy| policy.is_none());
    let fact = LocalSuites {
        in_force,
        usable: unless_pending(effect, usable),
        fault: unless_pending(effect, fault),
    };
    let sources: Vec<Source> = [Some(source), collected.provider.source.clone()]
        .into_iter()
        .flatten()
        .collect();
    facts.add(effect.since(), fact, sources);
}

/// One fact for all of these clients: they share something if any of them surely does, and nothing if surely none does.
fn overlap(
    with: Peer,
    negotiations: &[(Client, Negotiation)],
    offer: &ServerOffer,
    server: FactId,
    effect: Effect,
    facts: &mut FactSet,
) {
    let mut doubts = BTreeSet::new();
    let mut obstacles = BTreeSet::new();
    let mut agreed = false;
    for (_, negotiation) in negotiations {
        match &negotiation.outcome {
            Outcome::Agreed { .. } => agreed = true,
            Outcome::None {
                failure, otherwise, ..
            } => {
                obstacles.insert(obstacle(failure.obstacle));
                obstacles.extend(otherwise.iter().copied().map(obstacle));
            }
            Outcome::Uncertain { doubts: more, .. } => doubts.extend(more.iter().cloned()),
        }
    }
    let gaps = &mut facts.gaps;
    let about = Overlap::KIND.name;
    let (shares, obstacle) = if agreed {
        (Known::Is(true), Known::Is(None))
    } else if !doubts.is_empty() {
        let gap = doubtful(gaps, about, &doubts);
        (Known::Open(gap), Known::Open(gap))
    } else {
        let mut obstacles = obstacles.into_iter();
        let first = match (obstacles.next(), obstacles.next()) {
            (first, None) => Known::Is(first),
            // Some fail at this, others at that.
            (_, Some(_)) => Known::Open(gaps.record(Gap {
                about: about.to_owned(),
                why: "the clients fail at different stages of the negotiation".to_owned(),
                obtain: Subject::ClientOffer.obtain().to_owned(),
            })),
        };
        (Known::Is(false), first)
    };
    let at = effect.since().filter(|_| !agreed);
    let fact = Overlap {
        with,
        shares: unless_pending(effect, shares),
        obstacle: unless_pending(effect, obstacle),
        policy_known: offer.policy_is_known(),
    };
    facts.add(at, fact, vec![Source::Derived(vec![server])]);
}

fn obstacle(obstacle: tls::Obstacle) -> Obstacle {
    match obstacle {
        tls::Obstacle::Version => Obstacle::Version,
        tls::Obstacle::Suite => Obstacle::Suite,
        tls::Obstacle::Group => Obstacle::Group,
        tls::Obstacle::Signature => Obstacle::Signature,
    }
}
