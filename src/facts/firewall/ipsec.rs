//! Whether connection security rules ask IPsec of what comes in to the listener (measured: without it the first packet is dropped
//! silently, and the client times out).

use jiff::Timestamp;

use super::Listener;
use super::network::Networks;
use super::store::{Owner, Stored, Stores};
use crate::facts::catalog::connection::Passed;
use crate::facts::catalog::firewall::{IpsecDemand, IpsecFailure};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::{Gap, Gaps};
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::firewall_rule::{ConnectionSecurityRule, Demand, Profile, covers};

const TCP: u8 = 6;

pub(super) fn add_facts(
    stores: &Stores,
    networks: &Networks,
    listener: &Listener,
    facts: &mut FactSet,
) {
    let (demanded, rule) = match &listener.port {
        Known::Is(port) => demanded(stores, networks, *port, &mut facts.gaps),
        Known::Open(gap) => (Known::Open(*gap), None),
    };
    let failed = facts.of_kind(IpsecFailure::KIND).next().is_some();
    let doubtful = match failed {
        true => Known::Is(false),
        false => Known::Open(facts.gaps.open(
            Subject::SecurityLog,
            "no failed negotiation of IPsec (4653, 4654, 4984) stands in it: clients of the domain may well come through",
        )),
    };
    let sources: Vec<Source> = listener
        .source
        .iter()
        .chain(&stores.sources)
        .cloned()
        .collect();
    if sources.is_empty() {
        return;
    }
    let written = stores.written.max(networks.since);
    let fact = IpsecDemand {
        works: works(written, facts),
        demanded,
        rule,
        doubtful,
    };
    let at = written.filter(|_| fact.demanded == Known::Is(true));
    facts.add(at, fact, sources);
}

/// Whether connections arrive since then. While people connect, whatever becomes of it, IPsec lets them.
fn works(since: Option<Timestamp>, facts: &mut FactSet) -> Known<bool> {
    let arrived = facts
        .of_kind(Passed::KIND)
        .any(|passed| since.is_none_or(|since| passed.at > Some(since)));
    match facts.anchors.state {
        ConnectionState::Unseen if !arrived => Known::Open(facts.gaps.open(
            Subject::Arrivals,
            "no log shows whether connections come in under the rule",
        )),
        ConnectionState::Unseen | ConnectionState::Silent => Known::Is(arrived),
        ConnectionState::Succeeding
        | ConnectionState::Mixed
        | ConnectionState::Dropping
        | ConnectionState::Failing => Known::Is(true),
    }
}

/// Whether it is asked of the port in the profiles in force, and by which rule. A rule that exempts something of the same port
/// leaves it open, as does one that is bounded by addresses or interfaces.
fn demanded(
    stores: &Stores,
    networks: &Networks,
    port: u16,
    gaps: &mut Gaps,
) -> (Known<bool>, Option<String>) {
    let profiles = networks.profiles();
    let mut so = Known::Is(false);
    let mut by = None;
    let mut exempted = None;
    for stored in &stores.ipsec {
        let rule = &stored.rule;
        let Some(profiles) = in_force(stores, stored, &profiles) else {
            continue;
        };
        if !about(rule, port) {
            continue;
        }
        let named = || rule.name.clone().unwrap_or_else(|| stored.id.clone());
        let maybe = |gaps: &mut Gaps, why: String| {
            gaps.record(Gap {
                about: IpsecDemand::KIND.name.to_owned(),
                why,
                obtain: "on the machine: Get-NetIPsecRule -PolicyStore ActiveStore".to_owned(),
            })
        };
        match rule.demand {
            Demand::Boundary => {}
            Demand::DoNotSecure => {
                let why = format!(
                    "the connection security rule {} exempts some of it",
                    named()
                );
                exempted = Some(maybe(gaps, why));
            }
            Demand::Secure | Demand::SecureServer => {
                let this = if !rule.limits.are_none() {
                    let names: Vec<&str> = rule
                        .limits
                        .known
                        .iter()
                        .chain(&rule.limits.unknown)
                        .map(String::as_str)
                        .collect();
                    let why = format!(
                        "the connection security rule {} is bounded by {}, which files alone do not tell",
                        named(),
                        names.join(", ")
                    );
                    Known::Open(maybe(gaps, why))
                } else if profiles {
                    by.get_or_insert_with(named);
                    Known::Is(true)
                } else {
                    Known::Open(networks.undecided(gaps))
                };
                so = so.or(this);
            }
        }
    }
    if so == Known::Is(false)
        && let Some(gap) = stores.ipsec_incomplete
    {
        so = Known::Open(gap);
    }
    match (&so, exempted) {
        (Known::Is(true), Some(gap)) => (Known::Open(gap), by),
        _ => (so, by),
    }
}

/// Whether a rule is in force in all of the profiles that count (true) or in some (false); none where it is in none.
fn in_force(
    stores: &Stores,
    stored: &Stored<ConnectionSecurityRule>,
    profiles: &[Profile],
) -> Option<bool> {
    let rule = &stored.rule;
    let holds = |profile: &&Profile| {
        let counts = stored.owner == Owner::Policy
            || stores.settings(**profile).merges_ipsec != Known::Is(false);
        counts && (rule.profiles.is_empty() || rule.profiles.contains(profile))
    };
    let holding = profiles.iter().filter(holds).count();
    (rule.active && holding > 0).then_some(holding == profiles.len())
}

/// Whether connections to the port are among those that the rule is about. Its ends have no order: either may be this machine.
fn about(rule: &ConnectionSecurityRule, port: u16) -> bool {
    let tcp = rule.protocol.is_none_or(|protocol| protocol == TCP);
    let (first, second) = (
        covers(&rule.first_ports, port),
        covers(&rule.second_ports, port),
    );
    let either = match (rule.first_ports.is_empty(), rule.second_ports.is_empty()) {
        (true, true) => true,
        (false, true) => first != Some(false),
        (true, false) => second != Some(false),
        (false, false) => first != Some(false) || second != Some(false),
    };
    tcp && either
}
