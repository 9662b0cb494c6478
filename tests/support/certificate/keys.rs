//! The committed test keys, and their public halves in the forms that forged files need.

use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm};
use x509_parser::asn1_rs::FromDer;
use x509_parser::public_key::RSAPublicKey;

/// A committed test key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestKey {
    Rsa2048,
    /// A second pair, for what must not match the first.
    OtherRsa2048,
    /// Public half only.
    Rsa1024,
    EcP256,
}

impl TestKey {
    /// The pair that signs all forged certificates: PKCS #1 v1.5 gives the same signature every time, ECDSA does not.
    pub fn signer() -> KeyPair {
        TestKey::Rsa2048.pair()
    }

    fn pair(self) -> KeyPair {
        let (pem, algorithm): (_, &'static SignatureAlgorithm) = match self {
            TestKey::Rsa2048 => (include_str!("keys/rsa2048.pem"), &rcgen::PKCS_RSA_SHA256),
            TestKey::OtherRsa2048 => (
                include_str!("keys/rsa2048-other.pem"),
                &rcgen::PKCS_RSA_SHA256,
            ),
            TestKey::EcP256 => (
                include_str!("keys/ec256.pem"),
                &rcgen::PKCS_ECDSA_P256_SHA256,
            ),
            TestKey::Rsa1024 => panic!("only the public half of the 1024 bit key is kept"),
        };
        KeyPair::from_pem_and_sign_algo(pem, algorithm).unwrap()
    }

    /// The public half: PKCS #1 for RSA, the point 04 X Y for a curve.
    pub fn public(self) -> PublicHalf {
        let (bytes, algorithm) = match self {
            TestKey::Rsa1024 => {
                let pem = include_bytes!("keys/rsa1024-public.pem");
                let (_, block) = x509_parser::pem::parse_x509_pem(pem).unwrap();
                (block.contents, &rcgen::PKCS_RSA_SHA256)
            }
            TestKey::EcP256 => (
                self.pair().public_key_raw().to_vec(),
                &rcgen::PKCS_ECDSA_P256_SHA256,
            ),
            TestKey::Rsa2048 | TestKey::OtherRsa2048 => (
                self.pair().public_key_raw().to_vec(),
                &rcgen::PKCS_RSA_SHA256,
            ),
        };
        PublicHalf { bytes, algorithm }
    }
}

pub struct PublicHalf {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicHalf {
    /// Modulus (big-endian, without leading zero) and exponent of an RSA key; `None` for a curve.
    pub fn rsa(&self) -> Option<(Vec<u8>, u32)> {
        let (_, key) = RSAPublicKey::from_der(&self.bytes).ok()?;
        let modulus = key
            .modulus
            .strip_prefix(&[0])
            .unwrap_or(key.modulus)
            .to_vec();
        Some((modulus, u32::try_from(key.try_exponent().ok()?).ok()?))
    }

    /// The uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.bytes
    }
}

impl PublicKeyData for PublicHalf {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}
