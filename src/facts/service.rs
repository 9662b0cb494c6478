//! How the services that Remote Desktop rests on are set to start.

use super::catalog::service::{ServiceStart, StartType};
use super::effect::in_effect_since;
use super::fact::FactSet;
use super::known::Known;
use super::registry::{Place, Registry};
use super::subject::Subject;

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

/// Adds a fact `service.start` for each of [`SERVICES`]; none without SYSTEM. Only a disabled one has a time: when its key was
/// last written or, where a boot after that is known, that boot.
pub fn starts(registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    for service in SERVICES {
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
        let fact = ServiceStart {
            service: service.to_owned(),
            present,
            start,
        };
        facts.add(at, fact, vec![source]);
    }
}
