//! From findings to one report: the explanation graph, the order of verdicts, the timeline.

pub mod assemble;
pub mod change;
pub mod client_error;
mod cut;
pub mod graph;
mod listed;
pub mod model;
pub mod rank;
mod repair;
pub mod timeline;
mod words;

pub use assemble::{Surroundings, assemble, exit_status};
pub use rank::{Judgement, judge};
