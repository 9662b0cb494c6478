//! The repair of a finding, with this machine's own values: first what group policy would write again, then the rule's steps, then
//! the same for a disk that cannot start.

use super::model::Fix;
use super::rank::Judged;
use crate::facts::catalog::host::HostIdentity;
use crate::facts::catalog::policy::{PolicyExtension, PolicyObject, PolicyValue};
use crate::facts::fact::{Fact, FactId, FactSet};
use crate::facts::policy;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};
use crate::rules::command::{self, Command, Write};
use crate::rules::model::FixStep;
use crate::rules::template::Template;
use crate::rules::truth::Truth;

/// The steps that apply here, in their order.
pub(super) fn steps(found: &Judged<'_>, facts: &FactSet) -> Vec<Fix> {
    let evidence = found.evaluation.evidence();
    let is_true = |place: usize| {
        let truth = found.evaluation.truths.get(place);
        truth.is_some_and(Truth::is_true)
    };
    let fixes = found.rule.fixes.iter();
    let applying = fixes.filter(|fix| fix.when.is_none_or(is_true));
    let own: Vec<Fix> = applying.map(|fix| step(fix, facts, &evidence)).collect();
    let from_outside = offline(&own, facts);
    let first = policy_first(&own, facts);
    first.into_iter().chain(own).chain(from_outside).collect()
}

/// A step of a rule. A command that wants a value which the evidence does not have is no command: the step then says what it
/// wants.
fn step(fix: &FixStep, facts: &FactSet, evidence: &[FactId]) -> Fix {
    let filled = |text: &Template| {
        let whole = text.open(facts, evidence).is_none();
        whole.then(|| text.fill(facts, evidence))
    };
    let wanting = fix.run.as_ref().and_then(|run| run.open(facts, evidence));
    let mut step = fix.step.fill(facts, evidence);
    if let Some(wanted) = wanting {
        let (kind, field) = (wanted.kind.name, wanted.field);
        step.push_str(&format!(
            " (the command takes {kind}.{field}, which this collection does not tell)"
        ));
    }
    Fix {
        step,
        run: fix.run.as_ref().and_then(filled),
        risk: fix.risk.as_ref().and_then(filled),
        rollback: fix.rollback.as_ref().and_then(filled),
        verify: fix.verify.as_ref().and_then(filled),
    }
}

/// The step before all others where group policy sets, or may set, what the repair writes.
fn policy_first(fixes: &[Fix], facts: &FactSet) -> Option<Fix> {
    let runs: Vec<&str> = fixes.iter().filter_map(|fix| fix.run.as_deref()).collect();
    let writes: Vec<Write> = runs
        .iter()
        .flat_map(|run| command::commands(run))
        .filter_map(|command| match command {
            Command::Write(write) => Some(write),
            _ => None,
        })
        .collect();
    let set: Vec<Set> = facts
        .of_kind(PolicyValue::KIND)
        .filter(|fact| {
            texts(fact, "over")
                .iter()
                .any(|over| is_written(over, &writes, &runs))
        })
        .filter_map(Set::of)
        .collect();
    if !set.is_empty() {
        return Some(change_policy(&set));
    }
    if facts.covered(Subject::SoftwareHive).is_empty() {
        let unseen = unseen(&writes, &runs);
        if !unseen.is_empty() {
            return Some(look_for_policy(&unseen));
        }
    }
    let objects: Vec<String> = facts
        .of_kind(PolicyObject::KIND)
        .filter(|fact| text(fact, "extension").is_some_and(|by| can_write(&by, &writes, &runs)))
        .filter_map(|fact| text(fact, "object"))
        .collect();
    (!objects.is_empty()).then(|| look_in_objects(objects))
}

/// The policies that could stand over what the repair writes; one of those that each profile of the firewall has.
fn unseen(writes: &[Write], runs: &[&str]) -> Vec<Set> {
    let mut unseen: Vec<Set> = policy::all()
        .filter(|policy| {
            let mut over = policy.over.iter();
            over.any(|over| is_written(over, writes, runs))
        })
        .map(|policy| Set {
            policy: policy.name.to_owned(),
            place: policy.place,
            says: None,
        })
        .collect();
    unseen.dedup_by(|one, other| one.policy == other.policy);
    unseen
}

/// A policy, and what it is set to where that is known.
struct Set {
    policy: String,
    place: String,
    says: Option<String>,
}

impl Set {
    fn of(fact: &Fact) -> Option<Set> {
        Some(Set {
            policy: text(fact, "policy")?,
            place: text(fact, "place")?,
            says: text(fact, "says"),
        })
    }

