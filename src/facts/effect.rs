//! When a setting took effect that is read only when Windows or a service starts.

use jiff::Timestamp;

use super::catalog::Kind;
use super::catalog::host::HostBoot;
use super::catalog::listener::ListenerStarted;
use super::fact::FactSet;
use super::gap::{Gap, GapId};

/// Since when a setting is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Since then, or not known since when.
    Since(Option<Timestamp>),
    /// Not yet: it was written after the last start of what reads it. What was in effect before is not in the hive.
    Pending(GapId),
    /// It is not known when it was written, so that it may be in effect or wait for the next start.
    Undated(GapId),
}

impl Effect {
    /// Since when, where it is in effect and that is known.
    #[must_use]
    pub fn since(self) -> Option<Timestamp> {
        match self {
            Effect::Since(time) => time,
            Effect::Pending(_) | Effect::Undated(_) => None,
        }
    }

    /// The gap, where it is not in effect yet or may not be.
    #[must_use]
    pub fn pending(self) -> Option<GapId> {
        match self {
            Effect::Since(_) => None,
            Effect::Pending(gap) | Effect::Undated(gap) => Some(gap),
        }
    }
}

/// When a setting was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is not set.
    Never,
    /// Its key was last written then.
    At(Timestamp),
    /// It is set, and nothing says since when: an export as text has no times.
    Undated,
}

impl Written {
    /// When the newest of some settings was written; all of them are set.
    pub fn newest(times: impl Iterator<Item = Option<Timestamp>>) -> Written {
        times.fold(Written::Never, |newest, time| match (newest, time) {
            (Written::Undated, _) | (_, None) => Written::Undated,
            (Written::Never, Some(time)) => Written::At(time),
            (Written::At(known), Some(time)) => Written::At(known.max(time)),
        })
    }

    /// When a setting was written that is set, as far as its key tells.
    #[must_use]
    pub fn of(time: Option<Timestamp>) -> Written {
        time.map_or(Written::Undated, Written::At)
    }

    /// The time, where there is one.
    #[must_use]
    pub fn time(self) -> Option<Timestamp> {
        match self {
            Written::At(time) => Some(time),
            Written::Never | Written::Undated => None,
        }
    }
}

/// The first boot after the setting was written; where none is known, the write itself. Boots are the facts `host.boot`, so
/// these must be there before.
#[must_use]
pub fn in_effect_since(facts: &FactSet, written: Timestamp) -> Timestamp {
    first_of(&[HostBoot::KIND], facts, written)
}

/// The same of what the Remote Desktop service reads when it starts: its first start after that, or that of Windows.
#[must_use]
pub fn in_effect_since_service_start(facts: &FactSet, written: Timestamp) -> Timestamp {
    first_of(&[HostBoot::KIND, ListenerStarted::KIND], facts, written)
}

fn first_of(starts: &[&'static Kind], facts: &FactSet, written: Timestamp) -> Timestamp {
    let of_kinds = starts.iter().flat_map(|kind| facts.of_kind(kind));
    let times = of_kinds.filter_map(|start| start.at);
    times
        .filter(|start| *start >= written)
        .min()
        .unwrap_or(written)
}

/// A setting that is read when Windows starts.
pub fn at_boot(facts: &mut FactSet, about: &str, written: Written) -> Effect {
    let boot = facts.anchors.last_boot.settled().copied();
    started(facts, about, written, boot, "Windows", in_effect_since)
}

/// A setting that is read when the Remote Desktop service starts, which it also does when Windows starts.
pub fn at_service_start(facts: &mut FactSet, about: &str, written: Written) -> Effect {
    let boot = facts.anchors.last_boot.settled().copied();
    let service = facts.anchors.service_start.settled().copied();
    let start = boot.max(service);
    let since = in_effect_since_service_start;
    started(facts, about, written, start, "the service", since)
}

fn started(
    facts: &mut FactSet,
    about: &str,
    written: Written,
    last_start: Option<Timestamp>,
    what: &str,
    since: impl Fn(&FactSet, Timestamp) -> Timestamp,
) -> Effect {
    match (written, last_start) {
        (Written::At(written), Some(start)) if written > start => {
            Effect::Pending(facts.gaps.record(Gap {
                about: about.to_owned(),
                why: format!(
                    "written at {written}, after the last start of {what}, and in effect only from the next one on; what was in effect before is not in the hive"
                ),
                obtain: "on the machine, before any restart: Get-TlsCipherSuite, netstat -ano".to_owned(),
            }))
        }
        (Written::At(written), _) => Effect::Since(Some(since(facts, written))),
        (Written::Undated, Some(start)) => Effect::Undated(facts.gaps.record(Gap {
            about: about.to_owned(),
            why: format!(
                "set, but not known since when: {what} last started at {start}, and what was set later is not in effect yet"
            ),
            obtain: "the hive itself with its .LOG1 and .LOG2, which holds the time of each write"
                .to_owned(),
        })),
        (Written::Undated, None) | (Written::Never, _) => Effect::Since(None),
    }
}
