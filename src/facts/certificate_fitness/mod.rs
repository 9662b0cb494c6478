//! Whether the listener's certificate serves: what is pinned, what the certificate is for, whether it has a key, how strong it is,
//! whether its store entry is whole, and what becomes of enrolment for it.

mod enrolment;
mod export;
mod key_link;
mod pin;
mod strength;
mod usage;

use jiff::Timestamp;

use super::catalog::certificate::{ListenerCertificate, StoreEntryDamage};
use super::certificate::{Choice, Chosen};
use super::fact::{FactSet, Source};
use super::host::Identity;
use super::known::Known;
use super::registry::Registry;
use super::store::{Entry, Stores};
use super::tls_settings::Computed;

/// What these facts are made from.
#[derive(Debug, Clone, Copy)]
pub struct Bearing<'b> {
    /// The host's hives.
    pub registry: &'b Registry,
    /// Every certificate found.
    pub stores: &'b Stores,
    /// Who the host is.
    pub identity: &'b Identity,
    /// Which certificate is the listener's.
    pub choice: &'b Choice,
    /// What the server offers in TLS; none without SYSTEM.
    pub tls: Option<&'b Computed>,
}

/// Adds the facts. Those about the listener's certificate, its renewals, Schannel and connections must be there before.
pub fn add_facts(bearing: &Bearing<'_>, facts: &mut FactSet) {
    pin::add_fact(bearing, facts);
    enrolment::add_fact(bearing, facts);
    key_link::add_fact(bearing, facts);
    add_damaged_entries(bearing, facts);
    export::add_facts(bearing, facts);
    if let Choice::Certificate(chosen) = bearing.choice {
        usage::add_facts(chosen, bearing.tls, facts);
        strength::add_fact(chosen, bearing.tls, facts);
    }
}

/// The fact that says which certificate it is, as the source of what is computed from it.
fn derived(facts: &FactSet) -> Vec<Source> {
    let found = facts.of_kind(ListenerCertificate::KIND).map(|fact| fact.id);
    vec![Source::Derived(found.collect())]
}

/// When the certificate came into the machine's store, where that is known.
fn installed(chosen: &Chosen) -> Option<Timestamp> {
    let entry = chosen.entry.settled()?.as_ref()?;
    entry.key()?.1
}

/// Adds `certificate_store.entry` for each damaged entry of the machine's stores.
fn add_damaged_entries(bearing: &Bearing<'_>, facts: &mut FactSet) {
    for entry in &bearing.stores.entries {
        let sound = entry.damage == Known::Is(None) || !entry.home.is_machines();
        let Some((key, written)) = entry.key().filter(|_| !sound) else {
            continue;
        };
        let body = StoreEntryDamage {
            key: key.to_owned(),
            damaged: entry.damage.as_ref().map(Option::is_some),
            damage: entry.damage.settled().cloned().flatten(),
            listener: is_listeners(entry, bearing.choice),
        };
        facts.add(written, body, entry.sources.clone());
    }
}

fn is_listeners(entry: &Entry, choice: &Choice) -> Known<bool> {
    let inside = entry.certificate.as_ref();
    match choice {
        Choice::Certificate(chosen) => Known::Is(
            entry.thumbprint == chosen.thumbprint
                || inside.is_some_and(|inside| inside.thumbprint == chosen.thumbprint),
        ),
        Choice::None(_) => Known::Is(false),
        Choice::Unknown(gap) => Known::Open(*gap),
    }
}
