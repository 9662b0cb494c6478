//! Rules: what is judged, and how sure. A rule selects facts and never computes; see `builtin/README.md` for whoever writes one.
//!
//! [`load`] reads a TOML file into a checked [`model::Rule`], [`eval`] asks its tests of a host's facts in three values,
//! [`level`] derives how sure the rule is.
#![doc = ""]
#![doc = include_str!("builtin/README.md")]

mod ask;
mod builtin;
pub mod case;
mod check;
pub mod command;
mod error;
pub mod eval;
pub mod level;
pub mod load;
pub mod matcher;
pub mod model;
pub mod needs;
mod raw;
pub mod set;
pub mod show;
pub mod template;
pub mod truth;

pub use error::{RuleError, RuleErrors};
pub use set::{Cases, Replaced, RuleSet};
