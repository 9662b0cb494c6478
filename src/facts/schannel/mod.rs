//! What Schannel, Windows' TLS, tells of Remote Desktop.
//!
//! ```text
//! attribution  which of its events stem from Remote Desktop
//! failure      those that tell of failures, as facts
//! ```

pub mod attribution;
pub mod failure;

pub use attribution::{Attribution, OtherListeners};
