//! Cases: made-up facts, and what a rule must come to on them.

use std::ops::Range;

use jiff::Timestamp;
use toml::Spanned;

use super::error::Reporter;
use super::eval::{Evaluation, Hold, evaluate};
use super::level::Level;
use super::load::{field, kind, word};
use super::matcher::value;
use super::model::Rule;
use super::raw;
use super::truth::Truth;
use crate::facts::catalog::connection::State;
use crate::facts::catalog::{self, Absence, Field, Kind, Nature};
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, FieldType, Value, choice};

mod moments;
mod told;

pub use moments::CaseAnchors;
use moments::{Clock, anchors, moment};
pub use told::case_of;

/// Made-up facts, and what a rule must come to on them. Every kind that is not given is covered and absent, but those that are
/// missing; a case that says what is `covered` proves an absence only by that, as a collection does.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The level it must come to.
    pub expect: Level,
    /// What kind of finding it must be, where the case says.
    pub role: Option<CaseRole>,
    /// Kinds of which not everything was collected.
    pub missing: Vec<&'static Kind>,
    /// The kind that must be named among what leaves the rule open.
    pub gap: Option<&'static Kind>,
    /// What was collected of which time, where the case says so.
    pub covered: Option<Vec<(Subject, Window)>>,
    /// The moments.
    pub anchors: CaseAnchors,
    /// The facts.
    pub given: Vec<Given>,
    pub(super) span: Range<usize>,
}

choice! {
    /// What kind of finding a case must be, before what it explains is looked at.
    CaseRole {
        /// It may be the verdict.
        Active = "active",
        /// It never is.
        Contributing = "contributing",
        /// It does no harm yet.
        Latent = "latent",
    }
}

/// One made-up fact.
#[derive(Debug, Clone)]
pub struct Given {
    kind: &'static Kind,
    at: Option<Timestamp>,
    fields: Vec<(&'static str, Option<FieldState>)>,
    /// It stands in a dirty hive whose transaction logs were not collected.
    stale: bool,
}

/// What came of one case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// What the rule came to.
    pub evaluation: Evaluation,
    /// What it should have come to and did not; empty when the case holds.
    pub failures: Vec<String>,
}

/// Runs a case of a rule.
#[must_use]
pub fn run(rule: &Rule, case: &Case) -> CaseResult {
    let mut facts = case.facts();
    let evaluation = evaluate(rule, &mut facts);
    let mut failures = Vec::new();
    if evaluation.level != case.expect {
        let mut message = format!("expected {}, found {}", case.expect, evaluation.level);
        for (test, truth) in rule.tests.iter().zip(&evaluation.truths) {
            message.push_str(&format!(
                "\n  {} \"{}\": {}",
                test.role,
                test.name,
                explained(truth, &facts)
            ));
        }
        failures.push(message);
    }
    let found = match evaluation.hold {
        Hold::Active => CaseRole::Active,
        Hold::Contributing => CaseRole::Contributing,
        Hold::Latent => CaseRole::Latent,
    };
    if let Some(expected) = case.role.filter(|expected| *expected != found) {
        failures.push(format!("expected role {expected}, found {found}"));
    }
    if let Some(gap) = case.gap
        && !case.lacks(gap, &evaluation, &facts)
    {
        let mut abouts: Vec<&str> = abouts(&evaluation, &facts).collect();
        abouts.sort_unstable();
        abouts.dedup();
        failures.push(format!(
            "expected gap {}, found: {}",
            gap.name,
            abouts.join(", ")
        ));
    }
    CaseResult {
        evaluation,
        failures,
    }
}

/// What the gaps are about that leave a rule open.
fn abouts<'f>(evaluation: &'f Evaluation, facts: &'f FactSet) -> impl Iterator<Item = &'f str> {
    let gaps = evaluation.truths.iter().flat_map(|truth| truth.gaps());
    gaps.map(|id| facts.gaps.gap(*id).about.as_str())
}

fn explained(truth: &Truth, facts: &FactSet) -> String {
    match truth {
        Truth::True(_) => "true".to_owned(),
        Truth::False(_) => "false".to_owned(),
        Truth::Unknown(gaps) => {
            let abouts: Vec<&str> = gaps
                .iter()
                .map(|id| facts.gaps.gap(*id).about.as_str())
                .collect();
            format!("unknown ({})", abouts.join(", "))
        }
    }
}

