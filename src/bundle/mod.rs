//! From paths to artifacts: what was collected, each piece with its place, its kind by content and its bytes.

mod source;

pub use source::{FileSource, ReadAt};
