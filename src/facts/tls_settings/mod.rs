//! What the machine's TLS settings come to: Schannel's values are read from the hives, the model in [`crate::tls`] judges them,
//! and what it says becomes facts.

mod answer;
mod certificate_kind;
mod fips;
mod hardening;
mod logged;
mod overlap;
mod read;
mod server;
mod suite_lists;

pub use read::{Collected, FoundValue, OtherSet, ReadAt, read};

use super::catalog::host::Role as HostRole;
use super::catalog::tls::{LocalSuites, Obstacle, Peer, SuitePolicy, TlsServer};
use super::certificate::Choice;
use super::effect::{Effect, Written, at_boot, at_service_start};
use super::fact::FactSet;
use super::gap::Gaps;
use super::host::Identity;
use super::known::Known;
use super::registry::Registry;
use crate::tls::{
    self, Client, Generation, GenerationMatch, Negotiation, Outcome, Product, SchannelSettings,
    ServerOffer, Setting, Settled,
};
use certificate_kind::certificate_kind;
use fips::FipsPairs;
use logged::Logged;
use overlap::{common_ground, overlap, unknown_client};

/// What the settings come to.
#[derive(Debug)]
pub struct Computed {
    /// What the hives hold.
    pub collected: Collected,
    /// What the server offers.
    pub offer: ServerOffer,
    /// What it would offer if no policy replaced the local list.
    local_offer: ServerOffer,
    /// What it would offer with the list that its build comes with.
    default_offer: ServerOffer,
    mainstream: Vec<(Client, Negotiation)>,
    affected: Option<(Client, Negotiation)>,
    /// What it comes to with FIPS mode and without; none where nothing asks for FIPS.
    fips: Option<FipsPairs>,
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
    let generation = generation(identity, &collected.settings);
    let certificate = certificate_kind(choice);
    let offer = ServerOffer::evaluate(&collected.settings, generation, certificate.clone());
    let mut settings = collected.settings.clone();
    settings.policy_suites = Setting::Absent;
    let local_offer = ServerOffer::evaluate(&settings, generation, certificate.clone());
    settings.local_suites = Setting::Absent;
    let default_offer = ServerOffer::evaluate(&settings, generation, certificate.clone());
    let negotiate = |client: Client| {
        let negotiation = tls::negotiate(&offer, &client);
        (client, negotiation)
    };
    let mainstream = Client::mainstream().into_iter().map(negotiate).collect();
    let fips = FipsPairs::of(&collected, generation, certificate, affected.as_ref());
    let affected = affected.map(negotiate);
    Some(Computed {
        collected,
        offer,
        local_offer,
        default_offer,
        mainstream,
        affected,
        fips,
    })
}

impl Computed {
    /// What it comes to with each of the mainstream Windows clients, and with the affected client where that is known.
    pub fn negotiations(&self) -> impl Iterator<Item = &(Client, Negotiation)> {
        self.mainstream.iter().chain(&self.affected)
    }

    /// Whether the lists that are known leave something in common with mainstream clients. A handshake that ends before or behind
    /// the suites is not theirs to answer for: there they do.
    pub fn lists_share(&self, gaps: &mut Gaps) -> Known<bool> {
        match common_ground(&self.mainstream, gaps) {
            (Known::Is(false), Known::Is(Some(obstacle))) => Known::Is(obstacle != Obstacle::Suite),
            (share, _) => share,
        }
    }

    /// Whether somebody's list of suites locks out a version of Windows: for want of a suite, where the list that the build
    /// comes with would serve it.
    pub fn list_locks_out(&self) -> bool {
        // The list that the build comes with takes nothing from anybody.
        if self.offer.list_source == tls::ListSource::BuildDefault {
            return false;
        }
        Client::each_windows().iter().any(|client| {
            let fails = tls::negotiate(&self.offer, client).fails_at(tls::Obstacle::Suite);
            fails == Settled::Yes && {
                let served = tls::negotiate(&self.default_offer, client).outcome;
                matches!(served, Outcome::Agreed { .. })
            }
        })
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
        let newest = Written::newest(collected.protocols.iter().map(|(_, written)| *written));
        let protocols = at_service_start(facts, TlsServer::KIND.name, newest);
        let protocols = logged.no_credential.proves(protocols, newest);
        let of_list = |set: bool, written| Written::newest(set.then_some(written).into_iter());
        let policy_set = collected.policy.present().is_some();
        let policy_written = of_list(policy_set, collected.policy.written);
        let policy = at_boot(facts, SuitePolicy::KIND.name, policy_written);
        let policy = logged.refusals.proves(policy, policy_written);
        let local_set = collected.local.present().is_some();
        let local_written = of_list(local_set, collected.local.written);
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
}

/// The Windows version that the machine is judged by: that of its build or, where nothing tells the build, what Schannel's own lists
/// leave possible, if that comes to the same in TLS; else none.
pub fn generation(identity: &Identity, settings: &SchannelSettings) -> Option<GenerationMatch> {
    let product = match identity.role {
        Known::Is(HostRole::Client) => Product::Client,
        Known::Is(HostRole::Server | HostRole::DomainController) => Product::Server,
        Known::Open(_) => Product::Unknown,
    };
    match identity.build {
        Known::Is(build) => Generation::for_build(build, product),
        Known::Open(_) => tls::generation_by_lists(settings, product),
    }
}
