//! How many sessions the listener allows, and how long it lets them last.

use jiff::Timestamp;

use super::prevented;
use crate::facts::catalog::connection::Ending;
use crate::facts::catalog::session::{SessionLimit, SessionTimeLimit};
use crate::facts::connection::client::{Fate, entered};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gaps;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::listener::{LISTENER, POLICY, effective_value};
use crate::facts::registry::Registry;
use crate::facts::subject::Subject;

/// What the policy's dialog and the listener's default write for "no limit".
const NO_LIMIT: [u32; 2] = [999_999, u32::MAX];
/// The limits of time, in milliseconds, and the switch by which the listener leaves each to the user's account.
const TIMES: [(&str, &str); 3] = [
    ("MaxIdleTime", "fInheritMaxIdleTime"),
    ("MaxConnectionTime", "fInheritMaxSessionTime"),
    ("MaxDisconnectionTime", "fInheritMaxDisconnectionTime"),
];
/// So many records stand as sources.
const SOURCES: usize = 16;
/// So many attempts that died are held against the sessions of their moment.
const MOST_REFUSED: usize = 512;

/// Adds the facts `session.limit` (none without SYSTEM) and `session.time_limit`.
pub(super) fn add_facts(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    add_limit(history, registry, facts);
    add_time_limit(history, registry, facts);
}

fn add_limit(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let limit = effective_value(registry, gaps, "MaxInstanceCount")
        .map(|value| value.filter(|value| !NO_LIMIT.contains(value)));
    let policy = registry.dword(gaps, POLICY, "MaxInstanceCount");
    let own = registry.dword(gaps, LISTENER, "MaxInstanceCount");
    let place = match policy.present() {
        Some(_) => (policy.source, policy.written),
        None => (own.source, own.written),
    };
    let (Some(source), written) = place else {
        return;
    };
    let refused = refused(history);
    let connected = refused
        .iter()
        .map(|at| connected_at(history, *at))
        .max()
        .unwrap_or(0);
    let reached = match (prevented(history), &limit) {
        (Known::Is(false), _) | (_, Known::Is(None)) => Known::Is(false),
        (_, Known::Open(gap)) => Known::Open(*gap),
        (Known::Open(gap), _) => Known::Open(gap),
        (Known::Is(true), Known::Is(Some(_))) if refused.is_empty() => Known::Is(false),
        (Known::Is(true), Known::Is(Some(limit))) => {
            match connected >= usize::try_from(*limit).unwrap_or(usize::MAX) {
                true => Known::Is(true),
                false => not_reached(history, gaps),
            }
        }
    };
    let is_fault = reached == Known::Is(true);
    let body = SessionLimit {
        limit,
        reached,
        connected,
    };
    facts.add(written.filter(|_| is_fault), body, vec![source]);
}

/// When attempts of locked-out clients died that neither TLS nor the credentials ended.
fn refused(history: &History<'_>) -> Vec<Timestamp> {
    let of_affected = history
        .clients
        .iter()
        .filter(|client| client.is_affected())
        .flat_map(|client| &client.attempts);
    let since = history.standing.first_failure;
    let found = of_affected
        .filter(|index| {
            matches!(
                history.fates.get(**index),
                Some(Fate::Failed(
                    None | Some(Ending::Silent | Ending::Transport)
                ))
            )
        })
        .filter_map(|index| history.attempts.get(*index))
        .map(|attempt| attempt.at)
        .filter(|at| since.is_none_or(|since| *at >= since));
    found.take(MOST_REFUSED).collect()
}

fn connected_at(history: &History<'_>, at: Timestamp) -> usize {
    let sessions = history.attempts.iter().zip(&history.fates);
    sessions
        .filter(|(attempt, fate)| {
            let entry = entered(&history.events, **fate);
            let left = attempt.left.as_ref().map(|left| left.at);
            entry.is_some_and(|entry| entry <= at) && left.is_none_or(|left| left > at)
        })
        .count()
}

/// Sessions from before the oldest record may stand too: only a log that reaches back to the last boot counts them all.
fn not_reached(history: &History<'_>, gaps: &mut Gaps) -> Known<bool> {
    let since_boot = Window {
        from: history.clock.boots.last().copied(),
        to: history.clock.as_of,
    };
    let subject = Subject::LocalSessionManagerLog;
    let reaches = since_boot.from.is_some() && history.coverage.covers(subject, &since_boot);
    match reaches {
        true => Known::Is(false),
        false => {
            let why = "does not reach back to the last boot, so that not every session is known";
            Known::Open(history.coverage.gap(subject, why, gaps))
        }
    }
}

fn add_time_limit(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    // ExtendedDisconnectReasonCode: 3 the idle timer, 4 the timer of the session.
    let ended: Vec<_> = history
        .events
        .iter()
        .filter(|placed| {
            matches!(
                placed.event.event,
                Event::SessionLeft {
                    event: 40,
                    reason: Some(3 | 4),
                    ..
                }
            )
        })
        .collect();
    let (limits, sources) = time_limits(registry, &mut facts.gaps);
    let in_effect = limits.as_ref().map(Option::is_some);
    let logged = match ended.is_empty() {
        false => Known::Is(true),
        true => {
            let subject = Subject::LocalSessionManagerLog;
            let covers = history
                .clock
                .as_of
                .is_some_and(|as_of| history.coverage.covers_moment(subject, as_of));
            match covers {
                true => Known::Is(false),
                false => {
                    let why = "does not tell how sessions end";
                    Known::Open(history.coverage.gap(subject, why, &mut facts.gaps))
                }
            }
        }
    };
    let mut all: Vec<Source> = ended
        .iter()
        .take(SOURCES)
        .map(|placed| placed.event.source())
        .chain(sources)
        .collect();
    if all.is_empty() {
        all.push(Source::Derived(Vec::new()));
    }
    let body = SessionTimeLimit {
        applies: logged.and(in_effect),
        ended: ended.len(),
        limits,
    };
    facts.add(ended.first().map(|placed| placed.at), body, all);
}

/// The limits of time in effect, as people read them; none where there is none.
fn time_limits(registry: &Registry, gaps: &mut Gaps) -> (Known<Option<String>>, Vec<Source>) {
    let mut told = Vec::new();
    let mut sources = Vec::new();
    let mut open = None;
    for (name, inherits) in TIMES {
        let policy = registry.dword(gaps, POLICY, name);
        if let Some(value) = policy.present() {
            if *value > 0 {
                told.push(format!("{name} {} min", value / 60_000));
                sources.extend(policy.source);
            }
            continue;
        }
        let own = registry.dword(gaps, LISTENER, name);
        let left_to_user = registry.dword(gaps, LISTENER, inherits);
        match (own.value, left_to_user.value) {
            (Known::Is(Some(value)), Known::Is(Some(0))) if value > 0 => {
                told.push(format!("{name} {} min", value / 60_000));
                sources.extend(own.source);
            }
            (Known::Open(gap), _) => open = Some(gap),
            _ => open = open.or(policy.value.gap()),
        }
    }
    match (told.is_empty(), open) {
        (false, _) => (Known::Is(Some(told.join(", "))), sources),
        (true, Some(gap)) => (Known::Open(gap), sources),
        (true, None) => (Known::Is(None), sources),
    }
}
