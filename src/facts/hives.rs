//! All facts of one host's hives and exported certificates, in the order in which they build on each other.
//!
//! Facts of event logs come first: boots say when a setting took effect, service control why a service does not start,
//! attempts what became of them since a setting was written; and the incident, which certificates are judged at, is known from
//! them alone.

use super::certificate::{self, Choice};
use super::fact::{FactId, FactSet};
use super::host::{self, Identity};
use super::listener;
use super::registry::Registry;
use super::renewal_service;
use super::service;
use super::store::{Exported, Stores};
use super::tls_settings::{self, Computed};
use crate::tls::Client;

/// What the facts of one host's hives are made from.
#[derive(Debug)]
pub struct Evidence<'e> {
    /// Its hives.
    pub registry: &'e Registry,
    /// Who it is.
    pub identity: &'e Identity,
    /// The certificates that were exported from it.
    pub exported: Vec<Exported>,
    /// Facts that prove TLS in use, whatever the settings say: attributed Schannel events in the server role, RdpCoreTS 153.
    pub tls_proof: Vec<FactId>,
    /// The client that is locked out, where its settings were given.
    pub affected: Option<Client>,
}

/// What the hives tell beside their facts.
#[derive(Debug)]
pub struct FromHives {
    /// Which certificate is the listener's.
    pub certificate: Choice,
    /// Every certificate found.
    pub stores: Stores,
    /// What the server offers in TLS, and who can connect with it; none without SYSTEM.
    pub tls: Option<Computed>,
}

/// Adds every fact of the hives and the exported certificates, and says what they cover.
pub fn add(evidence: Evidence<'_>, facts: &mut FactSet) -> FromHives {
    let Evidence {
        registry,
        identity,
        exported,
        tls_proof,
        affected,
    } = evidence;
    registry.cover(facts);
    host::add(identity, facts);
    service::starts(registry, facts);
    listener::tls(registry, &tls_proof, facts);
    listener::switch(registry, facts);
    let stores = Stores::read(registry, exported, facts);
    let certificate = certificate::choose(registry, &stores, identity, facts);
    let standing = certificate::listener(&certificate, identity, facts);
    renewal_service::renewal_services(&certificate, &standing, facts);
    let tls = tls_settings::compute(registry, identity, &certificate, affected, facts);
    FromHives {
        certificate,
        stores,
        tls,
    }
}
