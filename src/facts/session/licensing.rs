//! The licences of a Session Host: whether the machine is one, what licensing complains of, the certificate that licences rest on.

use super::prevented;
use crate::facts::catalog::host::Role;
use crate::facts::catalog::licensing::{LicensingCertificate, LicensingEvent, LicensingRole};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::history::History;
use crate::facts::host::Identity;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

const TERMINAL_SERVER: Place<'static> = Place::ControlSet("Control\\Terminal Server");
const LICENSING_CORE: Place<'static> =
    Place::ControlSet("Control\\Terminal Server\\RCM\\Licensing Core");
const POLICY: Place<'static> =
    Place::Software("Policies\\Microsoft\\Windows NT\\Terminal Services");
const MANAGER: &str = "Control\\Terminal Server\\RCM";
/// The values that hold the certificate (Microsoft support, "Because of a security error, the client could not connect to the
/// Terminal server", which has them deleted and made anew).
const CERTIFICATE: [&str; 4] = [
    "Certificate",
    "X509 Certificate",
    "X509 Certificate ID",
    "X509 Certificate2",
];

/// Adds the facts about licensing.
pub(super) fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    identity: &Identity,
    facts: &mut FactSet,
) {
    for placed in &history.events {
        if let Event::Licensing { event } = placed.event.event {
            facts.add(
                Some(placed.at),
                LicensingEvent { event },
                vec![placed.event.source()],
            );
        }
    }
    add_role(history, registry, identity, facts);
    add_certificate(history, registry, facts);
}

fn add_role(history: &History<'_>, registry: &Registry, identity: &Identity, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let boot = history.clock.boots.last().copied();
    // RemoteConnectionManager 1136, written at each start where the role is not there.
    let not_there = history
        .events
        .iter()
        .rev()
        .find(|placed| matches!(placed.event.event, Event::NoSessionHost))
        .filter(|placed| boot.is_none_or(|boot| placed.at >= boot));
    let mode = registry.dword(gaps, TERMINAL_SERVER, "TSAppCompat");
    let client = identity.role.settled() == Some(&Role::Client);
    let session_host = match (not_there, mode.value) {
        (Some(_), _) => Known::Is(false),
        (None, Known::Is(Some(value))) => Known::Is(value == 1),
        (None, Known::Is(None)) if client => Known::Is(false),
        (None, Known::Is(None)) => Known::Open(gaps.open(
            Subject::SystemHive,
            "Terminal Server\\TSAppCompat, which tells of the Session Host role, is not there",
        )),
        (None, Known::Open(gap)) => Known::Open(gap),
    };
    let by_policy = registry.dword(gaps, POLICY, "LicensingMode");
    let own = registry.dword(gaps, LICENSING_CORE, "LicensingMode");
    let licensing_mode = match by_policy.present() {
        Some(mode) => Known::Is(Some(*mode)),
        None => own.value,
    };
    let mut sources: Vec<Source> = not_there
        .map(|placed| placed.event.source())
        .into_iter()
        .collect();
    sources.extend(mode.source);
    if sources.is_empty() {
        return;
    }
    let body = LicensingRole {
        session_host,
        mode: licensing_mode,
    };
    facts.add(None, body, sources);
}

fn add_certificate(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let gaps = &mut facts.gaps;
    let mut damaged = Known::Is(false);
    let mut values = Vec::new();
    let mut sources = Vec::new();
    let mut written = None;
    for name in CERTIFICATE {
        let answer = registry.value(gaps, Place::ControlSet(MANAGER), name);
        let state = match &answer.value {
            Known::Open(gap) => Known::Open(*gap),
            Known::Is(None) => Known::Is(false),
            Known::Is(Some(value)) if value.bytes.iter().all(|byte| *byte == 0) => Known::Is(true),
            // What is in it is not documented: that it is whole cannot be told.
            Known::Is(Some(_)) => Known::Open(gaps.open(
                Subject::SystemHive,
                format!("{MANAGER}\\{name} is there; whether it is whole cannot be told"),
            )),
        };
        if state == Known::Is(true) {
            values.push(name.to_owned());
            written = answer.written;
        }
        sources.extend(answer.source);
        damaged = damaged.or(state);
    }
    sources.truncate(if values.is_empty() { 1 } else { sources.len() });
    let reported = reported(history, facts);
    let body = LicensingCertificate {
        breaks: damaged.clone().and(reported.clone()),
        damaged,
        reported,
        values,
    };
    facts.add(written, body, sources);
}

/// Whether licences failed since the last success: 1003 or 1004, or TermDD 50 where somebody is locked out.
fn reported(history: &History<'_>, facts: &mut FactSet) -> Known<bool> {
    let since = history.anchors.last_success.settled().copied().flatten();
    let failed = history.events.iter().any(|placed| {
        since.is_none_or(|since| placed.at > since)
            && matches!(
                placed.event.event,
                Event::Licensing { event: 1003 | 1004 } | Event::DriverError { event: 50, .. }
            )
    });
    let prevented = prevented(history);
    if failed || prevented == Known::Is(false) {
        return Known::Is(failed && prevented != Known::Is(false));
    }
    let window = Window {
        from: since.or(history.clock.oldest),
        to: history.clock.as_of,
    };
    for subject in [Subject::RemoteConnectionManagerLog, Subject::SystemLog] {
        if !history.coverage.covers(subject, &window) {
            let why = "does not reach over the time since the last success";
            return Known::Open(history.coverage.gap(subject, why, &mut facts.gaps));
        }
    }
    Known::Is(false)
}
