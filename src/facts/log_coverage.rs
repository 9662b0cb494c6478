//! What the collected logs cover: from when to when each channel proves that something did not happen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::clock::{Clock, Placed};
use super::coverage::{Coverage, Window, join_covers};
use super::event::{Event, Transport};
use super::fact::FactSet;
use super::forgery::Forged;
use super::gap::{GapId, Gaps};
use super::known::Known;
use super::subject::Subject;
use crate::parse::event_log::{ClockStep, GapKind, LogSummary};

/// What a log says of a change of the clock, and what the records beside it bear, differ by less.
const SAME_CHANGE: SignedDuration = SignedDuration::from_mins(10);

/// The records of one connection reach their logs within this time.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

/// A log file of one host.
#[derive(Debug, Clone)]
pub struct CollectedLog {
    /// Its path relative to the input.
    pub artifact: Arc<str>,
    /// What it covers.
    pub summary: LogSummary,
    /// Its records that are not from whom they name.
    pub forged: Forged,
    /// The newest of its events that were left out because there are too many of a kind: it proves nothing up to then.
    pub left_out_until: Option<Timestamp>,
}

/// What the hives say about logging.
#[derive(Debug, Clone)]
pub struct Logging {
    /// Channels that are switched off (`WINEVT\Channels`, `Enabled` 0).
    pub channels_off: BTreeSet<String>,
    /// Whether Schannel logs errors (`SCHANNEL\EventLogging`, 1 where it is not set).
    pub schannel_errors: Known<bool>,
}

/// What the logs of one host cover, subject by subject.
#[derive(Debug, Clone)]
pub struct LogCoverage {
    parts: BTreeMap<Subject, Vec<Coverage>>,
    /// Logs the times of which run against the numbers of their records, though the System log, which would tell why, was collected.
    out_of_order: BTreeSet<Subject>,
}

