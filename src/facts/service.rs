//! How the services that Remote Desktop rests on are set to start, and which of them it cannot do without.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::catalog::schannel::SchannelFailure;
use super::catalog::service::{ServiceFailure, ServiceRan, ServiceStart, StartType};
use super::effect::in_effect_since;
use super::fact::{Fact, FactSet};
use super::gap::Gaps;
use super::incident::ConnectionState;
use super::known::Known;
use super::registry::{Place, Registry};
use super::running;
use super::subject::Subject;
use super::value::{FieldState, Value};

/// The services, by key name: the service itself and its helpers, what keeps keys and certificates, what TermService depends
/// on, and what brings packets to it.
pub const SERVICES: [&str; 15] = [
    "TermService",
    "SessionEnv",
    "UmRdpService",
    "LanmanWorkstation",
    "KeyIso",
    "CryptSvc",
    "CertPropSvc",
    "RpcSs",
    "RpcEptMapper",
    "DcomLaunch",
    "LSM",
    "nsi",
    "Dhcp",
    "BFE",
    "MpsSvc",
];

/// How a fresh Windows starts them, in the words of sc.exe; read off the registries of fresh machines from Windows Server 2012 to 2025.
/// That of drivers is not listed here.
#[must_use]
pub fn default_start(service: &str) -> Option<&'static str> {
    const ON_DEMAND: [&str; 5] = [
        "TermService",
        "SessionEnv",
        "UmRdpService",
        "KeyIso",
        "CertPropSvc",
    ];
    let among = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(service));
    if among(&ON_DEMAND) {
        Some("demand")
    } else {
        among(&SERVICES).then_some("auto")
    }
}

/// Needed although the hive names them nowhere below TermService: the session manager, and the store of network interfaces.
const ALWAYS_NEEDED: [&str; 2] = ["LSM", "nsi"];
/// More than stand below any service.
const MOST_DEPENDENCIES: usize = 64;

/// Adds a fact `service.start` for each of [`SERVICES`] and of those below TermService; none without SYSTEM. Only a disabled one has a time: when its key was
/// last written or, where a boot after that is known, that boot.
pub fn starts(registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let below = dependencies(registry, &mut facts.gaps);
    let by_dhcp = uses_dhcp(registry, &mut facts.gaps);
    let has = |names: &[String], service: &str| {
        names.iter().any(|name| name.eq_ignore_ascii_case(service))
    };
    let mut services: Vec<String> = SERVICES
        .iter()
        .map(|service| (*service).to_owned())
        .collect();
    for service in below.iter().chain(ALWAYS_NEEDED.map(str::to_owned).iter()) {
        if !has(&services, service) {
            services.push(service.clone());
        }
    }
    for service in services {
        let needed = match service.as_str() {
            "Dhcp" => by_dhcp.clone(),
            name => Known::Is(has(&below, name) || has(&ALWAYS_NEEDED.map(str::to_owned), name)),
        };
        let path = format!("Services\\{service}");
        let place = Place::ControlSet(&path);
        let key = registry.key(&mut facts.gaps, place);
        let answer = registry.dword(&mut facts.gaps, place, "Start");
        let present = key.value.map(|key| key.is_some());
        let gaps = &mut facts.gaps;
        let start = answer.value.and_then(|number| match number {
            None => Known::Is(None),
            Some(0) => Known::Is(Some(StartType::Boot)),
            Some(1) => Known::Is(Some(StartType::System)),
            Some(2) => Known::Is(Some(StartType::Automatic)),
            Some(3) => Known::Is(Some(StartType::Manual)),
            Some(4) => Known::Is(Some(StartType::Disabled)),
            Some(other) => Known::Open(gaps.open(
                Subject::SystemHive,
                format!("{path}\\Start is {other}, which is no way to start"),
            )),
        });
        let disabled = start.settled() == Some(&Some(StartType::Disabled));
        let at = answer
            .written
            .filter(|_| disabled)
            .map(|written| in_effect_since(facts, written));
        let Some(source) = answer.source.or(key.source) else {
            continue;
        };
        let brings = service == "TermService" || needed == Known::Is(true);
        let listed = running::service_runs(&service, facts).map(|(runs, _)| runs);
        let pending_restart = match listed {
            // What was logged has a time: a text that shows it running is older.
            Some(Known::Is(runs)) => {
                let stopped = answer
                    .written
                    .is_some_and(|written| stopped_since(&service, written, facts));
                disabled && runs && !stopped
            }
            Some(Known::Open(_)) | None => answer
                .written
                .is_some_and(|written| disabled && runs_on(&service, brings, written, facts)),
        };
        let fact = ServiceStart {
            default_start: default_start(&service).map(str::to_owned),
            service,
            present,
            start,
            needed,
            pending_restart,
        };
        facts.add(at, fact, vec![source]);
    }
}

