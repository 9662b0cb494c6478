//! From records to facts: everything that is computed from the evidence, each with its source. Rules only select facts.

pub mod catalog;
pub mod client_report;
pub mod clock;
pub mod connection;
pub mod coverage;
pub mod effect;
pub mod event;
pub mod fact;
pub mod gap;
pub mod grouping;
pub mod history;
pub mod host;
pub mod incident;
pub mod key_event;
pub mod known;
pub mod log_coverage;
pub mod registry;
pub mod renewal;
mod renewal_texts;
pub mod schannel;
pub mod service;
pub mod service_event;
pub mod subject;
pub mod value;
pub mod watch;
