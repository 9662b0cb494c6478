//! The Remote Desktop service and its listener at work: what the registry sets and what the logs say came of it.
//!
//! ```text
//! trouble  failures and crashes of the service
//! start    whether the listener started, and failed
//! logons   whether new sessions are taken
//! adapter  the adapter that the listener is bound to
//! library  what the service's libraries are
//! owner    whose the listener, the service's library and the edition are
//! ```

mod adapter;
mod library;
mod logons;
mod owner;
mod start;
mod trouble;

use super::catalog::firewall::{IpsecFailure, NetworkChange};
use super::catalog::listener::SetupRefusal;
use super::catalog::service::ServiceRan;
use super::event::Event;
use super::fact::{Fact, FactSet};
use super::history::History;
use super::known::Known;
use super::registry::Registry;
use super::service_event::DisplayNames;

/// Adds what the logs alone say: `service.crash`, `service.trouble`, `listener.failure`, `listener.started`, and what networks
/// were joined and refused. Before the facts of the hives, which rest on some of them.
pub fn add_logged(history: &History<'_>, names: &DisplayNames, facts: &mut FactSet) {
    trouble::add_facts(history, names, facts);
    start::add_logged(history, facts);
    for placed in &history.events {
        let source = || vec![placed.event.source()];
        match &placed.event.event {
            Event::NetworkChanged {
                kind,
                joined,
                network,
            } => {
                let body = NetworkChange {
                    kind: *kind,
                    joined: *joined,
                    network: network.clone(),
                };
                facts.add(Some(placed.at), body, source());
            }
            Event::SetupRefuses => {
                facts.add(Some(placed.at), SetupRefusal { event: 34 }, source());
            }
            Event::IpsecFailed { event } => {
                facts.add(Some(placed.at), IpsecFailure { event: *event }, source());
            }
            _ => {}
        }
    }
}

pub use library::add_facts as add_libraries;

/// Adds what the registry sets, held against the logs. After the facts of hives and logs.
pub fn add_facts(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    owner::add_facts(registry, facts);
    adapter::add_fact(registry, facts);
    logons::add_fact(history, registry, facts);
    start::add_fact(history, facts);
}

/// When the Remote Desktop service was reported as running (7036), from the facts.
fn runs(facts: &FactSet) -> impl Iterator<Item = &Fact> {
    facts.of_kind(ServiceRan::KIND).filter(|fact| {
        fact.text("service")
            .is_some_and(|service| service.eq_ignore_ascii_case("TermService"))
            && fact.truth("running") == Known::Is(true)
    })
}
