//! Cases: made-up facts, and what a rule must come to on them.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use toml::Spanned;

use super::error::Reporter;
use super::eval::{Evaluation, Hold, evaluate, level_of};
use super::level::Level;
use super::load::{field, kind, word};
use super::matcher::value;
use super::model::{Rule, TestRole};
use super::raw;
use crate::facts::catalog::connection::State;
use crate::facts::catalog::{self, Field, Kind, Nature};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::incident::{Anchor, Anchors, ConnectionState};
use crate::facts::known::Known;
use crate::facts::value::{FieldState, FieldType, Value, choice};

/// Made-up facts, and what a rule must come to on them. Every kind that is not given is covered and absent, but those that are
/// missing.
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

/// The moments of a case.
#[derive(Debug, Clone)]
pub struct CaseAnchors {
    state: ConnectionState,
    last_success: Moment,
    first_failure: Moment,
    incident: Moment,
    last_boot: Moment,
    service_start: Moment,
    as_of: Moment,
    oldest: Moment,
}

/// One moment of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(Timestamp),
    None,
    Open,
}

/// One made-up fact.
#[derive(Debug, Clone)]
pub struct Given {
    kind: &'static Kind,
    at: Option<Timestamp>,
    fields: Vec<(&'static str, Option<FieldState>)>,
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
    if let Some(gap) = case.gap {
        let named = evaluation.truths.iter().flat_map(|truth| truth.gaps());
        let mut abouts: Vec<&str> = named.map(|id| facts.gaps.gap(*id).about.as_str()).collect();
        if !abouts.contains(&gap.name) {
            abouts.sort_unstable();
            abouts.dedup();
            failures.push(format!(
                "expected gap {}, found: {}",
                gap.name,
                abouts.join(", ")
            ));
        }
    }
    CaseResult {
        evaluation,
        failures,
    }
}

fn explained(truth: &super::truth::Truth, facts: &FactSet) -> String {
    use super::truth::Truth;
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
    let runs: Vec<(FactSet, Evaluation)> = rule
        .cases
        .iter()
        .map(|case| {
            let mut facts = case.facts();
            let evaluation = evaluate(rule, &mut facts);
            (facts, evaluation)
        })
        .collect();
    let mut needless = Vec::new();
    for place in 0..rule.tests.len() {
        let mut less = rule.clone();
        let dropped = less.tests.remove(place);
        let matters = runs.iter().any(|(facts, whole)| {
            // What a require or decisive says of the time of the fault is lost with it.
            let level = if matches!(dropped.role, TestRole::Require | TestRole::Decisive) {
                evaluate(&less, &mut facts.clone()).level
            } else {
                let mut truths = whole.truths.clone();
                truths.remove(place);
                level_of(&less, &truths, facts)
            };
            level != whole.level
        });
        if !matters {
            needless.push(rule.tests[place].name.as_str());
        }
    }
    needless
}

impl Case {
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
            } else {
                facts.vouch(kind);
            }
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
            facts.add_fields(given.kind, given.at, fields.collect(), vec![source]);
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
            };
            facts.add(None, state, vec![source]);
        }
        facts
    }
}

fn missing_gap(gaps: &mut Gaps, kind: &Kind) -> GapId {
    gaps.record(Gap {
        about: kind.name.to_owned(),
        why: "the case leaves it open".to_owned(),
        obtain: String::new(),
    })
}

impl CaseAnchors {
    fn build(&self, gap: GapId) -> Anchors {
        let optional = |moment: Moment| match moment {
            Moment::At(at) => Known::Is(Some(at)),
            Moment::None => Known::Is(None),
            Moment::Open => Known::Open(gap),
        };
        let known = |moment: Moment| match moment {
            Moment::At(at) => Known::Is(at),
            Moment::None | Moment::Open => Known::Open(gap),
        };
        let plain = |moment: Moment| match moment {
            Moment::At(at) => Some(at),
            Moment::None | Moment::Open => None,
        };
        Anchors {
            state: self.state,
            last_success: optional(self.last_success),
            first_failure: optional(self.first_failure),
            incident: plain(self.incident),
            last_boot: known(self.last_boot),
            service_start: known(self.service_start),
            as_of: plain(self.as_of),
            oldest: plain(self.oldest),
            gap,
        }
    }
}

