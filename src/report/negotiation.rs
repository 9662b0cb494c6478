//! What TLS would come to, for people or for programs.

use super::{TextOptions, json, text};
use crate::verdict::model::NegotiationOutput;

/// How a negotiation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NegotiationFormat {
    /// The screen, with terminal styles, which whoever prints it keeps or strips.
    Text,
    /// JSON, for programs.
    Json,
}

/// The negotiation in this format.
#[must_use]
pub fn negotiation(
    said: &NegotiationOutput,
    format: NegotiationFormat,
    options: &TextOptions,
) -> Vec<u8> {
    match format {
        NegotiationFormat::Json => json::pretty(said),
        NegotiationFormat::Text => text::negotiation(said, options).into_bytes(),
    }
}
