//! What a code, an event or a rule means, for people or for programs.

use super::{TextOptions, json, text};
use crate::explain::Explained;
use crate::rules::model::Rule;

/// The answers for people. The text carries terminal styles, which whoever prints it keeps or strips.
#[must_use]
pub fn explanation_text(explained: &Explained, options: &TextOptions) -> Vec<u8> {
    text::explanation(explained, options).into_bytes()
}

/// The answers for programs.
#[must_use]
pub fn explanation_json(explained: &Explained) -> Vec<u8> {
    json::pretty(explained)
}

/// A rule in full, for people: its tests, what it needs, its repair.
#[must_use]
pub fn rule_text(rule: &Rule, options: &TextOptions) -> Vec<u8> {
    text::rule(rule, options).into_bytes()
}
