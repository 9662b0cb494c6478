//! Signature schemes: what the certificate's key signs the handshake with, and how certificates are signed.

use std::fmt;

use super::algorithm::Hash;
use super::certificate::KeyType;
use super::version::Version;

/// The algorithm of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RSA with the padding of PKCS #1 1.5: `RSA/...`.
    Rsa,
    /// RSA-PSS with an ordinary RSA key: `RSAE-PSS/...`.
    RsaPss,
    /// RSA-PSS with a key that is marked for it.
    RsaPssKey,
    /// ECDSA.
    Ecdsa,
    /// DSA.
    Dsa,
    /// Ed25519 or Ed448, which Schannel does not have.
    EdDsa,
}

/// A signature algorithm with its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignatureScheme {
    /// The algorithm.
    pub algorithm: SignatureAlgorithm,
    /// The hash; for EdDSA, which has its own, SHA-512.
    pub hash: Hash,
}

impl SignatureScheme {
    /// Reads a name as `SSL\00010003\Functions` spells it (`RSAE-PSS/SHA256`) or as IANA does (`rsa_pss_rsae_sha256`).
    pub fn parse(name: &str) -> Option<SignatureScheme> {
        let lower = name.to_ascii_lowercase();
        if matches!(lower.as_str(), "ed25519" | "ed448") {
            return Some(SignatureScheme {
                algorithm: SignatureAlgorithm::EdDsa,
                hash: Hash::Sha512,
            });
        }
        let (algorithm, hash) = lower.rsplit_once(['/', '_'])?;
        let algorithm = match algorithm {
            "rsa" | "rsa_pkcs1" => SignatureAlgorithm::Rsa,
            "rsae-pss" | "rsa_pss_rsae" => SignatureAlgorithm::RsaPss,
            "pss-pss" | "pss" | "rsa_pss_pss" => SignatureAlgorithm::RsaPssKey,
            "ecdsa" | "ecdsa_secp256r1" | "ecdsa_secp384r1" | "ecdsa_secp521r1" => {
                SignatureAlgorithm::Ecdsa
            }
            "dsa" => SignatureAlgorithm::Dsa,
            _ => return None,
        };
        let hash = match hash {
            "md5" => Hash::Md5,
            "sha1" | "sha" => Hash::Sha,
            "sha224" => Hash::Sha224,
            "sha256" => Hash::Sha256,
            "sha384" => Hash::Sha384,
            "sha512" => Hash::Sha512,
            _ => return None,
        };
        Some(SignatureScheme { algorithm, hash })
    }

    /// Whether a key of this type can sign a handshake of this version so. TLS 1.3 takes no PKCS #1 1.5, no DSA, and no SHA-1
    /// or SHA-224 (RFC 8446, 4.2.3).
    pub fn signs(self, key: KeyType, version: Version) -> bool {
        let fits = match self.algorithm {
            SignatureAlgorithm::Rsa => key == KeyType::Rsa && version < Version::Tls13,
            SignatureAlgorithm::RsaPss => key == KeyType::Rsa,
            SignatureAlgorithm::Ecdsa => key == KeyType::Ec,
            SignatureAlgorithm::Dsa => key == KeyType::Dsa && version < Version::Tls13,
            SignatureAlgorithm::RsaPssKey | SignatureAlgorithm::EdDsa => false,
        };
        fits && (version < Version::Tls13
            || !matches!(self.hash, Hash::Md5 | Hash::Sha | Hash::Sha224))
    }
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = match self.algorithm {
            SignatureAlgorithm::Rsa => "RSA",
            SignatureAlgorithm::RsaPss => "RSAE-PSS",
            SignatureAlgorithm::RsaPssKey => "PSS-PSS",
            SignatureAlgorithm::Ecdsa => "ECDSA",
            SignatureAlgorithm::Dsa => "DSA",
            SignatureAlgorithm::EdDsa => return f.write_str("EdDSA"),
        };
        match self.hash {
            Hash::Sha => write!(f, "{algorithm}/SHA1"),
            hash => write!(f, "{algorithm}/{hash}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_iana_names_are_the_same_scheme() {
        for (windows, iana) in [
            ("RSA/SHA256", "rsa_pkcs1_sha256"),
            ("RSAE-PSS/SHA512", "rsa_pss_rsae_sha512"),
            ("ECDSA/SHA384", "ecdsa_secp384r1_sha384"),
            ("DSA/SHA1", "dsa_sha1"),
        ] {
            let scheme = SignatureScheme::parse(windows);
            assert!(scheme.is_some());
            assert_eq!(scheme, SignatureScheme::parse(iana));
            assert_eq!(
                scheme.map(|scheme| scheme.to_string()).as_deref(),
                Some(windows)
            );
        }
        assert_eq!(SignatureScheme::parse("NistP256"), None);
    }

    #[test]
    fn tls_1_3_takes_no_pkcs1_signature() {
        let scheme = SignatureScheme::parse("RSA/SHA256").unwrap();
        assert!(scheme.signs(KeyType::Rsa, Version::Tls12));
        assert!(!scheme.signs(KeyType::Rsa, Version::Tls13));
        assert!(!scheme.signs(KeyType::Ec, Version::Tls12));
    }
}
