//! Rules for people to read: a line of `rules list`, and what a test asks, in words.

use std::fmt::Write;

use serde::Serialize;

use super::matcher::Matcher;
use super::model::{Rule, Test, TestWindow};
use super::needs::{names, needs};
use crate::facts::value::Value;

/// One line of `rules list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The rule's id.
    pub id: String,
    /// Its family.
    pub family: String,
    /// Cause, symptom or contributing.
    pub standing: String,
    /// One line; placeholders as they stand in the file.
    pub title: String,
    /// The ids of what it explains.
    pub explains: Vec<String>,
    /// What has to be collected for it to be decided: the names of logs, hives and listings.
    pub needs: Vec<String>,
}

/// One line of `rules list`.
#[must_use]
pub fn listed(rule: &Rule) -> Listed {
    Listed {
        id: rule.id.clone(),
        family: rule.family.to_string(),
        standing: rule.standing.to_string(),
        title: rule.title.to_string(),
        explains: rule.explains.clone(),
        needs: names(&needs(rule)).into_iter().map(str::to_owned).collect(),
    }
}

/// What a test asks, in one line.
#[must_use]
pub fn question(test: &Test) -> String {
    let conditions = test
        .conditions
        .iter()
        .map(|condition| operator(condition.field.name, &condition.matcher));
    let mut text = test.kind.name.to_owned();
    let conditions: Vec<String> = conditions.collect();
    if !conditions.is_empty() {
        let _ = write!(text, " where {}", conditions.join(", "));
    }
    match test.window {
        TestWindow::Usual => {}
        TestWindow::All => text.push_str("; at any time"),
        TestWindow::Within(anchor, reach) => {
            let _ = write!(text, "; within {} min of {anchor}", reach.as_mins());
        }
        TestWindow::Between { after, before } => {
            for (word, anchor) in [("after", after), ("before", before)] {
                if let Some(anchor) = anchor {
                    let _ = write!(text, "; {word} {anchor}");
                }
            }
        }
    }
    match (test.count.min, test.count.max) {
        (1, None) => {}
        (_, Some(0)) => text.push_str("; none"),
        (min, None) => {
            let _ = write!(text, "; {min} or more");
        }
        (min, Some(max)) => {
            let _ = write!(text, "; {min} to {max}");
        }
    }
    text
}

fn operator(field: &str, matcher: &Matcher) -> String {
    let list = |values: &[Value]| {
        values
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" or ")
    };
    match matcher {
        Matcher::Equals(Value::Bool(true)) => field.to_owned(),
        Matcher::Equals(Value::Bool(false)) => format!("not {field}"),
        Matcher::Equals(value) => format!("{field} = {value}"),
        Matcher::AnyOf(values) => format!("{field} = {}", list(values)),
        Matcher::Not(inner) => format!("not ({})", operator(field, inner)),
        Matcher::Between { min, max } => match (min, max) {
            (Some(min), Some(max)) => format!("{field} from {min} to {max}"),
            (Some(min), None) => format!("{field} at least {min}"),
            (None, Some(max)) => format!("{field} at most {max}"),
            (None, None) => field.to_owned(),
        },
        Matcher::Contains(part) => format!("{field} contains \"{part}\""),
        Matcher::Matches(pattern) => format!("{field} is like \"{pattern}\""),
        Matcher::Before(anchor) => format!("{field} before {anchor}"),
        Matcher::After(anchor) => format!("{field} after {anchor}"),
    }
}
