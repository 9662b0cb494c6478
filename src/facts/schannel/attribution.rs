//! Which Schannel events stem from Remote Desktop. Schannel serves the whole machine: domain controllers' LDAPS, web servers
//! and every program that connects to anything write the same events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::schannel::SchannelRole;
use crate::facts::clock::{Clock, Placed};
use crate::facts::event::{Event, SchannelEvent, Transport};
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::known::Known;
use crate::facts::log_coverage::LogCoverage;
use crate::facts::subject::Subject;
use crate::facts::watch::{WATCH_LIST, Writer};

/// A failure follows the arrival that it belongs to within this time.
const NEAR: SignedDuration = SignedDuration::from_secs(2);
/// One coincidence proves nothing.
const TWICE: usize = 2;

/// What else on the machine accepts TLS connections, as others have found out.
#[derive(Debug, Clone)]
pub struct OtherListeners {
    /// Whether it is a domain controller, with its LDAPS.
    pub domain_controller: Known<bool>,
    /// Whether anything else there accepts TLS: a web server, WinRM over HTTPS, a database, a gateway.
    pub tls_listener: Known<bool>,
}

/// Which Schannel events stem from Remote Desktop, by their place in the arranged events.
#[derive(Debug, Clone, Default)]
pub struct Attribution(BTreeMap<usize, Known<bool>>);

impl Attribution {
    /// Attributes the Schannel events of one host.
    #[must_use]
    pub fn read(
        events: &[Placed<'_>],
        clock: &Clock,
        coverage: &LogCoverage,
        others: &OtherListeners,
        gaps: &mut Gaps,
    ) -> Self {
        let evidence = Evidence {
            clock,
            coverage,
            others,
            processes: service_processes(events, clock),
            arrivals: arrivals(events),
            kinds: near_by_kind(events),
            no_log: gaps.open(
                Subject::Arrivals,
                "no log shows when connections arrived, so that Schannel's events cannot be told apart",
            ),
            once: gaps.record(Gap {
                about: "schannel.failure".to_owned(),
                why: "a single event beside a connection may be chance".to_owned(),
                obtain: Subject::SchannelEvents.obtain().to_owned(),
            }),
            not_told: gaps.record(Gap {
                about: "schannel.failure".to_owned(),
                why: "the event does not say which end of TLS, or which process, it is about".to_owned(),
                obtain: Subject::RdpCoreTsLog.obtain().to_owned(),
            }),
        };
        Attribution(
            events
                .iter()
                .enumerate()
                .filter_map(|(index, placed)| match &placed.event.event {
                    Event::Schannel(event) => Some((index, evidence.attribute(placed.at, event))),
                    _ => None,
                })
                .collect(),
        )
    }

    /// Whether the Schannel event at this place stems from Remote Desktop; none where no such event stands there.
    #[must_use]
    pub fn of(&self, index: usize) -> Option<&Known<bool>> {
        self.0.get(&index)
    }

    /// The places of those that surely do.
    #[must_use]
    pub fn certain(&self) -> BTreeSet<usize> {
        self.0
            .iter()
            .filter(|(_, attributed)| **attributed == Known::Is(true))
            .map(|(index, _)| *index)
            .collect()
    }
}

struct Evidence<'a> {
    clock: &'a Clock,
    coverage: &'a LogCoverage,
    others: &'a OtherListeners,
    /// For each run of Windows, the processes that wrote Remote Desktop's own records.
    processes: BTreeMap<usize, BTreeSet<u32>>,
    arrivals: Vec<Timestamp>,
    /// For each event id, how many stand beside an arrival.
    kinds: BTreeMap<u32, usize>,
    no_log: GapId,
    once: GapId,
    not_told: GapId,
}

