//! The adapter that the listener is bound to: `LanAdapter` is a number that `LanaTable` resolves to an adapter's id.

use crate::facts::catalog::listener::ListenerAdapter;
use crate::facts::effect::{Effect, Written, at_service_start};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gaps;
use crate::facts::known::Known;
use crate::facts::listener::LISTENER;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

const TABLE: Place<'static> = Place::ControlSet("Control\\Terminal Server\\LanaTable");
/// Adapters that Windows ever set up; one that was taken out may still stand there.
const ADAPTERS: Place<'static> =
    Place::ControlSet("Control\\Class\\{4D36E972-E325-11CE-BFC1-08002BE10318}");

/// Adds `listener.adapter`; none without SYSTEM.
pub(super) fn add_fact(registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let gaps = &mut facts.gaps;
    let number = registry.dword(gaps, LISTENER, "LanAdapter");
    let bound = number
        .value
        .as_ref()
        .map(|number| number.is_some_and(|number| number != 0));
    let (adapter, absent, more) = match number.present() {
        Some(number) if *number != 0 => resolve(registry, *number, gaps),
        _ => (None, bound.as_ref().map(|_| false), None),
    };
    let sources: Vec<Source> = number.source.into_iter().chain(more).collect();
    if sources.is_empty() {
        return;
    }
    let written = match absent {
        Known::Is(true) => Written::of(number.written),
        Known::Is(false) | Known::Open(_) => Written::Never,
    };
    let effect = at_service_start(facts, ListenerAdapter::KIND.name, written);
    let pending_restart = matches!(effect, Effect::Pending(_));
    let absent = match effect {
        Effect::Undated(gap) => absent.and(Known::Open(gap)),
        Effect::Pending(_) | Effect::Since(_) => absent,
    };
    facts.add(
        effect.since().or(written.time()),
        ListenerAdapter {
            bound,
            adapter,
            absent,
            pending_restart,
        },
        sources,
    );
}

/// The adapter of that number, and whether Windows does not know it any more.
fn resolve(
    registry: &Registry,
    number: u32,
    gaps: &mut Gaps,
) -> (Option<String>, Known<bool>, Option<Source>) {
    let table = registry.subkeys(gaps, TABLE);
    let listing = match table.value {
        Known::Is(Some(listing)) => listing,
        Known::Is(None) => {
            let why = "LanAdapter names an adapter, and there is no LanaTable that says which";
            return (None, Known::Open(gaps.open(Subject::SystemHive, why)), None);
        }
        Known::Open(gap) => return (None, Known::Open(gap), None),
    };
    let of_number = listing.entries.iter().find(|key| {
        let value = key.value("LanaId").present();
        value.and_then(|value| value.dword().ok()) == Some(number)
    });
    let Some(key) = of_number else {
        let absent = match listing.is_whole() {
            // The number is of no adapter that the service ever listed.
            true => Known::Is(true),
            false => Known::Open(gaps.open(
                Subject::SystemHive,
                "damaged: LanaTable could not be read whole",
            )),
        };
        return (None, absent, table.source);
    };
    let adapter = key.name();
    let absent = match registry.subkeys(gaps, ADAPTERS).value {
        Known::Is(Some(adapters)) => {
            let known = adapters.entries.iter().any(|entry| {
                let id = entry.value("NetCfgInstanceId").present();
                id.and_then(|id| id.text().ok())
                    .is_some_and(|id| id.eq_ignore_ascii_case(&adapter))
            });
            match (known, adapters.is_whole()) {
                (false, true) => Known::Is(true),
                (false, false) => Known::Open(gaps.open(Subject::SystemHive, "damaged: the list of adapters could not be read whole")),
                (true, _) => Known::Open(gaps.open(
                    Subject::SystemHive,
                    format!("the listener is bound to the adapter {adapter}, and whether that is still plugged in does not stand in a hive (on the machine: Get-NetAdapter -IncludeHidden)"),
                )),
            }
        }
        Known::Is(None) => {
            Known::Open(gaps.open(Subject::SystemHive, "the list of adapters is not there"))
        }
        Known::Open(gap) => Known::Open(gap),
    };
    (Some(adapter), absent, table.source)
}
