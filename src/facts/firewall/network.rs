//! Which networks the machine stands in: the profiles in force, what counts as local, and which clients are known.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use crate::facts::catalog::connection::ClientOutcome;
use crate::facts::catalog::firewall::{FirewallListener, NetworkChange};
use crate::facts::fact::{Fact, FactSet};
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;
use crate::parse::firewall_rule::{Addresses, Profile};

const INTERFACES: &str = "Services\\Tcpip\\Parameters\\Interfaces";
const NETWORKS: &str = "Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles";

/// The machine's networks.
#[derive(Debug)]
pub(super) struct Networks {
    in_force: Known<Vec<Profile>>,
    /// When the newest of the networks in force was joined, where that was logged.
    pub since: Option<Timestamp>,
    local: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// The addresses of clients that count.
    pub clients: Vec<IpAddr>,
}

impl Networks {
    pub fn read(registry: &Registry, facts: &mut FactSet) -> Networks {
        let clients = clients(facts);
        let (logged, since) = joined(facts);
        let in_force = match logged.is_empty() {
            false => Known::Is(logged),
            true => last_connected(registry, &mut facts.gaps),
        };
        Networks {
            in_force,
            since,
            local: local(registry, &mut facts.gaps),
            clients,
        }
    }

    /// The profiles to be judged: those in force, or all where these are not known.
    pub fn profiles(&self) -> Vec<Profile> {
        match &self.in_force {
            Known::Is(profiles) => profiles.clone(),
            Known::Open(_) => Profile::ALL.to_vec(),
        }
    }

    /// The profiles in force, for people.
    pub fn told(&self) -> Known<String> {
        self.in_force.as_ref().map(|profiles| {
            let words: Vec<&str> = profiles.iter().map(|profile| word(*profile)).collect();
            words.join(", ")
        })
    }

    /// Why it is not decided where profiles differ.
    pub fn undecided(&self, gaps: &mut Gaps) -> GapId {
        self.in_force.gap().unwrap_or_else(|| {
            gaps.record(Gap {
                about: FirewallListener::KIND.name.to_owned(),
                why: "the machine stands in networks of several profiles, which are filtered differently".to_owned(),
                obtain: "on the machine: Get-NetConnectionProfile".to_owned(),
            })
        })
    }

    /// Whether an address lies in those of a rule; none where that cannot be told.
    pub fn hold(&self, addresses: &Addresses, client: IpAddr) -> Option<bool> {
        match (addresses, client) {
            (Addresses::LocalSubnet, IpAddr::V4(client)) if !self.local.is_empty() => Some(
                self.local
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&client)),
            ),
            (addresses, client) => addresses.hold(client),
        }
    }
}

fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Domain => "domain",
        Profile::Private => "private",
        Profile::Public => "public",
    }
}

fn clients(facts: &FactSet) -> Vec<IpAddr> {
    let outcomes = facts.of_kind(ClientOutcome::KIND);
    let people = outcomes.filter(|fact| !fact.is("stranger", true));
    people
        .filter_map(|fact| fact.text("client")?.parse().ok())
        .collect()
}

/// The profiles of the networks that the machine joined since Windows started and did not leave, by network (NetworkProfile 10000
/// and 10001), and when it joined the newest.
fn joined(facts: &FactSet) -> (Vec<Profile>, Option<Timestamp>) {
    let boot = facts.anchors.last_boot.settled().copied();
    let since_boot = |fact: &&Fact| boot <= fact.at;
    let mut changes: Vec<&Fact> = facts
        .of_kind(NetworkChange::KIND)
        .filter(since_boot)
        .collect();
    changes.sort_by_key(|fact| fact.at);
    let mut networks: BTreeMap<Option<&str>, Option<(Profile, Option<Timestamp>)>> =
        BTreeMap::new();
    for change in changes {
        let profile = match change.text("kind") {
            Some("domain") => Profile::Domain,
            Some("private") => Profile::Private,
            _ => Profile::Public,
        };
        let state = change.is("joined", true).then_some((profile, change.at));
        networks.insert(change.text("network"), state);
    }
    let in_force: Vec<(Profile, Option<Timestamp>)> = networks.into_values().flatten().collect();
    let since = in_force.iter().filter_map(|(_, at)| *at).max();
    let mut profiles: Vec<Profile> = in_force.into_iter().map(|(profile, _)| profile).collect();
    profiles.sort();
    profiles.dedup();
    (profiles, since)
}

