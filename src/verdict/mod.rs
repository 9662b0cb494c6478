//! From findings to one report: the explanation graph, the order of verdicts, the timeline.

pub mod client_error;
pub mod model;
