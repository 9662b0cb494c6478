//! A collection told as a case: the facts that decide one rule, nothing else, and nothing that names anybody.

use std::collections::BTreeSet;
use std::fmt;
use std::mem::{Discriminant, discriminant};

use super::{Case, CaseAnchors, Given};
use crate::facts::catalog::Kind;
use crate::facts::catalog::connection::State;
use crate::facts::coverage::Window;
use crate::facts::fact::{Fact, FactSet};
use crate::facts::redact::Redactor;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};
use crate::rules::ask::subjects;
use crate::rules::eval::{Evaluation, Hold, evaluate};
use crate::rules::level::Level;
use crate::rules::model::Rule;
use crate::rules::truth::Truth;

/// The field that says whether a setting waits for a restart, which makes a finding latent whether a test asks for it or not.
const PENDING: &str = "pending_restart";

/// What must stay the same while a case is made smaller.
type Outcome = (Level, Hold, Vec<Discriminant<Truth>>);

/// The case that a host's facts are for a rule: the rule comes to the same level on it, by the same tests. It holds no more facts
/// and fields than that takes; what names a machine, a person or an address is replaced.
#[must_use]
pub fn case_of(rule: &Rule, facts: &FactSet, redactor: &mut Redactor) -> Case {
    let evaluation = evaluate(rule, &mut facts.clone());
    let wanted = outcome(&evaluation);
    let open = not_proved(rule, &evaluation);
    let case = Case {
        name: format!("as collected: {}", evaluation.level),
        expect: evaluation.level,
        role: None,
        missing: Vec::new(),
        gap: None,
        covered: None,
        anchors: CaseAnchors::of(&facts.anchors),
        given: given(rule, facts, &evaluation, redactor),
        span: 0..0,
    };
    let same = |case: &Case| outcome(&evaluate(rule, &mut case.facts())) == wanted;
    // Most collections can be told by the kinds that are missing; the others need what is covered of which time.
    let simple = Case {
        missing: open.clone(),
        ..case.clone()
    };
    let faithful = match same(&simple) {
        true => simple,
        false => Case {
            covered: Some(covered(rule, facts)),
            ..case
        },
    };
    let mut case = smaller(faithful, same);
    if case.expect == Level::Undetermined {
        let mut facts = case.facts();
        let evaluation = evaluate(rule, &mut facts);
        let kinds = open.into_iter().chain([State::KIND]);
        case.gap = kinds
            .into_iter()
            .find(|kind| case.lacks(kind, &evaluation, &facts));
    }
    case
}

fn outcome(evaluation: &Evaluation) -> Outcome {
    let truths = evaluation.truths.iter().map(discriminant);
    (evaluation.level, evaluation.hold, truths.collect())
}

/// Kinds whose absence some test could not prove.
fn not_proved(rule: &Rule, evaluation: &Evaluation) -> Vec<&'static Kind> {
    let mut kinds: Vec<&'static Kind> = rule
        .tests
        .iter()
        .zip(&evaluation.truths)
        .filter(|(_, truth)| matches!(truth, Truth::Unknown(_)))
        .map(|(test, _)| test.kind)
        .collect();
    kinds.sort_by_key(|kind| kind.name);
    kinds.dedup_by_key(|kind| kind.name);
    kinds
}

/// What was collected of the subjects that the rule asks about.
fn covered(rule: &Rule, facts: &FactSet) -> Vec<(Subject, Window)> {
    let asked: BTreeSet<_> = rule.tests.iter().flat_map(subjects).collect();
    asked
        .into_iter()
        .flat_map(|subject| {
            let windows = facts.covered(subject);
            windows.into_iter().map(move |window| (subject, window))
        })
        .collect()
}

/// The facts of the kinds that the rule asks for, with the fields that it asks for.
fn given(
    rule: &Rule,
    facts: &FactSet,
    evaluation: &Evaluation,
    redactor: &mut Redactor,
) -> Vec<Given> {
    let cited: BTreeSet<_> = evaluation.truths.iter().flat_map(Truth::facts).collect();
    let asked: BTreeSet<&str> = rule.tests.iter().map(|test| test.kind.name).collect();
    let mut chosen: Vec<&Fact> = facts
        .facts()
        .iter()
        .filter(|fact| asked.contains(fact.kind.name))
        .collect();
    // What no test rests on goes first when the case is made smaller.
    chosen.sort_by_key(|fact| cited.contains(&fact.id));
    let fields: BTreeSet<(&str, &str)> = rule
        .tests
        .iter()
        .flat_map(|test| {
            let conditions = test.conditions.iter();
            conditions.map(|condition| (test.kind.name, condition.field.name))
        })
        .collect();
    chosen
        .into_iter()
        .map(|fact| {
            let told =
                |name: &&'static str| *name == PENDING || fields.contains(&(fact.kind.name, *name));
            let known = fact.fields.iter().filter(|(name, _)| told(name));
            Given {
                kind: fact.kind,
                at: fact.at,
                fields: fact
                    .kind
                    .fields
                    .iter()
                    .map(|field| {
                        let state = known.clone().find(|(name, _)| *name == field.name);
                        let told = state.map(|(_, state)| redacted(state, redactor));
                        (field.name, told.unwrap_or_else(|| Some(field.unsaid())))
                    })
                    .collect(),
                stale: fact.stale.is_some(),
            }
        })
        .collect()
}

