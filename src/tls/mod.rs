//! A pure model of Schannel and its clients: what a server offers, and what a client and a server agree on. It reads no
//! input and writes no output.
//!
//! What is known of Windows comes from `data/`, each table with its public source. Where the sources disagree, the answer
//! carries the [`Doubt`] instead of a guess: see [`State`].
//!
//! ```
//! use rdptriage::tls::{Client, Generation, Outcome, ServerOffer, negotiate};
//!
//! let server = ServerOffer::windows(Generation::by_id("8.1-2012r2").unwrap());
//! let client = Client::by_id("ironrdp-rustls").unwrap();
//! assert!(matches!(negotiate(&server, &client).outcome, Outcome::None { .. }));
//! ```

mod algorithm;
mod certificate;
mod client;
mod data;
mod difference;
mod doubt;
mod explain;
mod generation;
mod group;
mod handshake;
mod list;
mod narrowing;
mod negotiate;
mod offer;
mod protocol;
mod residue;
mod settings;
mod side;
mod signature;
mod standing;
mod suite;
mod verdict;
mod version;

pub use algorithm::{Authentication, Cipher, Hash, KeyExchange};
pub use certificate::{CertificateKind, Issuer, KeyCapability, KeyType, PublicKey};
pub use client::{Client, ClientLimits, Knowledge, Sha1Exchange};
pub use difference::{Difference, differences};
pub use doubt::{Assumption, Doubt, Settled, State};
pub use generation::{Basis, Generation, GenerationMatch, Product, ProtocolDefault};
pub use group::Group;
pub use list::{ListSource, NameFault};
pub use narrowing::generation_by_lists;
pub use negotiate::{Agreement, Failure, Negotiation, Obstacle, Outcome, negotiate};
pub use offer::ServerOffer;
pub use protocol::VersionStanding;
pub use residue::{Residue, residue};
pub use settings::{PolicyList, ProtocolValues, SchannelSettings, Setting, WrongType};
pub use side::{GroupStanding, SignatureStanding};
pub use signature::{SignatureAlgorithm, SignatureScheme};
pub use standing::{Standing, SuiteStanding};
pub use suite::Suite;
pub use verdict::{ListFault, ListVerdict};
pub use version::{Role, Version};
