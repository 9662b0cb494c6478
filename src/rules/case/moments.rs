//! The moments of a case: its anchors, and times that are measured from them.

use jiff::{SignedDuration, Timestamp};
use toml::Spanned;

use crate::facts::gap::GapId;
use crate::facts::incident::{Anchor, Anchors, ConnectionState};
use crate::facts::known::Known;
use crate::rules::error::Reporter;
use crate::rules::load::word;
use crate::rules::raw;

/// The moments of a case.
#[derive(Debug, Clone)]
pub struct CaseAnchors {
    pub(super) state: ConnectionState,
    last_success: Moment,
    first_failure: Moment,
    incident: Moment,
    last_boot: Moment,
    service_start: Moment,
    as_of: Moment,
    oldest: Moment,
}

/// One moment of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(Timestamp),
    None,
    Open,
}

impl CaseAnchors {
    /// The moments of a host, as a case says them.
    pub(super) fn of(anchors: &Anchors) -> Self {
        let optional = |known: &Known<Option<Timestamp>>| match known {
            Known::Is(Some(at)) => Moment::At(*at),
            Known::Is(None) => Moment::None,
            Known::Open(_) => Moment::Open,
        };
        let known = |known: &Known<Timestamp>| match known {
            Known::Is(at) => Moment::At(*at),
            Known::Open(_) => Moment::Open,
        };
        let plain = |moment: Option<Timestamp>| moment.map_or(Moment::None, Moment::At);
        CaseAnchors {
            state: anchors.state,
            last_success: optional(&anchors.last_success),
            first_failure: optional(&anchors.first_failure),
            incident: plain(anchors.incident),
            last_boot: known(&anchors.last_boot),
            service_start: known(&anchors.service_start),
            as_of: plain(anchors.as_of),
            oldest: plain(anchors.oldest),
        }
    }

    /// Every moment with its word and how it is written, the state first.
    pub(super) fn written(&self) -> Vec<(&'static str, String)> {
        let written = |moment: Moment| match moment {
            Moment::At(at) => at.to_string(),
            Moment::None => "none".to_owned(),
            Moment::Open => "?".to_owned(),
        };
        vec![
            ("state", self.state.word().to_owned()),
            ("last_success", written(self.last_success)),
            ("first_failure", written(self.first_failure)),
            ("incident", written(self.incident)),
            ("last_boot", written(self.last_boot)),
            ("service_start", written(self.service_start)),
            ("as_of", written(self.as_of)),
            ("oldest", written(self.oldest)),
        ]
    }

    pub(super) fn build(&self, gap: GapId) -> Anchors {
        let optional = |moment: Moment| match moment {
            Moment::At(at) => Known::Is(Some(at)),
            Moment::None => Known::Is(None),
            Moment::Open => Known::Open(gap),
        };
        let known = |moment: Moment| match moment {
            Moment::At(at) => Known::Is(at),
            Moment::None | Moment::Open => Known::Open(gap),
        };
        let plain = |moment: Moment| match moment {
            Moment::At(at) => Some(at),
            Moment::None | Moment::Open => None,
        };
        Anchors {
            state: self.state,
            last_success: optional(self.last_success),
            first_failure: optional(self.first_failure),
            incident: plain(self.incident),
            last_boot: known(self.last_boot),
            service_start: known(self.service_start),
            as_of: plain(self.as_of),
            oldest: plain(self.oldest),
            gap,
        }
    }
}

/// The moments that a case's own times are measured from: those of its anchors, and what they would be where it has none.
pub(super) struct Clock {
    last_success: Timestamp,
    pub(super) first_failure: Timestamp,
    incident: Timestamp,
    last_boot: Timestamp,
    service_start: Timestamp,
    as_of: Timestamp,
}

impl Clock {
    fn at(&self, anchor: Anchor) -> Timestamp {
        match anchor {
            Anchor::LastSuccess => self.last_success,
            Anchor::FirstFailure | Anchor::Fault => self.first_failure,
            Anchor::Incident => self.incident,
            Anchor::LastBoot => self.last_boot,
            Anchor::ServiceStart => self.service_start,
            Anchor::AsOf => self.as_of,
        }
    }
}