impl LogCoverage {
    /// Works out what the logs cover. `events` are those of the watch list, arranged.
    #[must_use]
    pub fn read(
        logs: &[CollectedLog],
        events: &[Placed<'_>],
        clock: &Clock,
        logging: &Logging,
        gaps: &mut Gaps,
    ) -> Self {
        let mut coverage = LogCoverage {
            parts: BTreeMap::new(),
            out_of_order: out_of_order(logs, events, clock),
        };
        for (channel, files) in files_by_channel(logs) {
            let Some(subject) = subject_of(&channel) else {
                continue;
            };
            let bounds = Bounds {
                subject,
                cleared: cleared(events, &channel),
                shown: shown_elsewhere(events, subject),
                off: logging
                    .channels_off
                    .iter()
                    .any(|off| off.eq_ignore_ascii_case(&channel)),
            };
            let parts = channel_coverage(&files, &bounds, clock, gaps);
            coverage.parts.insert(subject, parts);
        }
        coverage.schannel(events, logging, gaps);
        coverage.funnel(events, gaps);
        coverage
    }

    /// Whether one part of a subject proves what did not happen in the window.
    #[must_use]
    pub fn covers(&self, subject: Subject, window: &Window) -> bool {
        join_covers(self.of(subject), window)
    }

    /// Whether a moment is covered.
    #[must_use]
    pub fn covers_moment(&self, subject: Subject, at: Timestamp) -> bool {
        self.covers(
            subject,
            &Window {
                from: Some(at),
                to: Some(at),
            },
        )
    }

    /// Whether anything of a subject was collected.
    #[must_use]
    pub fn collected(&self, subject: Subject) -> bool {
        !self.of(subject).is_empty()
    }

    /// The gap that keeps a window of a subject open.
    #[must_use]
    pub fn gap(&self, subject: Subject, why: &str, gaps: &mut Gaps) -> GapId {
        self.of(subject)
            .iter()
            .find_map(|part| match part {
                Coverage::PresenceOnly(gap) | Coverage::Missing(gap) => Some(*gap),
                Coverage::Holed { gap, .. } => Some(*gap),
                Coverage::Whole(_) => None,
            })
            .unwrap_or_else(|| gaps.open(subject, why))
    }

    /// The gap of a damaged place in the logs of these subjects that something of this window may have stood in.
    #[must_use]
    pub fn hole(&self, subjects: &[Subject], window: &Window) -> Option<GapId> {
        let parts = subjects.iter().flat_map(|subject| self.of(*subject));
        parts
            .filter_map(|part| match part {
                Coverage::Holed { holes, gap, .. } => Some((holes, *gap)),
                _ => None,
            })
            .find(|(holes, _)| holes.iter().any(|hole| hole.overlaps(window)))
            .map(|(_, gap)| gap)
    }

    /// Whether when anything in this log happened is not sure: its times may have been changed.
    #[must_use]
    pub fn is_out_of_order(&self, subject: Subject) -> bool {
        self.out_of_order.contains(&subject)
    }

    /// Says to the facts what is covered.
    pub fn apply(&self, facts: &mut FactSet) {
        for (subject, parts) in &self.parts {
            for part in parts {
                facts.cover(*subject, part.clone());
            }
        }
    }

    /// What each artifact covers of a subject.
    #[must_use]
    pub fn parts(&self, subject: Subject) -> &[Coverage] {
        self.of(subject)
    }

    fn of(&self, subject: Subject) -> &[Coverage] {
        self.parts.get(&subject).map_or(&[], Vec::as_slice)
    }

    fn schannel(&mut self, events: &[Placed<'_>], logging: &Logging, gaps: &mut Gaps) {
        let seen = events.iter().any(
            |placed| matches!(&placed.event.event, Event::Schannel(event) if event.event != 36880),
        );
        let parts = match (&logging.schannel_errors, seen) {
            (Known::Is(true), _) | (Known::Open(_), true) => self.of(Subject::SystemLog).to_vec(),
            (Known::Is(false), _) => {
                let why = "Schannel logs no errors on this machine (SCHANNEL\\EventLogging)";
                vec![Coverage::PresenceOnly(
                    gaps.open(Subject::SchannelEvents, why),
                )]
            }
            (Known::Open(gap), false) => vec![Coverage::PresenceOnly(*gap)],
        };
        if self.collected(Subject::SystemLog) {
            self.parts.insert(Subject::SchannelEvents, parts);
        }
    }

    /// The subjects that stand for several logs.
    fn funnel(&mut self, events: &[Placed<'_>], gaps: &mut Gaps) {
        let any = |test: fn(&Event) -> bool| events.iter().any(|placed| test(&placed.event.event));
        let transport = self.of(Subject::RdpCoreTsLog).to_vec();
        let manager = self.of(Subject::RemoteConnectionManagerLog).to_vec();
        let sessions = self.of(Subject::LocalSessionManagerLog).to_vec();

        self.set(
            Subject::Arrivals,
            [transport.clone(), manager.clone()].concat(),
        );
        self.set(Subject::CredentialOutcomes, manager.clone());
        // An authentication is no session yet; but where nobody even authenticated, nobody got one.
        let nobody_authenticated = !any(|event| matches!(event, Event::Authenticated { .. }));
        self.set(
            Subject::Sessions,
            match sessions.is_empty() && nobody_authenticated {
                true => manager.clone(),
                false => sessions,
            },
        );
        // RdpCoreTS 153 came with Windows 10; before, only what follows (140 in the same log, 1149) shows that TLS passed.
        let tells_tls = any(|event| matches!(event, Event::TlsNegotiated { .. }));
        let tls = match tells_tls {
            true => transport,
            false => both(&transport, &manager, gaps),
        };
        self.set(Subject::TlsOutcomes, tls);
    }

    fn set(&mut self, subject: Subject, parts: Vec<Coverage>) {
        if !parts.is_empty() {
            self.parts.insert(subject, parts);
        }
    }
}

/// What two logs cover together.
fn both(one: &[Coverage], other: &[Coverage], gaps: &mut Gaps) -> Vec<Coverage> {
    let mut shared = Vec::new();
    for one in one {
        for other in other {
            shared.push(match (one, other) {
                (Coverage::Whole(one), Coverage::Whole(other)) => Coverage::Whole(Window {
                    from: one.from.max(other.from),
                    to: match (one.to, other.to) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    },
                }),
                (Coverage::Whole(_), open) => open.clone(),
                (open, _) => open.clone(),
            });
        }
    }
    if shared.is_empty() && !one.is_empty() {
        let why = "this Windows does not log that TLS was negotiated (RdpCoreTS 153)";
        shared.push(Coverage::PresenceOnly(
            gaps.open(Subject::CredentialOutcomes, why),
        ));
    }
    shared
}

/// The subject that a channel is.
pub fn subject_of(channel: &str) -> Option<Subject> {
    let (provider, kind) = channel.rsplit_once('/').unwrap_or((channel, ""));
    let provider = provider.to_ascii_lowercase();
    Some(
        match (provider.as_str(), kind.to_ascii_lowercase().as_str()) {
            ("system", "") => Subject::SystemLog,
            ("application", "") => Subject::ApplicationLog,
            ("security", "") => Subject::SecurityLog,
            ("microsoft-windows-remotedesktopservices-rdpcorets", "operational") => {
                Subject::RdpCoreTsLog
            }
            ("microsoft-windows-terminalservices-remoteconnectionmanager", "operational") => {
                Subject::RemoteConnectionManagerLog
            }
            ("microsoft-windows-terminalservices-remoteconnectionmanager", "admin") => {
                Subject::RemoteConnectionManagerAdminLog
            }
            ("microsoft-windows-terminalservices-localsessionmanager", "operational") => {
                Subject::LocalSessionManagerLog
            }
            ("microsoft-windows-networkprofile", "operational") => Subject::NetworkProfileLog,
            ("microsoft-windows-ntlm", "operational") => Subject::NtlmRefusals,
            ("microsoft-windows-terminalservices-sessionbroker-client", "operational") => {
                Subject::SessionBrokerLog
            }
            // A machine's RDPClient log tells of its own connections to others; that no client was refused it never proves.
            _ => return None,
        },
    )
}

/// One channel in one file.
struct ChannelFile<'a> {
    summary: &'a LogSummary,
    oldest: (u64, Timestamp),
    newest: (u64, Timestamp),
    /// Records of other channels stand beside it: forwarded ones, which somebody chose.
    mixed: bool,
    /// Somebody forged records of this channel.
    forged: bool,
    left_out_until: Option<Timestamp>,
}

fn files_by_channel(logs: &[CollectedLog]) -> BTreeMap<String, Vec<ChannelFile<'_>>> {
    let mut channels: BTreeMap<String, Vec<ChannelFile<'_>>> = BTreeMap::new();
    for log in logs {
        for (channel, span) in &log.summary.channels {
            channels
                .entry(channel.clone())
                .or_default()
                .push(ChannelFile {
                    summary: &log.summary,
                    oldest: (span.oldest.number, span.oldest.time),
                    newest: (span.newest.number, span.newest.time),
                    mixed: log.summary.channels.len() > 1,
                    forged: log.forged.taints(channel),
                    left_out_until: log.left_out_until,
                });
        }
    }
    for files in channels.values_mut() {
        files.sort_by_key(|file| (file.newest, file.oldest));
    }
    channels
}

