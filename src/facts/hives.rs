//! All facts of one host's hives and exported certificates, in the order in which they build on each other.
//!
//! The anchors come first, from the event logs: the incident is what certificates are judged at. [`read`] then says which
//! certificate and which lists there are, which some facts of events need; [`FromHives::add_facts`] follows those, for boots say
//! when a setting took effect, service control why a service does not start, attempts what became of them since a setting was
//! written.

use super::catalog::certificate::CertificateStanding;
use super::certificate::{self, Choice};
use super::fact::{FactId, FactSet};
use super::firewall;
use super::host::{self, Identity};
use super::installed;
use super::known::Known;
use super::listener;
use super::listener_values;
use super::policy;
use super::registry::Registry;
use super::renewal_service;
use super::residue;
use super::served::Served;
use super::service;

use super::store::{Exported, Stores};
use super::store_listing::Listed;
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
    /// Those that were listed as text.
    pub listed: Vec<Listed>,
    /// The client that is locked out, where its settings were given.
    pub affected: Option<Client>,
    /// What its logs tell of the time of the certificate.
    pub served: Served,
}

/// What the hives tell beside their facts.
#[derive(Debug)]
pub struct FromHives {
    /// Which certificate is the listener's.
    pub certificate: Choice,
    /// How it stands at the incident.
    pub standing: Known<CertificateStanding>,
    /// Every certificate found.
    pub stores: Stores,
    /// What the server offers in TLS, and who can connect with it; none without SYSTEM.
    pub tls: Option<Computed>,
    identity: Identity,
}

/// Reads the hives and the exported certificates, says what they cover, and adds the facts that do not rest on what was logged.
pub fn read(evidence: Evidence<'_>, facts: &mut FactSet) -> FromHives {
    let Evidence {
        registry,
        identity,
        exported,
        listed,
        affected,
        served,
    } = evidence;
    registry.cover(facts);
    host::add(identity, facts);
    let mut stores = Stores::read(registry, exported, facts);
    stores.take_listed(listed, facts);
    let certificate = certificate::choose(registry, &stores, identity, facts);
    let standing = certificate::listener(&certificate, identity, &served, facts);
    let tls = tls_settings::evaluate(registry, identity, &certificate, affected, &mut facts.gaps);
    FromHives {
        certificate,
        standing,
        stores,
        tls,
        identity: identity.clone(),
    }
}

impl FromHives {
    /// Adds the facts that rest on what was logged as well: those of the event logs must be there before. `tls_proof` names facts
    /// that prove TLS in use, whatever the settings say: attributed Schannel events in the server role, RdpCoreTS 153.
    pub fn add_facts(&self, registry: &Registry, tls_proof: &[FactId], facts: &mut FactSet) {
        service::starts(registry, facts);
        listener::tls(registry, tls_proof, facts);
        listener::switch(registry, facts);
        listener_values::add_facts(registry, facts);
        firewall::add_facts(registry, &self.identity, facts);
        residue::add_facts(registry, facts);
        policy::add_facts(registry, facts);
        renewal_service::renewal_services(&self.certificate, &self.standing, facts);
        if let Some(tls) = &self.tls {
            tls.add_facts(facts);
        }
        installed::add(registry, facts);
    }
}