    fn told(&self) -> String {
        match &self.says {
            Some(says) => format!("'{}' ({} = {says})", self.policy, self.place),
            None => format!("'{}' ({})", self.policy, self.place),
        }
    }
}

const RESULT: &str = "gpresult /scope computer /h gpresult.html";

/// The command that shows which object sets these.
fn shows(set: &[Set]) -> String {
    let queries = set
        .iter()
        .filter_map(|set| set.place.rsplit_once('\\'))
        .map(|(key, value)| format!(" & reg query \"{key}\" /v {value}"));
    format!("{RESULT}{}", queries.collect::<String>())
}

fn told(set: &[Set]) -> String {
    set.iter().map(Set::told).collect::<Vec<_>>().join(", ")
}

fn change_policy(set: &[Set]) -> Fix {
    Fix {
        step: format!(
            "First change the group policy that sets this, for it would be set again: {}. gpresult names its object; a value that no object \
             sets was written by hand, and is changed here",
            told(set)
        ),
        run: Some(shows(set)),
        risk: Some("none: it only reads; whom else the object concerns is seen in it".to_owned()),
        rollback: None,
        verify: Some(
            "After gpupdate /target:computer /force the value is gone, or says what it should."
                .to_owned(),
        ),
    }
}

fn look_for_policy(set: &[Set]) -> Fix {
    Fix {
        step: format!(
            "First see whether group policy sets this, for it would come before the machine's own setting and be written again: {}. \
             The SOFTWARE hive would tell, and was not collected whole",
            told(set)
        ),
        run: Some(shows(set)),
        risk: Some("none: it only reads".to_owned()),
        rollback: None,
        verify: Some("The value is not there; else it is changed in its policy first.".to_owned()),
    }
}

fn look_in_objects(mut objects: Vec<String>) -> Fix {
    objects.sort();
    objects.dedup();
    Fix {
        step: format!(
            "First see whether a group policy object writes this, for then it comes back. Those applied to this machine that can: {}",
            objects.join(", ")
        ),
        run: Some(RESULT.to_owned()),
        risk: Some("none: it only reads".to_owned()),
        rollback: None,
        verify: Some(
            "gpresult.html does not show the setting; else it is changed there first.".to_owned(),
        ),
    }
}

/// Whether the repair writes what a policy stands over: a registry value, or by way of a command.
fn is_written(over: &str, writes: &[Write], runs: &[&str]) -> bool {
    if !over.starts_with("HKLM\\") {
        return runs.iter().any(|run| run.contains(over));
    }
    writes.iter().any(|write| match &write.value {
        Some(_) => write.place().eq_ignore_ascii_case(over),
        None => over
            .rsplit_once('\\')
            .is_some_and(|(key, _)| key.eq_ignore_ascii_case(&write.key)),
    })
}

/// Whether that part of group policy can write what the repair writes.
fn can_write(extension: &str, writes: &[Write], runs: &[&str]) -> bool {
    let is = |part: PolicyExtension| part.to_string() == extension;
    let services = writes.iter().any(Write::is_of_a_service);
    if is(PolicyExtension::RegistryPreferences) {
        writes.iter().any(|write| !write.is_of_a_service())
    } else if is(PolicyExtension::ServicePreferences) {
        services
    } else {
        services || runs.iter().any(|run| run.contains("secedit /configure"))
    }
}

/// The writes of all steps for a disk that another Windows reads.
fn offline(fixes: &[Fix], facts: &FactSet) -> Option<Fix> {
    let identity = facts.of_kind(HostIdentity::KIND).next();
    let in_use = identity.and_then(|fact| text(fact, "control_set"));
    let set = match &in_use {
        Some(set) => format!("{set} is its control set in use"),
        None => {
            "ControlSet001 stands for the control set that Current below Select names".to_owned()
        }
    };
    let runs = fixes.iter().filter_map(|fix| fix.run.as_deref());
    let told = command::offline(runs, in_use.as_deref().unwrap_or("ControlSet001"))?;
    Some(Fix {
        step: format!(
            "Or, where Windows does not start: the same registry values on its disk, attached to another machine as F: ({set})"
        ),
        run: Some(told.run),
        risk: Some("low: the hives are copied first; unlock BitLocker before".to_owned()),
        rollback: Some(told.undo),
        verify: fixes.iter().rev().find_map(|fix| fix.verify.clone()),
    })
}

fn text(fact: &Fact, field: &str) -> Option<String> {
    match fact.field(field) {
        Some(FieldState::Is(value)) => Some(value.to_string()),
        _ => None,
    }
}

fn texts(fact: &Fact, field: &str) -> Vec<String> {
    match fact.field(field) {
        Some(FieldState::Is(Value::List(values))) => {
            values.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
