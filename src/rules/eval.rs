//! Asks a rule's tests of a host's facts, in three values.

use jiff::{SignedDuration, Timestamp};

use super::level::{Level, level};
use super::matcher::{Condition, Matcher, Moments};
use super::model::{Rule, Standing, Test, TestRole, TestStanding, TestWindow};
use super::truth::{Refutation, Truth};
use crate::facts::catalog::{Absence, Nature};
use crate::facts::coverage::Window;
use crate::facts::fact::{Fact, FactId, FactSet};
use crate::facts::gap::GapId;
use crate::facts::incident::{Anchor, Anchors, ConnectionState};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};

/// What one rule comes to on one host.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// What each test comes to, in the order of the rule's tests.
    pub truths: Vec<Truth>,
    /// How sure.
    pub level: Level,
    /// What kind of finding its tests make it, before what it explains is looked at.
    pub hold: Hold,
    /// When the fault took effect: the newest time among its true requires and decisives. None where none of these has one.
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
    let fault = truths
        .iter()
        .filter(|truth| truth.is_true())
        .flat_map(Truth::facts)
        .filter_map(|id| facts.fact(*id).at)
        .max();
    moments.fault = match fault {
        Some(fault) => Known::Is(Some(fault)),
        None => anchors.first_failure.clone(),
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
#[must_use]
pub fn level_of(rule: &Rule, truths: &[Truth], facts: &FactSet) -> Level {
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

/// The truth without what rests on stale facts alone.
fn without_stale(truth: &Truth, facts: &FactSet) -> Truth {
    let gaps: Vec<GapId> = truth
        .facts()
        .iter()
        .filter_map(|id| facts.fact(*id).stale)
        .collect();
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
    let pending = |id: &FactId| {
        facts.fact(*id).field("pending_restart") == Some(&FieldState::Is(Value::Bool(true)))
    };
    !truth.facts().is_empty() && truth.facts().iter().all(pending)
}

/// Asks one test.
#[must_use]
pub fn ask(test: &Test, facts: &mut FactSet, moments: &Moments<'_>) -> Truth {
    let asked = match asked_window(test, moments) {
        Ok(asked) => asked,
        Err(gap) => return without_a_time(test, facts, moments.anchors, gap),
    };
    let mut chosen: Vec<FactId> = Vec::new();
    let mut perhaps: Vec<GapId> = Vec::new();
    let mut possible = 0_usize;
    let mut refused: Vec<(usize, FactId)> = Vec::new();
    for fact in facts.of_kind(test.kind) {
        let (placed, unmet) = place(test, fact, &asked, moments);
        match placed {
            Known::Is(true) => chosen.push(fact.id),
            Known::Is(false) => refused.push((unmet, fact.id)),
            Known::Open(_) => {
                possible += 1;
                perhaps.extend(open_gaps(test, fact, &asked, moments));
            }
        }
    }
    let Test { count, .. } = test;
    if chosen.len() >= count.min && count.max.is_none() {
        return Truth::True(chosen);
    }
    if count.max.is_some_and(|max| chosen.len() > max) {
        return Truth::False(Refutation::Contradicted(chosen));
    }
    let subjects = subjects(test);
    let all = proves_the_rest(
        test,
        facts,
        &subjects,
        &asked,
        refused.len() + chosen.len() + possible,
    );
    let most = chosen.len() + possible;
    match all {
        Ok(()) if most < count.min => Truth::False(refutation(test, refused, chosen, subjects)),
        Ok(()) if chosen.len() >= count.min && count.max.is_none_or(|max| most <= max) => {
            Truth::True(chosen)
        }
        Ok(()) => Truth::unknown(perhaps),
        Err(gaps) => {
            perhaps.extend(gaps);
            Truth::unknown(perhaps)
        }
    }
}

/// Whether there are no such facts but those that were found.
fn proves_the_rest(
    test: &Test,
    facts: &mut FactSet,
    subjects: &[Subject],
    asked: &Window,
    found: usize,
) -> Result<(), Vec<GapId>> {
    match test.kind.absence {
        // The fact is always there: what is there decides.
        Absence::Never(_) if found > 0 || facts.vouches(test.kind) => Ok(()),
        Absence::Never(subject) => match facts.proves_absence(test.kind, subjects, asked) {
            Err(gaps) => Err(gaps),
            Ok(()) => {
                Err(vec![facts.gaps.open(
                    subject,
                    format!("it does not tell {}", test.kind.name),
                )])
            }
        },
        Absence::All(_) | Absence::By(..) => facts.proves_absence(test.kind, subjects, asked),
    }
}

/// A refutation says by which facts, where a state stands otherwise: those that come nearest to what was asked.
fn refutation(
    test: &Test,
    refused: Vec<(usize, FactId)>,
    chosen: Vec<FactId>,
    subjects: Vec<Subject>,
) -> Refutation {
    if !chosen.is_empty() {
        return Refutation::Contradicted(chosen);
    }
    let nearest = refused.iter().map(|(unmet, _)| *unmet).min();
    let conditions = test.conditions.len();
    match nearest {
        Some(unmet)
            if test.kind.nature == Nature::State && (unmet < conditions || refused.len() == 1) =>
        {
            let near = refused.into_iter().filter(|(each, _)| *each == unmet);
            Refutation::Contradicted(near.map(|(_, id)| id).collect())
        }
        _ => Refutation::Absent(subjects),
    }
}

/// Whether the fact is one that the test selects, and how many of the conditions it does not meet.
fn place(test: &Test, fact: &Fact, asked: &Window, moments: &Moments<'_>) -> (Known<bool>, usize) {
    let mut whole = timely(test, fact, asked, moments.anchors.gap);
    let mut unmet = 0;
    for condition in &test.conditions {
        let answer = meets(condition, fact, moments);
        if answer == Known::Is(false) {
            unmet += 1;
        }
        whole = whole.and(answer);
    }
    (whole, unmet)
}

fn open_gaps<'a>(
    test: &'a Test,
    fact: &'a Fact,
    asked: &Window,
    moments: &'a Moments<'_>,
) -> impl Iterator<Item = GapId> + 'a {
    let time = timely(test, fact, asked, moments.anchors.gap).gap();
    let fields = test
        .conditions
        .iter()
        .filter_map(|each| meets(each, fact, moments).gap());
    time.into_iter().chain(fields)
}

