//! Floods: more connections than the listener takes. Guessers and scanners connect all day to whatever the Internet reaches; only
//! what people suffer by it is a fault.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::prevented;
use crate::facts::catalog::connection::{Ending, Stage};
use crate::facts::catalog::load::Flood;
use crate::facts::connection::attempt::Attempt;
use crate::facts::connection::client::{Client, Fate, entered};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gap;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

/// An attempt that dies so near to a record of connections turned away died while the flood lasted.
const WHILE: SignedDuration = SignedDuration::from_mins(10);
/// So many addresses are many.
const MANY: usize = 10;
/// What Windows does where `MaxOutstandingConnections` is not set is said to be 3000 on servers and 100 on clients (practitioners);
/// without a setting, only what is over both is over the limit.
const HIGHEST_DEFAULT: u32 = 3000;
/// So many records stand as sources.
const SOURCES: usize = 16;

/// Adds the fact `connection.flood`.
pub(super) fn add_facts(history: &History<'_>, registry: &Registry, facts: &mut FactSet) {
    let since = history.anchors.last_success.settled().copied().flatten();
    let lately = |at: Timestamp| since.is_none_or(|since| at > since);
    let refusals: Vec<_> = history
        .events
        .iter()
        .filter(|placed| matches!(placed.event.event, Event::TooManyIncomplete))
        .filter(|placed| lately(placed.at))
        .collect();
    let place = Place::ControlSet("Control\\Terminal Server");
    let limit = registry.dword(&mut facts.gaps, place, "MaxOutstandingConnections");

    let arrivals: Vec<&Attempt> = history
        .attempts
        .iter()
        .filter(|attempt| lately(attempt.at))
        .collect();
    let sources: BTreeSet<_> = arrivals
        .iter()
        .filter_map(|attempt| attempt.client)
        .collect();
    let mut by_minute: BTreeMap<i64, (usize, bool)> = BTreeMap::new();
    for attempt in &arrivals {
        let (count, authenticated) = by_minute
            .entry(attempt.at.as_second().div_euclid(60))
            .or_default();
        *count += 1;
        *authenticated |= attempt.reached() >= Stage::Credentials;
    }
    let busiest = by_minute.values().copied().max().unwrap_or_default();

    let deaths = deaths(history);
    let turned_away: Vec<Timestamp> = refusals.iter().map(|placed| placed.at).collect();
    let while_it_lasted = deaths.iter().filter(|death| is_near(&turned_away, **death));
    // Who fails as well when nobody is turned away fails of something else.
    let mostly = while_it_lasted.count() * 2 > deaths.len();
    let near = turned_away
        .iter()
        .copied()
        .filter(|at| is_near(&deaths, *at));
    let suffered = near.max().filter(|_| mostly);
    let harms = match (prevented(history), suffered) {
        (_, Some(_)) if as_ever(history, &deaths) => Known::Open(facts.gaps.record(Gap {
            about: Flood::KIND.name.to_owned(),
            why: "people got in before while as many connections were turned away: that by itself does not keep them out".to_owned(),
            obtain: Subject::SecurityLog.obtain().to_owned(),
        })),
        (_, Some(_)) => Known::Is(true),
        (Known::Is(false), None) => Known::Is(false),
        _ => unless_logged(history, since, facts),
    };
    let highest = match &limit.value {
        Known::Is(Some(limit)) => *limit,
        Known::Is(None) | Known::Open(_) => HIGHEST_DEFAULT,
    };
    let over = busiest.0 > usize::try_from(highest).unwrap_or(usize::MAX);
    let crowds_out = over && !busiest.1 && sources.len() >= MANY && people_stopped(history);
    let mut all: Vec<Source> = refusals
        .iter()
        .rev()
        .take(SOURCES)
        .map(|placed| placed.event.source())
        .chain(limit.source)
        .collect();
    if all.is_empty() {
        all.push(Source::Derived(Vec::new()));
    }
    let body = Flood {
        harms,
        crowds_out: Known::Is(crowds_out),
        refusals: refusals.len(),
        sources: sources.len(),
        busiest_minute: busiest.0,
        limit: limit.value,
    };
    facts.add(suffered, body, all);
}

