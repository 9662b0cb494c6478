//! Failures of the Remote Desktop service: what service control and error reporting say, and whether it came back.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::service::{Crash, ServiceTrouble};
use crate::facts::clock::Placed;
use crate::facts::coverage::Window;
use crate::facts::event::{Event, Transport};
use crate::facts::fact::FactSet;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::service_event::{DisplayNames, key_name};
use crate::facts::subject::Subject;
use crate::facts::value::Code;

const SERVICE: &str = "TermService";
/// Failures after which the service does not run. Not 7011: a request that timed out.
const FAILURES: [u32; 8] = [7000, 7001, 7009, 7022, 7023, 7024, 7031, 7034];
/// An attempt that the service does not survive ends within this time.
const AFTER_ATTEMPT: SignedDuration = SignedDuration::from_mins(2);

struct Failure<'e> {
    placed: &'e Placed<'e>,
    event: u32,
    code: Option<Code>,
    module: Option<String>,
}

/// Adds `service.crash` for every program that crashed, and `service.trouble` where the service failed.
pub(super) fn add_facts(history: &History<'_>, names: &DisplayNames, facts: &mut FactSet) {
    let mut failures: Vec<Failure<'_>> = Vec::new();
    for placed in &history.events {
        match &placed.event.event {
            Event::Crashed {
                event,
                program,
                module,
                code,
            } => {
                // A service that runs in a host of its own is named after the host's file.
                let service = program
                    .split_once('_')
                    .map(|(_, service)| service.to_owned());
                if service
                    .as_deref()
                    .is_some_and(|service| service.eq_ignore_ascii_case(SERVICE))
                {
                    failures.push(Failure {
                        placed,
                        event: *event,
                        code: *code,
                        module: module.clone(),
                    });
                }
                let body = Crash {
                    program: program.clone(),
                    service,
                    event: *event,
                    module: module.clone(),
                    code: *code,
                };
                facts.add(Some(placed.at), body, vec![placed.event.source()]);
            }
            Event::ServiceFailed {
                event,
                service,
                code,
            } if FAILURES.contains(event)
                && key_name(service, names).eq_ignore_ascii_case(SERVICE) =>
            {
                failures.push(Failure {
                    placed,
                    event: *event,
                    code: *code,
                    module: None,
                });
            }
            _ => {}
        }
    }
    let Some(last) = failures.last() else { return };
    let since = history.anchors.last_success.settled().copied().flatten();
    let times = failures
        .iter()
        .filter(|failure| since.is_none_or(|since| failure.placed.at > since))
        .count();
    let module = failures
        .iter()
        .rev()
        .find_map(|failure| failure.module.clone());
    let body = ServiceTrouble {
        event: last.event,
        code: last.code,
        module,
        down: down(history, last.placed.at, facts),
        ends_attempts: ends_attempts(history, &failures),
        times,
    };
    let sources = failures
        .iter()
        .rev()
        .take(3)
        .map(|failure| failure.placed.event.source())
        .collect();
    facts.add(Some(last.placed.at), body, sources);
}

/// Whether nothing shows the service at work after that time. After a later start of Windows that is not known: a service that
/// still failed would have said so again.
fn down(history: &History<'_>, since: Timestamp, facts: &mut FactSet) -> Known<bool> {
    let later = || history.events.iter().filter(|placed| placed.at > since);
    let runs = super::runs(facts).any(|fact| fact.at > Some(since));
    if runs || later().any(|placed| works(&placed.event.event)) {
        return Known::Is(false);
    }
    if later().any(|placed| matches!(placed.event.event, Event::Booted { .. })) {
        let why = "Windows started again after the service's failure, and nothing tells how the service fared then";
        return Known::Open(facts.gaps.open(Subject::RemoteConnectionManagerLog, why));
    }
    let to_end = Window {
        from: Some(since),
        to: history.clock.as_of,
    };
    match history
        .coverage
        .covers(Subject::RemoteConnectionManagerLog, &to_end)
    {
        true => Known::Is(true),
        false => {
            let why = "does not reach to the end, where it would show the service at work again";
            Known::Open(history.coverage.gap(
                Subject::RemoteConnectionManagerLog,
                why,
                &mut facts.gaps,
            ))
        }
    }
}

fn works(event: &Event) -> bool {
    matches!(
        event,
        Event::ListenerStarted
            | Event::ListenerReached
            | Event::NoSessionHost
            | Event::Accepted { .. }
            | Event::AcceptedFrom { .. }
            | Event::Authenticated { .. }
            | Event::TlsNegotiated { .. }
    )
}

/// Whether the service failed right after attempts, twice or more: after each a failure, and between them the service at work.
fn ends_attempts(history: &History<'_>, failures: &[Failure<'_>]) -> bool {
    let arrivals: Vec<Timestamp> = history
        .events
        .iter()
        .filter(|placed| {
            matches!(
                placed.event.event,
                Event::Accepted {
                    transport: Transport::Tcp,
                    ..
                }
            )
        })
        .map(|placed| placed.at)
        .collect();
    let mut ended = failures
        .iter()
        .filter(|failure| {
            let before = arrivals
                .iter()
                .filter(|arrival| **arrival <= failure.placed.at)
                .max();
            before
                .is_some_and(|arrival| failure.placed.at.duration_since(*arrival) <= AFTER_ATTEMPT)
        })
        .map(|failure| failure.placed.at);
    // A crash and the record of service control about it are one failure.
    let first = ended.next();
    first.is_some_and(|first| ended.any(|later| later.duration_since(first) > AFTER_ATTEMPT))
}