/// Tests of a rule that no case needs: dropping one of them changes the level of none.
#[must_use]
pub fn needless_tests(rule: &Rule) -> Vec<&str> {
    let level_on = |rule: &Rule, case: &Case| evaluate(rule, &mut case.facts()).level;
    let levels: Vec<Level> = rule.cases.iter().map(|case| level_on(rule, case)).collect();
    let needed = |place: usize| {
        let mut less = rule.clone();
        less.tests.remove(place);
        let cases = rule.cases.iter().zip(&levels);
        cases
            .into_iter()
            .any(|(case, level)| level_on(&less, case) != *level)
    };
    let places = rule.tests.iter().enumerate();
    places
        .filter(|(place, _)| !needed(*place))
        .map(|(_, test)| test.name.as_str())
        .collect()
}

impl Case {
    /// Whether a kind is among what leaves the rule open. Where the case says what is covered, what lacks is one of the kind's
    /// subjects.
    fn lacks(&self, kind: &Kind, evaluation: &Evaluation, facts: &FactSet) -> bool {
        let subjects: Vec<Subject> = match kind.absence {
            _ if self.covered.is_none() => Vec::new(),
            Absence::All(subjects) => subjects.to_vec(),
            Absence::By(_, table) => table
                .iter()
                .flat_map(|(_, subjects)| *subjects)
                .copied()
                .collect(),
            Absence::Never(subject) => vec![subject],
        };
        abouts(evaluation, facts).any(|about| {
            about == kind.name || subjects.iter().any(|subject| subject.name() == about)
        })
    }

    /// The facts of the case.
    #[must_use]
    pub fn facts(&self) -> FactSet {
        let mut gaps = Gaps::default();
        let gap = missing_gap(&mut gaps, State::KIND);
        let anchors = self.anchors.build(gap);
        let mut facts = FactSet::new(gaps, anchors);
        for kind in catalog::KINDS.iter().copied() {
            if self.missing.iter().any(|missing| missing.name == kind.name) {
                let gap = missing_gap(&mut facts.gaps, kind);
                facts.miss(kind, gap);
            } else if self.covered.is_none() {
                facts.vouch(kind);
            }
        }
        for (subject, window) in self.covered.iter().flatten() {
            facts.cover(*subject, Coverage::Whole(*window));
        }
        for (index, given) in self.given.iter().enumerate() {
            let gap = missing_gap(&mut facts.gaps, given.kind);
            let fields = given
                .fields
                .iter()
                .map(|(name, state)| (*name, state.clone().unwrap_or(FieldState::Open(gap))));
            let line = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
            let source = Source::Line {
                artifact: self.name.clone(),
                line,
            };
            let id = facts.add_fields(given.kind, given.at, fields.collect(), vec![source]);
            if given.stale {
                facts.mark_stale(id, gap);
            }
        }
        let told = |kind: &Kind| {
            self.given.iter().any(|given| given.kind.name == kind.name)
                || self.missing.iter().any(|missing| missing.name == kind.name)
        };
        if !told(State::KIND) {
            let source = Source::Line {
                artifact: self.name.clone(),
                line: 0,
            };
            let state = State {
                state: self.anchors.state,
                stage: None,
                clients: 1,
                strangers: 0,
                prevented: match self.anchors.state.prevents() {
                    Some(prevented) => Known::Is(prevented),
                    None => Known::Open(missing_gap(&mut facts.gaps, State::KIND)),
                },
                without_session: match self.anchors.state.prevents() {
                    Some(_) => Known::Is(false),
                    None => Known::Open(missing_gap(&mut facts.gaps, State::KIND)),
                },
                unseen: None,
            };
            facts.add(None, state, vec![source]);
        }
        facts
    }
}

impl Field {
    /// What a case means that says nothing of the field.
    fn unsaid(&self) -> FieldState {
        match self.ty {
            FieldType::Bool => FieldState::Is(Value::Bool(false)),
            _ => FieldState::Nothing,
        }
    }
}

fn missing_gap(gaps: &mut Gaps, kind: &Kind) -> GapId {
    gaps.record(Gap {
        about: kind.name.to_owned(),
        why: "the case leaves it open".to_owned(),
        obtain: String::new(),
    })
}

