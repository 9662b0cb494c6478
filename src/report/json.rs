//! JSON: the whole report in the stable shape of [`Output`].

use super::escape::in_json;
use crate::verdict::model::{CollectionOutput, Output, Report, SCHEMA_VERSION, Tool};

/// The reports, indented, with a line end.
pub(super) fn render(reports: &[Report]) -> Vec<u8> {
    pretty(&output(reports))
}

/// A line for each report; each line is the document that [`render`] would give for that report alone.
pub(super) fn lines(reports: &[Report]) -> Vec<u8> {
    reports
        .iter()
        .flat_map(|report| line(&output(std::slice::from_ref(report))))
        .collect()
}

/// A line for a collection of many, with the path that it was given by; the rest is what `render` would give for it.
#[must_use]
pub fn collection_line(path: &str, reports: &[Report]) -> Vec<u8> {
    line(&CollectionOutput {
        path: path.to_owned(),
        error: None,
        output: output(reports),
    })
}

/// A line for a collection that nothing could be read of.
#[must_use]
pub fn unreadable_collection_line(path: &str, why: &str) -> Vec<u8> {
    line(&CollectionOutput {
        path: path.to_owned(),
        error: Some(why.to_owned()),
        output: output(&[]),
    })
}

fn output(reports: &[Report]) -> Output<&[Report]> {
    Output {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        reports,
    }
}

/// Any of our own values, on a line. What of a stranger's text would act on a terminal is written out.
pub(super) fn line(value: &impl serde::Serialize) -> Vec<u8> {
    finished(serde_json::to_string(value))
}

/// The same, indented.
pub(super) fn pretty(value: &impl serde::Serialize) -> Vec<u8> {
    finished(serde_json::to_string_pretty(value))
}

fn finished(document: serde_json::Result<String>) -> Vec<u8> {
    let document = document.expect("maps with text keys and plain values always serialize");
    let mut shown = in_json(&document);
    shown.push('\n');
    shown.into_bytes()
}
