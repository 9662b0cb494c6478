//! When a damaged collection says something wrong, measured by what the whole one says.
//!
//! The verdict may sink in level or move to something that the whole collection's own cause explains, or that it finds to explain
//! that cause. It never confirms or makes likely what the whole collection does not, and never turns a broken machine healthy or a
//! healthy one broken. That holds of everything the tool stands for: the verdict, what is independent of it, its consequences. A
//! support is no verdict: where what told the kinds of a fault apart is lost, kinds that were ruled out may be named again, by a
//! support alone, as candidates of the symptom or beside the cause that is confirmed.

use std::collections::BTreeSet;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Level, Status};

use super::verdict::{Said, explained_by};

/// What the verdict may move to: what the sample's cause explains, what the whole sample finds to explain that cause, and the second
/// cause of a sample that has two.
pub fn bearable(whole: &Said, rules: &RuleSet) -> BTreeSet<String> {
    let Some(cause) = &whole.cause else {
        return BTreeSet::new();
    };
    let deeper = whole
        .levels
        .iter()
        .filter(|(id, (level, role))| {
            *level >= Level::Likely && (role == "Also" || explained_by(rules, id).contains(cause))
        })
        .map(|(id, _)| id.clone());
    explained_by(rules, cause)
        .into_iter()
        .chain(deeper)
        .collect()
}

/// Whether a rule is no more than one of the kinds of a fault that the whole sample shows as well: what decided between them is
/// lost, nothing decides for this one, and it is a candidate of the symptom, or named beside what is confirmed of the same fault.
fn is_candidate(cause: &str, role: &str, whole: &Said, damaged: &Said, rules: &RuleSet) -> bool {
    let explained = explained_by(rules, cause);
    let of_the_same = explained
        .iter()
        .any(|symptom| whole.level(symptom) >= Level::Likely);
    let beside = || {
        damaged.levels.iter().any(|(id, (level, _))| {
            *level == Level::Confirmed
                && (explained.contains(id) || !explained_by(rules, id).is_disjoint(&explained))
        })
    };
    let named_only = match role {
        "Candidate" => true,
        "None" => beside(),
        _ => false,
    };
    named_only && !damaged.decided.contains(cause) && of_the_same
}

/// What a damaged collection says that the whole one does not bear.
pub fn wrong(
    whole: &Said,
    damaged: &Said,
    bearable: &BTreeSet<String>,
    rules: &RuleSet,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (cause, (level, role)) in &damaged.levels {
        let rose = *level >= Level::Likely && *level > whole.level(cause);
        if rose && !is_candidate(cause, role, whole, damaged, rules) {
            wrong.push(format!(
                "{cause} is {level:?}, and {:?} on the whole sample",
                whole.level(cause)
            ));
        }
    }
    match &damaged.cause {
        // Statuses go from the surest on.
        Some(cause) if Some(cause) == whole.cause.as_ref() && damaged.status < whole.status => {
            wrong.push(format!("the verdict rose to {:?}", damaged.status));
        }
        Some(cause) if Some(cause) == whole.cause.as_ref() => {}
        Some(cause) if !bearable.contains(cause) => {
            wrong.push(format!("the verdict became {cause}, {:?}", damaged.status));
        }
        Some(_) => {}
        None if damaged.status == Status::Healthy && whole.status != Status::Healthy => {
            wrong.push("the verdict became healthy".to_owned());
        }
        None => {}
    }
    wrong
}
