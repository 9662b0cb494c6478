//! The state that the clients' outcomes add up to, and the moments that rules measure from.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::attempt::Attempt;
use super::client::{Client, Fate, entered};
use crate::facts::catalog::connection::Stage;
use crate::facts::clock::{Clock, Placed};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::incident::ConnectionState;
use crate::facts::log_coverage::LogCoverage;
use crate::facts::subject::Subject;

/// A session that breaks sooner has not served anybody.
const WITHIN_MINUTES: SignedDuration = SignedDuration::from_mins(10);
/// Whoever is thrown out comes back at once; whoever has closed the window does not.
const COMES_BACK: SignedDuration = SignedDuration::from_mins(10);
/// So many sessions make it a matter of more than chance.
const SESSIONS: usize = 3;
/// An hour without an attempt is nothing, however busy the minutes before.
const PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// How people fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: ConnectionState,
    /// The stage at which the attempts of those who are locked out die.
    pub stage: Option<Stage>,
    /// The last time that somebody who counts got in (under `mixed`: of those locked out).
    pub last_success: Option<Timestamp>,
    /// The first failed attempt of a locked-out client after that.
    pub first_failure: Option<Timestamp>,
}

/// What the state is judged from.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The events, arranged.
    pub events: &'a [Placed<'a>],
    /// The attempts joined from them.
    pub attempts: &'a [Attempt],
    /// What became of each.
    pub fates: &'a [Fate],
    /// The clients behind them.
    pub clients: &'a [Client],
    /// What the logs cover.
    pub coverage: &'a LogCoverage,
    /// How time runs.
    pub clock: &'a Clock,
}

/// Judges how people fare at the end of the collection.
#[must_use]
pub fn judge(evidence: &Evidence<'_>) -> Standing {
    let counting: Vec<&Client> = evidence
        .clients
        .iter()
        .filter(|client| !client.stranger)
        .collect();
    let locked_out: Vec<&Client> = counting
        .iter()
        .copied()
        .filter(|client| client.is_affected())
        .collect();
    let latest = |clients: &[&Client]| {
        clients
            .iter()
            .filter_map(|client| client.last_success)
            .max()
    };
    let first_of_them = locked_out
        .iter()
        .filter_map(|client| client.first_failure)
        .min();
    let others_got_in = counting.iter().any(|client| {
        !client.is_affected()
            && client
                .last_success
                .is_some_and(|success| Some(success) > first_of_them)
    });
    let mixed = !locked_out.is_empty() && others_got_in;
    let last_success = latest(if mixed { &locked_out } else { &counting });
    let addresses: BTreeSet<_> = locked_out.iter().map(|client| client.address).collect();
    let first_failure = evidence
        .attempts
        .iter()
        .zip(evidence.fates)
        .filter(|(attempt, fate)| {
            matches!(fate, Fate::Failed(_))
                && addresses.contains(&attempt.client)
                && last_success.is_none_or(|success| attempt.at > success)
        })
        .map(|(attempt, _)| attempt.at)
        .min();
    let state = match () {
        () if is_unseen(evidence, first_of_them) => ConnectionState::Unseen,
        () if mixed => ConnectionState::Mixed,
        () if !locked_out.is_empty() => ConnectionState::Failing,
        () if is_nameless(evidence, last_success) => ConnectionState::Unseen,
        () if is_silent(evidence) => ConnectionState::Silent,
        () if is_dropping(evidence) => ConnectionState::Dropping,
        () => ConnectionState::Succeeding,
    };
    let told = state != ConnectionState::Unseen;
    Standing {
        state,
        stage: stage_of(&locked_out).filter(|_| told),
        last_success,
        first_failure: first_failure.filter(|_| told),
    }
}

/// The stage that most of the locked-out clients reach; of two, the earlier.
fn stage_of(locked_out: &[&Client]) -> Option<Stage> {
    let count = |stage: Stage| {
        locked_out
            .iter()
            .filter(|client| client.stage == stage)
            .count()
    };
    Stage::ALL
        .iter()
        .copied()
        .rev()
        .filter(|stage| count(*stage) > 0)
        .max_by_key(|stage| count(*stage))
}

/// No log that records attempts covers the end; or, where people are locked out, the logs that would show somebody getting in
/// since then have lost records: what is lost must not make a failure.
fn is_unseen(evidence: &Evidence<'_>, first_of_them: Option<Timestamp>) -> bool {
    let Some(as_of) = evidence.clock.as_of else {
        return true;
    };
    let covers = |subject, from| {
        let window = Window {
            from: Some(from),
            to: Some(as_of),
        };
        evidence.coverage.covers(subject, &window)
    };
    let collected = |subject| evidence.coverage.collected(subject);
    if !covers(Subject::Arrivals, as_of) {
        return true;
    }
    let Some(since) = first_of_them else {
        return false;
    };
    let entries = [
        Subject::LocalSessionManagerLog,
        Subject::RemoteConnectionManagerLog,
    ];
    // With neither collected, RdpCoreTS alone has told that each attempt failed.
    if entries.into_iter().any(collected) {
        !entries.into_iter().any(|subject| covers(subject, since))
    } else {
        !covers(Subject::RdpCoreTsLog, since)
    }
}

