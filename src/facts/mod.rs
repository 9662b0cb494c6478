//! From records to facts: everything that is computed from the evidence, each with its source. Rules only select facts.

pub mod catalog;
pub mod certificate;
pub mod coverage;
pub mod effect;
pub mod fact;
pub mod gap;
pub mod grouping;
pub mod host;
pub mod incident;
pub mod known;
pub mod listener;
pub mod registry;
pub mod service;
pub mod store;
pub mod subject;
pub mod value;
