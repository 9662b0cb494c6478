//! Schannel's failures, as facts.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::certificate::TimeRefused;
use crate::facts::catalog::schannel::{SchannelFailure, SchannelRole, SuiteRefusals};
use crate::facts::clock::Placed;
use crate::facts::connection::facts::Whom;
use crate::facts::coverage::Window;
use crate::facts::event::{Event, SchannelEvent};
use crate::facts::fact::{FactSet, Source};
use crate::facts::history::{Bearing, History};
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::facts::subject::Subject;

/// The events that tell of a failure. The others of the watch list tell of successes and of the machine as a client.
const FAILURES: [u32; 8] = [36869, 36870, 36871, 36872, 36874, 36886, 36887, 36888];
/// Those about the server's own credential, which hit every client alike.
const CREDENTIAL: [u32; 4] = [36869, 36870, 36871, 36886];
/// The client's suites and the server's share none.
const NO_COMMON_SUITE: u32 = 36874;
/// `certificate_expired`, RFC 8446 6.2.
const ALERT_EXPIRED: u32 = 45;
/// So many refusals are a pattern.
const PATTERN: usize = 3;
/// Windows has started its services within so long.
const STARTING: SignedDuration = SignedDuration::from_mins(5);
/// What failed longer ago than this before something else is over.
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// Session 0 is the services', session 1 most often the console's.
const FIRST_REMOTE_SESSION: u32 = 2;

/// The last signs that a service's credential works.
#[derive(Clone, Copy)]
struct Last {
    /// TLS worked for Remote Desktop.
    success: Option<Timestamp>,
    /// A session at a desktop began that was not the console's first.
    desktop: Option<Timestamp>,
    /// Since then it failed, but not once Windows had started.
    at_start_alone: bool,
}

impl Last {
    fn of(history: &History<'_>) -> Self {
        let mut last = Last {
            success: last_tls_success(history),
            desktop: last_desktop(history),
            at_start_alone: false,
        };
        last.at_start_alone = at_start_alone(history, last.sign_of_life());
        last
    }

    fn sign_of_life(self) -> Option<Timestamp> {
        self.success.max(self.desktop)
    }
}

/// Adds the facts about failures of TLS.
pub fn add_facts(history: &History<'_>, whom: &Whom<'_>, bearing: &Bearing, facts: &mut FactSet) {
    let last = Last::of(history);
    for (index, placed, event) in schannel_events(history) {
        if FAILURES.contains(&event.event) {
            add_failure(history, whom, last, (index, placed, event), facts);
        }
        if event.event == 36887
            && event.alert == Some(ALERT_EXPIRED)
            && history.attribution.of(index) == Some(&Known::Is(true))
        {
            let body = TimeRefused { event: 36887 };
            facts.add(Some(placed.at), body, vec![placed.event.source()]);
        }
    }
    add_suite_refusals(history, whom, bearing, facts);
}

fn schannel_events<'a>(
    history: &'a History<'_>,
) -> impl Iterator<Item = (usize, &'a Placed<'a>, &'a SchannelEvent)> {
    history
        .events
        .iter()
        .enumerate()
        .filter_map(|(index, placed)| match &placed.event.event {
            Event::Schannel(event) => Some((index, placed, event)),
            _ => None,
        })
}

/// The last moment at which TLS is known to have worked for Remote Desktop.
fn last_tls_success(history: &History<'_>) -> Option<Timestamp> {
    history
        .events
        .iter()
        .enumerate()
        .filter(|(index, placed)| match &placed.event.event {
            Event::TlsNegotiated { .. }
            | Event::Authenticated { .. }
            | Event::SessionOpened {
                client: Some(_), ..
            } => true,
            Event::Schannel(event) => is_server_handshake(history, *index, event),
            _ => false,
        })
        .map(|(_, placed)| placed.at)
        .max()
}

fn is_server_handshake(history: &History<'_>, index: usize, event: &SchannelEvent) -> bool {
    event.event == 36880
        && event.role == Some(SchannelRole::Server)
        && history.attribution.of(index) == Some(&Known::Is(true))
}

/// The last session at a desktop that was not the console's first.
fn last_desktop(history: &History<'_>) -> Option<Timestamp> {
    history
        .events
        .iter()
        .filter(|placed| {
            matches!(placed.event.event, Event::DesktopBegan { session } if session >= FIRST_REMOTE_SESSION)
        })
        .map(|placed| placed.at)
        .max()
}

/// Whether its credential failed while Windows started, and not once later: services start one after the other.
fn at_start_alone(history: &History<'_>, life: Option<Timestamp>) -> bool {
    let while_starting = |at: &Timestamp| {
        let boots = &history.clock.boots;
        boots
            .iter()
            .any(|boot| boot <= at && at.duration_since(*boot) <= STARTING)
    };
    let times = credential_failures(history, life);
    !times.is_empty() && times.iter().all(while_starting)
}

