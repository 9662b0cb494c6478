//! What TLS would come to, for people or for programs.

use super::{Format, TextOptions, json, text};
use crate::verdict::model::NegotiationOutput;

/// The negotiation in this format. Text carries terminal styles, which whoever prints it keeps or strips.
#[must_use]
pub fn negotiation(said: &NegotiationOutput, format: Format, options: &TextOptions) -> Vec<u8> {
    match format {
        Format::Json => json::pretty(said),
        Format::Text => text::negotiation(said, options).into_bytes(),
    }
}
