//! Whether the listener started after the last start of Windows, and what it failed for.

use crate::facts::catalog::listener::{
    ListenerFailure, ListenerRefusal, ListenerStart, ListenerStarted, ListenerSwitch,
    ListenerValues,
};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::running;
use crate::facts::subject::Subject;
use crate::facts::value::Code;

/// WSAEADDRINUSE (winsock2.h), alone or in an HRESULT.
const PORT_TAKEN: u32 = 10048;

/// Adds `listener.failure`, `listener.refusal` and `listener.started`.
pub(super) fn add_logged(history: &History<'_>, facts: &mut FactSet) {
    for placed in &history.events {
        let source = vec![placed.event.source()];
        match &placed.event.event {
            Event::ListenerFailed { event, code } => {
                let body = ListenerFailure {
                    event: *event,
                    code: *code,
                    port_taken: code.is_some_and(is_port_taken),
                };
                facts.add(Some(placed.at), body, source);
            }
            Event::ListenerRefused { event } => {
                facts.add(Some(placed.at), ListenerRefusal { event: *event }, source);
            }
            Event::ListenerStarted => {
                facts.add(Some(placed.at), ListenerStarted { event: 258 }, source);
            }
            _ => {}
        }
    }
}

fn is_port_taken(Code(code): Code) -> bool {
    code == PORT_TAKEN || code == 0x8007_0000 | PORT_TAKEN
}

/// Adds `listener.start`, where a start of Windows is known and SYSTEM says that Remote Desktop is on.
pub(super) fn add_fact(history: &History<'_>, facts: &mut FactSet) {
    let listed = running::listener_listens(facts).map(|(listens, fact)| (listens, fact.id));
    let Known::Is(boot) = history.anchors.last_boot else {
        add_listed(listed, facts);
        return;
    };
    let since_boot = || history.events.iter().filter(|placed| placed.at >= boot);
    let began = since_boot().find(|placed| matches!(placed.event.event, Event::ListenerStarted));
    let window = Window {
        from: Some(boot),
        to: history.clock.as_of,
    };
    let whole = history
        .coverage
        .covers(Subject::RemoteConnectionManagerLog, &window);
    let is_listed = matches!(listed, Some((Known::Is(true), _)));
    let started = match (began.is_some(), is_listed, whole) {
        (true, ..) | (false, true, false) => Known::Is(true),
        (false, true, true) => Known::Open(facts.gaps.open(
            Subject::RemoteConnectionManagerLog,
            "holds no start of the listener, and a list of sessions shows it listening: one of them is of another time",
        )),
        (false, false, true) => Known::Is(false),
        (false, false, false) => Known::Open(history.coverage.gap(
            Subject::RemoteConnectionManagerLog,
            "does not reach back to the last start of Windows, where the listener's own would stand",
            &mut facts.gaps,
        )),
    };
    let at_work = since_boot().find(|placed| {
        matches!(
            placed.event.event,
            Event::ListenerStarted | Event::NoSessionHost | Event::ListenerReached
        )
    });
    let ran: Option<Source> = match at_work {
        Some(placed) => Some(placed.event.source()),
        None => super::runs(facts)
            .find(|fact| fact.at >= Some(boot))
            .map(|fact| Source::Derived(vec![fact.id])),
    };
    let service_ran = match ran {
        Some(_) => Known::Is(true),
        None => Known::Open(facts.gaps.open(
            Subject::SystemLog,
            "no record tells whether the Remote Desktop service ran after the last start of Windows",
        )),
    };
    let failed =
        since_boot().any(|placed| matches!(placed.event.event, Event::ListenerFailed { .. }));
    // Arrivals prove a listener whatever its own records say.
    let reached = since_boot().any(|placed| {
        matches!(
            placed.event.event,
            Event::ListenerReached | Event::Accepted { .. }
        )
    });
    let asked_to = on(facts);
    let missing = match failed || reached {
        true => Known::Is(false),
        false => service_ran.clone().and(started.clone().not()).and(asked_to),
    };
    let mut sources: Vec<Source> = ran
        .into_iter()
        .chain(began.map(|placed| placed.event.source()))
        .collect();
    if let Some((_, listed)) = listed.filter(|_| is_listed) {
        sources.push(Source::Derived(vec![listed]));
    }
    if sources.is_empty() {
        let boot = history.events.iter().find(|placed| placed.at == boot);
        sources.extend(boot.map(|placed| placed.event.source()));
    }
    if sources.is_empty() {
        return;
    }
    let at = (missing == Known::Is(true)).then_some(boot);
    facts.add(
        at,
        ListenerStart {
            service_ran,
            started,
            missing,
        },
        sources,
    );
}

/// Adds the fact from a list of sessions alone, where it shows the listener at work.
fn add_listed(listed: Option<(Known<bool>, FactId)>, facts: &mut FactSet) {
    let Some((Known::Is(true), listed)) = listed else {
        return;
    };
    let body = ListenerStart {
        service_ran: Known::Is(true),
        started: Known::Is(true),
        missing: Known::Is(false),
    };
    facts.add(None, body, vec![Source::Derived(vec![listed])]);
}

/// Whether Remote Desktop and its listener are switched on, so that the service should listen.
fn on(facts: &mut FactSet) -> Known<bool> {
    let off = facts
        .of_kind(ListenerSwitch::KIND)
        .next()
        .map(|fact| fact.truth("off"));
    let values = facts.of_kind(ListenerValues::KIND).next();
    let disabled = values.map(|fact| fact.truth("disabled"));
    match (off, disabled) {
        (Some(off), Some(disabled)) => off.or(disabled).not(),
        _ => Known::Open(
            match facts.subject_covers(Subject::SystemHive, &Window::ALWAYS) {
                Err(gap) => gap,
                Ok(()) => facts
                    .gaps
                    .open(Subject::SystemHive, "the listener's keys are not in it"),
            },
        ),
    }
}