/// The moments that a case's own times are measured from: those of its anchors, and what they would be where it has none.
struct Clock {
    last_success: Timestamp,
    first_failure: Timestamp,
    incident: Timestamp,
    last_boot: Timestamp,
    service_start: Timestamp,
    as_of: Timestamp,
}

impl Clock {
    fn at(&self, anchor: Anchor) -> Timestamp {
        match anchor {
            Anchor::LastSuccess => self.last_success,
            Anchor::FirstFailure | Anchor::Fault => self.first_failure,
            Anchor::Incident => self.incident,
            Anchor::LastBoot => self.last_boot,
            Anchor::ServiceStart => self.service_start,
            Anchor::AsOf => self.as_of,
        }
    }
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
        anchors,
        given: given.into_iter().collect::<Option<_>>()?,
        span: raw.name.span(),
    })
}

/// The moments of a case. Unless it says otherwise, people get in until 08:00 on a Monday, fail from ten minutes later, and the
/// collection ends an hour after that; Windows and the service were started a day before, the logs go back thirty days.
fn anchors(raw: &raw::Case, report: &mut Reporter<'_>) -> Option<(CaseAnchors, Clock)> {
    const WORDS: [&str; 8] = [
        "state",
        "last_success",
        "first_failure",
        "incident",
        "last_boot",
        "service_start",
        "as_of",
        "oldest",
    ];
    for name in raw.anchors.keys() {
        if !WORDS.contains(&name.get_ref().as_str()) {
            report.unknown(&name.span(), "anchor", name.get_ref(), WORDS);
            return None;
        }
    }
    let state = match raw.anchors.get("state") {
        None => ConnectionState::Failing,
        Some(toml) => {
            let text = toml.get_ref().as_str().unwrap_or_default().to_owned();
            let given = Spanned::new(toml.span(), text);
            word(
                &given,
                "state",
                ConnectionState::ALL,
                ConnectionState::word,
                report,
            )?
        }
    };
    let base: Timestamp = "2026-03-02T08:00:00Z".parse().ok()?;
    let mut clock = Clock {
        last_success: base,
        first_failure: later(base, 10),
        incident: later(base, 10),
        last_boot: later(base, -24 * 60),
        service_start: later(base, -24 * 60),
        as_of: later(base, 70),
    };
    let mut told = |name: &str, clock: &Clock| -> Option<Option<Moment>> {
        let Some(toml) = raw.anchors.get(name) else {
            return Some(None);
        };
        match toml.get_ref().as_str() {
            Some("none") => return Some(Some(Moment::None)),
            Some("?") => return Some(Some(Moment::Open)),
            _ => {}
        }
        moment(toml, clock, report).map(|at| Some(Moment::At(at)))
    };
    let at = |told: Option<Moment>| match told {
        Some(Moment::At(at)) => Some(at),
        _ => None,
    };
    // Each is read with those before it in place; what is not told moves along with what is.
    let last_success = told("last_success", &clock)?;
    if let Some(moment) = at(last_success) {
        clock = moved(moment);
    }
    let first_failure = told("first_failure", &clock)?;
    if let Some(moment) = at(first_failure) {
        let kept = at(last_success);
        clock = moved(later(moment, -10));
        clock.last_success = kept.unwrap_or(clock.last_success);
    }
    let as_of = told("as_of", &clock)?;
    if let Some(moment) = at(as_of) {
        if last_success.is_none()
            && first_failure.is_none()
            && moment < later(clock.first_failure, 60)
        {
            clock = moved(later(moment, -70));
        }
        clock.as_of = moment;
    }
    let locked_out = match state {
        ConnectionState::Failing | ConnectionState::Mixed => Moment::At(clock.first_failure),
        ConnectionState::Unseen => Moment::Open,
        ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => {
            Moment::None
        }
    };
    let first_failure = first_failure.unwrap_or(locked_out);
    clock.incident = match first_failure {
        Moment::At(moment) => moment,
        Moment::None | Moment::Open => clock.as_of,
    };
    let incident = told("incident", &clock)?;
    clock.incident = at(incident).unwrap_or(clock.incident);
    let last_boot = told("last_boot", &clock)?;
    clock.last_boot = at(last_boot).unwrap_or(clock.last_boot);
    let service_start = told("service_start", &clock)?;
    clock.service_start = at(service_start).unwrap_or(clock.last_boot);
    let oldest = told("oldest", &clock)?;
    let seen = match state {
        ConnectionState::Unseen => Moment::Open,
        _ => Moment::At(clock.last_success),
    };
    let anchors = CaseAnchors {
        state,
        last_success: last_success.unwrap_or(seen),
        first_failure,
        incident: incident.unwrap_or(Moment::At(clock.incident)),
        last_boot: last_boot.unwrap_or(Moment::At(clock.last_boot)),
        service_start: service_start.unwrap_or(Moment::At(clock.service_start)),
        as_of: as_of.unwrap_or(Moment::At(clock.as_of)),
        oldest: oldest.unwrap_or(Moment::At(later(clock.last_success, -30 * 24 * 60))),
    };
    Some((anchors, clock))
}

