//! A pure model of Schannel and its clients: what a server offers, and what a client and a server agree on. It reads no
//! input and writes no output.
//!
//! What is known of Windows comes from `data/`, each table with its public source. Where the sources disagree, the answer
//! carries the [`Doubt`] instead of a guess: see [`State`].
//!
//! ```
//! use rdptriage::tls::{CertificateKind, Client, Generation, Outcome, SchannelSettings, ServerOffer, negotiate};
//!
//! let server = ServerOffer::evaluate(
//!     &SchannelSettings::default(),
//!     Generation::by_id("8.1-2012r2").map(Into::into),
//!     Some(CertificateKind::remote_desktop_default()),
//! );
//! let client = Client::by_id("ironrdp-rustls").unwrap();
//! assert!(matches!(negotiate(&server, &client).outcome, Outcome::None { .. }));
//! ```

mod certificate;
mod client;
mod data;
mod doubt;
mod explain;
mod generation;
mod group;
mod list;
mod negotiate;
mod offer;
mod protocol;
mod residue;
mod settings;
mod signature;
mod standing;
mod suite;
mod verdict;
mod version;

pub use certificate::{CertificateKind, Issuer, KeyCapability, KeyType, PublicKey};
pub use client::{Client, ClientLimits, Knowledge, Sha1Exchange};
pub use doubt::{Assumption, Doubt, Settled, State};
pub use generation::{Generation, GenerationMatch, Product, ProtocolDefault};
pub use group::Group;
pub use list::{ListSource, NameFault};
pub use negotiate::{Agreement, Failure, Negotiation, Obstacle, Outcome, negotiate};
pub use offer::{GroupStanding, ServerOffer, SignatureStanding};
pub use protocol::VersionStanding;
pub use residue::{Difference, Residue, differences, residue};
pub use settings::{PolicyList, ProtocolValues, SchannelSettings, Setting, WrongType};
pub use signature::{SignatureAlgorithm, SignatureScheme};
pub use standing::{Standing, SuiteStanding};
pub use suite::{Authentication, Cipher, Hash, KeyExchange, Suite};
pub use verdict::{ListFault, ListVerdict};
pub use version::{Role, Version};
