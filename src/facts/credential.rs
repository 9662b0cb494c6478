//! Whether the service's own credential, certificate and private key, fails for those who connect, and whether the service has
//! fallen back from a chosen certificate to its own.

use jiff::{SignedDuration, Timestamp};

use super::catalog::certificate::CertificateNotice;
use super::catalog::connection::SecurityError;
use super::catalog::schannel::SchannelFailure;
use super::coverage::Window;
use super::fact::{Fact, FactSet};
use super::gap::GapId;
use super::known::Known;
use super::subject::Subject;
use super::value::{FieldState, Value};

/// Schannel could not open the private key (36870), or could not make the credential (36871).
const FAILURES: [i64; 2] = [36870, 36871];
/// No usable certificate of those chosen, its key cannot be opened, the pin was invalid: each time the default one is used
/// (Microsoft, "Terminal Services Authentication and Encryption").
const FALLS_BACK: [i64; 3] = [1051, 1055, 1059];
/// The records of one start are written within this time.
const ONE_START: SignedDuration = SignedDuration::from_mins(1);

/// Whether an event is one of these.
pub(super) fn is_event(fact: &Fact, events: &[i64]) -> bool {
    matches!(fact.field("event"), Some(FieldState::Is(Value::Number(event))) if events.contains(event))
}

fn at_or_after(fact: &Fact, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| fact.at.is_some_and(|at| at >= since))
}

/// Whether credentials fail: an attributed 36870 or 36871 with no success after it, or an error of the security layer in TLS for
/// those who are locked out. `since` is when what is asked about came to be, where that is known.
pub(super) fn fails(since: Option<Timestamp>, facts: &mut FactSet) -> Known<bool> {
    let mut open: Option<GapId> = None;
    for failure in facts.of_kind(SchannelFailure::KIND) {
        let refuted = failure.is("attributed", false) || failure.is("overcome", true);
        if !is_event(failure, &FAILURES) || refuted || !at_or_after(failure, since) {
            continue;
        }
        let fields = [failure.field("attributed"), failure.field("overcome")];
        let gap = fields.into_iter().flatten().find_map(|field| match field {
            FieldState::Open(gap) => Some(*gap),
            FieldState::Is(_) | FieldState::Nothing => None,
        });
        match gap {
            None => return Known::Is(true),
            Some(gap) => open = Some(gap),
        }
    }
    let refused = facts.of_kind(SecurityError::KIND).any(|error| {
        error.is("tls", true) && error.is("affected", true) && at_or_after(error, since)
    });
    if refused {
        return Known::Is(true);
    }
    if let Some(gap) = open {
        return Known::Open(gap);
    }
    let success = facts.anchors.last_success.settled().copied().flatten();
    let asked = Window {
        from: success.or(facts.anchors.oldest).max(since),
        to: facts.anchors.as_of,
    };
    match facts.subject_covers(Subject::SchannelEvents, &asked) {
        Ok(()) => Known::Is(false),
        Err(gap) => Known::Open(gap),
    }
}

/// Whether the service said, since its last start, that it uses its default certificate instead of the one that was chosen.
pub(super) fn falls_back(facts: &mut FactSet) -> Known<bool> {
    let start = service_start(facts);
    let told = facts
        .of_kind(CertificateNotice::KIND)
        .any(|notice| is_event(notice, &FALLS_BACK) && at_or_after(notice, start));
    if told {
        return Known::Is(true);
    }
    let start = match facts.anchors.service_start {
        Known::Is(start) => start,
        Known::Open(gap) => return Known::Open(gap),
    };
    let asked = Window {
        from: Some(start),
        to: facts.anchors.as_of,
    };
    match facts.subject_covers(Subject::SystemLog, &asked) {
        Ok(()) => Known::Is(false),
        Err(gap) => Known::Open(gap),
    }
}

/// When the service last started, with what it wrote just then.
pub(super) fn service_start(facts: &FactSet) -> Option<Timestamp> {
    let start = facts.anchors.service_start.settled().copied()?;
    start.checked_sub(ONE_START).ok()
}
