//! Sessions that the path breaks. The transport's records follow every closed window as well as every torn line, so that a
//! reset alone says nothing: the client must be back at once, as the Remote Desktop client is by itself when the line tears.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::connection::Ending;
use crate::facts::catalog::session::{SessionDrops, UdpFailure, UdpTransport};
use crate::facts::connection::attempt::Attempt;
use crate::facts::connection::client::{Client, Fate, entered};
use crate::facts::coverage::Window;
use crate::facts::event::Event;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::history::History;
use crate::facts::host::Identity;
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::Code;

/// A client that is back sooner has not been closed by its user: the Remote Desktop client tries again by itself.
const BACK_AT_ONCE: SignedDuration = SignedDuration::from_secs(60);
/// After a side channel has failed, a drop within this time goes with it.
const RIGHT_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// A session that breaks sooner has not served anybody (as the state has it).
const SHORT: SignedDuration = SignedDuration::from_mins(10);
/// So many sessions that end after the same time are no chance.
const SAME_TIME: usize = 3;
/// So many records stand as sources.
const SOURCES: usize = 16;
/// Before Windows 8 and Server 2012 there was no RdpCoreTS; TermDD told of broken lines in System.
const FIRST_WITH_RDP_CORE_TS: u32 = 9200;

/// A session of a client that counts.
struct Session<'a> {
    attempt: &'a Attempt,
    entry: Timestamp,
    /// When the path broke it, and the code that says so.
    broke: Option<(Timestamp, Code)>,
    /// It ended without anybody's wish, and its client was back at once.
    torn: bool,
    /// Where a damaged place of a log may hold that somebody wished it to end, or how it went on: the gap.
    doubtful: Option<GapId>,
}

/// The logs that tell how a session ended.
const LOGS_OF_ENDS: [Subject; 3] = [
    Subject::RdpCoreTsLog,
    Subject::LocalSessionManagerLog,
    Subject::RemoteConnectionManagerLog,
];

/// The last sessions of a client, when the path breaks most of them.
struct Streak {
    since: Timestamp,
    drops: usize,
}