/// The moments of a case. Unless it says otherwise, people get in until 08:00 on a Monday, fail from ten minutes later, and the
/// collection ends an hour after that; Windows and the service were started a day before, the logs go back thirty days.
pub(super) fn anchors(raw: &raw::Case, report: &mut Reporter<'_>) -> Option<(CaseAnchors, Clock)> {
    const WORDS: [&str; 8] = [
        "state",
        "last_success",
        "first_failure",
        "incident",
        "last_boot",
        "service_start",
        "as_of",
        "oldest",
    ];
    for name in raw.anchors.keys() {
        if !WORDS.contains(&name.get_ref().as_str()) {
            report.unknown(&name.span(), "anchor", name.get_ref(), WORDS);
            return None;
        }
    }
    let state = match raw.anchors.get("state") {
        None => ConnectionState::Failing,
        Some(toml) => {
            let text = toml.get_ref().as_str().unwrap_or_default().to_owned();
            let given = Spanned::new(toml.span(), text);
            word(
                &given,
                "state",
                ConnectionState::ALL,
                ConnectionState::word,
                report,
            )?
        }
    };
    let base: Timestamp = "2026-03-02T08:00:00Z".parse().ok()?;
    let mut clock = Clock {
        last_success: base,
        first_failure: later(base, 10),
        incident: later(base, 10),
        last_boot: later(base, -24 * 60),
        service_start: later(base, -24 * 60),
        as_of: later(base, 70),
    };
    let mut told = |name: &str, clock: &Clock| -> Option<Option<Moment>> {
        let Some(toml) = raw.anchors.get(name) else {
            return Some(None);
        };
        match toml.get_ref().as_str() {
            Some("none") => return Some(Some(Moment::None)),
            Some("?") => return Some(Some(Moment::Open)),
            _ => {}
        }
        moment(toml, clock, report).map(|at| Some(Moment::At(at)))
    };
    let at = |told: Option<Moment>| match told {
        Some(Moment::At(at)) => Some(at),
        _ => None,
    };
    // Each is read with those before it in place; what is not told moves along with what is.
    let last_success = told("last_success", &clock)?;
    if let Some(moment) = at(last_success) {
        clock = moved(moment);
    }
    let first_failure = told("first_failure", &clock)?;
    if let Some(moment) = at(first_failure) {
        let kept = at(last_success);
        clock = moved(later(moment, -10));
        clock.last_success = kept.unwrap_or(clock.last_success);
    }
    let as_of = told("as_of", &clock)?;
    if let Some(moment) = at(as_of) {
        if last_success.is_none()
            && first_failure.is_none()
            && moment < later(clock.first_failure, 60)
        {
            clock = moved(later(moment, -70));
        }
        clock.as_of = moment;
    }
    let locked_out = match state {
        ConnectionState::Failing | ConnectionState::Mixed => Moment::At(clock.first_failure),
        ConnectionState::Unseen => Moment::Open,
        ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
            Moment::None
        }
    };
    let first_failure = first_failure.unwrap_or(locked_out);
    clock.incident = match first_failure {
        Moment::At(moment) => moment,
        Moment::None | Moment::Open => clock.as_of,
    };
    let incident = told("incident", &clock)?;
    clock.incident = at(incident).unwrap_or(clock.incident);
    let last_boot = told("last_boot", &clock)?;
    clock.last_boot = at(last_boot).unwrap_or(clock.last_boot);
    let service_start = told("service_start", &clock)?;
    clock.service_start = at(service_start).unwrap_or(clock.last_boot);
    let oldest = told("oldest", &clock)?;
    let seen = match state {
        ConnectionState::Unseen => Moment::Open,
        _ => Moment::At(clock.last_success),
    };
    let anchors = CaseAnchors {
        state,
        last_success: last_success.unwrap_or(seen),
        first_failure,
        incident: incident.unwrap_or(Moment::At(clock.incident)),
        last_boot: last_boot.unwrap_or(Moment::At(clock.last_boot)),
        service_start: service_start.unwrap_or(Moment::At(clock.service_start)),
        as_of: as_of.unwrap_or(Moment::At(clock.as_of)),
        oldest: oldest.unwrap_or(Moment::At(later(clock.last_success, -30 * 24 * 60))),
    };
    Some((anchors, clock))
}

/// The usual moments around another last success.
fn moved(last_success: Timestamp) -> Clock {
    Clock {
        last_success,
        first_failure: later(last_success, 10),
        incident: later(last_success, 10),
        last_boot: later(last_success, -24 * 60),
        service_start: later(last_success, -24 * 60),
        as_of: later(last_success, 70),
    }
}

fn later(from: Timestamp, minutes: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_mins(minutes))
        .unwrap_or(from)
}

/// Reads a moment: RFC 3339, an anchor, or an anchor with a distance such as `first_failure + 5 min`.
pub(super) fn moment(
    toml: &Spanned<toml::Value>,
    clock: &Clock,
    report: &mut Reporter<'_>,
) -> Option<Timestamp> {
    let text = match toml.get_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(time) => time.to_string(),
        _ => String::new(),
    };
    let found = text.parse().ok().or_else(|| measured(&text, clock));
    if found.is_none() {
        report.wrong_because(
            &toml.span(),
            "this is no moment",
            Some(
                "write \"2026-03-02T08:00:00Z\", \"first_failure\" or \"first_failure + 5 min\""
                    .to_owned(),
            ),
        );
    }
    found
}

fn measured(text: &str, clock: &Clock) -> Option<Timestamp> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let anchor = Anchor::ALL
        .iter()
        .copied()
        .find(|anchor| anchor.word() == name)?;
    let from = clock.at(anchor);
    let Some(sign) = words.next() else {
        return Some(from);
    };
    let amount: i64 = words
        .next()?
        .parse()
        .ok()
        .filter(|amount| (0..=10_000_000).contains(amount))?;
    let unit = words.next()?;
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    let distance = SignedDuration::from_secs(amount.checked_mul(seconds)?);
    match (sign, words.next()) {
        ("+", None) => from.checked_add(distance).ok(),
        ("-", None) => from.checked_sub(distance).ok(),
        _ => None,
    }
}
