//! The collection's own clock: its end, its boots, and where somebody set it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::catalog::host::{ClockStep, HostBoot};
use super::event::{Event, LoggedEvent};
use super::fact::FactSet;
use super::known::Known;
use super::log_coverage::CollectedLog;

/// A change smaller than this is a time service at work.
const STEP: SignedDuration = SignedDuration::from_secs(60);
/// Several records mark one boot; they stand within minutes.
const ONE_BOOT: SignedDuration = SignedDuration::from_mins(5);
/// A running Windows writes to its System log every day. A hive that was written so much later than the log ends is of another time,
/// or its times were set.
const OTHER_TIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How time runs in one host's collection.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// The end of the collection; none when nothing in it carries a time.
    pub as_of: Option<Timestamp>,
    /// The oldest record of any log.
    pub oldest: Option<Timestamp>,
    /// The starts of Windows, oldest first.
    pub boots: Vec<Timestamp>,
    /// The newest time at which a hive was written, where that is no reading of this clock: long after a whole System log ends.
    pub disbelieved: Option<Timestamp>,
    steps_back: Vec<StepBack>,
    /// For each log, the records by order that are dated long before all around them, and when the record before was written.
    out_of_time: BTreeMap<Arc<str>, BTreeMap<u64, Timestamp>>,
}

/// The clock was set back, as one log shows it.
#[derive(Debug, Clone)]
struct StepBack {
    artifact: Arc<str>,
    /// Records of this log below this order were written before the step.
    before: u64,
    from: Timestamp,
    to: Timestamp,
}

impl Clock {
    /// Reads the clock off the events and logs of one host; `written` is the newest time at which a hive was written.
    #[must_use]
    pub fn read(events: &[LoggedEvent], logs: &[CollectedLog], written: Option<Timestamp>) -> Self {
        let newest = newest_records(events, logs);
        let steps_back = steps_back(events, logs);
        // The newest record that surely stands behind a step. What another log, or a hive, dates later than that was written
        // since, or by the wrong clock: by whichever it is nearer to.
        let behind = steps_back
            .iter()
            .filter_map(|step| newest.get(&step.artifact).map(|(_, time)| *time))
            .max();
        let stale = |time: Timestamp| {
            behind.is_some_and(|behind| {
                time > behind
                    && steps_back.iter().any(|step| {
                        time <= step.from
                            && step.from.duration_since(time) < time.duration_since(behind)
                    })
            })
        };
        let end_of_system = end_of_system(logs);
        let disbelieved = written.filter(|written| {
            end_of_system.is_some_and(|end| written.duration_since(end) > OTHER_TIME)
        });
        let written = written.filter(|_| disbelieved.is_none());
        let as_of = newest
            .values()
            .map(|(_, time)| *time)
            .chain(written)
            .chain(lost_ends(logs))
            .filter(|time| !stale(*time))
            .max();
        let out_of_time = out_of_time(logs);
        let is_in_time = |event: &&LoggedEvent| {
            let of_log = out_of_time.get(&event.artifact);
            of_log.is_none_or(|records| !records.contains_key(&event.order))
        };
        let oldest = logs
            .iter()
            .filter_map(|log| log.summary.span.map(|span| span.oldest.time))
            .chain(events.iter().filter(is_in_time).map(|event| event.time))
            .min();
        let mut clock = Clock {
            as_of,
            oldest,
            boots: Vec::new(),
            disbelieved,
            steps_back,
            out_of_time,
        };
        clock.boots = boots(events.iter().filter_map(|event| match event.event {
            Event::Booted { .. } => Some(clock.place(event)),
            _ => None,
        }));
        clock
    }

    /// When an event happened, as the present clock counts: what was written before the clock was set back happened, at the
    /// latest, when it was. What is dated long before all around it happened, as far as is known, when it was written.
    #[must_use]
    pub fn place(&self, event: &LoggedEvent) -> Timestamp {
        let of_log = self.out_of_time.get(&event.artifact);
        let written = of_log.and_then(|records| records.get(&event.order));
        let time = *written.unwrap_or(&event.time);
        let later_than_the_end = self.as_of.is_some_and(|end| event.time > end);
        self.steps_back
            .iter()
            .filter(|step| match step.artifact == event.artifact {
                true => event.order < step.before,
                false => later_than_the_end && event.time <= step.from,
            })
            .map(|step| step.to)
            .fold(time, Timestamp::min)
    }

