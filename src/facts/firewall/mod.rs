//! What the Windows Firewall and IPsec make of connections to the listener: `firewall.listener`, `ipsec.demand`.
//!
//! ```text
//! store      the rules and the profiles' settings, of the machine (SYSTEM) and of policy (SOFTWARE)
//! network    which profiles are in force, and which networks count as local
//! admission  what the rules in force make of one port in one profile
//! ```
//!
//! How rules come together is Microsoft's ("Windows Firewall rules", "Policy conflicts"): a block wins over every allow; what no
//! rule allows is blocked by default; rules of the machine count unless a policy's `AllowLocalPolicyMerge` is 0.

mod admission;
mod ipsec;
mod network;
mod store;

use jiff::Timestamp;

use super::catalog::firewall::FirewallListener;
use super::catalog::listener::ListenerSwitch;
use super::effect::{Effect, Written, at_service_start};
use super::fact::{FactSet, Source};
use super::gap::Gap;
use super::host::Identity;
use super::known::Known;
use super::listener::LISTENER;
use super::registry::{Place, Registry};
use super::subject::Subject;
use crate::parse::firewall_rule::Profile;
use admission::{Admission, Question};
use network::Networks;
use store::Stores;

/// The port that Remote Desktop has unless somebody moves it.
const DEFAULT_PORT: u16 = 3389;

/// From Windows 8 and Server 2012 on the listener is the service's; before, the driver's.
const FIRST_WITHOUT_DRIVER: u32 = 9200;

/// Other makers' firewalls, by the key names of their services.
const OTHER_FIREWALLS: &[&str] = &[
    "SepMasterService",
    "SmcService",
    "mfefire",
    "epfw",
    "epfwwfp",
    "TmPfw",
    "vsmon",
    "cmdAgent",
    "bdfwfpf",
    "fsfw",
    "aswFirewall",
    "ForticlientFWSvc",
    "klfw",
    "SAVFirewall",
    "PSINProt",
    "NIS",
];

/// Adds `firewall.listener` and `ipsec.demand`; none without SYSTEM. The facts of the event logs must be there before.
pub fn add_facts(registry: &Registry, identity: &Identity, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let stores = Stores::read(registry, &mut facts.gaps);
    let networks = Networks::read(registry, facts);
    let answer = registry.dword(&mut facts.gaps, LISTENER, "PortNumber");
    let port = answer.value.clone();
    let listener = Listener {
        port: port
            .as_ref()
            .and_then(|port| match port.map(u16::try_from) {
                Some(Ok(port)) => Known::Is(port),
                // Without the value the service listens where it does by default.
                None => Known::Is(DEFAULT_PORT),
                Some(Err(_)) => Known::Open(facts.gaps.open(
                    Subject::SystemHive,
                    format!(
                        "PortNumber is {}, which is no port",
                        port.map_or(0, |port| port)
                    ),
                )),
            }),
        number: port,
        source: answer.source,
        written: answer.written,
    };
    firewall(registry, identity, &stores, &networks, &listener, facts);
    ipsec::add_facts(&stores, &networks, &listener, facts);
}

/// The listener's port.
struct Listener {
    port: Known<u16>,
    number: Known<Option<u32>>,
    source: Option<Source>,
    written: Option<Timestamp>,
}

