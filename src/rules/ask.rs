//! Asks one test of a host's facts: true, false or unknown.

use jiff::SignedDuration;

use super::matcher::{Condition, Matcher, Moments};
use super::model::{Test, TestWindow};
use super::truth::{Refutation, Truth};
use crate::facts::catalog::connection::State;
use crate::facts::catalog::{Absence, Nature};
use crate::facts::coverage::Window;
use crate::facts::fact::{Fact, FactId, FactSet};
use crate::facts::gap::GapId;
use crate::facts::incident::{Anchor, Anchors, ConnectionState};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::Value;

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
        let kind = State::KIND;
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
pub(super) fn subjects(test: &Test) -> Vec<Subject> {
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
