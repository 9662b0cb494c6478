//! Failures of the Remote Desktop service: what service control and error reporting say, and whether it came back.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::service::{Crash, ServiceTrouble, Trace};
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
/// Without LSASS Windows restarts a minute later; large servers test their memory before they start.
const RESTARTED: SignedDuration = SignedDuration::from_mins(30);
/// Service control notices at once that a process is gone.
const NOTICED: SignedDuration = SignedDuration::from_mins(2);

struct Failure<'e> {
    placed: &'e Placed<'e>,
    event: u32,
    code: Option<Code>,
    module: Option<String>,
    /// Of a crash, whether the System log bears it out.
    borne_out: Known<bool>,
}

/// Adds `service.crash` for every program that crashed, and `service.trouble` where the service failed.
pub(super) fn add_facts(history: &History<'_>, names: &DisplayNames, facts: &mut FactSet) {
    let mut failures: Vec<Failure<'_>> = Vec::new();
    let ends = Ends::of(history);
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
                let borne_out = borne_out(history, &ends, placed.at, program, facts);
                let trace = match borne_out {
                    Known::Is(true) => Trace::BorneOut,
                    _ if !is_lsass(program) && service.is_none() => Trace::Unasked,
                    Known::Is(false) => Trace::Refuted,
                    Known::Open(_) => Trace::Unseen,
                };
                let of_this_service = service
                    .as_deref()
                    .is_some_and(|service| service.eq_ignore_ascii_case(SERVICE));
                if of_this_service && trace != Trace::Refuted {
                    failures.push(Failure {
                        placed,
                        event: *event,
                        code: *code,
                        module: module.clone(),
                        borne_out: borne_out.clone(),
                    });
                }
                let body = Crash {
                    program: program.clone(),
                    service,
                    event: *event,
                    module: module.clone(),
                    code: *code,
                    borne_out,
                    trace,
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
                    borne_out: Known::Is(true),
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
        down: down(history, last.placed.at, facts).and(last.borne_out.clone()),
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

fn is_lsass(program: &str) -> bool {
    program.eq_ignore_ascii_case("lsass.exe")
}

/// When something ended that a crash may have ended: what the System log tells, to which only Windows and its services write.
struct Ends {
    /// Of Windows: its starts.
    of_windows: Vec<Timestamp>,
    /// Of services, whichever: a name may be in a language that is not known, and many services share one process.
    of_services: Vec<Timestamp>,
}

impl Ends {
    fn of(history: &History<'_>) -> Self {
        let times = |shows: fn(&Event) -> bool| {
            let shown = history
                .events
                .iter()
                .filter(move |placed| shows(&placed.event.event));
            shown.map(|placed| placed.at).collect()
        };
        Ends {
            of_windows: times(|event| matches!(event, Event::Booted { .. })),
            of_services: times(|event| {
                matches!(
                    event,
                    Event::ServiceFailed {
                        event: 7031 | 7034,
                        ..
                    }
                )
            }),
        }
    }
}

/// Whether the System log bears out that a program crashed.
fn borne_out(
    history: &History<'_>,
    ends: &Ends,
    at: Timestamp,
    program: &str,
    facts: &mut FactSet,
) -> Known<bool> {
    let (ends, before, after) = match is_lsass(program) {
        true => (&ends.of_windows, SignedDuration::ZERO, RESTARTED),
        false => (&ends.of_services, NOTICED, NOTICED),
    };
    let window = Window {
        from: at.checked_sub(before).ok(),
        to: at.checked_add(after).ok(),
    };
    // They are in the order of time.
    let first = ends.partition_point(|end| window.from.is_some_and(|from| *end < from));
    if ends.get(first).is_some_and(|end| window.holds(*end)) {
        return Known::Is(true);
    }
    match history.coverage.covers(Subject::SystemLog, &window) {
        true => Known::Is(false),
        false => {
            let why = "does not reach over the time after a crash that Application tells of, to which everybody may write";
            Known::Open(
                history
                    .coverage
                    .gap(Subject::SystemLog, why, &mut facts.gaps),
            )
        }
    }
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
        .filter(|failure| failure.borne_out == Known::Is(true))
        .filter(|failure| {
            let before = arrivals.partition_point(|arrival| *arrival <= failure.placed.at);
            let last = before.checked_sub(1).and_then(|last| arrivals.get(last));
            last.is_some_and(|arrival| failure.placed.at.duration_since(*arrival) <= AFTER_ATTEMPT)
        })
        .map(|failure| failure.placed.at);
    // A crash and the record of service control about it are one failure.
    let first = ended.next();
    first.is_some_and(|first| ended.any(|later| later.duration_since(first) > AFTER_ATTEMPT))
}
