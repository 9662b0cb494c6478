//! Whether a service that Windows needs to renew the listener's certificate is switched off or cannot start.

use super::catalog::certificate::{CertificateStanding, RenewalService};
use super::catalog::service::{ServiceChanged, ServiceFailure, ServiceStart};
use super::certificate::Choice;
use super::fact::{Fact, FactId, FactSet, Source};
use super::known::Known;
use super::service::default_start;
use super::subject::Subject;
use super::value::{FieldState, Value};

/// The service that makes and renews the certificate, and the one it depends on.
const RENEWERS: [&str; 2] = ["SessionEnv", "LanmanWorkstation"];

/// Events of service control that say that a service could not be started.
const CANNOT_START: [i64; 3] = [7000, 7001, 7023];

/// Adds a fact `certificate.renewal_service` for SessionEnv and LanmanWorkstation, from the facts `service.start`,
/// `service.failure` and `service.changed`, which must be there before.
pub fn renewal_services(
    choice: &Choice,
    standing: &Known<CertificateStanding>,
    facts: &mut FactSet,
) {
    let end = match choice {
        Choice::Certificate(chosen) => chosen.certificate().map(|found| found.not_after),
        Choice::None(_) | Choice::Unknown(_) => None,
    };
    let mut found = Vec::new();
    for service in RENEWERS {
        let is_own = |fact: &&Fact| matches!(fact.field("service"), Some(FieldState::Is(Value::Text(name))) if name.eq_ignore_ascii_case(service));
        let Some(start) = facts.of_kind(ServiceStart::KIND).find(is_own) else {
            continue;
        };
        let last_boot = facts.anchors.last_boot.settled().copied();
        let failures: Vec<FactId> = facts
            .of_kind(ServiceFailure::KIND)
            .filter(is_own)
            .filter(|fact| {
                matches!(fact.field("event"), Some(FieldState::Is(Value::Number(event))) if CANNOT_START.contains(event))
            })
            .filter(|fact| last_boot.is_none_or(|boot| fact.at.is_some_and(|at| at >= boot)))
            .map(|fact| fact.id)
            .collect();
        let disabled = match start.field("start") {
            Some(FieldState::Is(Value::Text(word))) => Ok(Known::Is(word == "disabled")),
            Some(FieldState::Open(gap)) => Ok(Known::Open(*gap)),
            Some(FieldState::Nothing | FieldState::Is(_)) | None => {
                Err(format!("the hive holds no start type for {service}"))
            }
        };
        // The last change that 7040 dates; only one after the certificate's end says that the service was on before.
        let change = facts
            .of_kind(ServiceChanged::KIND)
            .filter(is_own)
            .filter(|fact| fact.is("disabled", true))
            .max_by_key(|fact| fact.at);
        let after_end = match (change.and_then(|change| change.at), end) {
            (Some(changed), Some(end)) => changed > end,
            _ => false,
        };
        let failed = !failures.is_empty();
        let mut derived = vec![start.id];
        derived.extend(failures);
        derived.extend(change.map(|change| change.id));
        // It strikes when the certificate needed renewing, or when it was disabled, whichever came later.
        let at = match (standing, end) {
            (Known::Is(CertificateStanding::Ended), Some(end)) => start.at.max(Some(end)),
            _ => start.at,
        };
        let disabled =
            disabled.unwrap_or_else(|why| Known::Open(facts.gaps.open(Subject::SystemHive, why)));
        let blocked = disabled.or(Known::Is(failed));
        let fact = RenewalService {
            service: service.to_owned(),
            default_start: default_start(service).map(str::to_owned),
            any_blocked: blocked.clone(),
            blocked,
            before_end: Known::Is(!after_end),
            certificate: standing.clone(),
            not_after: standing.as_ref().map(|_| end),
        };
        found.push((at, fact, derived));
    }
    let any_blocked = found
        .iter()
        .map(|(_, fact, _)| fact.blocked.clone())
        .reduce(Known::or);
    for (at, mut fact, derived) in found {
        if let Some(any) = &any_blocked {
            fact.any_blocked = any.clone();
        }
        facts.add(at, fact, vec![Source::Derived(derived)]);
    }
}