/// The profile of the network that NetworkList calls the one connected last; a tie leaves it open, unless all agree.
fn last_connected(registry: &Registry, gaps: &mut Gaps) -> Known<Vec<Profile>> {
    let listing = match registry.subkeys(gaps, Place::Software(NETWORKS)).value {
        Known::Is(Some(listing)) if listing.is_whole() => listing,
        Known::Open(gap) => return Known::Open(gap),
        _ => {
            return Known::Open(gaps.open(
                Subject::NetworkProfileLog,
                "no network stands in NetworkList",
            ));
        }
    };
    let mut found: Vec<([u16; 7], Profile)> = Vec::new();
    for key in listing.entries {
        let category = key
            .value("Category")
            .present()
            .and_then(|value| value.dword().ok());
        let profile = match category {
            Some(0) => Profile::Public,
            Some(1) => Profile::Private,
            Some(2) => Profile::Domain,
            _ => {
                return Known::Open(gaps.open(
                    Subject::SoftwareHive,
                    "a network in NetworkList has no category that is known",
                ));
            }
        };
        let last = key
            .value("DateLastConnected")
            .present()
            .and_then(|value| date(&value.bytes));
        found.push((last.unwrap_or_default(), profile));
    }
    found.sort();
    let Some((last, _)) = found.last().copied() else {
        return Known::Open(gaps.open(
            Subject::NetworkProfileLog,
            "no network stands in NetworkList",
        ));
    };
    let mut newest: Vec<Profile> = found
        .iter()
        .filter(|(date, _)| *date == last)
        .map(|(_, profile)| *profile)
        .collect();
    newest.dedup();
    match newest.as_slice() {
        [only] => Known::Is(vec![*only]),
        _ => Known::Open(gaps.open(
            Subject::NetworkProfileLog,
            "NetworkList does not tell which network was connected last",
        )),
    }
}

/// A SYSTEMTIME (year, month, day of the week, day, hour, minute, second, milliseconds), in an order that can be compared.
fn date(bytes: &[u8]) -> Option<[u16; 7]> {
    let parts: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    match parts.as_slice() {
        [year, month, _, day, hour, minute, second, thousandths] => {
            Some([*year, *month, *day, *hour, *minute, *second, *thousandths])
        }
        _ => None,
    }
}

/// The networks of the adapters, by address and mask, fixed or from DHCP.
fn local(registry: &Registry, gaps: &mut Gaps) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let Known::Is(Some(listing)) = registry.subkeys(gaps, Place::ControlSet(INTERFACES)).value
    else {
        return Vec::new();
    };
    let mut networks = Vec::new();
    for key in listing.entries {
        let list = |name: &str| {
            let value = key.value(name).present();
            let value = value.map(|value| {
                value
                    .multi_text()
                    .or_else(|_| value.text().map(|text| vec![text]))
            });
            value.and_then(Result::ok).unwrap_or_default()
        };
        for (address, mask) in [
            ("IPAddress", "SubnetMask"),
            ("DhcpIPAddress", "DhcpSubnetMask"),
        ] {
            for (address, mask) in list(address).iter().zip(list(mask)) {
                let (Ok(address), Ok(mask)) =
                    (address.parse::<Ipv4Addr>(), mask.parse::<Ipv4Addr>())
                else {
                    continue;
                };
                let mask = u32::from(mask);
                if address.is_unspecified() || mask == 0 {
                    continue;
                }
                let first = u32::from(address) & mask;
                networks.push((Ipv4Addr::from(first), Ipv4Addr::from(first | !mask)));
            }
        }
    }
    networks
}