    /// The events in the order in which they happened, each with its time.
    #[must_use]
    pub fn arrange<'a>(&self, events: &'a [LoggedEvent]) -> Vec<Placed<'a>> {
        let mut placed: Vec<Placed<'a>> = events
            .iter()
            .map(|event| Placed {
                at: self.place(event),
                event,
            })
            .collect();
        let key = |placed: &Placed<'a>| {
            let event = placed.event;
            (placed.at, event.artifact.as_ref(), event.order)
        };
        placed.sort_by(|one, other| key(one).cmp(&key(other)));
        placed.dedup_by(|one, other| same_record(one.event, other.event));
        placed
    }

    /// Counts the boots up to a moment: two moments with the same count lie in the same run of Windows.
    #[must_use]
    pub fn run_of(&self, time: Timestamp) -> usize {
        self.boots.partition_point(|boot| *boot <= time)
    }

    /// Adds the facts about boots and clock steps. `validity` is that of the listener's certificate, if it has one.
    pub fn add_facts(
        &self,
        events: &[Placed<'_>],
        validity: &Known<Option<(Timestamp, Timestamp)>>,
        facts: &mut FactSet,
    ) {
        for Placed { at, event } in events {
            match event.event {
                Event::Booted {
                    event: id @ (12 | 6005),
                    ..
                } => {
                    facts.add(Some(*at), HostBoot { event: id }, vec![event.source()]);
                }
                Event::ClockSet { from, to } if is_step(from, to) => {
                    let seconds = to.duration_since(from).as_secs();
                    let crosses_validity = validity.clone().map(|validity| {
                        validity.is_some_and(|(begin, end)| {
                            crosses(from, to, begin) || crosses(from, to, end)
                        })
                    });
                    facts.add(
                        Some(*at),
                        ClockStep {
                            from,
                            to,
                            seconds,
                            crosses_validity,
                        },
                        vec![event.source()],
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether a moment lies between two readings of the clock.
fn crosses(from: Timestamp, to: Timestamp, moment: Timestamp) -> bool {
    from.min(to) < moment && moment <= from.max(to)
}

/// An event and when it happened.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// When, as the present clock counts.
    pub at: Timestamp,
    /// The event.
    pub event: &'a LoggedEvent,
}

/// The same record of the same channel, out of two files.
fn same_record(one: &LoggedEvent, other: &LoggedEvent) -> bool {
    one.number == other.number
        && one.time == other.time
        && one.channel == other.channel
        && one.event == other.event
}

pub(super) fn is_step(from: Timestamp, to: Timestamp) -> bool {
    to.duration_since(from).abs() > STEP
}

/// For each log, the order and time of its newest record.
fn newest_records(
    events: &[LoggedEvent],
    logs: &[CollectedLog],
) -> BTreeMap<Arc<str>, (u64, Timestamp)> {
    let of_logs = logs.iter().filter_map(|log| {
        let newest = log.summary.span?.newest;
        Some((Arc::clone(&log.artifact), (newest.order, newest.time)))
    });
    let of_events = events
        .iter()
        .map(|event| (Arc::clone(&event.artifact), (event.order, event.time)));
    let mut newest = BTreeMap::new();
    for (artifact, mark) in of_logs.chain(of_events) {
        let known = newest.entry(artifact).or_insert(mark);
        *known = mark.max(*known);
    }
    newest
}

fn out_of_time(logs: &[CollectedLog]) -> BTreeMap<Arc<str>, BTreeMap<u64, Timestamp>> {
    let mut found: BTreeMap<Arc<str>, BTreeMap<u64, Timestamp>> = BTreeMap::new();
    for log in logs {
        for step in log.summary.clock_steps.iter().filter(|step| step.undone) {
            let of_log = found.entry(Arc::clone(&log.artifact)).or_default();
            of_log.insert(step.to.order, step.from.time);
        }
    }
    found
}

/// The times of records that are torn or lost at the end of a log: it went on at least so long, whatever it said.
fn lost_ends(logs: &[CollectedLog]) -> impl Iterator<Item = Timestamp> {
    logs.iter().flat_map(|log| {
        let newest = log.summary.span.map(|span| span.newest.time);
        let near = move |time: &Timestamp| {
            newest.is_some_and(|newest| time.duration_since(newest) <= OTHER_TIME)
        };
        let holes = log.summary.holes.iter();
        holes
            .filter_map(|hole| hole.after.max(hole.before))
            .filter(near)
    })
}

/// When the System log ends, where one was collected that is whole.
fn end_of_system(logs: &[CollectedLog]) -> Option<Timestamp> {
    logs.iter()
        .filter(|log| {
            let summary = &log.summary;
            !summary.is_selection() && summary.holes.is_empty() && summary.gap_count == 0
        })
        .filter_map(|log| log.summary.channels.get("System"))
        .map(|span| span.newest.time)
        .max()
}

fn steps_back(events: &[LoggedEvent], logs: &[CollectedLog]) -> Vec<StepBack> {
    let fallen = logs.iter().flat_map(|log| {
        let steps = log.summary.clock_steps.iter().filter(|step| !step.undone);
        steps.map(|step| StepBack {
            artifact: Arc::clone(&log.artifact),
            before: step.to.order,
            from: step.from.time,
            to: step.to.time,
        })
    });
    let told = events.iter().filter_map(|event| match event.event {
        Event::ClockSet { from, to } if is_step(from, to) && to < from => Some(StepBack {
            artifact: Arc::clone(&event.artifact),
            before: event.order,
            from,
            to,
        }),
        _ => None,
    });
    fallen.chain(told).collect()
}

fn boots(times: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = times.collect();
    times.sort_unstable();
    let mut boots: Vec<Timestamp> = Vec::new();
    for time in times {
        if boots
            .last()
            .is_none_or(|boot| time.duration_since(*boot) > ONE_BOOT)
        {
            boots.push(time);
        }
    }
    boots
}
