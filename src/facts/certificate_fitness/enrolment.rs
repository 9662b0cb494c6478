//! Enrolment for the template that a policy names.

use jiff::Timestamp;

use crate::facts::catalog::certificate::{ChosenBy, Enrolment, ListenerCertificate, Renewal};
use crate::facts::certificate::{self, Choice};
use crate::facts::coverage::Window;
use crate::facts::credential::is_event;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::FieldState;

use super::Bearing;

/// A certificate of the template was installed.
const INSTALLED: i64 = 1063;
/// It could not be installed; it has ended and could not be replaced.
const NOT_INSTALLED: i64 = 1064;
const NOT_REPLACED: i64 = 1065;

/// Adds `certificate.enrolment`; none where neither SOFTWARE nor an event tells of a template.
pub(super) fn add_fact(bearing: &Bearing<'_>, facts: &mut FactSet) {
    let template = certificate::policy_template(bearing.registry, &mut facts.gaps);
    let last = |events: &[i64], facts: &FactSet| {
        facts
            .of_kind(Renewal::KIND)
            .filter(|renewal| is_event(renewal, events))
            .max_by_key(|renewal| (renewal.at, renewal.id))
            .map(|renewal| (renewal.at, renewal.id))
    };
    let installed = last(&[INSTALLED], facts);
    let stands = |failure: Option<(Option<Timestamp>, FactId)>| {
        failure.filter(|(at, _)| installed.is_none_or(|(installed, _)| *at > installed))
    };
    let failure = stands(last(&[NOT_INSTALLED, NOT_REPLACED], facts));
    let not_replaced = stands(last(&[NOT_REPLACED], facts));
    let mut sources: Vec<Source> = template.source.clone().into_iter().collect();
    if let Some((_, failure)) = failure {
        sources.push(Source::Derived(vec![failure]));
    }
    if sources.is_empty() {
        return;
    }
    let named = template.value.map(|name| {
        let name = name.map(|name| name.trim().to_owned());
        name.filter(|name| !name.is_empty())
    });
    let failing = match failure {
        Some((at, _)) => {
            let seen = to_the_end(at, facts);
            named.as_ref().map(Option::is_some).and(seen)
        }
        None if named == Known::Is(None) => Known::Is(false),
        None => to_the_end(facts.anchors.oldest, facts).and_then(|_| Known::Is(false)),
    };
    let in_use = match bearing.choice {
        Choice::Certificate(chosen) => chosen.chosen_by == ChosenBy::Template,
        Choice::None(_) | Choice::Unknown(_) => false,
    };
    let ended = facts
        .of_kind(ListenerCertificate::KIND)
        .any(|fact| fact.is("ended", true));
    let open =
        facts
            .of_kind(ListenerCertificate::KIND)
            .find_map(|fact| match fact.field("ended") {
                Some(FieldState::Open(gap)) => Some(*gap),
                _ => None,
            });
    let ended = match (not_replaced.is_some() && in_use, ended, open) {
        (false, ..) => Known::Is(false),
        (true, true, _) => failing.clone(),
        (true, false, Some(gap)) => Known::Open(gap),
        (true, false, None) => Known::Is(false),
    };
    let body = Enrolment {
        template: named,
        failing,
        ended,
    };
    facts.add(failure.and_then(|(at, _)| at), body, sources);
}

/// Known to be so where the System log reaches from that time to the end, so that a later success would stand in it.
fn to_the_end(from: Option<Timestamp>, facts: &mut FactSet) -> Known<bool> {
    let asked = Window {
        from,
        to: facts.anchors.as_of,
    };
    match facts.subject_covers(Subject::SystemLog, &asked) {
        Ok(()) => Known::Is(true),
        Err(gap) => Known::Open(gap),
    }
}
