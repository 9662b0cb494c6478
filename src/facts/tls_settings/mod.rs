//! What the machine's TLS settings come to: Schannel's values are read from the hives, the model in [`crate::tls`] judges them,
//! and what it says becomes facts.

mod certificate_kind;
mod hardening;
mod logged;
mod read;

use std::collections::BTreeSet;

pub use read::{Collected, FoundValue, OtherSet, ReadAt, read};

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
    self, Client, Doubt, Generation, GenerationMatch, ListVerdict, Negotiation, Outcome, Product,
    Role, ServerOffer, Setting, Settled, Standing, State,
};
use certificate_kind::certificate_kind;
use logged::Logged;

/// What the settings come to.
#[derive(Debug)]
pub struct Computed {
    /// What the hives hold.
    pub collected: Collected,
    /// What the server offers.
    pub offer: ServerOffer,
    /// What it would offer if no policy replaced the local list.
    local_offer: ServerOffer,
    mainstream: Vec<(Client, Negotiation)>,
    affected: Option<(Client, Negotiation)>,
    /// What it would come to without FIPS mode, with the affected client or else mainstream ones; empty where it is off.
    without_fips: Vec<(Client, Negotiation)>,
}

/// What the settings come to, before it is known what was logged. None without SYSTEM. `affected` is the client that is locked
/// out, where its settings were given.
pub fn evaluate(
    registry: &Registry,
    identity: &Identity,
    choice: &Choice,
    affected: Option<Client>,
    gaps: &mut Gaps,
) -> Option<Computed> {
    registry.system()?;
    let collected = read(registry, gaps);
    let generation = generation(identity);
    let certificate = certificate_kind(choice);
    let offer = ServerOffer::evaluate(&collected.settings, generation, certificate.clone());
    let mut settings = collected.settings.clone();
    settings.policy_suites = Setting::Absent;
    let local_offer = ServerOffer::evaluate(&settings, generation, certificate.clone());
    let negotiate = |client: Client| {
        let negotiation = tls::negotiate(&offer, &client);
        (client, negotiation)
    };
    let mainstream = Client::mainstream().into_iter().map(negotiate).collect();
    let without_fips = hardening::without_fips(
        &collected.settings,
        generation,
        certificate,
        affected.as_ref(),
    );
    let affected = affected.map(negotiate);
    Some(Computed {
        collected,
        offer,
        local_offer,
        mainstream,
        affected,
        without_fips,
    })
}

impl Computed {
    /// What it comes to with each of the mainstream Windows clients, and with the affected client where that is known.
    pub fn negotiations(&self) -> impl Iterator<Item = &(Client, Negotiation)> {
        self.mainstream.iter().chain(&self.affected)
    }

    /// Whether the lists that are known leave something in common with mainstream clients.
    pub fn lists_share(&self, gaps: &mut Gaps) -> Known<bool> {
        common_ground(&self.mainstream, gaps).0
    }

    /// The client that is locked out, and what it comes to with the server.
    pub fn affected(&self) -> Option<&(Client, Negotiation)> {
        self.affected.as_ref()
    }

