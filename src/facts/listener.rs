//! What the listener, RDP-Tcp, asks of connections, and whether Remote Desktop is switched on. A policy, in SOFTWARE, comes
//! before the machine's own setting, in SYSTEM (Microsoft, "Win32_TSGeneralSetting", its PolicySource properties).
//!
//! Without SOFTWARE the settings are computed from SYSTEM; that a policy may replace them stands in one field of each fact.

use jiff::Timestamp;

use super::catalog::connection::{Attempt, Passed};
use super::catalog::listener::{ListenerSwitch, ListenerTls, SetBy};
use super::fact::{Fact, FactId, FactSet, Source};
use super::gap::{Gap, Gaps};
use super::known::Known;
use super::registry::{Answer, Place, Registry};
use super::subject::Subject;
use super::value::{FieldState, Value};

pub(super) const POLICY: Place<'static> =
    Place::Software("Policies\\Microsoft\\Windows NT\\Terminal Services");
const TERMINAL_SERVER: Place<'static> = Place::ControlSet("Control\\Terminal Server");
pub(super) const WIN_STATIONS: Place<'static> =
    Place::ControlSet("Control\\Terminal Server\\WinStations");
pub(super) const LISTENER: Place<'static> =
    Place::ControlSet("Control\\Terminal Server\\WinStations\\RDP-Tcp");

/// When the listener's key was last written, where SYSTEM was collected.
pub fn written(registry: &Registry, gaps: &mut Gaps) -> Option<Timestamp> {
    registry.key(gaps, LISTENER).written
}

/// The value in effect of one of the listener's settings: the policy's, else its own, else none.
pub(super) fn effective_value(
    registry: &Registry,
    gaps: &mut Gaps,
    name: &str,
) -> Known<Option<u32>> {
    let policy = registry.dword(gaps, POLICY, name);
    let own = registry.dword(gaps, LISTENER, name);
    match (policy.present(), own.value) {
        (Some(value), _) => Known::Is(Some(*value)),
        (None, own) => own,
    }
}

/// A setting in effect.
struct Effective {
    value: Known<u32>,
    set_by: SetBy,
    /// Whether SOFTWARE tells if a policy sets it; open with the gap where it does not.
    policy: Known<()>,
    source: Option<Source>,
    written: Option<Timestamp>,
}

/// A setting in effect: the policy's value, else the machine's own. Where neither is there, what Windows does then is not
/// documented, and the value is open.
fn effective(registry: &Registry, gaps: &mut Gaps, local: Place<'_>, name: &str) -> Effective {
    let policy = registry.dword(gaps, POLICY, name);
    let known = policy.value.as_ref().map(|_| ());
    if let Some(value) = policy.present() {
        return Effective {
            value: Known::Is(*value),
            set_by: SetBy::Policy,
            policy: known,
            source: policy.source,
            written: policy.written,
        };
    }
    let own = registry.dword(gaps, local, name);
    let (value, set_by) = match own.value {
        Known::Is(Some(value)) => (Known::Is(value), SetBy::Local),
        Known::Is(None) => {
            let why = format!("neither a policy nor the machine sets {name}");
            (
                Known::Open(gaps.open(Subject::SystemHive, why)),
                SetBy::Default,
            )
        }
        Known::Open(gap) => (Known::Open(gap), SetBy::Local),
    };
    Effective {
        value,
        set_by,
        policy: known,
        source: own.source,
        written: own.written,
    }
}

/// Adds the fact `listener.tls`. `proof` names facts that prove TLS in use whatever the settings say: attributed Schannel
/// events in the server role, RdpCoreTS 153. Without SYSTEM and without proof there is no fact.
pub fn tls(registry: &Registry, proof: &[FactId], facts: &mut FactSet) {
    if registry.system().is_none() && proof.is_empty() {
        return;
    }
    let layer = effective(registry, &mut facts.gaps, LISTENER, "SecurityLayer");
    let authentication = effective(registry, &mut facts.gaps, LISTENER, "UserAuthentication");
    let layer_in_range = layer.value.as_ref().and_then(|value| match value {
        0..=2 => Known::Is(*value),
        other => Known::Open(facts.gaps.open(
            Subject::SystemHive,
            format!("SecurityLayer is {other}, outside of its range 0 to 2"),
        )),
    });
    let in_use = if proof.is_empty() {
        match (&layer_in_range, &layer.policy) {
            // "No" must be certain, and a policy may say otherwise; "yes" has its doubt in `avoidable`.
            (Known::Is(0), Known::Open(gap)) => Known::Open(*gap),
            (layer, _) => layer.as_ref().map(|layer| *layer != 0),
        }
    } else {
        Known::Is(true)
    };
    let conflict = layer
        .value
        .as_ref()
        .map(|layer| *layer == 0)
        .and(authentication.value.as_ref().map(|value| *value == 1));
    let avoidable = avoidable(&layer_in_range, &layer, &authentication, &mut facts.gaps);
    let written = [layer.written, authentication.written]
        .into_iter()
        .flatten()
        .max();
    let ends_before_tls = conflict.clone().and(ends_before_tls(written, facts));
    let mut sources: Vec<Source> = [layer.source, authentication.source]
        .into_iter()
        .flatten()
        .collect();
    if !proof.is_empty() {
        sources.push(Source::Derived(proof.to_vec()));
    }
    let set_by = layer.value.as_ref().map(|_| layer.set_by);
    let fact = ListenerTls {
        in_use,
        avoidable,
        security_layer: layer.value,
        user_authentication: authentication.value,
        set_by,
        conflict,
        ends_before_tls,
    };
    facts.add(None, fact, sources);
}

