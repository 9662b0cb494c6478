//! What changed, ranked by what can explain the failure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::model::{Change, Role};
use super::rank::{Judgement, evidence};
use super::timeline::{fields, title};
use crate::facts::catalog::certificate::{ListenerCertificate, Renewal};
use crate::facts::catalog::host::{ClockStep, HostBoot, HostIdentity, HostInstalled, LogCleared};
use crate::facts::catalog::key::{KeyFileWritten, KeyTrace};
use crate::facts::catalog::listener::HostEdition;
use crate::facts::catalog::policy::PolicyValue;
use crate::facts::catalog::service::ServiceChanged;
use crate::facts::catalog::update::{PolicyApplied, UpdateInstalled};
use crate::facts::fact::{Fact, FactId, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::value::{FieldState, Value};

/// Registry writes under facts, changes of services, updates, new policies, starts of Windows and its setup, steps of the clock, certificates made
/// and ended, key files written, what became of the listener's key file and its folder, and logs cleared. First what the verdict
/// rests on, then what other findings rest on, then what lies between the last success and the first failure; else the latest first.
#[must_use]
pub fn changes(facts: &FactSet, judgement: &Judgement<'_>) -> Vec<Change> {
    let weights = weights(facts, judgement);
    let as_of = facts.anchors.as_of;
    let mut found: BTreeMap<(Timestamp, String), Told> = BTreeMap::new();
    for fact in facts.facts() {
        let dates = certificate_dates(fact)
            .into_iter()
            .filter(|(at, _, _)| as_of.is_some_and(|as_of| *at <= as_of));
        for (at, what, after) in changes_in(fact).into_iter().chain(dates) {
            let told = found.entry((at, what)).or_default();
            told.evidence.push(fact.id);
            let weight = weights.get(&fact.id).copied().unwrap_or(u8::MAX);
            if after.is_some() && told.weight.is_none_or(|known| weight < known) {
                told.weight = Some(weight);
                told.after = after;
            }
            told.pending |= fact.is("pending_restart", true);
        }
    }
    let mut ranked: Vec<_> = found
        .into_iter()
        .map(|((at, what), told)| {
            let weight = told
                .evidence
                .iter()
                .filter_map(|id| weights.get(id))
                .min()
                .copied()
                .unwrap_or(u8::MAX);
            let in_bracket = in_bracket(facts, at);
            let change = Change {
                time: at.to_string(),
                what,
                before: None,
                after: told.after,
                evidence: told.evidence.iter().map(ToString::to_string).collect(),
                in_bracket,
                pending_restart: told.pending,
            };
            ((weight, !in_bracket, std::cmp::Reverse(at)), change)
        })
        .collect();
    ranked.sort_by(|(one, left), (other, right)| {
        one.cmp(other).then_with(|| left.what.cmp(&right.what))
    });
    ranked.into_iter().map(|(_, change)| change).collect()
}

/// What is said of one change.
#[derive(Default)]
struct Told {
    evidence: Vec<FactId>,
    /// What the fact says that is nearest to the verdict, and how near that is.
    after: Option<String>,
    weight: Option<u8>,
    pending: bool,
}

/// How near to the verdict each fact is: 0 for what the root cause rests on, directly or through other facts.
fn weights(facts: &FactSet, judgement: &Judgement<'_>) -> BTreeMap<FactId, u8> {
    let mut weights = BTreeMap::new();
    for finding in &judgement.findings {
        let weight = match finding.role {
            Role::RootCause => 0,
            Role::Also => 1,
            Role::Candidate => 2,
            Role::Consequence => 3,
            Role::Contributing | Role::Latent => 4,
            Role::None => continue,
        };
        let mut open = evidence(finding);
        while let Some(id) = open.pop() {
            let known = weights.get(&id).copied().unwrap_or(u8::MAX);
            if weight >= known {
                continue;
            }
            weights.insert(id, weight);
            open.extend(
                facts
                    .fact(id)
                    .sources
                    .iter()
                    .flat_map(|source| match source {
                        Source::Derived(from) => from.as_slice(),
                        _ => &[],
                    }),
            );
        }
    }
    weights
}

/// The beginning and the end of the listener's certificate: nobody did the latter, and it changes what happens from then on. Windows
/// dates its self-signed one a day back (measured: 24 hours to the second).
fn certificate_dates(fact: &Fact) -> Vec<(Timestamp, String, Option<String>)> {
    if fact.kind != ListenerCertificate::KIND {
        return Vec::new();
    }
    let time = |field: &str| match fact.field(field) {
        Some(FieldState::Is(Value::Time(at))) => Some(*at),
        _ => None,
    };
    let self_signed = fact.is("self_signed", true);
    let begun = time("not_before").and_then(|at| match self_signed {
        true => at
            .checked_add(SignedDuration::from_hours(24))
            .ok()
            .map(|made| (made, "the listener's certificate was made")),
        false => Some((at, "the listener's certificate begins")),
    });
    let ended = time("not_after").map(|at| (at, "the listener's certificate ended"));
    begun
        .into_iter()
        .chain(ended)
        .map(|(at, what)| (at, what.to_owned(), None))
        .collect()
}

fn changes_in(fact: &Fact) -> Vec<(Timestamp, String, Option<String>)> {
    // Names and versions of the machine are no settings, and the keys that they stand in are written for other reasons.
    if fact.kind == HostIdentity::KIND || fact.kind == HostEdition::KIND {
        return Vec::new();
    }
    let changing = [
        ServiceChanged::KIND,
        ClockStep::KIND,
        LogCleared::KIND,
        HostInstalled::KIND,
        UpdateInstalled::KIND,
        PolicyApplied::KIND,
        KeyFileWritten::KIND,
        KeyTrace::KIND,
    ];
    let made = fact.kind == Renewal::KIND && fact.is("result", "created");
    // Each start is logged twice; the kernel's own record tells it.
    let booted = fact.kind == HostBoot::KIND && fact.is("event", 12_u32);
    if made || booted || changing.contains(&fact.kind) {
        return fact
            .at
            .map(|at| (at, title(fact), None))
            .into_iter()
            .collect();
    }
    let written = fact.sources.iter().filter_map(|source| match source {
        Source::Value {
            key,
            name,
            written: Some(written),
            ..
        } => {
            let what = match name {
                Some(name) => format!("the key of {key}\\{name} was written"),
                None => format!("{key} was written"),
            };
            Some((
                *written,
                what,
                Some(now(fact)).filter(|told| !told.is_empty()),
            ))
        }
        _ => None,
    });
    written.collect()
}

/// What a setting is since it was written.
fn now(fact: &Fact) -> String {
    match (fact.field("policy"), fact.field("says")) {
        (Some(FieldState::Is(policy)), Some(FieldState::Is(says)))
            if fact.kind == PolicyValue::KIND =>
        {
            format!("policy '{policy}' is {says}")
        }
        _ => fields(fact),
    }
}

/// Whether it lies between the last success and the first failure, as far as these are known.
fn in_bracket(facts: &FactSet, at: Timestamp) -> bool {
    let anchors = &facts.anchors;
    let from = match &anchors.last_success {
        Known::Is(Some(success)) => *success < at,
        Known::Is(None) => true,
        Known::Open(_) => return false,
    };
    let end = anchors.first_failure.settled().copied().flatten();
    from && end.is_some_and(|end| at <= end)
}

#[cfg(test)]
mod tests;
