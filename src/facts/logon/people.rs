//! Who counts among those that are refused: people, never guessers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::facts::connection::client::Client;
use crate::facts::event::{Account, Event};
use crate::facts::fact::FactSet;
use crate::facts::gap::{Gap, GapId};
use crate::facts::history::History;
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;

/// Nobody tries so many accounts in one place by mistake.
const ACCOUNTS_OF_A_GUESSER: usize = 4;
/// Nor so often within an hour.
const TRIES_OF_A_GUESSER: usize = 30;

/// The clients that are people's, and the accounts that they use.
#[derive(Debug)]
pub(super) struct People {
    state: ConnectionState,
    clients: BTreeMap<IpAddr, Known<bool>>,
    accounts: Vec<Account>,
    /// Why it is not known of a client or an event.
    pub unknown: GapId,
}

impl People {
    pub(super) fn of(history: &History<'_>, facts: &mut FactSet) -> Self {
        let nobody_in = facts.gaps.record(Gap {
            about: "client.outcome".to_owned(),
            why: "nobody ever got in, so that people and guessers cannot be told apart".to_owned(),
            obtain: "name people's clients with --client-address".to_owned(),
        });
        let refused = refused_accounts(history);
        let alone = history.clients.len() == 1;
        let told = |client: &Client, address: IpAddr| {
            let known = client.last_success.is_some() || client.named;
            match (known, client.is_affected()) {
                (_, false) => Known::Is(false),
                (true, true) => Known::Is(true),
                (false, true) if guesses(history, client, refused.get(&address)) => {
                    Known::Is(false)
                }
                (false, true) if alone => Known::Is(true),
                (false, true) => Known::Open(nobody_in),
            }
        };
        let clients = history
            .clients
            .iter()
            .filter_map(|client| Some((client.address?, told(client, client.address?))))
            .collect();
        let mut people = People {
            state: history.standing.state,
            clients,
            accounts: Vec::new(),
            unknown: history.anchors.gap,
        };
        people.accounts = people.accounts_in(history);
        people
    }

    /// Whether a client is one of people's, and locked out.
    pub(super) fn is_affected(&self, client: Option<IpAddr>) -> Known<bool> {
        let known = client.and_then(|client| self.clients.get(&client).cloned());
        match self.state {
            ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
                Known::Is(false)
            }
            ConnectionState::Unseen => Known::Open(self.unknown),
            ConnectionState::Mixed | ConnectionState::Failing => match (known, client) {
                (Some(known), _) => known,
                // An address that never connected.
                (None, Some(_)) => Known::Is(false),
                (None, None) => Known::Open(self.unknown),
            },
        }
    }

    /// Whether an account is one that people who are locked out use.
    pub(super) fn is_their_account(&self, account: &Account) -> Known<bool> {
        if self.accounts.iter().any(|own| own.may_be(account)) {
            return Known::Is(true);
        }
        match self.state {
            ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
                Known::Is(false)
            }
            _ if self.accounts.is_empty() => Known::Open(self.unknown),
            _ => Known::Is(false),
        }
    }

    /// The accounts that records of their attempts name.
    fn accounts_in(&self, history: &History<'_>) -> Vec<Account> {
        let mut accounts = BTreeSet::new();
        for attempt in &history.attempts {
            if self.is_affected(attempt.client) != Known::Is(true) {
                continue;
            }
            let records = attempt.records.iter();
            let named = records
                .filter_map(|record| history.events.get(*record))
                .filter_map(|placed| placed.event.account.as_deref().cloned());
            accounts.extend(named);
        }
        accounts.into_iter().collect()
    }
}

/// The accounts that each address was refused.
fn refused_accounts(history: &History<'_>) -> BTreeMap<IpAddr, BTreeSet<Account>> {
    let mut refused: BTreeMap<IpAddr, BTreeSet<Account>> = BTreeMap::new();
    for placed in &history.events {
        if let Event::Logon {
            client: Some(client),
            refused: Some(_),
            ..
        } = placed.event.event
            && let Some(account) = &placed.event.account
        {
            refused
                .entry(client)
                .or_default()
                .insert(Account::clone(account));
        }
    }
    refused
}

fn guesses(history: &History<'_>, client: &Client, accounts: Option<&BTreeSet<Account>>) -> bool {
    let many = accounts.is_some_and(|accounts| accounts.len() >= ACCOUNTS_OF_A_GUESSER);
    let times: Vec<Timestamp> = client
        .attempts
        .iter()
        .filter_map(|attempt| Some(history.attempts.get(*attempt)?.at))
        .collect();
    let hasty =
        times
            .windows(TRIES_OF_A_GUESSER)
            .any(|tries| match (tries.first(), tries.last()) {
                (Some(first), Some(last)) => {
                    last.duration_since(*first) <= SignedDuration::from_hours(1)
                }
                _ => false,
            });
    many || hasty
}
