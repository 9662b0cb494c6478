//! What has to be collected for a rule to be decided.

use std::collections::BTreeSet;

use super::matcher::Matcher;
use super::model::{Rule, Test, TestRole};
use crate::facts::catalog::Absence;
use crate::facts::subject::Subject;
use crate::facts::value::Value;

/// The logs, hives and listings that a rule's requires and decisives are answered from.
#[must_use]
pub fn needs(rule: &Rule) -> BTreeSet<Subject> {
    let deciding = [TestRole::Require, TestRole::Decisive];
    let tests = rule
        .tests
        .iter()
        .filter(|test| deciding.contains(&test.role));
    tests.flat_map(subjects).collect()
}

/// What a test's facts come from: what would prove that there are none.
fn subjects(test: &Test) -> Vec<Subject> {
    match &test.kind.absence {
        Absence::All(subjects) => subjects.to_vec(),
        Absence::Never(subject) => vec![*subject],
        Absence::By(field, subjects) => {
            let asked = test
                .conditions
                .iter()
                .find(|condition| condition.field.name == *field)
                .and_then(|condition| match &condition.matcher {
                    Matcher::Equals(Value::Text(word)) => Some(word.as_str()),
                    _ => None,
                });
            subjects
                .iter()
                .filter(|(word, _)| asked.is_none_or(|asked| asked == *word))
                .flat_map(|(_, subjects)| subjects.iter().copied())
                .collect()
        }
    }
}

/// The names of these subjects, each once: several of them may be the same file.
#[must_use]
pub fn names(subjects: &BTreeSet<Subject>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for subject in subjects {
        if !names.contains(&subject.name()) {
            names.push(subject.name());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[test]
    fn a_rule_needs_what_its_facts_come_from() {
        let rules = RuleSet::builtin().expect("the built-in rules");
        let of = |id: &str| names(&needs(rules.rule(id).expect("a rule")));
        assert_eq!(of("termservice-disabled"), ["SYSTEM hive"]);
        let policy = of("tls-suite-policy-unusable");
        assert!(
            policy.contains(&"SYSTEM hive") && policy.contains(&"SOFTWARE hive"),
            "{policy:?}"
        );
        for rule in rules.rules() {
            assert!(!needs(rule).is_empty(), "{}", rule.id);
        }
    }
}