impl Evidence<'_> {
    fn attribute(&self, at: Timestamp, event: &SchannelEvent) -> Known<bool> {
        if event.role == Some(SchannelRole::Client) {
            return Known::Is(false);
        }
        match (event.caller, &event.image) {
            (None, None) => self.by_time(at, event),
            (caller, image) => self.by_caller(at, event, caller, image.as_deref()),
        }
    }

    /// Windows 11 21H2, Server 2022 and later name the caller.
    fn by_caller(
        &self,
        at: Timestamp,
        event: &SchannelEvent,
        caller: Option<u32>,
        image: Option<&str>,
    ) -> Known<bool> {
        let known = caller.zip(self.processes.get(&self.clock.run_of(at)));
        match known {
            Some((caller, own)) if own.contains(&caller) => return Known::Is(true),
            Some(_) if self.coverage.covers_moment(Subject::Arrivals, at) => {
                return Known::Is(false);
            }
            _ => {}
        }
        let Some(image) = image else {
            return Known::Open(self.not_told);
        };
        let file = image.rsplit(['\\', '/']).next().unwrap_or(image).trim();
        if !file.eq_ignore_ascii_case("svchost.exe") {
            return Known::Is(false);
        }
        match (known, event.role) {
            (None, Some(SchannelRole::Server)) => Known::Is(true),
            // The service may have run as another process before its logs begin.
            _ => Known::Open(self.not_told),
        }
    }

    fn by_time(&self, at: Timestamp, event: &SchannelEvent) -> Known<bool> {
        if !is_near(at, &self.arrivals) {
            return match self.coverage.covers_moment(Subject::Arrivals, at) {
                true => Known::Is(false),
                false => Known::Open(self.no_log),
            };
        }
        if self.kinds.get(&event.event).copied().unwrap_or(0) < TWICE {
            return Known::Open(self.once);
        }
        match (&self.others.domain_controller, &self.others.tls_listener) {
            (Known::Is(false), Known::Is(false)) => Known::Is(true),
            (Known::Open(gap), _) | (_, Known::Open(gap)) => Known::Open(*gap),
            // Something else accepts TLS there as well: it may be its event.
            _ => Known::Open(self.not_told),
        }
    }
}

fn is_near(at: Timestamp, arrivals: &[Timestamp]) -> bool {
    let next = arrivals.partition_point(|arrival| *arrival < at);
    let beside = |index: usize| {
        arrivals
            .get(index)
            .is_some_and(|arrival| at.duration_since(*arrival).abs() <= NEAR)
    };
    beside(next) || next.checked_sub(1).is_some_and(beside)
}

fn arrivals(events: &[Placed<'_>]) -> Vec<Timestamp> {
    events
        .iter()
        .filter(|placed| {
            matches!(
                placed.event.event,
                Event::Accepted {
                    transport: Transport::Tcp,
                    ..
                } | Event::ListenerReached
            )
        })
        .map(|placed| placed.at)
        .collect()
}

fn near_by_kind(events: &[Placed<'_>]) -> BTreeMap<u32, usize> {
    let arrivals = arrivals(events);
    let mut kinds = BTreeMap::new();
    for placed in events {
        if let Event::Schannel(event) = &placed.event.event
            && is_near(placed.at, &arrivals)
        {
            *kinds.entry(event.event).or_default() += 1;
        }
    }
    kinds
}

/// The processes that wrote records of RdpCoreTS or RemoteConnectionManager, for each run of Windows.
fn service_processes(events: &[Placed<'_>], clock: &Clock) -> BTreeMap<usize, BTreeSet<u32>> {
    let is_own = |channel: &str| {
        WATCH_LIST
            .iter()
            .filter(|watched| {
                matches!(
                    watched.writer,
                    Writer::RdpCoreTs | Writer::ConnectionManager
                )
            })
            .flat_map(|watched| watched.names)
            .any(|name| {
                channel
                    .get(..name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
            })
    };
    let mut processes: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for placed in events {
        if let Some(process) = placed.event.process_id
            && is_own(&placed.event.channel)
        {
            processes
                .entry(clock.run_of(placed.at))
                .or_default()
                .insert(process);
        }
    }
    processes
}
