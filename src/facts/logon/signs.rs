//! What other components log at the moment of a refusal: the channel to the domain, NTLM, smart cards, the check of machine SIDs.

use jiff::{SignedDuration, Timestamp};

use super::nearby;
use super::people::People;
use crate::facts::catalog::logon::{
    DomainTrouble, MachineSidRefused, NtlmRefused, SmartCardRefused,
};
use crate::facts::event::Event;
use crate::facts::fact::FactSet;
use crate::facts::history::History;
use crate::facts::known::Known;

/// At a start the domain is often asked for before the network is up.
const BOOT: SignedDuration = SignedDuration::from_mins(10);
/// The first build that refuses machines of its own SID (with the updates from 2025-08-26 on).
const CHECKS_SIDS: u32 = 26100;
/// So many of the newest of one kind stand for all.
const MOST: usize = 200;

/// Adds the facts `domain.trouble`, `ntlm.refused`, `machine_sid.refused` and `smartcard.refused`.
pub(super) fn add_facts(
    history: &History<'_>,
    people: &People,
    restricted: &Known<bool>,
    build: &Known<u32>,
    facts: &mut FactSet,
) {
    let is_sign = |event: &Event| {
        matches!(
            event,
            Event::DomainFailed { .. }
                | Event::NtlmRefused { .. }
                | Event::MachineSidRefused
                | Event::SmartCardRefused { .. }
        )
    };
    let signs: Vec<_> = history
        .events
        .iter()
        .filter(|placed| is_sign(&placed.event.event))
        .collect();
    let older = signs.len().saturating_sub(MOST);
    for placed in signs.into_iter().skip(older) {
        let (at, source) = (placed.at, vec![placed.event.source()]);
        match &placed.event.event {
            Event::DomainFailed { provider, event } => {
                let body = DomainTrouble {
                    provider,
                    event: *event,
                    at_boot: is_at_boot(history, at),
                };
                facts.add(Some(at), body, source);
            }
            Event::NtlmRefused { event } => {
                let body = NtlmRefused {
                    event: *event,
                    restricted: restricted.clone(),
                    affected: nearby::is_affected(history, people, at, facts),
                };
                facts.add(Some(at), body, source);
            }
            Event::MachineSidRefused => {
                let body = MachineSidRefused {
                    event: 6167,
                    checks: build.as_ref().map(|build| *build >= CHECKS_SIDS),
                    affected: nearby::is_affected(history, people, at, facts),
                };
                facts.add(Some(at), body, source);
            }
            Event::SmartCardRefused { provider, event } => {
                let body = SmartCardRefused {
                    provider,
                    event: *event,
                    affected: nearby::is_affected(history, people, at, facts),
                };
                facts.add(Some(at), body, source);
            }
            _ => {}
        }
    }
}

fn is_at_boot(history: &History<'_>, at: Timestamp) -> bool {
    let mut boots = history.clock.boots.iter();
    boots.any(|boot| *boot <= at && at.duration_since(*boot) <= BOOT)
}