/// The usual moments around another last success.
fn moved(last_success: Timestamp) -> Clock {
    Clock {
        last_success,
        first_failure: later(last_success, 10),
        incident: later(last_success, 10),
        last_boot: later(last_success, -24 * 60),
        service_start: later(last_success, -24 * 60),
        as_of: later(last_success, 70),
    }
}

fn later(from: Timestamp, minutes: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_mins(minutes))
        .unwrap_or(from)
}

/// Reads a moment: RFC 3339, an anchor, or an anchor with a distance such as `first_failure + 5 min`.
fn moment(
    toml: &Spanned<toml::Value>,
    clock: &Clock,
    report: &mut Reporter<'_>,
) -> Option<Timestamp> {
    let text = match toml.get_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(time) => time.to_string(),
        _ => String::new(),
    };
    let found = text.parse().ok().or_else(|| measured(&text, clock));
    if found.is_none() {
        report.wrong_because(
            &toml.span(),
            "this is no moment",
            Some(
                "write \"2026-03-02T08:00:00Z\", \"first_failure\" or \"first_failure + 5 min\""
                    .to_owned(),
            ),
        );
    }
    found
}

fn measured(text: &str, clock: &Clock) -> Option<Timestamp> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let anchor = Anchor::ALL
        .iter()
        .copied()
        .find(|anchor| anchor.word() == name)?;
    let from = clock.at(anchor);
    let Some(sign) = words.next() else {
        return Some(from);
    };
    let amount: i64 = words
        .next()?
        .parse()
        .ok()
        .filter(|amount| (0..=10_000_000).contains(amount))?;
    let unit = words.next()?;
    let seconds = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    let distance = SignedDuration::from_secs(amount.checked_mul(seconds)?);
    match (sign, words.next()) {
        ("+", None) => from.checked_add(distance).ok(),
        ("-", None) => from.checked_sub(distance).ok(),
        _ => None,
    }
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
    let mut told = Vec::new();
    for (name, toml) in raw
        .iter()
        .filter(|(name, _)| !matches!(name.get_ref().as_str(), "fact" | "at"))
    {
        let field = field(kind, name, report)?;
        told.push((field.name, state(field, toml, clock, report)?));
    }
    let fields = kind.fields.iter().map(|field| {
        let state = told
            .iter()
            .find(|(name, _)| *name == field.name)
            .map(|(_, state)| state.clone());
        let unsaid = match field.ty {
            FieldType::Bool => FieldState::Is(Value::Bool(false)),
            _ => FieldState::Nothing,
        };
        (field.name, state.unwrap_or(Some(unsaid)))
    });
    Some(Given {
        kind,
        at,
        fields: fields.collect(),
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
