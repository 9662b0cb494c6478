//! What Schannel logged that bears on its settings.

use jiff::Timestamp;

use crate::facts::catalog::schannel::{SchannelFailure, SuiteRefusals};
use crate::facts::coverage::Window;
use crate::facts::effect::{Effect, Written};
use crate::facts::fact::{Fact, FactSet};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};

/// What Schannel logged that bears on its settings.
pub(super) struct Logged {
    /// Refusals for want of a common suite (36874) that speak for a mismatch.
    pub refusals: Trace,
    /// The service's credential could not be made (36871).
    pub no_credential: Trace,
}

/// A failure that a setting would cause.
pub(super) struct Trace {
    /// Whether it was logged.
    pub seen: Known<bool>,
    last: Option<Timestamp>,
}

impl Logged {
    pub(super) fn of(facts: &mut FactSet) -> Logged {
        let refusals = trace(facts.of_kind(SuiteRefusals::KIND), "telling");
        let number = FieldState::Is(Value::Number(36871));
        let credential = facts
            .of_kind(SchannelFailure::KIND)
            .filter(|fact| fact.field("event") == Some(&number));
        let no_credential = trace(credential, "affected");
        let window = Window {
            from: facts.anchors.oldest,
            to: facts.anchors.as_of,
        };
        let unlogged = match facts.subject_covers(Subject::SchannelEvents, &window) {
            Ok(()) => Known::Is(false),
            Err(gap) => Known::Open(gap),
        };
        let known = |(seen, last): (Option<Known<bool>>, Option<Timestamp>)| Trace {
            seen: seen.unwrap_or_else(|| unlogged.clone()),
            last,
        };
        Logged {
            refusals: known(refusals),
            no_credential: known(no_credential),
        }
    }
}

impl Trace {
    /// A setting that should still wait for a restart, and whose failure was logged after it was written, is in effect.
    pub(super) fn proves(&self, effect: Effect, written: Written) -> Effect {
        match effect {
            Effect::Pending(_) | Effect::Undated(_)
                if self.seen == Known::Is(true) && self.last > written.time() =>
            {
                Effect::Since(written.time())
            }
            other => other,
        }
    }
}

/// Whether any of the facts says so in this field, and when the last did.
fn trace<'f>(
    found: impl Iterator<Item = &'f Fact>,
    field: &str,
) -> (Option<Known<bool>>, Option<Timestamp>) {
    let mut seen = None;
    let mut last = None;
    for fact in found {
        let truth = match fact.field(field) {
            Some(FieldState::Is(value)) => Known::Is(*value == Value::Bool(true)),
            Some(FieldState::Open(gap)) => Known::Open(*gap),
            Some(FieldState::Nothing) | None => Known::Is(false),
        };
        if truth == Known::Is(true) {
            last = last.max(fact.at);
        }
        seen = Some(match seen {
            Some(before) => truth.or(before),
            None => truth,
        });
    }
    (seen, last)
}
