//! What well-known attempts at a repair left behind: never the verdict, and worth taking back whatever it is.

use serde_json::Value;

use crate::verdict::model::{FactEntry, Report};

/// The kind of facts that say so.
const KIND: &str = "repair.residue";
/// The heading above them, and a remark.
pub(super) const HEADING: &str = "Left behind";
pub(super) const REMARK: &str = "by earlier attempts at a repair; no cause by itself";

/// What was left, and how to take it back where that is one command.
pub(super) fn found(report: &Report) -> impl Iterator<Item = (&str, Option<&str>)> {
    report
        .facts
        .iter()
        .filter(|fact| fact.kind == KIND)
        .map(|fact| (text(fact, "says").unwrap_or_default(), text(fact, "undo")))
}

/// The same, with what kind of thing each is.
pub(super) fn rows(report: &Report) -> Vec<(String, String)> {
    report
        .facts
        .iter()
        .filter(|fact| fact.kind == KIND)
        .map(|fact| {
            let says = text(fact, "says").unwrap_or_default();
            let says = match text(fact, "undo") {
                Some(undo) => format!("{says}. To take it back: {undo}"),
                None => says.to_owned(),
            };
            (text(fact, "left").unwrap_or_default().to_owned(), says)
        })
        .collect()
}

fn text<'f>(fact: &'f FactEntry, field: &str) -> Option<&'f str> {
    fact.fields.get(field).and_then(Value::as_str)
}
