//! The algorithms that a cipher suite is made of, and the names of their keys below SCHANNEL.

use std::fmt;

use super::certificate::KeyType;

/// How the two sides come to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyExchange {
    /// The client encrypts it to the certificate's RSA key.
    Rsa,
    /// Diffie-Hellman in a finite field, signed by the certificate's key.
    Dhe,
    /// Diffie-Hellman on a curve, signed by the certificate's key.
    Ecdhe,
    /// TLS 1.3: any named group, chosen apart from the suite.
    AnyGroup,
    /// A key that both have beforehand.
    PreShared,
}

impl KeyExchange {
    /// Its key under `SCHANNEL\KeyExchangeAlgorithms` (KB245030 names PKCS; the others as hardening tools and Microsoft's
    /// "Demystifying Schannel" name them).
    pub fn registry_name(self) -> Option<&'static str> {
        match self {
            KeyExchange::Rsa => Some("PKCS"),
            KeyExchange::Dhe => Some("Diffie-Hellman"),
            KeyExchange::Ecdhe | KeyExchange::AnyGroup => Some("ECDH"),
            KeyExchange::PreShared => None,
        }
    }
}

/// What proves who the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authentication {
    /// A certificate with a key of this type.
    Certificate(KeyType),
    /// TLS 1.3: a certificate with an RSA or EC key.
    AnyCertificate,
    /// No certificate.
    PreSharedKey,
}

/// The cipher of the records, as `SCHANNEL\Ciphers` tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cipher {
    /// No encryption.
    Null,
    /// RC4 with this many secret bits of 128.
    Rc4(u32),
    /// DES.
    Des,
    /// Triple DES.
    TripleDes,
    /// AES with 128 bits.
    Aes128,
    /// AES with 256 bits.
    Aes256,
    /// ChaCha20-Poly1305.
    ChaCha20,
}

impl Cipher {
    /// Its key under `SCHANNEL\Ciphers`; ChaCha20 has none.
    pub fn registry_name(self) -> Option<&'static str> {
        Some(match self {
            Cipher::Null => "NULL",
            Cipher::Rc4(40) => "RC4 40/128",
            Cipher::Rc4(56) => "RC4 56/128",
            Cipher::Rc4(64) => "RC4 64/128",
            Cipher::Rc4(_) => "RC4 128/128",
            Cipher::Des => "DES 56/56",
            Cipher::TripleDes => "Triple DES 168",
            Cipher::Aes128 => "AES 128/128",
            Cipher::Aes256 => "AES 256/256",
            Cipher::ChaCha20 => return None,
        })
    }
}

/// A hash, as `SCHANNEL\Hashes` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha,
    /// SHA-224, which Windows does not have.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hash::Md5 => "MD5",
            Hash::Sha => "SHA",
            Hash::Sha224 => "SHA224",
            Hash::Sha256 => "SHA256",
            Hash::Sha384 => "SHA384",
            Hash::Sha512 => "SHA512",
        })
    }
}