/// Whether a service that was disabled then runs on until Windows starts again: it was so after the last start, and neither service
/// control nor what would fail without it tells that it stopped. Where it brings people in, they must have been seen to come: with
/// nobody left, it may have been stopped as well.
fn runs_on(service: &str, brings_people_in: bool, written: Timestamp, facts: &FactSet) -> bool {
    let after_boot = matches!(facts.anchors.last_boot, Known::Is(boot) if boot < written);
    let stopped = stopped_since(service, written, facts);
    let mut failures = facts
        .of_kind(SchannelFailure::KIND)
        .filter(|fact| fact.at >= Some(written));
    let credential_fails = failures.any(|fact| {
        let event = fact.field("event");
        let credential = [36870, 36871].map(|id| FieldState::Is(Value::Number(id)));
        fact.is("attributed", true) && credential.iter().any(|id| event == Some(id))
    });
    let nobody_left = matches!(
        facts.anchors.state,
        ConnectionState::Silent | ConnectionState::Unseen
    );
    let told_to_run = !(stopped || credential_fails || brings_people_in && nobody_left);
    after_boot && told_to_run
}

/// Whether service control reported since then that the service stopped, or failed.
fn stopped_since(service: &str, written: Timestamp, facts: &FactSet) -> bool {
    let since = |kind| facts.of_kind(kind).filter(|fact| fact.at >= Some(written));
    let own = |fact: &&Fact| fact.is("service", service.to_owned());
    since(ServiceRan::KIND)
        .filter(own)
        .any(|fact| fact.is("running", false))
        || since(ServiceFailure::KIND).any(|fact| own(&fact))
}

/// The services and drivers below TermService, as `DependOnService` has them, each in the case in which it was named first.
fn dependencies(registry: &Registry, gaps: &mut Gaps) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open = vec!["TermService".to_owned()];
    while let Some(service) = open.pop() {
        if found.len() >= MOST_DEPENDENCIES {
            break;
        }
        let path = format!("Services\\{service}");
        let below = registry.multi_text(gaps, Place::ControlSet(&path), "DependOnService");
        for name in below.value.settled().cloned().flatten().unwrap_or_default() {
            // `+` names a group of drivers.
            let name = name.trim().to_owned();
            if !name.is_empty() && !name.starts_with('+') && seen.insert(name.to_lowercase()) {
                let known = SERVICES
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(&name));
                let name = known.map_or(name, |known| (*known).to_owned());
                found.push(name.clone());
                open.push(name);
            }
        }
    }
    found.sort();
    found
}

/// Whether an adapter gets its address by DHCP and none has a fixed one: without the service the machine then has no address.
fn uses_dhcp(registry: &Registry, gaps: &mut Gaps) -> Known<bool> {
    let interfaces = Place::ControlSet("Services\\Tcpip\\Parameters\\Interfaces");
    let listing = match registry.subkeys(gaps, interfaces).value {
        Known::Is(Some(listing)) => listing,
        Known::Is(None) => return Known::Is(false),
        Known::Open(gap) => return Known::Open(gap),
    };
    let (mut dynamic, mut fixed) = (false, false);
    for key in &listing.entries {
        let by_dhcp = key
            .value("EnableDHCP")
            .present()
            .and_then(|value| value.dword().ok());
        let has = |address: &str| !address.is_empty() && address != "0.0.0.0";
        let addresses = key
            .value("IPAddress")
            .present()
            .and_then(|value| value.multi_text().ok());
        match by_dhcp {
            // Whatever it holds: without the service the lease is gone.
            Some(1) => dynamic = true,
            _ => {
                fixed |=
                    addresses.is_some_and(|list| list.iter().any(|address| has(address.trim())))
            }
        }
    }
    match (dynamic && !fixed, listing.is_whole()) {
        (needed, true) => Known::Is(needed),
        (_, false) => Known::Open(gaps.open(
            Subject::SystemHive,
            "damaged: the list of adapters could not be read whole",
        )),
    }
}
