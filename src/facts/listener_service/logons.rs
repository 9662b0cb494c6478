//! Whether the machine takes new sessions: drain mode, and the switch for all logons over the network.

use crate::facts::catalog::listener::ListenerLogons;
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

const TERMINAL_SERVER: Place<'static> = Place::ControlSet("Control\\Terminal Server");
const WINLOGON: Place<'static> = Place::Software("Microsoft\\Windows NT\\CurrentVersion\\Winlogon");

/// Adds `listener.logons`; none without SYSTEM.
pub(super) fn add_fact(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    if registry.system().is_none() {
        return;
    }
    let gaps = &mut facts.gaps;
    let drain = registry.dword(gaps, TERMINAL_SERVER, "TSServerDrainMode");
    let drains = drain.value.as_ref().map(|mode| matches!(mode, Some(1 | 2)));
    // A text in Winlogon's key, as Windows NT wrote numbers there.
    let switch = registry.value(gaps, WINLOGON, "WinStationsDisabled");
    let switched_off = switch.value.as_ref().map(|value| {
        value.as_ref().is_some_and(|value| match value.dword() {
            Ok(number) => number == 1,
            Err(_) => value.text().is_ok_and(|text| text.trim() == "1"),
        })
    });
    let drained = drains.and(session_host(history, facts));
    let refused = refused(history, facts);
    let mut sources: Vec<Source> = drain.source.into_iter().chain(switch.source).collect();
    sources.sort();
    if sources.is_empty() {
        return;
    }
    let mut at = Vec::new();
    if drained == Known::Is(true) {
        at.extend(drain.written);
    }
    if switched_off == Known::Is(true) {
        at.extend(switch.written);
    }
    let fact = ListenerLogons {
        drained_and_refused: drained.clone().and(refused.clone()),
        switched_off_and_refused: switched_off.clone().and(refused.clone()),
        drained,
        switched_off,
        refused,
    };
    facts.add(at.into_iter().max(), fact, sources);
}

/// Whether the role of a session host is installed: where it is not, 1136 says so at each start of the service.
fn session_host(history: &History<'_>, facts: &mut FactSet) -> Known<bool> {
    let boot = history.anchors.last_boot.settled().copied();
    let says_no = |from| {
        history.events.iter().any(|placed| {
            matches!(placed.event.event, Event::NoSessionHost) && from <= Some(placed.at)
        })
    };
    if says_no(boot) {
        return Known::Is(false);
    }
    // It would stand beside the listener's own start.
    let started = history.events.iter().rfind(|placed| {
        matches!(placed.event.event, Event::ListenerStarted) && boot <= Some(placed.at)
    });
    let whole = started.is_some_and(|started| {
        let window = Window {
            from: Some(started.at),
            to: history.clock.as_of,
        };
        history
            .coverage
            .covers(Subject::RemoteConnectionManagerLog, &window)
    });
    match whole {
        true => Known::Is(true),
        false => Known::Open(history.coverage.gap(
            Subject::RemoteConnectionManagerLog,
            "no start of the service stands in it, with which it would say whether this is a session host",
            &mut facts.gaps,
        )),
    }
}

/// Whether somebody authenticated (1149) after the last new session over the network (LocalSessionManager 21) and got none.
/// Taking up an old session (25) is none.
fn refused(history: &History<'_>, facts: &mut FactSet) -> Known<bool> {
    let opened = history
        .events
        .iter()
        .filter_map(|placed| match placed.event.event {
            Event::SessionOpened {
                event: 21,
                client: Some(_),
                ..
            } => Some(placed.at),
            _ => None,
        });
    let last_opened = opened.max();
    let taken_up: Vec<_> = history
        .events
        .iter()
        .filter(|placed| matches!(placed.event.event, Event::SessionOpened { event: 25, .. }))
        .map(|placed| placed.at)
        .collect();
    let refused_at = history
        .events
        .iter()
        .filter(|placed| matches!(placed.event.event, Event::Authenticated { .. }))
        .map(|placed| placed.at)
        .filter(|at| last_opened.is_none_or(|last| *at > last))
        // One that took up its old session within half a minute got in.
        .find(|at| {
            !taken_up
                .iter()
                .any(|other| *other >= *at && other.duration_since(*at).as_secs() <= 30)
        });
    let as_of = history.clock.as_of;
    match refused_at {
        None => {
            let last = Window {
                from: last_opened.or(as_of),
                to: as_of,
            };
            match history
                .coverage
                .covers(Subject::RemoteConnectionManagerLog, &last)
            {
                true => Known::Is(false),
                false => Known::Open(history.coverage.gap(
                    Subject::RemoteConnectionManagerLog,
                    "does not show whether people authenticate",
                    &mut facts.gaps,
                )),
            }
        }
        Some(from) => match history.coverage.covers(
            Subject::LocalSessionManagerLog,
            &Window {
                from: Some(from),
                to: as_of,
            },
        ) {
            true => Known::Is(true),
            false => Known::Open(history.coverage.gap(
                Subject::LocalSessionManagerLog,
                "does not show whether those who authenticated got a session",
                &mut facts.gaps,
            )),
        },
    }
}
