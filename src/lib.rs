//! Says why Remote Desktop is broken, from the files collected from the server.
//!
//! Data flows one way:
//!
//! ```text
//! bundle  →  parse  →  facts  →  rules  →  verdict  →  report
//!                        ↑
//!                       tls
//! ```

pub mod bundle;
pub mod contain;
mod diagnose;
pub mod explain;
pub mod facts;
pub mod lookup;
pub mod parse;
pub mod report;
pub mod rules;
pub mod tls;
pub mod verdict;

pub use diagnose::{
    Hashing, HostFacts, NegotiateError, Options, Progress, Unseen, client, diagnose, diagnose_each,
    diagnose_seen, gather, negotiate,
};