/// No attempt for more than twice the longest pause before it, or none at all.
fn is_silent(evidence: &Evidence<'_>) -> bool {
    let Some(as_of) = evidence.clock.as_of else {
        return false;
    };
    let times = || evidence.attempts.iter().map(|attempt| attempt.at);
    let Some(last) = times().max() else {
        return true;
    };
    // The time from the oldest record of a log that shows arrivals to the first attempt is a pause too, unless what was cleared may
    // have shown more.
    let was_cleared = evidence
        .events
        .iter()
        .any(|placed| matches!(placed.event.event, Event::LogCleared { .. }));
    let start = evidence.clock.oldest.into_iter().filter(|oldest| {
        !was_cleared && evidence.coverage.covers_moment(Subject::Arrivals, *oldest)
    });
    let mut sorted: Vec<Timestamp> = start.chain(times()).collect();
    sorted.sort_unstable();
    longest_pause(&sorted).is_some_and(|longest| {
        let pause = as_of.duration_since(last);
        pause > PAUSE && pause > longest.saturating_mul(2)
    })
}

fn longest_pause(sorted: &[Timestamp]) -> Option<SignedDuration> {
    sorted
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)?.duration_since(*pair.first()?)))
        .max()
}

/// Arrivals that no log names fail after the last success, for longer than people have stayed away before or more of them in a
/// row than ever: whether those are people who fail or somebody who scans, nobody can tell.
fn is_nameless(evidence: &Evidence<'_>, last_success: Option<Timestamp>) -> bool {
    let (Some(last_success), Some(as_of)) = (last_success, evidence.clock.as_of) else {
        return false;
    };
    let mut nameless: Vec<Timestamp> = evidence
        .attempts
        .iter()
        .zip(evidence.fates)
        .filter(|(attempt, fate)| attempt.client.is_none() && matches!(fate, Fate::Failed(_)))
        .map(|(attempt, _)| attempt.at)
        .collect();
    nameless.sort_unstable();
    let up_to = |time: Timestamp| nameless.partition_point(|at| *at <= time);
    let since = nameless.get(up_to(last_success)..).unwrap_or_default();
    let span = match (since.first(), since.last()) {
        (Some(first), Some(last)) => last.duration_since(*first),
        _ => return false,
    };
    let mut successes: Vec<Timestamp> = evidence
        .fates
        .iter()
        .filter_map(|fate| entered(evidence.events, *fate))
        .collect();
    successes.sort_unstable();
    let usual = longest_pause(&successes).unwrap_or(SignedDuration::ZERO);
    let usual_row = successes
        .windows(2)
        .filter_map(|pair| Some(up_to(*pair.get(1)?).saturating_sub(up_to(*pair.first()?))))
        .max()
        .unwrap_or(0);
    let unusual = as_of.duration_since(last_success) > usual || since.len() > usual_row;
    span >= SignedDuration::from_mins(10) && unusual
}

/// Most sessions since some time break within minutes without anybody's wish, and their clients come back at once.
fn is_dropping(evidence: &Evidence<'_>) -> bool {
    let sessions: Vec<bool> = evidence
        .attempts
        .iter()
        .zip(evidence.fates)
        .enumerate()
        .filter_map(|(index, (attempt, fate))| {
            entered(evidence.events, *fate)
                .map(|entry| was_dropped(evidence, index, attempt, entry))
        })
        .collect();
    // Some stretch up to the end begins with a drop and holds more drops than other sessions, its last ones not excepted.
    let mut dropped = 0;
    let mut lately = 0;
    sessions.iter().rev().zip(1..).any(|(is_drop, length)| {
        dropped += usize::from(*is_drop);
        if length == SESSIONS {
            lately = dropped;
        }
        *is_drop && dropped >= SESSIONS && dropped * 2 > length && lately * 2 > SESSIONS
    })
}

fn was_dropped(evidence: &Evidence<'_>, index: usize, attempt: &Attempt, entry: Timestamp) -> bool {
    let left = attempt.left.as_ref();
    let Some(left) = left.filter(|left| left.broken && !left.wished) else {
        return false;
    };
    let short = left.at.duration_since(entry) <= WITHIN_MINUTES;
    let mut later = evidence
        .attempts
        .iter()
        .skip(index + 1)
        .filter(|next| next.client == attempt.client);
    let came_back = later
        .next()
        .is_none_or(|next| next.at.duration_since(left.at) <= COMES_BACK);
    short && came_back
}
