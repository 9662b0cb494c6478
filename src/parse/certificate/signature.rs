//! The algorithm a certificate is signed with, by object identifier. The signature itself is not verified.

use x509_parser::asn1_rs::FromDer;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

use super::ObjectIdentifier;

/// How a certificate is signed (RFC 4055, RFC 5758, RFC 8410, and OIW's SHA-1 that old Windows tools wrote).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSA with PKCS #1 v1.5 padding.
    RsaPkcs1(Hash),
    /// RSA-PSS.
    RsaPss(Hash),
    /// ECDSA.
    Ecdsa(Hash),
    /// DSA.
    Dsa(Hash),
    /// Ed25519.
    Ed25519,
    /// Another algorithm.
    Other(ObjectIdentifier),
}

/// A hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The variants are the algorithms' names.
pub enum Hash {
    Md2,
    Md4,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    /// Another one, or one that its parameters do not let tell.
    Other(ObjectIdentifier),
}

impl SignatureAlgorithm {
    /// The hash that the signature covers; `None` where the algorithm has none of its own or is not known.
    pub fn hash(&self) -> Option<&Hash> {
        match self {
            SignatureAlgorithm::RsaPkcs1(hash)
            | SignatureAlgorithm::RsaPss(hash)
            | SignatureAlgorithm::Ecdsa(hash)
            | SignatureAlgorithm::Dsa(hash) => Some(hash),
            SignatureAlgorithm::Ed25519 | SignatureAlgorithm::Other(_) => None,
        }
    }

    pub(super) fn from_identifier(identifier: &AlgorithmIdentifier<'_>) -> Self {
        use SignatureAlgorithm::{Dsa, Ecdsa, Ed25519, Other, RsaPkcs1, RsaPss};
        let dotted = identifier.algorithm.to_id_string();
        match dotted.as_str() {
            "1.2.840.113549.1.1.2" => RsaPkcs1(Hash::Md2),
            "1.2.840.113549.1.1.3" => RsaPkcs1(Hash::Md4),
            "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => RsaPkcs1(Hash::Md5),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => RsaPkcs1(Hash::Sha1),
            "1.2.840.113549.1.1.14" => RsaPkcs1(Hash::Sha224),
            "1.2.840.113549.1.1.11" => RsaPkcs1(Hash::Sha256),
            "1.2.840.113549.1.1.12" => RsaPkcs1(Hash::Sha384),
            "1.2.840.113549.1.1.13" => RsaPkcs1(Hash::Sha512),
            "1.2.840.113549.1.1.10" => RsaPss(pss_hash(identifier)),
            "1.2.840.10045.4.1" => Ecdsa(Hash::Sha1),
            "1.2.840.10045.4.3.1" => Ecdsa(Hash::Sha224),
            "1.2.840.10045.4.3.2" => Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Ecdsa(Hash::Sha512),
            // ecdsa-with-Specified, as Windows certificate authorities write it: the hash stands in the parameters.
            "1.2.840.10045.4.3" => Ecdsa(specified_hash(identifier)),
            "1.2.840.10040.4.3" | "1.3.14.3.2.27" => Dsa(Hash::Sha1),
            "2.16.840.1.101.3.4.3.1" => Dsa(Hash::Sha224),
            "2.16.840.1.101.3.4.3.2" => Dsa(Hash::Sha256),
            "1.3.101.112" => Ed25519,
            _ => Other(ObjectIdentifier(dotted)),
        }
    }
}

impl Hash {
    fn from_dotted(dotted: String) -> Self {
        match dotted.as_str() {
            "1.2.840.113549.2.2" => Hash::Md2,
            "1.2.840.113549.2.4" => Hash::Md4,
            "1.2.840.113549.2.5" => Hash::Md5,
            "1.3.14.3.2.26" => Hash::Sha1,
            "2.16.840.1.101.3.4.2.4" => Hash::Sha224,
            "2.16.840.1.101.3.4.2.1" => Hash::Sha256,
            "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
            "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
            _ => Hash::Other(ObjectIdentifier(dotted)),
        }
    }
}

/// RFC 4055 section 3.1: SHA-1 where the parameters do not say otherwise.
fn pss_hash(identifier: &AlgorithmIdentifier<'_>) -> Hash {
    let unknown = || Hash::Other(ObjectIdentifier(identifier.algorithm.to_id_string()));
    let Some(parameters) = identifier.parameters.as_ref() else {
        return unknown();
    };
    match RsaSsaPssParams::try_from(parameters) {
        Ok(parameters) => Hash::from_dotted(parameters.hash_algorithm_oid().to_id_string()),
        Err(_) => unknown(),
    }
}

fn specified_hash(identifier: &AlgorithmIdentifier<'_>) -> Hash {
    identifier
        .parameters
        .as_ref()
        .and_then(|parameters| x509_parser::asn1_rs::Oid::from_der(parameters.data).ok())
        .map_or_else(
            || Hash::Other(ObjectIdentifier(identifier.algorithm.to_id_string())),
            |(_, hash)| Hash::from_dotted(hash.to_id_string()),
        )
}
