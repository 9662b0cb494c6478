//! Facts about the listener's own key and values, Windows' setup, and the hosting of remote procedure calls.

use super::catalog::listener::{HostSetup, ListenerValues};
use super::catalog::service::RpcHosting;
use super::effect::in_effect_since_service_start;
use super::fact::FactSet;
use super::known::Known;
use super::listener::{LISTENER, effective_value};
use super::registry::{Place, Registry};

/// The values whose range Windows does not mend (measured: the connection is closed at once, without a useful error), with their
/// lowest and highest.
const RANGES: [(&str, u32, u32); 3] = [
    ("SecurityLayer", 0, 2),
    ("UserAuthentication", 0, 1),
    ("MinEncryptionLevel", 1, 4),
];

/// Adds the facts `listener.values`, `host.setup` and `service.rpc_hosting`; none without SYSTEM.
pub fn add_facts(registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    listener_values(registry, facts);
    setup(registry, facts);
    rpc_hosting(registry, facts);
}

fn listener_values(registry: &Registry, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let key = registry.key(gaps, LISTENER);
    let present = key.value.as_ref().map(|key| key.is_some());
    let enabled = registry.dword(gaps, LISTENER, "fEnableWinStation");
    let logons = registry.dword(gaps, LISTENER, "fLogonDisabled");
    let disabled = enabled
        .value
        .as_ref()
        .map(|value| *value == Some(0))
        .or(logons.value.as_ref().map(|value| *value == Some(1)));
    let mut out_of_range = Known::Is(false);
    let mut which = Vec::new();
    for (name, lowest, highest) in RANGES {
        let value = effective_value(registry, gaps, name);
        let out = value
            .as_ref()
            .map(|value| value.is_some_and(|value| value < lowest || value > highest));
        if let (Known::Is(true), Known::Is(Some(value))) = (&out, &value) {
            which.push(format!("{name} is {value}"));
        }
        out_of_range = out_of_range.or(out);
    }
    let port = registry.dword(gaps, LISTENER, "PortNumber");
    let Some(source) = key.source else { return };
    let is_fault = [&disabled, &out_of_range].contains(&&Known::Is(true));
    let fact = ListenerValues {
        present,
        disabled,
        which: out_of_range
            .as_ref()
            .map(|_| Some(which.join(", ")).filter(|text| !text.is_empty())),
        out_of_range,
        port: port.value,
    };
    let since = |written| in_effect_since_service_start(facts, written);
    let at = key.written.filter(|_| is_fault).map(since);
    facts.add(at, fact, vec![source]);
}

fn setup(registry: &Registry, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let first_start = registry.dword(gaps, Place::System("Setup"), "OOBEInProgress");
    let setup = registry.dword(gaps, Place::System("Setup"), "SystemSetupInProgress");
    let runs = |value: &Known<Option<u32>>| value.as_ref().map(|value| *value == Some(1));
    let in_progress = runs(&first_start.value).or(runs(&setup.value));
    let Some(source) = first_start.source.or(setup.source) else {
        return;
    };
    let at = first_start
        .written
        .filter(|_| in_progress == Known::Is(true));
    facts.add(at, HostSetup { in_progress }, vec![source]);
}

fn rpc_hosting(registry: &Registry, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let mapper = registry.text(
        gaps,
        Place::ControlSet("Services\\RpcEptMapper"),
        "ImagePath",
    );
    let calls = registry.text(gaps, Place::ControlSet("Services\\RpcSs"), "ImagePath");
    // Known only where both are there: a hive without them says nothing about how they are hosted.
    let differs = match (&mapper.value, &calls.value) {
        (Known::Is(Some(mapper)), Known::Is(Some(calls))) => {
            // A healthy Windows 7 writes `-k RPCSS` in the one and `-k rpcss` in the other (seen in a real hive).
            Known::Is(!mapper.trim().eq_ignore_ascii_case(calls.trim()))
        }
        (Known::Open(gap), _) | (_, Known::Open(gap)) => Known::Open(*gap),
        _ => Known::Is(false),
    };
    let at = mapper.written.filter(|_| differs == Known::Is(true));
    let Some(source) = mapper.source.or(calls.source) else {
        return;
    };
    facts.add(at, RpcHosting { differs }, vec![source]);
}
