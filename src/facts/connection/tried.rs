//! Whether anything arrived at the time at which somebody is known to have tried.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::connection as catalog;
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gap;
use crate::facts::history::History;
use crate::facts::host::Identity;
use crate::facts::known::Known;
use crate::facts::listener::LISTENER;
use crate::facts::registry::Registry;
use crate::facts::subject::Subject;

/// Clocks of two machines, and memories, differ by so much.
const ABOUT: SignedDuration = SignedDuration::from_mins(10);
/// The port of a listener that names none.
const DEFAULT_PORT: u32 = 3389;

/// The server that is tried, as a client would have to name it.
#[derive(Debug)]
pub struct Server<'t> {
    /// What it is called.
    pub identity: &'t Identity,
    /// What it listens on.
    pub registry: &'t Registry,
}

/// Adds the fact `connection.tried`. `time` is the one that the user names, or that a client's own log holds.
pub fn add_fact(
    history: &History<'_>,
    server: &Server<'_>,
    (time, sources): (Option<Timestamp>, Vec<Source>),
    facts: &mut FactSet,
) {
    let arrived = match time {
        Some(time) => arrived(history, time, facts),
        None => Known::Open(facts.gaps.record(Gap {
            about: "connection.tried".to_owned(),
            why: "nobody says when somebody tried to connect".to_owned(),
            obtain: "say when with --incident, or collect the client's RDPClient log".to_owned(),
        })),
    };
    let sources = match sources.is_empty() {
        true => vec![Source::Derived(Vec::new())],
        false => sources,
    };
    let port = server
        .registry
        .dword(&mut facts.gaps, LISTENER, "PortNumber");
    let body = catalog::Tried {
        time,
        arrived,
        server: server.full_name(),
        port: port.value.map(|port| port.unwrap_or(DEFAULT_PORT)),
    };
    facts.add(time, body, sources);
}

impl Server<'_> {
    /// With its domain, where that is known.
    fn full_name(&self) -> Known<Option<String>> {
        let domain = self.identity.domain.settled().cloned().flatten();
        self.identity.name.clone().map(|name| {
            let name = name?.to_lowercase();
            Some(match domain.filter(|domain| !domain.is_empty()) {
                Some(domain) => format!("{name}.{}", domain.to_lowercase()),
                None => name,
            })
        })
    }
}

fn arrived(history: &History<'_>, time: Timestamp, facts: &mut FactSet) -> Known<bool> {
    let (Ok(from), Ok(to)) = (time.checked_sub(ABOUT), time.checked_add(ABOUT)) else {
        return Known::Is(false);
    };
    let window = Window {
        from: Some(from),
        to: Some(to),
    };
    let is_arrival =
        |event: &Event| matches!(event, Event::Accepted { .. } | Event::ListenerReached);
    if history
        .events
        .iter()
        .any(|placed| window.holds(placed.at) && is_arrival(&placed.event.event))
    {
        return Known::Is(true);
    }
    // A clock that leapt over that time, or went through it twice, never showed when it was elsewhere.
    let unclocked = history
        .events
        .iter()
        .any(|placed| match placed.event.event {
            Event::ClockSet { from, to } => {
                let step = Window {
                    from: Some(from.min(to)),
                    to: Some(from.max(to)),
                };
                from.duration_until(to).abs() > ABOUT && step.holds(time)
            }
            _ => false,
        });
    if unclocked {
        return Known::Open(facts.gaps.record(Gap {
            about: "connection.tried".to_owned(),
            why: "the clock was set across the time at which somebody tried to connect, so that the logs tell other times"
                .to_owned(),
            obtain: "say with --incident when it was by this machine's clock".to_owned(),
        }));
    }
    // Both logs must cover it: what the one lost the other may hold.
    for subject in [Subject::RdpCoreTsLog, Subject::RemoteConnectionManagerLog] {
        let asked = Window {
            from: Some(from),
            to: Some(to.min(history.clock.as_of.unwrap_or(to)).max(time)),
        };
        if !history.coverage.covers(subject, &asked) {
            let gap = history.coverage.gap(
                subject,
                "does not cover the time at which somebody tried to connect",
                &mut facts.gaps,
            );
            return Known::Open(gap);
        }
    }
    Known::Is(false)
}