/// Adds the facts `session.drops`, `udp.failure` and `udp.transport`.
pub(super) fn add_facts(history: &History<'_>, identity: &Identity, facts: &mut FactSet) {
    let mut of_clients: Vec<(&Client, Vec<Session<'_>>)> = history
        .clients
        .iter()
        .filter(|client| !client.stranger && client.address.is_some())
        .map(|client| (client, sessions(history, client)))
        .collect();
    of_clients.retain(|(_, sessions)| !sessions.is_empty());
    let blind = blind(history, identity, &of_clients, facts);
    add_drops(history, blind, &of_clients, facts);
    let failures = add_side_channels(history, facts);
    add_transport(history, blind.not_seen, &of_clients, failures, facts);
}

fn sessions<'a>(history: &'a History<'_>, client: &Client) -> Vec<Session<'a>> {
    let mut found = Vec::new();
    for (place, index) in client.attempts.iter().enumerate() {
        let (Some(attempt), Some(fate)) = (history.attempts.get(*index), history.fates.get(*index))
        else {
            continue;
        };
        let Some(entry) = entered(&history.events, *fate) else {
            continue;
        };
        let next = client.attempts.get(place + 1);
        let next = next.and_then(|next| history.attempts.get(*next));
        let back = next.map(|next| next.at);
        let broke = broken_by_the_path(attempt, back);
        let torn = is_torn(attempt, back);
        let whole = Window {
            from: Some(attempt.at),
            to: back.or(attempt.left.as_ref().map(|left| left.at)),
        };
        let doubtful = broke.and_then(|_| history.coverage.hole(&LOGS_OF_ENDS, &whole));
        found.push(Session {
            attempt,
            entry,
            broke,
            torn,
            doubtful,
        });
    }
    found
}

/// When and with which code the path broke the session of an attempt, if it did; `back` is when its client came next.
fn broken_by_the_path(attempt: &Attempt, back: Option<Timestamp>) -> Option<(Timestamp, Code)> {
    let left = attempt.left.as_ref()?;
    if left.wished || !left.broken {
        return None;
    }
    let torn = is_torn(attempt, back);
    let telling = |code: &&Code| no_answer(**code) || torn && **code == RESET;
    let code = left.codes.iter().find(telling)?;
    Some((left.at, *code))
}

fn is_torn(attempt: &Attempt, back: Option<Timestamp>) -> bool {
    let left = attempt.left.as_ref();
    let unwished = left.filter(|left| left.broken && !left.wished);
    let back_after = unwished
        .zip(back)
        .map(|(left, back)| back.duration_since(left.at));
    back_after.is_some_and(|pause| pause <= BACK_AT_ONCE)
}

/// WSAECONNRESET.
const RESET: Code = Code(10054);

/// ERROR_SEM_TIMEOUT, WSAETIMEDOUT, STATUS_IO_TIMEOUT; and the statuses 0xDxxxxxxx with which LocalSessionManager 40 says that
/// the connection itself failed.
fn no_answer(code: Code) -> bool {
    matches!(code, Code(121 | 10060 | 0xC000_00B5)) || code.0 >= 0xD000_0000
}

fn add_drops(
    history: &History<'_>,
    Blind { not_seen, hidden }: Blind,
    of_clients: &[(&Client, Vec<Session<'_>>)],
    facts: &mut FactSet,
) {
    let streaks: Vec<(&Client, Streak, &[Session<'_>])> = of_clients
        .iter()
        .filter_map(|(client, sessions)| {
            let streak = streak(sessions, |session| session.broke.is_some())?;
            (!dies_in_tls(history, client, streak.since)).then_some((
                *client,
                streak,
                sessions.as_slice(),
            ))
        })
        .collect();
    let ever: Vec<&(&Client, Vec<Session<'_>>)> = of_clients
        .iter()
        .filter(|(_, sessions)| {
            sessions
                .iter()
                .filter(|session| session.broke.is_some())
                .count()
                > 1
        })
        .collect();
    // What is over is told for certain only where the logs are whole.
    let doubtful = ever
        .iter()
        .flat_map(|(_, sessions)| sessions)
        .find_map(|session| session.doubtful);
    let same = same_time(history, of_clients);
    let known = |found: bool| match (found, not_seen) {
        (true, _) => Known::Is(true),
        (false, None) => Known::Is(false),
        (false, Some(gap)) => Known::Open(gap),
    };
    let since = streaks.iter().map(|(_, streak, _)| streak.since).min();
    let told: Vec<&Session<'_>> = match streaks.is_empty() {
        false => streaks
            .iter()
            .flat_map(|(_, streak, sessions)| {
                sessions
                    .iter()
                    .filter(|session| session.broke.is_some() && session.entry >= streak.since)
            })
            .collect(),
        true => ever
            .iter()
            .flat_map(|(_, sessions)| sessions.iter().filter(|session| session.broke.is_some()))
            .collect(),
    };
    let clients = match streaks.is_empty() {
        false => named(streaks.iter().map(|(client, ..)| *client)),
        true => named(ever.iter().map(|(client, _)| *client)),
    };
    let code = most_frequent(&told);
    let body = SessionDrops {
        how: how(code, same.as_ref()),
        lately: known(!streaks.is_empty()),
        torn: of_clients
            .iter()
            .any(|(_, sessions)| streak(sessions, |session| session.torn).is_some()),
        ever: match doubtful {
            Some(gap) => Known::Open(gap),
            None => known(!ever.is_empty()),
        },
        together: match history.standing.state {
            ConnectionState::Unseen => Known::Open(history.anchors.gap),
            _ => Known::Is(same.is_some()),
        },
        hidden,
        clients,
        drops: match streaks.is_empty() {
            false => streaks.iter().map(|(_, streak, _)| streak.drops).sum(),
            true => told.len(),
        },
        seconds: same.as_ref().map(|same| same.seconds),
        code,
    };
    let first = told
        .iter()
        .filter_map(|session| session.broke)
        .map(|(at, _)| at);
    let at = since
        .or(same.as_ref().map(|same| same.since))
        .or(first.min());
    let records = told
        .iter()
        .flat_map(|session| ends(history, session.attempt));
    let more = same.iter().flat_map(|same| same.sources.iter().cloned());
    let mut sources: Vec<Source> = records.chain(more).collect();
    sources.sort();
    sources.dedup();
    sources.truncate(SOURCES);
    if sources.is_empty() {
        sources.push(Source::Derived(Vec::new()));
    }
    facts.add(at, body, sources);
}

/// How sessions broke off, as people say it.
fn how(code: Option<Code>, same: Option<&SameTime>) -> String {
    let by_code = match code {
        None => "without a telling code".to_owned(),
        Some(RESET) => {
            "the connection was reset (10054), and the client was back at once".to_owned()
        }
        Some(Code(code @ (121 | 10060))) => format!("no answer came any more ({code})"),
        Some(code) => format!("the connection failed ({code})"),
    };
    match same {
        Some(same) => format!("{by_code}, after {} seconds each", same.seconds),
        None => by_code,
    }
}

fn named<'c>(clients: impl Iterator<Item = &'c Client>) -> Vec<String> {
    clients
        .filter_map(|client| client.address)
        .map(|address| address.to_string())
        .collect()
}

/// The longest stretch up to the end that begins with a drop and holds two drops or more, and more drops than other sessions;
/// none where the last two sessions were not dropped: then it is over.
fn streak(sessions: &[Session<'_>], drop: impl Fn(&Session<'_>) -> bool) -> Option<Streak> {
    let recent = sessions.iter().rev().take(2);
    if !recent.into_iter().any(&drop) {
        return None;
    }
    let mut drops = 0;
    let mut found = None;
    for (session, length) in sessions.iter().rev().zip(1_usize..) {
        if drop(session) {
            drops += 1;
            if drops >= 2 && drops * 2 > length {
                found = Some(Streak {
                    since: session.entry,
                    drops,
                });
            }
        }
    }
    found
}

fn dies_in_tls(history: &History<'_>, client: &Client, since: Timestamp) -> bool {
    client.attempts.iter().any(|index| {
        let at = history.attempts.get(*index).map(|attempt| attempt.at);
        at.is_some_and(|at| at >= since)
            && history.fates.get(*index) == Some(&Fate::Failed(Some(Ending::Tls)))
    })
}

/// Sessions of several clients that broke off after the same time.
struct SameTime {
    seconds: i64,
    since: Timestamp,
    sources: Vec<Source>,
}

fn same_time(
    history: &History<'_>,
    of_clients: &[(&Client, Vec<Session<'_>>)],
) -> Option<SameTime> {
    if history.standing.state != ConnectionState::Dropping {
        return None;
    }
    let mut lives: Vec<(i64, usize, &Session<'_>)> = Vec::new();
    for (client, (_, sessions)) in of_clients.iter().enumerate() {
        for session in sessions {
            let Some(left) = &session.attempt.left else {
                continue;
            };
            let lived = left.at.duration_since(session.entry);
            if left.broken && !left.wished && lived <= SHORT {
                lives.push((lived.as_secs(), client, session));
            }
        }
    }
    lives.sort_by_key(|(lived, client, _)| (*lived, *client));
    let median = lives.get(lives.len() / 2)?.0;
    // Timers are exact to a few seconds, or a twentieth of a longer time.
    let apart = (median / 20).max(3);
    let alike = || {
        lives
            .iter()
            .filter(|(lived, ..)| (lived - median).abs() <= apart)
    };
    let mut clients: Vec<usize> = alike().map(|(_, client, _)| *client).collect();
    clients.sort_unstable();
    clients.dedup();
    let enough =
        alike().count() >= SAME_TIME && alike().count() * 2 > lives.len() && clients.len() > 1;
    enough.then(|| SameTime {
        seconds: median,
        since: alike()
            .map(|(.., session)| session.entry)
            .min()
            .unwrap_or(Timestamp::MAX),
        sources: alike()
            .flat_map(|(.., session)| ends(history, session.attempt))
            .collect(),
    })
}

/// The records that tell how an attempt's session ended.
fn ends(history: &History<'_>, attempt: &Attempt) -> Vec<Source> {
    let events = attempt
        .records
        .iter()
        .filter_map(|record| history.events.get(*record));
    let of_end = events.filter(|placed| {
        matches!(
            placed.event.event,
            Event::TransportBroken { .. }
                | Event::DriverError { .. }
                | Event::SessionLeft { event: 40, .. }
        )
    });
    of_end.map(|placed| placed.event.source()).collect()
}

fn most_frequent(sessions: &[&Session<'_>]) -> Option<Code> {
    let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
    for (_, code) in sessions.iter().filter_map(|session| session.broke) {
        *counts.entry(code).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(code, _)| code)
}

/// How much of the last sessions the log that tells of broken lines does not show.
#[derive(Debug, Clone, Copy)]
struct Blind {
    /// The gap, where it does not reach over them.
    not_seen: Option<GapId>,
    /// Whether it is damaged there.
    hidden: bool,
}

fn blind(
    history: &History<'_>,
    identity: &Identity,
    of_clients: &[(&Client, Vec<Session<'_>>)],
    facts: &mut FactSet,
) -> Blind {
    let subject = match identity.build.settled() {
        Some(build) if *build < FIRST_WITH_RDP_CORE_TS => Subject::SystemLog,
        _ => Subject::RdpCoreTsLog,
    };
    let mut entries: Vec<Timestamp> = of_clients
        .iter()
        .flat_map(|(_, sessions)| sessions.iter().map(|session| session.entry))
        .collect();
    entries.sort_unstable();
    let last = entries.iter().rev().take(SAME_TIME).min().copied();
    let window = Window {
        from: last.or(history.clock.as_of),
        to: history.clock.as_of,
    };
    if history.clock.as_of.is_some() && history.coverage.covers(subject, &window) {
        return Blind {
            not_seen: None,
            hidden: last.is_some() && history.coverage.is_out_of_order(subject),
        };
    }
    let hole = history.coverage.hole(&[subject], &window);
    let why = "does not reach over the last sessions, so that what broke them cannot be seen";
    let gap = || history.coverage.gap(subject, why, &mut facts.gaps);
    Blind {
        not_seen: Some(hole.unwrap_or_else(gap)),
        hidden: hole.is_some() && last.is_some(),
    }
}

/// Adds a fact for each side channel that failed, and returns these facts.
fn add_side_channels(history: &History<'_>, facts: &mut FactSet) -> Vec<FactId> {
    let mut added = Vec::new();
    let nameless = facts.gaps.open(
        Subject::RdpCoreTsLog,
        "no log names the client of some attempts",
    );
    let mut arrivals: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    for attempt in &history.attempts {
        arrivals.entry(attempt.client).or_default().push(attempt.at);
    }
    for attempt in &history.attempts {
        let failed = attempt.side_channel_failed;
        let Some(placed) = failed.and_then(|record| history.events.get(record)) else {
            continue;
        };
        let code = match &placed.event.event {
            Event::SideChannelFailed { code } => *code,
            _ => None,
        };
        let of_client = arrivals.get(&attempt.client).map_or(&[][..], Vec::as_slice);
        let next = of_client.partition_point(|at| *at <= placed.at);
        let back = of_client.get(next).copied();
        let dropped =
            broken_by_the_path(attempt, back).is_some_and(|(at, _)| right_after(placed.at, at));
        let mut sources = vec![placed.event.source()];
        if dropped {
            sources.extend(ends(history, attempt));
        }
        let body = UdpFailure {
            code,
            dropped: Known::Is(dropped),
            client: match attempt.client {
                Some(client) => Known::Is(Some(client.to_string())),
                None => Known::Open(nameless),
            },
        };
        added.push(facts.add(Some(placed.at), body, sources));
    }
    added
}

fn right_after(failed: Timestamp, broke: Timestamp) -> bool {
    broke >= failed && broke.duration_since(failed) <= RIGHT_AFTER
}

fn add_transport(
    history: &History<'_>,
    not_seen: Option<GapId>,
    of_clients: &[(&Client, Vec<Session<'_>>)],
    failures: Vec<FactId>,
    facts: &mut FactSet,
) {
    let with_its_channel = |session: &Session<'_>| -> Option<Timestamp> {
        let failed = session.attempt.side_channel_failed?;
        let failed = history.events.get(failed)?.at;
        let (broke, _) = session.broke?;
        right_after(failed, broke).then_some(broke)
    };
    let mut drops = 0;
    let mut since: Option<Timestamp> = None;
    for (_, sessions) in of_clients {
        let broke: Vec<Timestamp> = sessions.iter().filter_map(with_its_channel).collect();
        let recent = sessions
            .iter()
            .rev()
            .take(2)
            .any(|session| with_its_channel(session).is_some());
        drops += broke.len();
        if recent && broke.len() > 1 {
            since = since.into_iter().chain(broke).min();
        }
    }
    let code = history.attempts.iter().rev().find_map(|attempt| {
        let placed = history.events.get(attempt.side_channel_failed?)?;
        match &placed.event.event {
            Event::SideChannelFailed { code } => *code,
            _ => None,
        }
    });
    let body = UdpTransport {
        failing: match (since, not_seen) {
            (Some(_), _) => Known::Is(true),
            (None, None) => Known::Is(false),
            (None, Some(gap)) => Known::Open(gap),
        },
        failures: failures.len(),
        drops,
        code,
    };
    facts.add(
        since,
        body,
        vec![Source::Derived(
            failures.into_iter().take(SOURCES).collect(),
        )],
    );
}
