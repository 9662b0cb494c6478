//! The facts about the two lists of cipher suites, `tls.suite_policy` and `tls.local_suites`.

use std::collections::BTreeSet;

use super::Computed;
use super::answer::{doubtful, unless_pending};
use super::logged::Logged;
use crate::facts::catalog::tls::{ListFault, LocalSuites, SuitePolicy};
use crate::facts::effect::Effect;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gaps;
use crate::facts::known::Known;
use crate::tls::{self, Doubt, ListVerdict, Standing};

impl Computed {
    /// Adds `tls.suite_policy`, where SOFTWARE was read.
    pub(super) fn suite_policy(&self, logged: &Logged, effect: Effect, facts: &mut FactSet) {
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
                        Effect::Undated(gap) => spoils.clone().and(Known::Open(gap)),
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
    pub(super) fn local_suites(&self, logged: &Logged, effect: Effect, facts: &mut FactSet) {
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