/// Whether clients could do without TLS. With SecurityLayer 1 and no network level authentication a client may ask for RDP
/// security instead; whether any did is not known. Nor is it where a policy may say so.
fn avoidable(
    in_range: &Known<u32>,
    layer: &Effective,
    authentication: &Effective,
    gaps: &mut Gaps,
) -> Known<bool> {
    let avoidable = match (in_range, &authentication.value) {
        (Known::Open(gap), _) => Known::Open(*gap),
        // `in_use` says that there is no TLS to avoid.
        (Known::Is(0), _) => Known::Is(false),
        (Known::Is(1), Known::Open(gap)) => Known::Open(*gap),
        (Known::Is(1), Known::Is(0)) => Known::Open(gaps.record(Gap {
            about: "listener.tls".to_owned(),
            why: "SecurityLayer 1 without network level authentication lets clients do without TLS"
                .to_owned(),
            obtain: Subject::RdpCoreTsLog.obtain().to_owned(),
        })),
        (Known::Is(_), _) => Known::Is(false),
    };
    // SecurityLayer 2 leaves no choice, but a policy could set another.
    match (avoidable, &layer.policy, &authentication.policy) {
        (Known::Is(false), Known::Open(gap), _) => Known::Open(*gap),
        (Known::Is(false), _, Known::Open(gap)) if *in_range == Known::Is(1) => Known::Open(*gap),
        (avoidable, ..) => avoidable,
    }
}

/// Whether attempts since then arrive and end before TLS, all of them, without a trace of it.
fn ends_before_tls(written: Option<Timestamp>, facts: &mut FactSet) -> Known<bool> {
    let since = |fact: &&Fact| match (written, fact.at) {
        (Some(written), Some(at)) => at >= written,
        _ => false,
    };
    let word = |fact: &Fact, field: &str| match fact.field(field) {
        Some(FieldState::Is(Value::Text(word))) => Some(word.clone()),
        _ => None,
    };
    let attempts: Vec<&Fact> = facts.of_kind(Attempt::KIND).filter(since).collect();
    let in_tls = |fact: &&Fact| {
        word(fact, "reached").as_deref() != Some("arrived")
            || word(fact, "ended").as_deref() == Some("tls")
    };
    let passed = facts
        .of_kind(Passed::KIND)
        .filter(since)
        .any(|fact| word(fact, "stage").as_deref() != Some("arrived"));
    if passed || attempts.iter().any(in_tls) {
        Known::Is(false)
    } else if attempts.is_empty() {
        let why = "no attempt to connect is recorded since the setting was written";
        Known::Open(facts.gaps.open(Subject::Arrivals, why))
    } else {
        Known::Is(true)
    }
}

/// Adds the fact `listener.switch`; none without SYSTEM. Its time is the last write of the key that decides.
///
/// Remote Desktop is off where `fDenyTSConnections` in effect is not 0, or `TSEnabled` is 0. Without SOFTWARE an "off" of the
/// machine's own counts, and what set it is open, since a policy may say "on"; an "on" is open, since a policy may say "off".
pub fn switch(registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let gaps = &mut facts.gaps;
    let deny = effective(registry, gaps, TERMINAL_SERVER, "fDenyTSConnections");
    let enabled = registry.dword(gaps, TERMINAL_SERVER, "TSEnabled");
    let disabled = enabled.present() == Some(&0);
    let denied = deny.value.as_ref().map(|value| *value != 0);
    let off = match (&denied, &deny.policy) {
        _ if disabled => Known::Is(true),
        (Known::Is(false), Known::Open(gap)) => Known::Open(*gap),
        (denied, _) => denied.clone(),
    };
    let set_by = match (&denied, &deny.policy) {
        (Known::Is(_), Known::Is(())) => Known::Is(deny.set_by),
        _ if disabled => Known::Is(SetBy::Local),
        (Known::Is(_), Known::Open(gap)) | (Known::Open(gap), _) => Known::Open(*gap),
    };
    let by_deny = denied == Known::Is(true) || !disabled;
    let (source, written) = if by_deny {
        (deny.source, deny.written)
    } else {
        (enabled.source, enabled.written)
    };
    let certificate: Answer<_> = registry.value(gaps, WIN_STATIONS, "SelfSignedCertificate");
    // The service makes its certificate when it first listens.
    let never_on = certificate.value.map(|value| value.is_none());
    let never_on = never_on.and(off.clone());
    let sources: Vec<Source> = source.into_iter().chain(certificate.source).collect();
    if sources.is_empty() {
        return;
    }
    let fact = ListenerSwitch {
        off,
        set_by,
        never_on,
    };
    facts.add(written, fact, sources);
}
