//! What TLS would come to, for people or for programs.

use super::{TextOptions, json, text};
use crate::verdict::model::NegotiationOutput;

/// The negotiation for people. The text carries terminal styles, which whoever prints it keeps or strips.
#[must_use]
pub fn negotiation_text(said: &NegotiationOutput, options: &TextOptions) -> Vec<u8> {
    text::negotiation(said, options).into_bytes()
}

/// The negotiation for programs.
#[must_use]
pub fn negotiation_json(said: &NegotiationOutput) -> Vec<u8> {
    json::pretty(said)
}
