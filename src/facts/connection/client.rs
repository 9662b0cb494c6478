//! What became of each attempt, and how each client fares.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::attempt::Attempt;
use crate::facts::catalog::connection::{Ending, Outcome, Stage};
use crate::facts::clock::Placed;
use crate::facts::coverage::Window;
use crate::facts::log_coverage::LogCoverage;
use crate::facts::subject::Subject;
use crate::facts::value::Code;

/// A client that keeps failing for so long has not mistyped.
const LOCKED_OUT: SignedDuration = SignedDuration::from_mins(10);
/// From authentication to a session: what comes later is no longer waited for.
const TO_SESSION: SignedDuration = SignedDuration::from_mins(2);
/// An attempt younger than this at the end of the collection may still get in.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It got in; the record, as a place in the arranged events, that shows it.
    In(usize),
    /// It failed; how, where a log says so.
    Failed(Option<Ending>),
    /// No log that was collected could tell.
    Unclear,
}

/// A client: everything that came from one address.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address; none for the attempts that no log names.
    pub address: Option<IpAddr>,
    /// Its attempts, oldest first, as places among all attempts.
    pub attempts: Vec<usize>,
    /// How it fares.
    pub outcome: Outcome,
    /// Whether it does not count.
    pub stranger: bool,
    /// Whether the user named it.
    pub named: bool,
    /// When it last got in.
    pub last_success: Option<Timestamp>,
    /// Its first failure after that, if it failed at all since.
    pub first_failure: Option<Timestamp>,
    /// The furthest stage that its last attempts reached: those since its last success, else that one.
    pub stage: Stage,
    /// The code with which its last attempt ended.
    pub code: Option<Code>,
}

impl Client {
    /// Whether it counts and is locked out: only this decides.
    #[must_use]
    pub fn is_affected(&self) -> bool {
        !self.stranger && self.outcome == Outcome::LockedOut
    }

    /// Since when it fares so.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.first_failure.or(self.last_success)
    }
}

/// What became of every attempt. Getting in is a session with a remote address (LocalSessionManager 21, 22, 25); where that
/// log does not reach, an authentication (RemoteConnectionManager 1149); where neither does, that RdpCoreTS gave the attempt
/// to a session, or negotiated TLS for it and told of no failure: nobody is called locked out for want of a log.
#[must_use]
pub fn fates(attempts: &[Attempt], coverage: &LogCoverage, as_of: Option<Timestamp>) -> Vec<Fate> {
    attempts
        .iter()
        .map(|attempt| fate(attempt, coverage, as_of))
        .collect()
}

fn fate(attempt: &Attempt, coverage: &LogCoverage, as_of: Option<Timestamp>) -> Fate {
    if let Some(record) = attempt.passed.get(&Stage::Session) {
        return Fate::In(*record);
    }
    let until = |span: SignedDuration| {
        let end = attempt.at.saturating_add(span).unwrap_or(Timestamp::MAX);
        Window {
            from: Some(attempt.at),
            to: Some(as_of.map_or(end, |as_of| end.min(as_of))).max(Some(attempt.at)),
        }
    };
    let sessions = coverage.covers(Subject::LocalSessionManagerLog, &until(TO_SESSION));
    let authentications = coverage.covers(Subject::RemoteConnectionManagerLog, &until(TO_SESSION));
    let young = as_of.is_some_and(|as_of| as_of.duration_since(attempt.at) < UNDER_WAY);
    let said = attempt.death.map(|death| death.ending);
    match (attempt.passed.get(&Stage::Credentials), said) {
        // Refused in the session, after network level authentication.
        (Some(_), Some(Ending::Credentials)) => Fate::Failed(said),
        (Some(record), _) if !sessions => Fate::In(*record),
        (Some(_), said) => match young {
            true => Fate::Unclear,
            false => Fate::Failed(said),
        },
        (None, Some(ending @ (Ending::Tls | Ending::Credentials))) => Fate::Failed(Some(ending)),
        (None, _) if !sessions && !authentications => {
            let tls = attempt.passed.get(&Stage::Tls).copied();
            attempt.admitted.or(tls).map_or(Fate::Unclear, Fate::In)
        }
        (None, None) if young => Fate::Unclear,
        (None, said) => Fate::Failed(said),
    }
}