/// What is known of a field, without names; none where it is open.
fn redacted(state: &FieldState, redactor: &mut Redactor) -> Option<FieldState> {
    fn value(of: &Value, redactor: &mut Redactor) -> Value {
        match of {
            Value::Text(text) => Value::Text(redactor.text(text)),
            Value::List(list) => {
                Value::List(list.iter().map(|each| value(each, redactor)).collect())
            }
            Value::Bool(_) | Value::Number(_) | Value::Code(_) | Value::Time(_) => of.clone(),
        }
    }
    match state {
        FieldState::Is(known) => Some(FieldState::Is(value(known, redactor))),
        FieldState::Nothing => Some(FieldState::Nothing),
        FieldState::Open(_) => None,
    }
}

/// Leaves out whatever facts can be left out, halves first.
fn smaller(mut case: Case, same: impl Fn(&Case) -> bool) -> Case {
    let mut size = case.given.len();
    while size > 0 {
        let mut at = 0;
        while at < case.given.len() {
            let mut less = case.clone();
            less.given.drain(at..case.given.len().min(at + size));
            if same(&less) {
                case = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    case.given
        .sort_by(|one, other| (one.kind.name, one.at).cmp(&(other.kind.name, other.at)));
    case
}

/// The case as it stands in a rule's file.
impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "[[case]]")?;
        writeln!(formatter, "name = {}", quoted(&self.name))?;
        writeln!(formatter, "expect = {}", quoted(&self.expect.to_string()))?;
        if let Some(role) = self.role {
            writeln!(formatter, "role = {}", quoted(role.word()))?;
        }
        if !self.missing.is_empty() {
            let names: Vec<String> = self.missing.iter().map(|kind| quoted(kind.name)).collect();
            writeln!(formatter, "missing = [{}]", names.join(", "))?;
        }
        if let Some(gap) = self.gap {
            writeln!(formatter, "gap = {}", quoted(gap.name))?;
        }
        if let Some(covered) = &self.covered {
            writeln!(formatter, "covered = [")?;
            for (subject, window) in covered {
                let mut fields = vec![format!("subject = {}", quoted(subject.word()))];
                let ends = [("from", window.from), ("to", window.to)];
                for (name, time) in ends {
                    fields
                        .extend(time.map(|time| format!("{name} = {}", quoted(&time.to_string()))));
                }
                writeln!(formatter, "  {{ {} }},", fields.join(", "))?;
            }
            writeln!(formatter, "]")?;
        }
        let moments: Vec<String> = self
            .anchors
            .written()
            .into_iter()
            .map(|(name, moment)| format!("{name} = {}", quoted(&moment)))
            .collect();
        writeln!(formatter, "anchors = {{ {} }}", moments.join(", "))?;
        writeln!(formatter, "given = [")?;
        for given in &self.given {
            writeln!(formatter, "  {{ {} }},", given.written().join(", "))?;
        }
        writeln!(formatter, "]")
    }
}

impl Given {
    fn written(&self) -> Vec<String> {
        let mut fields = vec![format!("fact = {}", quoted(self.kind.name))];
        fields.extend(
            self.at
                .map(|at| format!("at = {}", quoted(&at.to_string()))),
        );
        if self.stale {
            fields.push("stale = true".to_owned());
        }
        for (name, state) in &self.fields {
            let unsaid = self.kind.field(name).map(|field| field.unsaid());
            let value = match state {
                state if *state == unsaid => continue,
                None => quoted("?"),
                Some(FieldState::Is(value)) => written(value),
                // Only a yes or no has a value when nothing is said of it, and none is without one.
                Some(FieldState::Nothing | FieldState::Open(_)) => continue,
            };
            fields.push(format!("{name} = {value}"));
        }
        fields
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(written).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Code(_) | Value::Text(_) | Value::Time(_) => quoted(&value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
