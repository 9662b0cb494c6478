//! Checks a set of rules as a whole: ids, what explains what, and whether each rule carries its cases.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::{Place, RuleError, nearest};
use super::level::Level;
use super::load::Loaded;

/// Ids that stand twice among rules of one origin.
pub(super) fn duplicates(rules: &[Loaded]) -> Vec<RuleError> {
    let mut seen: BTreeMap<&str, &Loaded> = BTreeMap::new();
    let mut errors = Vec::new();
    for loaded in rules {
        if let Some(first) = seen.insert(&loaded.rule.id, loaded) {
            let message = format!(
                "`{}` is already the id of the rule in {}",
                loaded.rule.id, first.file
            );
            errors.push(wrong(loaded, &loaded.id_span, message, None));
        }
    }
    errors
}

/// Ids in `explains` that no rule has, and circles of rules that explain one another.
pub(super) fn explanations(rules: &BTreeMap<String, Loaded>) -> Vec<RuleError> {
    let mut errors = Vec::new();
    for loaded in rules.values() {
        for (id, span) in loaded.rule.explains.iter().zip(&loaded.explains_spans) {
            if !rules.contains_key(id) {
                let near = nearest(id, rules.keys().map(String::as_str));
                let help = near.map(|near| format!("did you mean `{near}`?"));
                errors.push(wrong(
                    loaded,
                    span,
                    format!("no rule has the id `{id}`"),
                    help,
                ));
            } else if let Some(circle) = path(rules, id, &loaded.rule.id) {
                // Told once, at the first of its rules by name.
                if circle.iter().all(|each| *each >= loaded.rule.id.as_str()) {
                    let message = format!(
                        "rules explain one another in a circle: {} → {}",
                        loaded.rule.id,
                        circle.join(" → ")
                    );
                    errors.push(wrong(loaded, span, message, None));
                }
            }
        }
    }
    errors
}

/// How one rule explains another, if it does: the ids from the one to the other.
fn path<'a>(rules: &'a BTreeMap<String, Loaded>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut came: BTreeMap<&str, Option<&str>> = BTreeMap::from([(from, None)]);
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == to {
            let mut way = vec![id];
            let mut at = id;
            while let Some(Some(before)) = came.get(at) {
                way.push(before);
                at = before;
            }
            way.reverse();
            return Some(way);
        }
        for next in rules
            .get(id)
            .into_iter()
            .flat_map(|loaded| &loaded.rule.explains)
        {
            if !came.contains_key(next.as_str()) {
                came.insert(next, Some(id));
                open.push(next);
            }
        }
    }
    None
}

/// Rules that do not carry one case each of confirmed, ruled-out and undetermined, the last with its gap.
pub(super) fn cases(loaded: &Loaded) -> Vec<RuleError> {
    let mut errors = Vec::new();
    for level in [Level::Confirmed, Level::RuledOut, Level::Undetermined] {
        if !loaded.rule.cases.iter().any(|case| case.expect == level) {
            let message = format!("no case of this rule expects `{level}`");
            errors.push(wrong(loaded, &loaded.id_span, message, None));
        }
    }
    for case in &loaded.rule.cases {
        if case.expect == Level::Undetermined && case.gap.is_none() {
            let help = Some("add gap = \"the kind of fact that is missing\"".to_owned());
            let message = format!("the case \"{}\" does not name its gap", case.name);
            errors.push(wrong(loaded, &case.span, message, help));
        }
    }
    errors
}

fn wrong(loaded: &Loaded, span: &Range<usize>, message: String, help: Option<String>) -> RuleError {
    RuleError {
        file: loaded.file.clone(),
        message,
        help,
        place: Some(Place::of(&loaded.text, span)),
    }
}
