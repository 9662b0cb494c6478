//! What the logs and the hives together tell of sessions: what breaks them, what limits them, what hands them on; of load and of
//! licences. Everything here is held against how people fare, which the history knows.
//!
//! ```text
//! drops      sessions that the path breaks, side channels that fail
//! exhaustion resources that ran out
//! limits     how many sessions, and how long
//! flood      more connections than the listener takes
//! licensing  role, grace period, certificate
//! ```

mod drops;
mod exhaustion;
mod flood;
mod licensing;
mod limits;

use super::catalog::session::BrokerFailure;
use super::catalog::update::PolicyApplied;
use super::event::Event;
use super::fact::FactSet;
use super::history::History;
use super::host::Identity;
use super::known::Known;
use super::registry::Registry;

/// Adds the facts about sessions, load and licences.
pub fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    identity: &Identity,
    facts: &mut FactSet,
) {
    for placed in &history.events {
        let source = || vec![placed.event.source()];
        match &placed.event.event {
            Event::BrokerFailed { event } => {
                let body = BrokerFailure { event: *event };
                facts.add(Some(placed.at), body, source());
            }
            Event::PolicyApplied => {
                let provider = "GroupPolicy".to_owned();
                facts.add(Some(placed.at), PolicyApplied { provider }, source());
            }
            _ => {}
        }
    }
    exhaustion::add_facts(history, facts);
    drops::add_facts(history, identity, facts);
    limits::add_facts(history, registry, facts);
    flood::add_facts(history, registry, facts);
    licensing::add_facts(history, registry, identity, facts);
}

/// Whether somebody who counts is locked out; open where the logs do not show how people fare, or nobody has tried.
#[must_use]
pub fn prevented(history: &History<'_>) -> Known<bool> {
    match history.standing.state.prevents() {
        Some(prevented) => Known::Is(prevented),
        None => Known::Open(history.anchors.gap),
    }
}