    /// Adds the facts about what the server offers and with whom that works, `tls.*`. What was logged must be there
    /// before: boots say when a setting took effect, refusals that it has.
    pub fn add_facts(&self, facts: &mut FactSet) {
        let collected = &self.collected;
        let logged = Logged::of(facts);
        let newest = collected
            .protocols
            .iter()
            .filter_map(|(_, written)| *written)
            .max();
        let protocols = at_service_start(facts, TlsServer::KIND.name, newest);
        let protocols = logged.no_credential.proves(protocols, newest);
        let policy_written = collected
            .policy
            .written
            .filter(|_| collected.policy.present().is_some());
        let policy = at_boot(facts, SuitePolicy::KIND.name, policy_written);
        let policy = logged.refusals.proves(policy, policy_written);
        let local_written = collected
            .local
            .written
            .filter(|_| collected.local.present().is_some());
        let local = at_boot(facts, LocalSuites::KIND.name, local_written);
        let local = logged.refusals.proves(local, local_written);
        let list = match self.offer.list_source {
            tls::ListSource::Policy => policy,
            tls::ListSource::Local => local,
            tls::ListSource::BuildDefault | tls::ListSource::Unknown => Effect::Since(None),
        };
        let server = self.server(&logged, protocols, list, facts);
        self.add_hardening(&logged, server, facts);
        self.suite_policy(&logged, policy, facts);
        self.local_suites(&logged, local, facts);
        let in_effect = match protocols.pending().or(list.pending()) {
            Some(gap) => Effect::Pending(gap),
            None => Effect::Since(protocols.since().max(list.since())),
        };
        let with = Peer::MainstreamWindows;
        overlap(
            with,
            &self.mainstream,
            &self.offer,
            server,
            in_effect,
            facts,
        );
        if let Some(own) = &self.affected {
            let own = std::slice::from_ref(own);
            overlap(
                Peer::AffectedClient,
                own,
                &self.offer,
                server,
                in_effect,
                facts,
            );
        } else {
            unknown_client(&self.mainstream, server, facts);
        }
    }

    fn server(
        &self,
        logged: &Logged,
        protocols: Effect,
        list: Effect,
        facts: &mut FactSet,
    ) -> FactId {
        let Computed {
            offer, collected, ..
        } = self;
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
        let lacks_tls12 = settled(
            gaps,
            about,
            &hardening::lacks_tls12(offer, &collected.settings),
        );
        let tls12_missed = match (&lacks_tls12, &logged.refusals.seen) {
            (Known::Is(false), _) => Known::Is(false),
            (Known::Is(true), Known::Is(true)) => Known::Is(true),
            (Known::Open(gap), _) => Known::Open(*gap),
            (Known::Is(true), _) => Known::Open(gaps.open(
                Subject::ClientOffer,
                "whether the clients need TLS 1.2 is not known",
            )),
        };
        let tls13_forced = settled(
            gaps,
            about,
            &hardening::tls13_forced(offer, &collected.settings),
        );
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
            borne_out: all_versions_off
                .clone()
                .and(logged.no_credential.seen.clone()),
            all_versions_off: unless_pending(protocols, all_versions_off),
            off_by_default_only: unless_pending(protocols, Known::Is(off_by_default_only)),
            lacks_tls12: unless_pending(protocols, lacks_tls12.clone()),
            tls12_missed,
            tls13_forced,
            suites: unless_pending(protocols, unless_pending(list, suites)),
            list_source,
            policy_known: offer.policy_is_known(),
        };
        facts.add(protocols.since(), fact, sources)
    }

    fn suite_policy(&self, logged: &Logged, effect: Effect, facts: &mut FactSet) {
        let collected = &self.collected;
        let Some(source) = collected.policy.source.clone() else {
            return;
        };
        let unregistered =
            |suite: &&tls::SuiteStanding| matches!(suite.standing, Standing::NotRegistered(_));
        let fact = match &collected.policy.value {
            Known::Is(Some(list)) => {
                let (usable, fault) = verdict(
                    &mut facts.gaps,
                    SuitePolicy::KIND.name,
                    &self.offer.list_verdict,
                );
                let first = self.offer.suites.iter().find(unregistered);
                let spoils = usable.clone().not();
                SuitePolicy {
                    present: Known::Is(true),
                    usable: unless_pending(effect, usable),
                    spoils_after_restart: match effect {
                        Effect::Pending(_) => spoils.clone(),
                        Effect::Since(_) => Known::Is(false),
                    },
                    borne_out: spoils.and(logged.refusals.seen.clone()),
                    fault,
                    length: Known::Is(Some(list.length())),
                    first_unknown: Known::Is(first.map(|suite| suite.name.clone())),
                }
            }
            // What is not set stands in nobody's way.
            Known::Is(None) => SuitePolicy {
                present: Known::Is(false),
                usable: Known::Is(true),
                spoils_after_restart: Known::Is(false),
                borne_out: Known::Is(false),
                fault: Known::Is(None),
                length: Known::Is(None),
                first_unknown: Known::Is(None),
            },
            Known::Open(gap) => SuitePolicy {
                present: Known::Open(*gap),
                usable: Known::Open(*gap),
                spoils_after_restart: Known::Open(*gap),
                borne_out: Known::Open(*gap),
                fault: Known::Open(*gap),
                length: Known::Open(*gap),
                first_unknown: Known::Open(*gap),
            },
        };
        facts.add(effect.since(), fact, vec![source]);
    }

    /// The local list judged as if no policy replaced it; whether one does is a field of its own.
    fn local_suites(&self, logged: &Logged, effect: Effect, facts: &mut FactSet) {
        let collected = &self.collected;
        let Some(source) = collected.local.source.clone() else {
            return;
        };
        let list = &self.local_offer.list_verdict;
        let (usable, fault) = verdict(&mut facts.gaps, LocalSuites::KIND.name, list);
        let in_force = collected.policy.value.as_ref().map(Option::is_none);
        let fact = LocalSuites {
            borne_out: in_force
                .clone()
                .and(usable.clone().not())
                .and(logged.refusals.seen.clone()),
            in_force,
            usable: unless_pending(effect, usable),
            fault,
        };
        let sources: Vec<Source> = [Some(source), collected.provider.source.clone()]
            .into_iter()
            .flatten()
            .collect();
        facts.add(effect.since(), fact, sources);
    }
}