fn meets(condition: &Condition, fact: &Fact, moments: &Moments<'_>) -> Known<bool> {
    match fact.field(condition.field.name) {
        Some(state) => condition.matcher.ask(state, moments),
        None => Known::Open(moments.anchors.gap),
    }
}

/// Whether a fact lies in the time that is asked about. A state is asked as it stands unless the test names a time.
fn timely(test: &Test, fact: &Fact, asked: &Window, gap: GapId) -> Known<bool> {
    match fact.at {
        _ if stands_as_it_is(test) => Known::Is(true),
        Some(at) => Known::Is(asked.holds(at)),
        None => Known::Open(gap),
    }
}

fn stands_as_it_is(test: &Test) -> bool {
    test.kind.nature == Nature::State && matches!(test.window, TestWindow::Usual | TestWindow::All)
}

/// The time that a test asks about.
///
/// # Errors
/// The gap that leaves it open.
fn asked_window(test: &Test, moments: &Moments<'_>) -> Result<Window, GapId> {
    let anchors = moments.anchors;
    let end = anchors.as_of;
    let tick = SignedDuration::from_nanos(1);
    let since = |anchor| match moments.at(anchor) {
        Known::Is(Some(moment)) => Ok(moment.checked_add(tick).ok()),
        Known::Is(None) => Ok(anchors.oldest),
        Known::Open(gap) => Err(gap),
    };
    let until = |anchor| match moments.at(anchor) {
        Known::Is(Some(moment)) => Ok(moment),
        Known::Is(None) => Err(anchors.gap),
        Known::Open(gap) => Err(gap),
    };
    match test.window {
        _ if stands_as_it_is(test) => Ok(Window::ALWAYS),
        // Where the last success is not known, neither is what came before it: all of it is asked about.
        TestWindow::Usual => Ok(Window {
            from: since(Anchor::LastSuccess).unwrap_or(anchors.oldest),
            to: end,
        }),
        TestWindow::All => Ok(Window {
            from: anchors.oldest,
            to: end,
        }),
        TestWindow::Within(anchor, reach) => {
            let middle = until(anchor)?;
            let last = middle.checked_add(reach).ok();
            let to = match (last, end) {
                (Some(last), Some(end)) => Some(last.min(end.max(middle))),
                (one, other) => one.or(other),
            };
            Ok(Window {
                from: middle.checked_sub(reach).ok(),
                to,
            })
        }
        TestWindow::Between { after, before } => {
            let from = after.map(since).transpose()?.unwrap_or(anchors.oldest);
            let to = before.map(until).transpose()?;
            let to = to.map(|moment| moment.checked_sub(tick).unwrap_or(moment));
            Ok(Window {
                from,
                to: to.or(end),
            })
        }
    }
}

/// What a test comes to whose anchor is not known. Only a success after the fault asks how people fare instead.
fn without_a_time(test: &Test, facts: &FactSet, anchors: &Anchors, gap: GapId) -> Truth {
    let after_fault = matches!(
        test.window,
        TestWindow::Between {
            after: Some(Anchor::Fault),
            before: None
        }
    );
    if !(after_fault && test.kind.success()) {
        return Truth::unknown(vec![gap]);
    }
    let state = || {
        let kind = crate::facts::catalog::connection::State::KIND;
        facts.of_kind(kind).map(|fact| fact.id).collect()
    };
    match anchors.state {
        ConnectionState::Succeeding | ConnectionState::Dropping => Truth::True(state()),
        ConnectionState::Unseen => Truth::unknown(vec![gap]),
        ConnectionState::Mixed | ConnectionState::Failing | ConnectionState::Silent => {
            Truth::False(Refutation::Contradicted(state()))
        }
    }
}

/// The subjects that would show such a fact.
fn subjects(test: &Test) -> Vec<Subject> {
    match test.kind.absence {
        Absence::All(subjects) => subjects.to_vec(),
        Absence::Never(subject) => vec![subject],
        Absence::By(field, table) => {
            let asked = test
                .conditions
                .iter()
                .find(|condition| condition.field.name == field);
            let words: Option<Vec<&Value>> = asked.and_then(|condition| match &condition.matcher {
                Matcher::Equals(value) => Some(vec![value]),
                Matcher::AnyOf(values) => Some(values.iter().collect()),
                _ => None,
            });
            let asks = |word: &str| match &words {
                Some(words) => words
                    .iter()
                    .any(|value| matches!(value, Value::Text(text) if text == word)),
                None => true,
            };
            let mut found: Vec<Subject> = table
                .iter()
                .filter(|(word, _)| asks(word))
                .flat_map(|(_, subjects)| subjects.iter().copied())
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        }
    }
}
