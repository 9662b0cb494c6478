//! What the System log tells of disks that fail or are full, held against the times at which making a certificate failed. Disks
//! complain for many reasons: only what stands beside such a failure says anything of it.

use jiff::{SignedDuration, Timestamp};

use super::catalog::certificate::Renewal;
use super::catalog::key::StorageFailure;
use super::event::Event;
use super::fact::FactSet;
use super::history::History;
use super::known::Known;
use super::value::{FieldState, Value};

/// A failure of the disk and one of the certificate belong together within this time. srv complains of a full disk every hour
/// or so.
const NEAR: SignedDuration = SignedDuration::from_hours(1);

/// Adds the facts; those about renewals must be there before.
pub fn add_facts(history: &History<'_>, facts: &mut FactSet) {
    let failed: Vec<Timestamp> = facts
        .of_kind(Renewal::KIND)
        .filter(|fact| {
            let is = |field: &str, value: Value| fact.field(field) == Some(&FieldState::Is(value));
            is("result", Value::Text("failed".to_owned())) && is("superseded", Value::Bool(false))
        })
        .filter_map(|fact| fact.at)
        .collect();
    for placed in &history.events {
        let Event::StorageFailed {
            trouble,
            provider,
            event,
        } = &placed.event.event
        else {
            continue;
        };
        let near = |time: &Timestamp| {
            let apart = time.duration_since(placed.at);
            apart.abs() <= NEAR
        };
        let body = StorageFailure {
            trouble: *trouble,
            provider: (*provider).to_owned(),
            event: *event,
            at_creation: Known::Is(failed.iter().any(near)),
        };
        facts.add(Some(placed.at), body, vec![placed.event.source()]);
    }
}
