//! Operations on private keys that the Security log audits (5058, 5061), as facts. Programs probe for keys that they have
//! not made yet, so that a failure tells something only of the listener's own container, and only with no success after it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalog::key::KeyOperation;
use super::coverage::Window;
use super::event::Event;
use super::fact::FactSet;
use super::history::History;
use super::known::Known;
use super::subject::Subject;

/// The container of the self-signed certificate's key (measured on builds 7600 to 26100).
pub const SELF_SIGNED_CONTAINER: &str = "TSSecKeySet1";
/// Containers of the Azure guest agent's certificates, which have nothing to do with Remote Desktop for all their name.
const GUEST_AGENT: &str = "RdCertificateFactory-";

/// Adds the facts about operations on keys; `container` is that of the listener's certificate.
pub fn add_facts(history: &History<'_>, container: &Known<Option<String>>, facts: &mut FactSet) {
    let mut successes: BTreeMap<String, Timestamp> = BTreeMap::new();
    for placed in &history.events {
        if let Event::KeyOperation {
            container, result, ..
        } = &placed.event.event
            && result.0 == 0
        {
            let last = successes
                .entry(container.to_lowercase())
                .or_insert(placed.at);
            *last = placed.at.max(*last);
        }
    }
    for placed in &history.events {
        let Event::KeyOperation {
            event,
            container: of,
            account,
            path,
            result,
        } = &placed.event.event
        else {
            continue;
        };
        let later = successes
            .get(&of.to_lowercase())
            .is_some_and(|success| *success > placed.at);
        let to_end = Window {
            from: Some(placed.at),
            to: history.clock.as_of,
        };
        let body = KeyOperation {
            event: *event,
            listener: is_listeners(of, container),
            container: of.clone(),
            account: account.clone(),
            path: path.clone(),
            result: *result,
            succeeded: result.0 == 0,
            superseded: match later || history.coverage.covers(Subject::SecurityLog, &to_end) {
                true => Known::Is(later),
                false => Known::Open(history.coverage.gap(
                    Subject::SecurityLog,
                    "does not reach to the end, where a later success would stand",
                    &mut facts.gaps,
                )),
            },
        };
        facts.add(Some(placed.at), body, vec![placed.event.source()]);
    }
}

fn is_listeners(name: &str, container: &Known<Option<String>>) -> Known<bool> {
    if name.starts_with(GUEST_AGENT) {
        return Known::Is(false);
    }
    match container {
        Known::Is(Some(container)) => Known::Is(container.eq_ignore_ascii_case(name)),
        _ if name.eq_ignore_ascii_case(SELF_SIGNED_CONTAINER) => Known::Is(true),
        Known::Is(None) => Known::Is(false),
        Known::Open(gap) => Known::Open(*gap),
    }
}