fn firewall(
    registry: &Registry,
    identity: &Identity,
    stores: &Stores,
    networks: &Networks,
    listener: &Listener,
    facts: &mut FactSet,
) {
    let set_away = listener.port.as_ref().map(|port| *port != DEFAULT_PORT);
    // The service reads its port when it starts. Which one it had before stands nowhere.
    let written = match set_away {
        Known::Is(true) => listener.written.map_or(Written::Undated, Written::At),
        _ => Written::Never,
    };
    let effect = at_service_start(facts, FirewallListener::KIND.name, written);
    let pending = effect.pending();
    let gaps = &mut facts.gaps;
    let service_off = switched_off(registry, gaps);
    let driver_listens = driver_listens(registry, identity, gaps);
    let mut ask = |port: u16| -> Admission {
        let judge = |profile: Profile| {
            let question = Question {
                profile,
                port,
                driver_listens,
                networks,
            };
            admission::judge(stores, &question, gaps)
        };
        let judged: Vec<Admission> = networks.profiles().into_iter().map(judge).collect();
        admission::together(judged, networks, gaps)
    };
    let (mut admitted, mut by, mut default_admitted) = (None, None, None);
    if let Known::Is(port) = &listener.port {
        let admission = ask(*port);
        by = admission.by;
        default_admitted = Some(match *port == DEFAULT_PORT {
            true => admission.admits.clone(),
            false => ask(DEFAULT_PORT).admits,
        });
        admitted = Some(admission.admits);
    }
    let open = |gap: &Option<_>| gap.map(Known::Open);
    let blocks = open(&service_off)
        .or_else(|| admitted.map(Known::not))
        .or_else(|| listener.port.gap().map(Known::Open))
        .unwrap_or(Known::Is(false));
    let closed_after_restart = match effect {
        Effect::Pending(_) => blocks.clone(),
        Effect::Undated(gap) => blocks.clone().and(Known::Open(gap)),
        Effect::Since(_) => Known::Is(false),
    };
    let moved = pending.map_or(set_away, Known::Open);
    let moved_away = match &default_admitted {
        Some(default) => blocks.clone().and(moved.clone()).and(default.clone()),
        None => blocks.clone(),
    };
    // Until then it listens on a port that is not known, most likely on 3389: what holds of both holds.
    let blocks = match (pending, default_admitted.map(Known::not)) {
        (Some(gap), Some(default)) if default != blocks => Known::Open(gap),
        _ => blocks,
    };
    let other = other_firewall(registry, &mut facts.gaps);
    let doubtful = match (&stores.policy_unknown, &other) {
        (Some(gap), _) => Known::Open(*gap),
        (None, Some(service)) => Known::Open(facts.gaps.record(Gap {
            about: FirewallListener::KIND.name.to_owned(),
            why: format!("{service} is another maker's firewall, whose rules are not in the registry's stores"),
            obtain: "on the machine: netsh wfp show filters".to_owned(),
        })),
        (None, None) => Known::Is(false),
    };
    let is_fault = blocks == Known::Is(true) || closed_after_restart == Known::Is(true);
    // What the firewall does changes with its rules, with the port, and with the network.
    let written = [stores.written, networks.since, effect.since()]
        .into_iter()
        .flatten()
        .max();
    let switched_off = facts
        .of_kind(ListenerSwitch::KIND)
        .any(|fact| fact.is("off", true));
    let sources: Vec<Source> = stores
        .sources
        .iter()
        .cloned()
        .chain(listener.source.clone())
        .collect();
    if sources.is_empty() {
        return;
    }
    let fact = FirewallListener {
        port: listener.number.clone(),
        moved,
        closed_after_restart,
        profile: networks.told(),
        blocks,
        moved_away,
        by,
        switched_off,
        doubtful,
        other_firewall: other,
    };
    facts.add(written.filter(|_| is_fault), fact, sources);
}

/// Whether the listener is the driver's: before Windows 8 and Server 2012. Where the build is not known, what the service depends on
/// tells: it is the driver there, and remote procedure calls alone later (seen in real hives).
fn driver_listens(
    registry: &Registry,
    identity: &Identity,
    gaps: &mut super::gap::Gaps,
) -> Option<bool> {
    if let Known::Is(build) = identity.build {
        return Some(build < FIRST_WITHOUT_DRIVER);
    }
    let below = registry.multi_text(
        gaps,
        Place::ControlSet("Services\\TermService"),
        "DependOnService",
    );
    let below = below.present()?;
    Some(
        below
            .iter()
            .any(|service| service.eq_ignore_ascii_case("TermDD")),
    )
}

/// Why the firewall may not run at all: its service, or the engine below it, is disabled. What filters are left then is not
/// documented.
fn switched_off(registry: &Registry, gaps: &mut super::gap::Gaps) -> Option<super::gap::GapId> {
    for service in ["MpsSvc", "BFE"] {
        let path = format!("Services\\{service}");
        let start = registry.dword(gaps, Place::ControlSet(&path), "Start");
        if start.present() == Some(&4) {
            return Some(gaps.record(Gap {
                about: FirewallListener::KIND.name.to_owned(),
                why: format!(
                    "{service} is disabled: which filters are in force without it is not known"
                ),
                obtain: "on the machine: netsh wfp show filters".to_owned(),
            }));
        }
    }
    None
}

fn other_firewall(registry: &Registry, gaps: &mut super::gap::Gaps) -> Option<String> {
    let mut installed = OTHER_FIREWALLS.iter().filter(|service| {
        let path = format!("Services\\{service}");
        let start = registry.dword(gaps, Place::ControlSet(&path), "Start");
        start.present().is_some_and(|start| *start < 4)
    });
    installed.next().map(|service| (*service).to_owned())
}
