//! Answers of the model as facts hold them: what it leaves open becomes a gap.

use std::collections::BTreeSet;

use crate::facts::effect::Effect;
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::known::Known;
use crate::tls::{Doubt, Settled};

/// A gap that names the questions which public sources leave open.
pub(super) fn doubtful(gaps: &mut Gaps, about: &str, doubts: &BTreeSet<Doubt>) -> GapId {
    let reasons: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
    let unread = doubts
        .iter()
        .any(|doubt| matches!(doubt, Doubt::Unread(_) | Doubt::BuildUnknown));
    let obtain = if unread {
        "reg save HKLM\\SYSTEM SYSTEM.hiv and reg save HKLM\\SOFTWARE SOFTWARE.hiv"
    } else {
        "on the machine: Get-TlsCipherSuite; from a client: nmap --script ssl-enum-ciphers -p 3389 SERVER"
    };
    gaps.record(Gap {
        about: about.to_owned(),
        why: reasons.join("; "),
        obtain: obtain.to_owned(),
    })
}

pub(super) fn settled(gaps: &mut Gaps, about: &str, answer: &Settled) -> Known<bool> {
    match answer {
        Settled::Yes => Known::Is(true),
        Settled::No => Known::Is(false),
        Settled::Open(doubts) => Known::Open(doubtful(gaps, about, doubts)),
    }
}

/// What is in effect now is not known where the setting waits for a start.
pub(super) fn unless_pending<T>(effect: Effect, value: Known<T>) -> Known<T> {
    effect.pending().map_or(value, Known::Open)
}
