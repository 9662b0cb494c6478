//! What a negotiation needs to know of the server's certificate.

use std::fmt;

use super::group::Group;
use super::signature::SignatureScheme;

/// The type of a certificate's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyType {
    /// RSA.
    Rsa,
    /// Elliptic curve, for ECDSA.
    Ec,
    /// DSA.
    Dsa,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyType::Rsa => "RSA",
            KeyType::Ec => "ECDSA",
            KeyType::Dsa => "DSA",
        })
    }
}

/// A certificate's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA with this many bits in its modulus.
    Rsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// On this curve; none where the curve is given by parameters or is not known.
    Ec {
        /// The curve.
        curve: Option<Group>,
    },
    /// DSA.
    Dsa,
    /// Some other algorithm, by its name or object identifier: no suite of Schannel fits it.
    Other(String),
}

impl PublicKey {
    /// Its type; none for one that no suite fits.
    pub fn key_type(&self) -> Option<KeyType> {
        match self {
            PublicKey::Rsa { .. } => Some(KeyType::Rsa),
            PublicKey::Ec { .. } => Some(KeyType::Ec),
            PublicKey::Dsa => Some(KeyType::Dsa),
            PublicKey::Other(_) => None,
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicKey::Rsa { bits } => write!(f, "RSA {bits}"),
            PublicKey::Ec { curve: Some(curve) } => write!(f, "ECDSA {curve}"),
            PublicKey::Ec { curve: None } => f.write_str("ECDSA"),
            PublicKey::Dsa => f.write_str("DSA"),
            PublicKey::Other(name) => f.write_str(name),
        }
    }
}

/// What the private key may be used for: a key of a CSP made with AT_SIGNATURE signs only, and a certificate may leave out
/// keyEncipherment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyCapability {
    /// Both, as a key made with AT_KEYEXCHANGE or by CNG without a restriction.
    SignAndDecrypt,
    /// Signing only: RSA key transport fails.
    SignOnly,
    /// Not known; taken as both, and the offer says so.
    Unknown,
}

/// Who signed the certificate. Schannel does not hold a self-signed certificate's own signature against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// Itself, as the one that Remote Desktop makes.
    Itself,
    /// Another.
    Other,
}

/// The server's certificate, as far as it matters for a negotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateKind {
    /// Its key.
    pub key: PublicKey,
    /// What the private key can do.
    pub capability: KeyCapability,
    /// The signature on the certificate; none if it is not known or none that TLS names.
    pub signature: Option<SignatureScheme>,
    /// Who made that signature.
    pub issuer: Issuer,
}

impl CertificateKind {
    /// The one that Remote Desktop makes for itself: RSA 2048, a key that signs and decrypts.
    pub fn remote_desktop_default() -> CertificateKind {
        CertificateKind {
            key: PublicKey::Rsa { bits: 2048 },
            capability: KeyCapability::SignAndDecrypt,
            signature: None,
            issuer: Issuer::Itself,
        }
    }
}
