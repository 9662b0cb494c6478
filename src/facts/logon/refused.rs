//! Each refused logon of people who are locked out.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use super::people::People;
use super::{nearby, refusal};
use crate::facts::catalog::logon::{LogonRefused, Refusal};
use crate::facts::clock::Placed;
use crate::facts::event::{Account, Event};
use crate::facts::fact::FactSet;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::value::Code;

/// So many of the newest stand for all.
const MOST: usize = 500;

/// A refusal, with whether it is one of people's.
struct Found<'a> {
    placed: &'a Placed<'a>,
    event: u32,
    logon_type: Option<u32>,
    reason: Refusal,
    code: Option<Code>,
    client: Option<IpAddr>,
    affected: Known<bool>,
}

/// Adds the facts `logon.refused`.
pub(super) fn add_facts(history: &History<'_>, people: &People, facts: &mut FactSet) {
    let mut found: VecDeque<Found<'_>> = VecDeque::new();
    let joined: BTreeMap<usize, Option<IpAddr>> = history
        .attempts
        .iter()
        .flat_map(|attempt| {
            attempt
                .records
                .iter()
                .map(|record| (*record, attempt.client))
        })
        .collect();
    for (index, placed) in history.events.iter().enumerate() {
        let (event, logon_type, reason, code, client) = match &placed.event.event {
            Event::Logon {
                kind: kind @ (3 | 10),
                client,
                refused: Some(code),
            } => (4625, Some(*kind), refusal(*code), Some(*code), *client),
            Event::DesktopDenied { client } => (4825, None, Refusal::NotGranted, None, *client),
            Event::PasswordRefused { client } => (140, None, Refusal::Password, None, *client),
            _ => continue,
        };
        let affected = match (client, joined.get(&index), logon_type) {
            // Over the network file shares log on too: without an attempt beside it, it is one of those.
            (Some(_), None, Some(3)) => nearby::is_affected(history, people, placed.at, facts)
                .and(people.is_affected(client)),
            (Some(_), _, _) => people.is_affected(client),
            (None, Some(Some(client)), _) => people.is_affected(Some(*client)),
            (None, _, _) => nearby::is_affected(history, people, placed.at, facts),
        };
        if affected != Known::Is(false) {
            if found.len() == MOST {
                found.pop_front();
            }
            found.push_back(Found {
                placed,
                event,
                logon_type,
                reason,
                code,
                client: client.or(joined.get(&index).copied().flatten()),
                affected,
            });
        }
    }
    for refused in found {
        let body = LogonRefused {
            event: refused.event,
            logon_type: refused.logon_type,
            reason: refused.reason,
            code: refused.code,
            account: refused
                .placed
                .event
                .account
                .as_deref()
                .and_then(Account::shown),
            client: match refused.client {
                Some(client) => Known::Is(Some(client.to_string())),
                None => Known::Open(people.unknown),
            },
            affected: refused.affected,
        };
        let source = vec![refused.placed.event.source()];
        facts.add(Some(refused.placed.at), body, source);
    }
}
