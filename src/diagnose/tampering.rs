//! What makes a collection doubtful as a whole: logs that were cleared, times that run against the numbers of the records, crashes
//! that never were, hives that are not of the same Windows, or not of the same time, as the logs. It is told, whatever the verdict;
//! what it costs in trust is decided where the facts are made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::catalog::service::{Crash, Trace};
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::history::History;
use crate::facts::host::Identity;
use crate::facts::log_coverage::{CollectedLog, unexplained_steps};
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, FieldValue, Value};
use crate::verdict::model::Problem;

/// So far apart are the numbers of two builds that no update turns into each other: what an enablement package adds is less (19041
/// to 19045, 22621 to 22631, 26100 to 26200).
const OTHER_WINDOWS: u32 = 100;
/// How many steps of one log, and how many crashes, are told one by one.
const TOLD: usize = 3;

/// What was found.
pub(super) struct Tampering {
    problems: Vec<Problem>,
    hives_do_not_fit: bool,
}

impl Tampering {
    /// Looks for it; `logged` is the build that the last boot logged, with its source.
    pub(super) fn read(
        history: &History<'_>,
        logs: &[CollectedLog],
        logged: Option<(u32, Source)>,
        identity: &Identity,
        facts: &FactSet,
    ) -> Self {
        let mut problems = cleared(history);
        problems.extend(refuted_crashes(facts));
        problems.extend(logs.iter().flat_map(|log| steps_back(history, log)));
        let other_time = history.clock.disbelieved.map(late_hive);
        let other_windows = logged.and_then(|(logged, source)| {
            let of_hive = *identity.build.settled()?;
            (of_hive.abs_diff(logged) > OTHER_WINDOWS)
                .then(|| other_windows(of_hive, logged, &source))
        });
        let hives_do_not_fit = other_time.is_some() || other_windows.is_some();
        problems.extend(other_time);
        problems.extend(other_windows);
        Tampering {
            problems,
            hives_do_not_fit,
        }
    }

    /// Whether what the hives say may be another machine's, or another time's.
    pub(super) fn hives_do_not_fit(&self) -> bool {
        self.hives_do_not_fit
    }

    /// What people are told.
    pub(super) fn problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Each log that was cleared, once, with the last time.
fn cleared(history: &History<'_>) -> Vec<Problem> {
    let mut last: BTreeMap<String, Problem> = BTreeMap::new();
    for placed in &history.events {
        let Event::LogCleared { channel } = &placed.event.event else {
            continue;
        };
        let message = format!(
            "the log {channel} was cleared at {}: what it held before is gone, and proves nothing",
            placed.at
        );
        let problem = Problem {
            artifact: Some(placed.event.artifact.to_string()),
            at: Some(format!("record {}", placed.event.number)),
            message,
        };
        last.insert(channel.to_lowercase(), problem);
    }
    last.into_values().collect()
}

/// The places in a log where times fall while numbers rise, and no log tells of a clock that was set.
fn steps_back(history: &History<'_>, log: &CollectedLog) -> Vec<Problem> {
    let unexplained: Vec<_> = unexplained_steps(log, &history.events, &history.clock).collect();
    let told = |at: Timestamp| history.coverage.covers_moment(Subject::SystemLog, at);
    let mut problems: Vec<Problem> = unexplained
        .iter()
        .take(TOLD)
        .map(|step| {
            let why = match told(step.to.time) {
                _ if step.undone => {
                    "and those behind it are as late again: it was written late, or its time was changed"
                }
                true => "and the System log tells of no clock that was set, nor of a start of Windows: times may have been changed",
                false => "the clock was set back, it was written late, or times were changed",
            };
            Problem {
                artifact: Some(log.artifact.to_string()),
                at: Some(format!("record {}", step.to.number)),
                message: format!(
                    "it is dated {}, and record {} before it {}: {why}. Records are taken in the order of their numbers",
                    step.to.time, step.from.number, step.from.time
                ),
            }
        })
        .collect();
    if unexplained.len() > TOLD {
        problems.push(Problem {
            artifact: Some(log.artifact.to_string()),
            at: None,
            message: format!(
                "and at {} more places times run against the numbers of the records",
                unexplained.len() - TOLD
            ),
        });
    }
    problems
}

/// Crashes in Application, where everybody may write, that left no trace where only Windows writes.
fn refuted_crashes(facts: &FactSet) -> Vec<Problem> {
    let refuted = Some(Trace::Refuted.state());
    let refuted: Vec<(&str, &Source)> = facts
        .of_kind(Crash::KIND)
        .filter(|fact| fact.field("trace") == refuted.as_ref())
        .filter_map(|fact| match fact.field("program")? {
            FieldState::Is(Value::Text(program)) => Some((program.as_str(), fact.sources.first()?)),
            _ => None,
        })
        .collect();
    let mut problems: Vec<Problem> = refuted
        .iter()
        .take(TOLD)
        .map(|(program, source)| {
            let (artifact, at) = place(source);
            Problem {
                artifact,
                at,
                message: format!(
                    "it says that {program} crashed, and the System log shows neither a start of Windows nor the end of a service: \
                     everybody may write to Application. It is not believed"
                ),
            }
        })
        .collect();
    if let (Some(more), Some((_, source))) = (
        refuted.len().checked_sub(TOLD).filter(|more| *more > 0),
        refuted.first(),
    ) {
        problems.push(Problem {
            artifact: place(source).0,
            at: None,
            message: format!("and {more} more such crashes"),
        });
    }
    problems
}

fn place(source: &Source) -> (Option<String>, Option<String>) {
    match source {
        Source::Record {
            artifact, number, ..
        } => (Some(artifact.clone()), Some(format!("record {number}"))),
        _ => (None, None),
    }
}

fn late_hive(written: Timestamp) -> Problem {
    Problem {
        artifact: None,
        at: None,
        message: format!(
            "a hive holds a key dated {written}, more than 30 days after the System log ends: its times were set, or it is of another \
             time than the logs. The collection is taken to end with the logs, and nothing is confirmed by the hives alone"
        ),
    }
}

fn other_windows(of_hive: u32, logged: u32, source: &Source) -> Problem {
    let (artifact, at) = place(source);
    Problem {
        artifact,
        at,
        message: format!(
            "the last boot logged build {logged} of Windows, and the hives are of build {of_hive}: they are another machine's, or \
             another time's. Nothing is confirmed by the hives alone"
        ),
    }
}
