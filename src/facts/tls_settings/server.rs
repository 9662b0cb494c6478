//! The fact about what the server offers, `tls.server`.

use std::collections::BTreeSet;

use super::Computed;
use super::answer::{doubtful, settled, unless_pending};
use super::hardening;
use super::logged::Logged;
use crate::facts::catalog::tls::{ListSource, TlsServer};
use crate::facts::effect::Effect;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::tls::{self, Doubt, Role, Standing, State};

impl Computed {
    /// Adds `tls.server`; `protocols` and `list` say since when the versions and the list of suites are in effect.
    pub(super) fn server(
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
}