/// The Windows version that the machine is judged by; none where its build is not known.
pub fn generation(identity: &Identity) -> Option<GenerationMatch> {
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

/// Whether any of these clients surely agrees with the server, or surely none does, and at what the latter fail.
fn common_ground(
    negotiations: &[(Client, Negotiation)],
    gaps: &mut Gaps,
) -> (Known<bool>, Known<Option<Obstacle>>) {
    let mut doubts = BTreeSet::new();
    let mut obstacles = BTreeSet::new();
    for (_, negotiation) in negotiations {
        match &negotiation.outcome {
            Outcome::Agreed { .. } => return (Known::Is(true), Known::Is(None)),
            Outcome::None {
                failure, otherwise, ..
            } => {
                obstacles.insert(obstacle(failure.obstacle));
                obstacles.extend(otherwise.iter().copied().map(obstacle));
            }
            Outcome::Uncertain { doubts: more, .. } => doubts.extend(more.iter().cloned()),
        }
    }
    let about = Overlap::KIND.name;
    if !doubts.is_empty() {
        let gap = doubtful(gaps, about, &doubts);
        return (Known::Open(gap), Known::Open(gap));
    }
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
}

/// Somebody is locked out, and what that client offers is not known: that others would agree says nothing of it. Where not even
/// they do, nothing more is needed.
fn unknown_client(mainstream: &[(Client, Negotiation)], server: FactId, facts: &mut FactSet) {
    let locked_out = matches!(facts.anchors.first_failure, Known::Is(Some(_)));
    if !locked_out || common_ground(mainstream, &mut facts.gaps).0 == Known::Is(false) {
        return;
    }
    let why = "what the locked-out client offers is not known";
    let gap = facts.gaps.open(Subject::ClientOffer, why);
    let fact = Overlap {
        with: Peer::AffectedClient,
        shares: Known::Open(gap),
        server_has_version: Known::Open(gap),
        obstacle: Known::Open(gap),
        policy_known: Known::Open(gap),
    };
    facts.add(None, fact, vec![Source::Derived(vec![server])]);
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
    let (shares, obstacle) = common_ground(negotiations, &mut facts.gaps);
    let at = effect.since().filter(|_| shares != Known::Is(true));
    let no_version = settled(
        &mut facts.gaps,
        Overlap::KIND.name,
        &offer.all_versions_off(),
    );
    let policy_known = match offer.policy_is_known() {
        true => Known::Is(true),
        false => Known::Open(facts.gaps.open(
            Subject::SoftwareHive,
            "whether a policy is set is not known",
        )),
    };
    let fact = Overlap {
        with,
        shares: unless_pending(effect, shares),
        server_has_version: unless_pending(effect, no_version.not()),
        obstacle: unless_pending(effect, obstacle),
        policy_known,
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
