//! From findings to one report: the explanation graph, the order of verdicts, the timeline.

pub mod model;
pub mod negotiation;
