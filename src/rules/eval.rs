//! What a rule comes to on a host: its tests, its level, and what kind of finding it is.

use jiff::Timestamp;

use super::ask::ask;
use super::level::{Level, level};
use super::matcher::Moments;
use super::model::{Rule, Standing, Test, TestRole, TestStanding};
use super::truth::Truth;
use crate::facts::fact::{Fact, FactId, FactSet};
use crate::facts::gap::GapId;
use crate::facts::known::Known;

/// What one rule comes to on one host.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// What each test comes to, in the order of the rule's tests.
    pub truths: Vec<Truth>,
    /// How sure.
    pub level: Level,
    /// What kind of finding its tests make it, before what it explains is looked at.
    pub hold: Hold,
    /// When the fault took effect: the newest time among its true requires and decisives. None where none of these has one, or one
    /// may be later than it says.
    pub fault: Option<Timestamp>,
}

/// What kind of finding the tests of a rule make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It may be the verdict.
    Active,
    /// It never is.
    Contributing,
    /// It does no harm yet.
    Latent,
}

impl Evaluation {
    /// The facts that make its tests true: those of requires and decisives first.
    #[must_use]
    pub fn evidence(&self) -> Vec<FactId> {
        self.truths
            .iter()
            .filter(|truth| truth.is_true())
            .flat_map(|truth| truth.facts().iter().copied())
            .collect()
    }
}

/// Asks every test of a rule.
#[must_use]
pub fn evaluate(rule: &Rule, facts: &mut FactSet) -> Evaluation {
    let anchors = facts.anchors.clone();
    let mut moments = Moments {
        anchors: &anchors,
        fault: Known::Is(None),
    };
    let mut truths = Vec::new();
    // The loader keeps `fault` out of requires and decisives, which it is computed from, and sorts the tests by role.
    let (first, later): (Vec<&Test>, Vec<&Test>) = rule
        .tests
        .iter()
        .partition(|test| matches!(test.role, TestRole::Require | TestRole::Decisive));
    truths.extend(first.iter().map(|test| ask(test, facts, &moments)));
    let resting = || {
        let found = truths.iter().filter(|truth| truth.is_true());
        found.flat_map(Truth::facts).map(|id| facts.fact(*id))
    };
    let undated = resting().find_map(|fact| fact.undated);
    let newest = resting().filter_map(|fact| fact.at).max();
    let fault = newest.filter(|_| undated.is_none());
    moments.fault = match (undated, fault) {
        (Some(gap), _) => Known::Open(gap),
        (None, Some(fault)) => Known::Is(Some(fault)),
        (None, None) => anchors.first_failure.clone(),
    };
    truths.extend(later.iter().map(|test| ask(test, facts, &moments)));
    let level = level_of(rule, &truths, facts);
    Evaluation {
        hold: hold(rule, &truths, facts),
        level,
        truths,
        fault,
    }
}

/// The level of a rule whose tests came to these truths, when what rests on stale values alone is not enough to confirm it.
fn level_of(rule: &Rule, truths: &[Truth], facts: &FactSet) -> Level {
    let found = by_role(rule, truths);
    if found < Level::Confirmed {
        return found;
    }
    let fresh: Vec<Truth> = truths
        .iter()
        .map(|truth| without_stale(truth, facts))
        .collect();
    if by_role(rule, &fresh) == Level::Confirmed {
        found
    } else {
        Level::Likely
    }
}

fn by_role(rule: &Rule, truths: &[Truth]) -> Level {
    let of = |role| -> Vec<Truth> {
        let places = rule
            .tests
            .iter()
            .zip(truths)
            .filter(|(test, _)| test.role == role);
        places.map(|(_, truth)| truth.clone()).collect()
    };
    level(
        &of(TestRole::Require),
        &of(TestRole::Decisive),
        &of(TestRole::Support),
        &of(TestRole::Exclude),
    )
}

/// The truth without what rests on stale facts alone, or on a single doubtful one: damage makes one record another, but not several
/// the same.
fn without_stale(truth: &Truth, facts: &FactSet) -> Truth {
    let found: Vec<&Fact> = truth.facts().iter().map(|id| facts.fact(*id)).collect();
    if truth.is_true()
        && let [
            Fact {
                doubtful: Some(gap),
                ..
            },
        ] = found.as_slice()
    {
        return Truth::unknown(vec![*gap]);
    }
    let gaps: Vec<GapId> = found.iter().filter_map(|fact| fact.stale).collect();
    if !gaps.is_empty() && gaps.len() == truth.facts().len() {
        Truth::unknown(gaps)
    } else {
        truth.clone()
    }
}

/// Whether the tests themselves make a finding contributing or latent.
fn hold(rule: &Rule, truths: &[Truth], facts: &FactSet) -> Hold {
    let of = |role| {
        let places = rule.tests.iter().zip(truths);
        places.filter(move |(test, _)| test.role == role)
    };
    let decided: Vec<(&Test, &Truth)> = of(TestRole::Decisive)
        .filter(|(_, truth)| truth.is_true())
        .collect();
    let contributing = |test: &Test| test.standing == Some(TestStanding::Contributing);
    let latent = |test: &Test| test.standing == Some(TestStanding::Latent);
    let only_contributing = !decided.is_empty()
        && decided.iter().all(|(test, _)| test.standing.is_some())
        && decided.iter().any(|(test, _)| contributing(test));
    if rule.standing == Standing::Contributing || only_contributing {
        return Hold::Contributing;
    }
    let unmet: Vec<&Test> = of(TestRole::Require)
        .filter(|(_, truth)| !truth.is_true())
        .map(|(test, _)| test)
        .collect();
    let hidden = match unmet.as_slice() {
        [] => false,
        [only] => latent(only) && of(TestRole::Require).any(|(_, truth)| truth.is_false()),
        _ => return Hold::Active,
    };
    if decided.is_empty() || (!unmet.is_empty() && !hidden) {
        return Hold::Active;
    }
    let excluded: Vec<&Test> = of(TestRole::Exclude)
        .filter(|(_, truth)| truth.is_true())
        .map(|(test, _)| test)
        .collect();
    if excluded.iter().any(|test| !test.kind.about_connections()) {
        return Hold::Active;
    }
    let only_latent = decided.iter().all(|(test, _)| latent(test));
    let pending = decided
        .iter()
        .all(|(_, truth)| awaits_restart(truth, facts));
    if hidden || !excluded.is_empty() || only_latent || pending {
        Hold::Latent
    } else {
        Hold::Active
    }
}

/// Whether a test is true only of what takes effect at the next restart: kinds that can tell have a field `pending_restart`.
fn awaits_restart(truth: &Truth, facts: &FactSet) -> bool {
    let pending = |id: &FactId| facts.fact(*id).is("pending_restart", true);
    !truth.facts().is_empty() && truth.facts().iter().all(pending)
}

#[cfg(test)]
mod tests;