/// When the service could not make its own credential, since that sign of life.
fn credential_failures(history: &History<'_>, life: Option<Timestamp>) -> Vec<Timestamp> {
    schannel_events(history)
        .filter(|(_, _, event)| CREDENTIAL.contains(&event.event))
        .filter(|(index, ..)| history.attribution.of(*index) == Some(&Known::Is(true)))
        .map(|(_, placed, _)| placed.at)
        .filter(|at| life.is_none_or(|life| *at > life))
        .collect()
}

/// Whether the Remote Desktop service lately could not make its own credential, again and again: whoever connects to it comes to
/// nothing before it comes to suites, so that those refusals are somebody else's.
fn fails_before(history: &History<'_>, life: Option<Timestamp>, refused: Timestamp) -> bool {
    let times = credential_failures(history, life);
    let lately = |at: &Timestamp| refused.duration_since(*at) <= LATELY;
    times.len() >= PATTERN && times.last().is_some_and(lately)
}

/// 36888 with alert 10 and state 1203 is what anything leaves behind that does not speak TLS: scanners, probes (field reports). It
/// tells of no client.
fn speaks_no_tls(event: &SchannelEvent) -> bool {
    (event.event, event.alert, event.state) == (36888, Some(10), Some(1203))
}

fn add_failure(
    history: &History<'_>,
    whom: &Whom<'_>,
    last: Last,
    (index, placed, event): (usize, &Placed<'_>, &SchannelEvent),
    facts: &mut FactSet,
) {
    let at = placed.at;
    let attributed = match history.attribution.of(index) {
        Some(attributed) => attributed.clone(),
        None => Known::Is(false),
    };
    let role = match (event.role, &attributed) {
        (Some(role), _) => Known::Is(role),
        (None, Known::Is(true)) => Known::Is(SchannelRole::Server),
        (None, _) => Known::Open(facts.gaps.open(
            Subject::SchannelEvents,
            "the event does not say which end of TLS it is about",
        )),
    };
    let succeeded_later = last.success.is_some_and(|success| success > at);
    let affected = match (whom.attempt_of(index), history.standing.state) {
        _ if speaks_no_tls(event) => Known::Is(false),
        // It hits every client alike, whoever that was.
        (_, ConnectionState::Unseen) if CREDENTIAL.contains(&event.event) => {
            match (last.sign_of_life() > Some(at), last.at_start_alone) {
                (true, _) => Known::Is(false),
                (false, false) => Known::Is(true),
                (false, true) => Known::Open(facts.gaps.open(
                    Subject::Arrivals,
                    "it failed while Windows started, and no log of connections shows whether it went on to",
                )),
            }
        }
        (attempt @ Some(_), _) => whom.is_affected(attempt),
        (None, _) => whom.is_affected(None),
    };
    let body = SchannelFailure {
        event: event.event,
        role,
        error: event.error,
        state: event.state,
        alert: event.alert,
        protocol: event.protocol.clone(),
        affected: affected.and(attributed.clone()),
        attributed,
        overcome: match succeeded_later || tells_success(history, at) {
            true => Known::Is(succeeded_later),
            false => Known::Open(history.coverage.gap(
                Subject::TlsOutcomes,
                "no log could show that TLS succeeded later",
                &mut facts.gaps,
            )),
        },
    };
    facts.add(Some(at), body, vec![placed.event.source()]);
}

/// Whether a log that shows successes of TLS, or what comes after them, covers the time from here to the end.
fn tells_success(history: &History<'_>, from: Timestamp) -> bool {
    let window = Window {
        from: Some(from),
        to: history.clock.as_of,
    };
    [
        Subject::TlsOutcomes,
        Subject::CredentialOutcomes,
        Subject::LocalSessionManagerLog,
    ]
    .into_iter()
    .any(|subject| history.coverage.covers(subject, &window))
}

/// The refusals for want of a common suite since the last success, taken together.
fn add_suite_refusals(
    history: &History<'_>,
    whom: &Whom<'_>,
    bearing: &Bearing,
    facts: &mut FactSet,
) {
    let lists_share = &bearing.lists_share;
    let unseen = history.standing.state == ConnectionState::Unseen;
    let life = last_tls_success(history).max(last_desktop(history));
    let since = match history.standing.last_success {
        Some(success) => Some(success),
        None if unseen => life,
        None => None,
    };
    let refusals: Vec<(usize, &Placed<'_>)> = schannel_events(history)
        .filter(|(_, _, event)| event.event == NO_COMMON_SUITE)
        .map(|(index, placed, _)| (index, placed))
        .filter(|(_, placed)| since.is_none_or(|since| placed.at > since))
        .collect();
    let gap_of = |index: usize| history.attribution.of(index).and_then(Known::gap);
    let is_certain = |index: usize| history.attribution.of(index) == Some(&Known::Is(true));
    let certain = refusals
        .iter()
        .filter(|(index, _)| is_certain(*index))
        .count();
    let open: Vec<_> = refusals
        .iter()
        .filter_map(|(index, _)| gap_of(*index))
        .collect();
    let asked = Window {
        from: since.or(history.clock.oldest),
        to: history.clock.as_of,
    };
    let covered = history.coverage.covers(Subject::SchannelEvents, &asked);
    let not_covered = history.coverage.gap(
        Subject::SchannelEvents,
        "not in the collection",
        &mut facts.gaps,
    );
    let attributed = match (certain, open.first()) {
        (0, Some(gap)) => Known::Open(*gap),
        (0, None) if !covered => Known::Open(not_covered),
        (certain, _) => Known::Is(certain),
    };
    let repeats_to_end = match unseen {
        // Nothing tells whose they are: all that stand after the last sign of life count together.
        true => {
            let after =
                |(_, placed): &&(usize, &Placed<'_>)| life.is_none_or(|life| placed.at > life);
            let certain = refusals
                .iter()
                .filter(after)
                .filter(|(index, _)| is_certain(*index))
                .count();
            let open: Vec<_> = refusals
                .iter()
                .filter(after)
                .filter_map(|(index, _)| gap_of(*index))
                .collect();
            repeats(certain, &open, covered, not_covered)
        }
        false => {
            let first = history.standing.first_failure;
            let of_locked_out = |(index, placed): &&(usize, &Placed<'_>)| {
                first.is_some_and(|first| placed.at >= first)
                    && whom.is_affected(whom.attempt_of(*index)) != Known::Is(false)
            };
            let known = |index: &usize| {
                is_certain(*index) && whom.is_affected(whom.attempt_of(*index)) == Known::Is(true)
            };
            let certain = refusals
                .iter()
                .filter(of_locked_out)
                .filter(|(index, _)| known(index))
                .count();
            let open: Vec<_> = refusals
                .iter()
                .filter(of_locked_out)
                .filter(|(index, _)| !known(index))
                .filter_map(|(index, _)| {
                    gap_of(*index).or_else(|| whom.is_affected(whom.attempt_of(*index)).gap())
                })
                .collect();
            match first {
                // Nobody is locked out.
                None => Known::Is(false),
                Some(_) => repeats(certain, &open, covered, not_covered),
            }
        }
    };
    let last = refusals.iter().map(|(_, placed)| placed.at).max();
    let entered_later = life > last;
    let fails_before = unseen && last.is_some_and(|last| fails_before(history, life, last));
    let strangers_alone = !refusals.is_empty()
        && refusals
            .iter()
            .all(|(index, _)| whom.is_affected(whom.attempt_of(*index)) == Known::Is(false));
    let telling = match lists_share {
        _ if strangers_alone || fails_before => Known::Is(false),
        // With an overlap they are some other client's, or a scanner's; unless they are those of somebody who got in before, and
        // the list locks out a version of Windows that it need not.
        Known::Is(true) => match bearing.list_locks_out {
            Known::Is(true) => repeats_to_end.clone(),
            _ => Known::Is(false),
        },
        _ => attributed.clone().map(|count| count > 0 && !entered_later),
    };
    let body = SuiteRefusals {
        attributed,
        repeats_to_end,
        lists_share: lists_share.clone(),
        telling,
    };
    let records: Vec<Source> = refusals
        .iter()
        .map(|(_, placed)| placed.event.source())
        .collect();
    let sources = match records.is_empty() {
        true => vec![Source::Derived(Vec::new())],
        false => records,
    };
    facts.add(last, body, sources);
}

fn repeats(
    certain: usize,
    open: &[crate::facts::gap::GapId],
    covered: bool,
    not_covered: crate::facts::gap::GapId,
) -> Known<bool> {
    match open.first() {
        _ if certain >= PATTERN => Known::Is(true),
        Some(gap) if certain + open.len() >= PATTERN => Known::Open(*gap),
        _ if covered => Known::Is(false),
        _ => Known::Open(not_covered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_speaks_no_tls_is_left_aside() {
        let logged = |event: u32, alert: u32, state: u32| {
            speaks_no_tls(&SchannelEvent {
                event,
                alert: Some(alert),
                state: Some(state),
                ..SchannelEvent::default()
            })
        };
        assert!(logged(36888, 10, 1203));
        assert!(!logged(36888, 40, 1205));
        assert!(
            !logged(36888, 10, 1205),
            "an unexpected message of a client of TLS"
        );
        assert!(!logged(36887, 10, 1203), "the other side said so");
    }
}
