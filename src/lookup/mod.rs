//! Looks things up in a collection without judging them: event records, registry keys, certificates.

pub mod certificates;
pub mod events;
pub mod registry;
