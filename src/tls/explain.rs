//! A failed negotiation in words: the first obstacle, and what else stands in the way.

use std::collections::BTreeMap;

use super::client::{Client, Sha1Exchange};
use super::doubt::{Settled, State};
use super::list::ListSource;
use super::negotiate::{Failure, Obstacle};
use super::offer::ServerOffer;
use super::verdict::{ListFault, ListVerdict};
use super::version::Version;

pub(super) fn failure(server: &ServerOffer, client: &Client, obstacle: Obstacle) -> Failure {
    let mut also = Vec::new();
    if obstacle < Obstacle::Suite && !shares_a_suite(server, client) {
        also.push(suites(server, client));
    }
    if obstacle < Obstacle::Group && !shares_a_group(server, client) {
        also.push(groups(server, client));
    }
    if obstacle < Obstacle::Signature && server.certificate_signature() == State::Off {
        also.push(signatures(server, client));
    }
    let explanation = match obstacle {
        Obstacle::Version => versions(server, client),
        Obstacle::Suite => suites(server, client),
        Obstacle::Group => groups(server, client),
        Obstacle::Signature => signatures(server, client),
    };
    Failure {
        obstacle,
        explanation,
        also,
    }
}

/// Why a server reaches nobody.
pub(super) fn server_offers_nothing(server: &ServerOffer, obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::Version => "every TLS version is off for the server role".into(),
        _ => format!("the server offers no suite: {}", why_no_suite(server)),
    }
}

fn versions(server: &ServerOffer, client: &Client) -> String {
    let list = |versions: Vec<Version>| -> String {
        let names: Vec<String> = versions.iter().rev().map(Version::to_string).collect();
        if names.is_empty() {
            "no TLS version".into()
        } else {
            names.join(", ")
        }
    };
    let possible = |states: Vec<(Version, State)>| {
        states
            .into_iter()
            .filter(|(_, state)| state.is_possible())
            .map(|(version, _)| version)
            .collect()
    };
    let own = server
        .versions
        .iter()
        .map(|standing| (standing.version, standing.state.clone()))
        .collect();
    format!(
        "no TLS version in common: the server has {}, the client {}",
        list(possible(own)),
        list(possible(client.versions.clone()))
    )
}

fn shares_a_suite(server: &ServerOffer, client: &Client) -> bool {
    server.suites.iter().any(|standing| {
        standing.own.is_possible()
            && standing
                .suite
                .as_ref()
                .is_some_and(|suite| client.suite(suite).is_possible())
    })
}

fn suites(server: &ServerOffer, client: &Client) -> String {
    if server.offers_no_suite() == Settled::Yes {
        return format!("the server offers no suite: {}", why_no_suite(server));
    }
    let offered: Vec<&str> = server
        .suites
        .iter()
        .filter(|standing| standing.own.is_possible())
        .map(|standing| standing.name.as_str())
        .collect();
    let mut text = format!("no suite in common: the server offers {}", few(&offered));
    // Suites that differ by a curve alone are one to the client; the one with the least in its way speaks for them.
    let mut wanted: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for standing in server
        .suites
        .iter()
        .filter(|standing| !standing.own.is_possible())
    {
        let Some(suite) = &standing.suite else {
            continue;
        };
        if client.suite(suite).is_possible() {
            let this = (standing.hindrances.len(), standing.reason.as_str());
            let least = wanted.entry(suite.iana_name()).or_insert(this);
            *least = this.min(*least);
        }
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, reason) in wanted.into_values() {
        *reasons.entry(reason).or_default() += 1;
    }
    if reasons.is_empty() {
        text.push_str("; this Windows registers no other suite that the client has");
    }
    for (reason, count) in reasons {
        text.push_str(&format!("; {count} that the client has: {reason}"));
    }
    text
}

fn why_no_suite(server: &ServerOffer) -> String {
    let list = match server.list_source {
        ListSource::Policy => "the policy",
        ListSource::Local => "the local suite list",
        ListSource::BuildDefault | ListSource::Unknown => "the default suite list",
    };
    match &server.list_verdict {
        ListVerdict::Unusable { faults } => {
            let texts: Vec<String> = faults
                .iter()
                .map(|fault| match fault {
                    ListFault::CertificateType { needs, .. } => {
                        let key = server
                            .certificate
                            .as_ref()
                            .map(|certificate| certificate.key.to_string());
                        let key = key.unwrap_or_else(|| "not known".into());
                        format!("{list} allows only {needs} suites; the certificate is {key}")
                    }
                    fault => format!("{list}: {fault}"),
                })
                .collect();
            texts.join("; ")
        }
        _ if server.algorithms_leave_nothing() == Settled::Yes => {
            format!(
                "switched off by {}",
                server.disabled_algorithms().join(", ")
            )
        }
        _ => {
            let mut reasons: Vec<&str> = Vec::new();
            for standing in server
                .suites
                .iter()
                .filter(|standing| standing.suite.is_some())
            {
                if !reasons.contains(&standing.reason.as_str()) {
                    reasons.push(&standing.reason);
                }
            }
            reasons.join("; ")
        }
    }
}

fn few(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => {
            let shown: Vec<&str> = names.iter().take(SHOWN).copied().collect();
            format!("{} and {more} more", shown.join(", "))
        }
        _ => names.join(", "),
    }
}

fn shares_a_group(server: &ServerOffer, client: &Client) -> bool {
    server
        .groups
        .iter()
        .any(|standing| standing.state.is_possible() && client.group(&standing.group).is_possible())
}

fn groups(server: &ServerOffer, client: &Client) -> String {
    let names = |groups: Vec<String>| {
        if groups.is_empty() {
            "none".to_owned()
        } else {
            groups.join(", ")
        }
    };
    let own = server
        .groups
        .iter()
        .filter(|standing| standing.state.is_possible());
    let own = names(own.map(|standing| standing.group.to_string()).collect());
    let theirs = client
        .groups
        .iter()
        .filter(|(_, state)| state.is_possible());
    let theirs = names(theirs.map(|(group, _)| group.to_string()).collect());
    let mut text =
        format!("no key exchange in common: the server's groups are {own}, the client's {theirs}");
    if let Some(bits) = server
        .diffie_hellman_bits
        .filter(|bits| *bits < client.limits.diffie_hellman_bits)
    {
        let least = client.limits.diffie_hellman_bits;
        text.push_str(&format!(
            "; Diffie-Hellman has {bits} bits, the client wants {least}"
        ));
    }
    text
}

fn signatures(server: &ServerOffer, client: &Client) -> String {
    let signature = server
        .certificate
        .as_ref()
        .and_then(|certificate| certificate.signature);
    if let Some(signature) = signature.filter(|_| server.certificate_signature() == State::Off) {
        return format!(
            "the certificate is signed with {signature}, which the server's signature suites (SSL\\00010003) do not have"
        );
    }
    let key = server
        .certificate
        .as_ref()
        .map_or("not known".to_owned(), |certificate| {
            certificate.key.to_string()
        });
    let mut text = format!("the client refuses what the server signs with its {key} key");
    if client.limits.rsa_bits > 0 {
        text.push_str(&format!(
            "; it takes RSA keys from {} bits on",
            client.limits.rsa_bits
        ));
    }
    if client.limits.sha1_exchange == Sha1Exchange::Refused {
        text.push_str("; it takes no SHA-1 signature over the key exchange of TLS 1.0 and 1.1");
    }
    text
}