/// The clients behind the attempts, by address; `named` are those that the user names.
#[must_use]
pub fn clients(
    events: &[Placed<'_>],
    attempts: &[Attempt],
    fates: &[Fate],
    named: &[IpAddr],
) -> Vec<Client> {
    let mut by_address: BTreeMap<Option<IpAddr>, Vec<usize>> = BTreeMap::new();
    for address in named {
        by_address.entry(Some(*address)).or_default();
    }
    for (index, attempt) in attempts.iter().enumerate() {
        by_address.entry(attempt.client).or_default().push(index);
    }
    let last_entry = fates.iter().filter_map(|fate| entered(events, *fate)).max();
    let mut clients: Vec<Client> = by_address
        .into_iter()
        .map(|(address, of_client)| {
            let run = Run::read(events, attempts, fates, &of_client);
            let named = address.is_some_and(|address| named.contains(&address));
            let counts = run.last_success.is_some() || named || last_entry.is_none();
            Client {
                address,
                outcome: match counts {
                    true => run.outcome(last_entry),
                    false => Outcome::Undecided,
                },
                stranger: !counts,
                named,
                last_success: run.last_success,
                first_failure: run.first_failure,
                stage: run.stage,
                code: of_client
                    .last()
                    .and_then(|last| attempts.get(*last)?.death?.code),
                attempts: of_client,
            }
        })
        .collect();
    clients.retain(|client| !client.attempts.is_empty());
    clients
}

/// When an attempt got in.
#[must_use]
pub fn entered(events: &[Placed<'_>], fate: Fate) -> Option<Timestamp> {
    match fate {
        Fate::In(record) => events.get(record).map(|placed| placed.at),
        Fate::Failed(_) | Fate::Unclear => None,
    }
}

/// The last attempts of a client: those since its last success.
struct Run {
    last_success: Option<Timestamp>,
    first_failure: Option<Timestamp>,
    last_failure: Option<Timestamp>,
    /// The last attempt died in TLS.
    died_in_tls: bool,
    /// Nothing after the last success is unclear.
    all_failed: bool,
    stage: Stage,
}

impl Run {
    fn read(
        events: &[Placed<'_>],
        attempts: &[Attempt],
        fates: &[Fate],
        of_client: &[usize],
    ) -> Self {
        let mut run = Run {
            last_success: None,
            first_failure: None,
            last_failure: None,
            died_in_tls: false,
            all_failed: true,
            stage: Stage::Arrived,
        };
        for index in of_client {
            let (attempt, fate) = (&attempts[*index], fates[*index]);
            match fate {
                Fate::In(_) => {
                    let last_success = entered(events, fate).max(run.last_success);
                    run = Run {
                        last_success,
                        first_failure: None,
                        last_failure: None,
                        died_in_tls: false,
                        all_failed: true,
                        stage: attempt.reached(),
                    };
                }
                Fate::Failed(ending) => {
                    if run.first_failure.is_none() {
                        run.stage = attempt.reached();
                    }
                    run.first_failure.get_or_insert(attempt.at);
                    run.last_failure = Some(attempt.at);
                    run.died_in_tls = ending == Some(Ending::Tls);
                    run.stage = run.stage.max(attempt.reached());
                }
                // It may have got in: what failed before it no longer tells how the client fares.
                Fate::Unclear => {
                    run.first_failure = None;
                    run.last_failure = None;
                    run.died_in_tls = false;
                    run.all_failed = false;
                    run.stage = attempt.reached();
                }
            }
        }
        run
    }

    fn outcome(&self, last_entry: Option<Timestamp>) -> Outcome {
        let (Some(first), Some(last)) = (self.first_failure, self.last_failure) else {
            return match self.last_success {
                Some(_) if self.all_failed => Outcome::In,
                _ => Outcome::Undecided,
            };
        };
        let long = last.duration_since(first) >= LOCKED_OUT;
        let nobody_after = last_entry.is_none_or(|entry| entry <= last);
        match long || self.died_in_tls && nobody_after {
            true => Outcome::LockedOut,
            false => Outcome::Undecided,
        }
    }
}
