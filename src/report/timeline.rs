//! What happened, in order, over all machines: for the terminal, for programs, and as CSV in the shape that Timesketch imports
//! (columns `message`, `datetime`, `timestamp_desc`; further columns become attributes. Timesketch, "Create timeline from JSON/JSONL/CSV
//! file").

use jiff::Timestamp;
use serde::Serialize;

use super::happening::{Happening, Happenings};
use super::observation::observation;
use super::source::Sources;
use super::text::related;
use super::{Clock, Listing, Room};
use crate::verdict::model::{Change, Report, SourceEntry};

/// Longer texts are cut.
const LONGEST: usize = 2000;
/// Among so many places of a fact the one of a change is looked for.
const PLACES: usize = 64;

/// What is asked of the timeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Nothing before this.
    pub since: Option<Timestamp>,
    /// Nothing from this on.
    pub until: Option<Timestamp>,
    /// Which entries.
    pub only: Only,
}

/// Which entries of the timeline are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Only {
    /// All.
    #[default]
    Everything,
    /// What became different: settings, services, certificates, the clock, boots.
    Changes,
    /// What did not work.
    Failures,
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// What happened.
    pub message: String,
    /// When, RFC 3339 in UTC.
    pub datetime: String,
    /// What the time is the time of.
    pub timestamp_desc: &'static str,
    /// The machine.
    pub host: String,
    /// The kind of fact, or `change`.
    pub kind: String,
    /// The file that says so.
    pub artifact: String,
    /// The event record in it, or the registry key.
    pub place: String,
    /// The facts of the JSON report.
    pub evidence: String,
}

/// The moments of these reports, in order.
#[must_use]
pub fn moments(reports: &[Report], span: &Span) -> Vec<Moment> {
    let mut found: Vec<(Timestamp, Moment)> = Vec::new();
    for report in reports {
        let sources = Sources::of(report);
        let happenings = Happenings::of(report);
        for entry in &report.timeline {
            let fact = entry.evidence.first().and_then(|id| sources.fact(id));
            let kind = fact.map_or(Happening::Other, |fact| happenings.kind(fact));
            let wanted = match span.only {
                Only::Everything => true,
                Only::Changes => kind == Happening::Change,
                Only::Failures => kind == Happening::Failure,
            };
            if !wanted {
                continue;
            }
            let says = fact.map_or_else(
                || entry.title.clone(),
                |fact| {
                    let utc = Clock::new(jiff::tz::TimeZone::UTC);
                    let repeated = match entry.evidence.len() {
                        0 | 1 => String::new(),
                        many => format!(" (×{many})"),
                    };
                    format!("{}{repeated}", observation(fact, &utc))
                },
            );
            let place = fact.and_then(|fact| sources.leaves(fact, 1).first().copied());
            let moment = moment(
                report,
                &says,
                &entry.time,
                "Event Logged",
                &entry.kind,
                place,
                &entry.evidence,
            );
            push(&mut found, moment, span);
        }
        if span.only == Only::Failures {
            continue;
        }
        for change in &report.changes {
            let fact = change.evidence.first().and_then(|id| sources.fact(id));
            let place =
                fact.and_then(|fact| place_of_change(&sources.leaves(fact, PLACES), change));
            let says = related::what(change);
            let moment = moment(
                report,
                &says,
                &change.time,
                "Changed",
                "change",
                place,
                &change.evidence,
            );
            push(&mut found, moment, span);
        }
    }
    found.sort_by(|(one, first), (other, second)| {
        (one, &first.host, first.timestamp_desc, &first.evidence).cmp(&(
            other,
            &second.host,
            second.timestamp_desc,
            &second.evidence,
        ))
    });
    found.into_iter().map(|(_, moment)| moment).collect()
}

/// Where a change stands: the key that was written then, and else the fact's first place.
fn place_of_change<'a>(places: &[&'a SourceEntry], change: &Change) -> Option<&'a SourceEntry> {
    let written = || {
        let then = |place: &&&SourceEntry| place.written.as_ref() == Some(&change.time);
        places.iter().filter(then)
    };
    // Several keys may have been written in one second.
    let named = written().find(|place| {
        let key = place.key.as_deref();
        key.is_some_and(|key| change.what.contains(key))
    });
    named.or(written().next()).or(places.first()).copied()
}

fn push(found: &mut Vec<(Timestamp, Moment)>, moment: Moment, span: &Span) {
    let Ok(time) = moment.datetime.parse::<Timestamp>() else {
        return;
    };
    let within =
        span.since.is_none_or(|since| time >= since) && span.until.is_none_or(|until| time < until);
    if within {
        found.push((time, moment));
    }
}

fn moment(
    report: &Report,
    says: &str,
    time: &str,
    timestamp_desc: &'static str,
    kind: &str,
    place: Option<&SourceEntry>,
    evidence: &[String],
) -> Moment {
    let cut = |text: &str| super::escape::cut(text, LONGEST);
    let at = place.map(|place| match (place.record, &place.key) {
        (Some(record), _) => record.to_string(),
        (None, Some(key)) => cut(key),
        (None, None) => String::new(),
    });
    Moment {
        message: cut(says),
        datetime: time.to_owned(),
        timestamp_desc,
        host: report.host.name.clone().unwrap_or_default(),
        kind: kind.to_owned(),
        artifact: place
            .and_then(|place| place.artifact.clone())
            .unwrap_or_default(),
        place: at.unwrap_or_default(),
        evidence: evidence
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// The whole timeline as CSV.
pub(super) fn csv(reports: &[Report]) -> Vec<u8> {
    listing(&moments(reports, &Span::default()), None).csv()
}

/// The moments as a table; times in a zone for people, in UTC for programs.
#[must_use]
pub fn listing(moments: &[Moment], clock: Option<&Clock>) -> Listing {
    match clock {
        Some(clock) => {
            let several = moments
                .iter()
                .any(|moment| Some(&moment.host) != moments.first().map(|first| &first.host));
            let mut listing = Listing::new(&[
                ("Time", Room::Content),
                ("What happened", Room::Rest),
                ("Source", Room::AtMost(30)),
            ]);
            for moment in moments {
                let message = match several {
                    true => format!("{}: {}", moment.host, moment.message),
                    false => moment.message.clone(),
                };
                let file = super::source::last_part(&moment.artifact);
                let source = match moment.place.parse::<u64>() {
                    Ok(record) => format!("{file} #{record}"),
                    Err(_) => format!("{file} {}", super::source::last_part(&moment.place)),
                };
                listing.row(vec![clock.full(&moment.datetime), message, source]);
            }
            listing
        }
        None => {
            let mut listing = Listing::new(&[
                ("message", Room::Rest),
                ("datetime", Room::Content),
                ("timestamp_desc", Room::Content),
                ("host", Room::Content),
                ("kind", Room::Content),
                ("artifact", Room::Content),
                ("place", Room::Content),
                ("evidence", Room::Content),
            ]);
            for moment in moments {
                listing.row(vec![
                    moment.message.clone(),
                    moment.datetime.clone(),
                    moment.timestamp_desc.to_owned(),
                    moment.host.clone(),
                    moment.kind.clone(),
                    moment.artifact.clone(),
                    moment.place.clone(),
                    moment.evidence.clone(),
                ]);
            }
            listing
        }
    }
}
