//! Accounts that are locked, and whether strangers' guesses did it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::nearby;
use super::people::People;
use crate::facts::catalog::logon::AccountLocked;
use crate::facts::clock::Placed;
use crate::facts::coverage::Window;
use crate::facts::event::{Account, Event};
use crate::facts::fact::FactSet;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::subject::Subject;

/// Guesses are counted over so long: lock-outs last minutes to hours, and a slow attack spreads its guesses.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// So many guesses at one account lock it under usual policies (three and more), and are no chance.
const GUESSES: usize = 3;
/// So many refusals of strangers altogether are an attack.
const FLOOD: usize = 10;
/// So many of the newest stand for all.
const MOST: usize = 200;
/// STATUS_ACCOUNT_LOCKED_OUT
const LOCKED: u32 = 0xC000_0234;

/// Adds the facts `account.locked`.
pub(super) fn add_facts(history: &History<'_>, people: &People, facts: &mut FactSet) {
    let mut found: Vec<(&Placed<'_>, &Account, Known<bool>)> = Vec::new();
    for placed in &history.events {
        let Some(account) = &placed.event.account else {
            continue;
        };
        let affected = match &placed.event.event {
            Event::AccountLocked { .. } => people.is_their_account(account),
            Event::Logon {
                client,
                refused: Some(code),
                ..
            } if code.0 == LOCKED => match client {
                Some(client) => people.is_affected(Some(*client)),
                None => nearby::is_affected(history, people, placed.at, facts),
            },
            _ => continue,
        };
        if affected != Known::Is(false) {
            found.push((placed, account, affected));
        }
    }
    let older = found.len().saturating_sub(MOST);
    for (placed, account, affected) in found.into_iter().skip(older) {
        let attack = Attack::on(account, placed.at, history, people);
        let (event, caller) = match &placed.event.event {
            Event::AccountLocked { caller } => (4740, caller.clone()),
            _ => (4625, None),
        };
        let body = AccountLocked {
            event,
            account: account.shown(),
            computer: caller,
            affected,
            under_attack: attack.under_way(history, placed.at, facts),
            guesses: attack.guesses,
            sources: attack.sources.len(),
        };
        facts.add(Some(placed.at), body, vec![placed.event.source()]);
    }
}

/// What strangers did in the day before.
struct Attack {
    guesses: usize,
    sources: BTreeSet<Option<std::net::IpAddr>>,
    altogether: usize,
    /// Wrong passwords of people's own clients at this account.
    own: usize,
}

impl Attack {
    fn on(account: &Account, at: Timestamp, history: &History<'_>, people: &People) -> Self {
        let mut attack = Attack {
            guesses: 0,
            sources: BTreeSet::new(),
            altogether: 0,
            own: 0,
        };
        let from = at.checked_sub(BEFORE).unwrap_or(at);
        let first = history.events.partition_point(|placed| placed.at < from);
        let before = history.events.iter().skip(first);
        for placed in before.take_while(|placed| placed.at <= at) {
            let Event::Logon {
                client,
                refused: Some(code),
                ..
            } = &placed.event.event
            else {
                continue;
            };
            let same = placed
                .event
                .account
                .as_ref()
                .is_some_and(|tried| tried.may_be(account));
            match client.map(|client| people.is_affected(Some(client))) {
                Some(Known::Is(false)) => {
                    attack.altogether += 1;
                    if same {
                        attack.guesses += 1;
                        attack.sources.insert(*client);
                    }
                }
                Some(Known::Is(true)) if same && code.0 != LOCKED => attack.own += 1,
                _ => {}
            }
        }
        attack
    }

    /// Whether it explains the lock. The guesses may have gone to another machine of the domain: only where the person's own client
    /// sent enough wrong passwords is it known that they did not.
    fn under_way(&self, history: &History<'_>, at: Timestamp, facts: &mut FactSet) -> Known<bool> {
        if self.guesses >= GUESSES && self.altogether >= FLOOD {
            return Known::Is(true);
        }
        let hour = Window {
            from: at.checked_sub(SignedDuration::from_hours(1)).ok(),
            to: Some(at),
        };
        let seen = history.coverage.covers(Subject::SecurityLog, &hour);
        match seen && self.own >= GUESSES {
            true => Known::Is(false),
            false => Known::Open(facts.gaps.record(crate::facts::gap::Gap {
                about: "account.locked".to_owned(),
                why: "an account is locked, and no log that was collected shows whose wrong passwords did it"
                    .to_owned(),
                obtain: "on a domain controller (for a local account, on this machine): wevtutil epl Security Security.evtx (4740 names the computer that the wrong passwords came from)"
                    .to_owned(),
            })),
        }
    }
}