/// What else bounds the coverage of a channel.
struct Bounds {
    subject: Subject,
    /// When it was cleared, last.
    cleared: Option<Timestamp>,
    /// The last time that another log shows what should stand in this one.
    shown: Option<Timestamp>,
    off: bool,
}

fn channel_coverage(
    files: &[ChannelFile<'_>],
    bounds: &Bounds,
    clock: &Clock,
    gaps: &mut Gaps,
) -> Vec<Coverage> {
    let subject = bounds.subject;
    if bounds.off {
        return vec![Coverage::PresenceOnly(
            gaps.open(subject, "the channel is switched off"),
        )];
    }
    let mut parts: Vec<(Coverage, u64)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let summary = file.summary;
        let why = if file.forged {
            Some("somebody forged records of it: what it does not hold proves nothing")
        } else if file.mixed || is_selection(summary) {
            Some("holds only chosen records: it proves what happened, not what did not")
        } else {
            None
        };
        if let Some(why) = why {
            parts.push((
                Coverage::PresenceOnly(gaps.open(subject, why)),
                file.newest.0,
            ));
            continue;
        }
        let window = window_of(file, index + 1 == files.len(), bounds, clock);
        let holes = holes_of(summary);
        if !holes.is_empty() {
            let gap = gaps.open(subject, "parts of the log are damaged or missing");
            parts.push((Coverage::Holed { window, holes, gap }, file.newest.0));
            continue;
        }
        // Two files of one channel join where their numbers touch.
        if let Some((Coverage::Whole(known), last)) = parts.last_mut()
            && file.oldest.0 <= last.saturating_add(1)
            && file.left_out_until.is_none()
        {
            known.from = known.from.min(window.from);
            known.to = known.to.max(window.to);
            *last = file.newest.0;
            continue;
        }
        parts.push((Coverage::Whole(window), file.newest.0));
    }
    parts.into_iter().map(|(coverage, _)| coverage).collect()
}