/// When attempts of locked-out clients died of what a flood can do, in order.
fn deaths(history: &History<'_>) -> Vec<Timestamp> {
    let affected = history.clients.iter().filter(|client| client.is_affected());
    let mut times: Vec<Timestamp> = affected
        .flat_map(|client| turned_away(history, client))
        .collect();
    times.sort_unstable();
    times
}

/// When this client's attempts failed that may have been turned away for want of room: they did not get past their arrival, and no
/// log names another reason. Whoever gets as far as TLS or the password was let in, and the certificate or the account ended it:
/// strangers cause 1006 all the while on a server that the Internet reaches. Where Schannel says why one of them died in TLS, the
/// others did of the same; with strangers arriving in the same second, not each has its own record.
fn turned_away(history: &History<'_>, client: &Client) -> Vec<Timestamp> {
    let failed: Vec<&Attempt> = client
        .attempts
        .iter()
        .filter(|index| matches!(history.fates.get(**index), Some(Fate::Failed(_))))
        .filter_map(|index| history.attempts.get(*index))
        .collect();
    let schannel_says_why = failed
        .iter()
        .flat_map(|attempt| &attempt.records)
        .filter_map(|index| history.events.get(*index))
        .any(|placed| matches!(placed.event.event, Event::Schannel(_)));
    let ended_otherwise = |attempt: &Attempt| match attempt.death.map(|death| death.ending) {
        Some(Ending::Credentials | Ending::Broker) => true,
        Some(Ending::Tls) => schannel_says_why,
        Some(Ending::Transport | Ending::Silent) | None => false,
    };
    failed
        .into_iter()
        .filter(|attempt| attempt.reached() == Stage::Arrived && !ended_otherwise(attempt))
        .map(|attempt| attempt.at)
        .collect()
}

fn is_near(times: &[Timestamp], at: Timestamp) -> bool {
    let place = times.partition_point(|time| *time < at);
    let beside = [place.checked_sub(1), Some(place)];
    beside
        .into_iter()
        .flatten()
        .filter_map(|place| times.get(place))
        .any(|time| time.duration_since(at).abs() <= WHILE)
}

/// Whether people got in, before, while about as many connections were turned away as when they failed.
fn as_ever(history: &History<'_>, deaths: &[Timestamp]) -> bool {
    let refusals: Vec<Timestamp> = history
        .events
        .iter()
        .filter(|placed| matches!(placed.event.event, Event::TooManyIncomplete))
        .map(|placed| placed.at)
        .collect();
    let around = |moment: &Timestamp| {
        let beside = |at: &&Timestamp| at.duration_since(*moment).abs() <= WHILE;
        refusals.iter().filter(beside).count()
    };
    let entries = history
        .fates
        .iter()
        .filter_map(|fate| entered(&history.events, *fate));
    let then = entries.map(|entry| around(&entry)).max().unwrap_or(0);
    let now = deaths.iter().map(around).max().unwrap_or(0);
    then > 0 && now <= then.saturating_mul(2)
}

/// No record says that connections were turned away while people failed: that is so only where the log that holds such records
/// covers the time.
fn unless_logged(
    history: &History<'_>,
    since: Option<Timestamp>,
    facts: &mut FactSet,
) -> Known<bool> {
    let subject = Subject::RemoteConnectionManagerAdminLog;
    let window = Window {
        from: since.or(history.clock.oldest),
        to: history.clock.as_of,
    };
    match history.coverage.covers(subject, &window) {
        true => Known::Is(false),
        false => {
            let why = "does not reach over the time since the last success";
            Known::Open(history.coverage.gap(subject, why, &mut facts.gaps))
        }
    }
}

/// Whether those who count have not even arrived for more than twice their longest pause.
fn people_stopped(history: &History<'_>) -> bool {
    let mut times: Vec<Timestamp> = history
        .clients
        .iter()
        .filter(|client| !client.stranger && client.last_success.is_some())
        .flat_map(|client| &client.attempts)
        .filter_map(|index| history.attempts.get(*index))
        .map(|attempt| attempt.at)
        .collect();
    times.sort_unstable();
    let longest = times
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)?.duration_since(*pair.first()?)))
        .max();
    let (Some(longest), Some(last), Some(as_of)) = (longest, times.last(), history.clock.as_of)
    else {
        return false;
    };
    as_of.duration_since(*last) > longest.saturating_mul(2)
}
