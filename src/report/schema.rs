//! The JSON Schema of the JSON report.

use super::json;
use crate::verdict::model::Output;

/// The JSON Schema (2020-12) of what [`super::Format::Json`] writes.
#[must_use]
pub fn schema() -> Vec<u8> {
    json::pretty(&schemars::schema_for!(Output))
}