/// The places in a log where times fall while numbers rise, and neither a clock that was set nor a start of Windows is logged, when
/// what was kept from before is written behind the first records of the new run.
pub fn unexplained_steps<'s>(
    log: &'s CollectedLog,
    events: &[Placed<'_>],
    clock: &Clock,
) -> impl Iterator<Item = &'s ClockStep> {
    let set_back: Vec<(Timestamp, Timestamp)> = events
        .iter()
        .filter_map(|placed| match placed.event.event {
            Event::ClockSet { from, to } if to < from => Some((from, to)),
            _ => None,
        })
        .collect();
    let boots = clock.boots.clone();
    log.summary.clock_steps.iter().filter(move |step| {
        let near =
            |one: Timestamp, other: Timestamp| one.duration_since(other).abs() <= SAME_CHANGE;
        // The records beside the step may be written long before and long after it.
        let was_set = set_back.iter().any(|(from, to)| {
            step.from.time.duration_since(*from) <= SAME_CHANGE
                && to.duration_since(step.to.time) <= SAME_CHANGE
        });
        !was_set && !boots.iter().any(|boot| near(*boot, step.from.time))
    })
}

fn out_of_order(logs: &[CollectedLog], events: &[Placed<'_>], clock: &Clock) -> BTreeSet<Subject> {
    let is_system = |log: &CollectedLog| {
        log.summary.channels.contains_key("System") && !is_selection(&log.summary)
    };
    if !logs.iter().any(is_system) {
        return BTreeSet::new();
    }
    logs.iter()
        .filter(|log| unexplained_steps(log, events, clock).next().is_some())
        .flat_map(|log| log.summary.channels.keys())
        .filter_map(|channel| subject_of(channel))
        .collect()
}

/// Records were left out where it was written; or more is missing than was noted one by one.
fn is_selection(summary: &LogSummary) -> bool {
    summary.is_selection()
        || summary.gaps.iter().any(|gap| gap.kind == GapKind::Selected)
        || summary.gap_count > summary.gaps.len() as u64
}

fn window_of(file: &ChannelFile<'_>, live: bool, bounds: &Bounds, clock: &Clock) -> Window {
    let set_back = file
        .summary
        .clock_steps
        .iter()
        .filter(|step| !step.undone)
        .map(|step| step.to.time)
        .min();
    let oldest = set_back.map_or(file.oldest.1, |step| step.min(file.oldest.1));
    let newest = file.newest.1;
    let ends_early = bounds.cleared.is_some_and(|cleared| newest < cleared)
        || bounds
            .shown
            .is_some_and(|shown| shown.duration_since(newest) > SLACK);
    let to = match live && !ends_early {
        true => clock.as_of.unwrap_or(newest).max(newest),
        false => newest,
    };
    // What was cleared is gone, however old the copy of a part of it may be.
    let from = match bounds.cleared {
        Some(cleared) if oldest < cleared && cleared <= newest => cleared,
        _ => oldest,
    };
    Window {
        from: Some(file.left_out_until.map_or(from, |until| until.max(from))),
        to: Some(to),
    }
}

fn holes_of(summary: &LogSummary) -> Vec<Window> {
    let damaged = summary
        .holes
        .iter()
        .chain(&summary.doubts)
        .map(|hole| Window {
            from: hole.after,
            to: hole.before,
        });
    let missing = summary.gaps.iter().map(|gap| Window {
        from: Some(gap.after.min(gap.before)),
        to: Some(gap.before.max(gap.after)),
    });
    damaged.chain(missing).collect()
}

fn cleared(events: &[Placed<'_>], channel: &str) -> Option<Timestamp> {
    events
        .iter()
        .filter(|placed| match &placed.event.event {
            Event::LogCleared { channel: cleared } => cleared.eq_ignore_ascii_case(channel),
            _ => false,
        })
        .map(|placed| placed.at)
        .max()
}

/// The last time that another log shows a connection which should have left a record in this one.
fn shown_elsewhere(events: &[Placed<'_>], subject: Subject) -> Option<Timestamp> {
    let recorded = |event: &Event| match subject {
        Subject::RdpCoreTsLog => matches!(
            event,
            Event::ListenerReached
                | Event::Authenticated { client: Some(_) }
                | Event::SessionOpened {
                    event: 21 | 25,
                    client: Some(_),
                    ..
                }
        ),
        Subject::RemoteConnectionManagerLog => matches!(
            event,
            Event::Accepted {
                transport: Transport::Tcp,
                ..
            } | Event::SessionOpened {
                event: 21 | 25,
                client: Some(_),
                ..
            }
        ),
        // Session 1 and below may be the console's.
        Subject::LocalSessionManagerLog => {
            matches!(event, Event::DesktopBegan { session } if *session >= 2)
        }
        _ => false,
    };
    events
        .iter()
        .filter(|placed| recorded(&placed.event.event))
        .map(|placed| placed.at)
        .max()
}