/// Reads a case.
pub(super) fn read(raw: &raw::Case, report: &mut Reporter<'_>) -> Option<Case> {
    let role = match &raw.role {
        None => Some(None),
        Some(given) => word(given, "role", CaseRole::ALL, CaseRole::word, report).map(Some),
    };
    let missing: Vec<Option<&'static Kind>> =
        raw.missing.iter().map(|name| kind(name, report)).collect();
    let gap = match &raw.gap {
        None => Some(None),
        Some(name) => kind(name, report).map(Some),
    };
    let (anchors, clock) = anchors(raw, report)?;
    let covered = match &raw.covered {
        None => Some(None),
        Some(windows) => windows
            .iter()
            .map(|window| covered(window, &clock, report))
            .collect::<Option<Vec<_>>>()
            .map(Some),
    };
    let given: Vec<Option<Given>> = raw
        .given
        .iter()
        .map(|fields| self::given(fields, &raw.name, &clock, report))
        .collect();
    Some(Case {
        name: raw.name.get_ref().clone(),
        expect: raw.expect,
        role: role?,
        missing: missing.into_iter().collect::<Option<_>>()?,
        gap: gap?,
        covered: covered?,
        anchors,
        given: given.into_iter().collect::<Option<_>>()?,
        span: raw.name.span(),
    })
}

fn covered(
    raw: &raw::Covered,
    clock: &Clock,
    report: &mut Reporter<'_>,
) -> Option<(Subject, Window)> {
    let subject = word(&raw.subject, "subject", Subject::ALL, Subject::word, report)?;
    let mut end = |toml: &Option<Spanned<toml::Value>>| match toml {
        None => Some(None),
        Some(toml) => moment(toml, clock, report).map(Some),
    };
    let (from, to) = (end(&raw.from)?, end(&raw.to)?);
    Some((subject, Window { from, to }))
}

fn given(
    raw: &raw::Fields,
    case: &Spanned<String>,
    clock: &Clock,
    report: &mut Reporter<'_>,
) -> Option<Given> {
    let Some(name) = raw.get("fact") else {
        report.wrong(
            &case.span(),
            "a fact of this case does not say which `fact` it is",
        );
        return None;
    };
    let name = Spanned::new(
        name.span(),
        name.get_ref().as_str().unwrap_or_default().to_owned(),
    );
    let kind = kind(&name, report)?;
    let at = match raw.get("at") {
        Some(toml) => Some(moment(toml, clock, report)?),
        // An event always has a time; one that is not said happened when people began to fail.
        None => (kind.nature == Nature::Event).then_some(clock.first_failure),
    };
    let stale = match raw.get("stale").map(|toml| (toml.span(), toml.get_ref())) {
        None => false,
        Some((_, toml::Value::Boolean(stale))) => *stale,
        Some((span, _)) => {
            report.wrong(&span, "`stale` is true or false");
            return None;
        }
    };
    let mut told = Vec::new();
    for (name, toml) in raw
        .iter()
        .filter(|(name, _)| !matches!(name.get_ref().as_str(), "fact" | "at" | "stale"))
    {
        let field = field(kind, name, report)?;
        told.push((field.name, state(field, toml, clock, report)?));
    }
    let fields = kind.fields.iter().map(|field| {
        let state = told
            .iter()
            .find(|(name, _)| *name == field.name)
            .map(|(_, state)| state.clone());
        (field.name, state.unwrap_or(Some(field.unsaid())))
    });
    Some(Given {
        kind,
        at,
        fields: fields.collect(),
        stale,
    })
}

/// What a case says of one field; none where it leaves it open.
fn state(
    field: &Field,
    toml: &Spanned<toml::Value>,
    clock: &Clock,
    report: &mut Reporter<'_>,
) -> Option<Option<FieldState>> {
    let found = match (field.ty, toml.get_ref()) {
        (_, toml::Value::String(text)) if text == "?" => return Some(None),
        (FieldType::Time, _) => {
            return moment(toml, clock, report).map(|at| Some(FieldState::Is(Value::Time(at))));
        }
        (FieldType::Texts, toml::Value::Array(list)) => list
            .iter()
            .map(|each| value(field.ty, each))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (FieldType::Texts, _) => Err(("this takes a list of texts".to_owned(), None)),
        (ty, one) => value(ty, one),
    };
    match found {
        Ok(value) => Some(Some(FieldState::Is(value))),
        Err((message, help)) => {
            report.wrong_because(&toml.span(), format!("`{}`: {message}", field.name), help);
            None
        }
    }
}
