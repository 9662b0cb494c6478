//! The listener's certificate in the terms of the TLS model.

use crate::facts::catalog::certificate::ChosenBy;
use crate::facts::certificate::{Choice, Chosen};
use crate::parse::certificate as x509;
use crate::tls::{self, CertificateKind, Issuer, KeyCapability, SignatureScheme};

/// The listener's certificate in the model's terms. One that Windows makes itself is always RSA with a key that decrypts, so
/// that it need not be there; nothing is known of a custom one that is not.
pub(super) fn certificate_kind(choice: &Choice) -> Option<CertificateKind> {
    let chosen = match choice {
        Choice::Certificate(chosen) => chosen,
        Choice::None(_) => return Some(CertificateKind::remote_desktop_default()),
        Choice::Unknown(_) => return None,
    };
    match chosen.certificate() {
        Some(certificate) => Some(CertificateKind {
            key: public_key(&certificate.public_key),
            capability: capability(chosen),
            signature: signature(&certificate.signature_algorithm),
            issuer: if certificate.self_issued() {
                Issuer::Itself
            } else {
                Issuer::Other
            },
        }),
        None if chosen.chosen_by == ChosenBy::SelfSigned => {
            Some(CertificateKind::remote_desktop_default())
        }
        None => None,
    }
}

fn public_key(key: &x509::PublicKey) -> tls::PublicKey {
    /// id-dsa (RFC 3279, 2.3.2).
    const DSA: &str = "1.2.840.10040.4.1";
    match key {
        x509::PublicKey::Rsa(key) => tls::PublicKey::Rsa {
            bits: u32::try_from(key.bits()).unwrap_or(u32::MAX),
        },
        x509::PublicKey::Ec(key) => tls::PublicKey::Ec {
            curve: match key.curve {
                x509::Curve::P256 => Some(tls::Group::Secp256r1),
                x509::Curve::P384 => Some(tls::Group::Secp384r1),
                x509::Curve::P521 => Some(tls::Group::Secp521r1),
                x509::Curve::Other(_) | x509::Curve::Unnamed => None,
            },
        },
        x509::PublicKey::Other(algorithm) if algorithm.0 == DSA => tls::PublicKey::Dsa,
        x509::PublicKey::Other(algorithm) | x509::PublicKey::Unreadable(algorithm) => {
            tls::PublicKey::Other(algorithm.0.clone())
        }
    }
}

/// AT_KEYEXCHANGE keys decrypt, AT_SIGNATURE keys do not (Microsoft, "CRYPT_KEY_PROV_INFO"); of CNG keys the store does not tell.
fn capability(chosen: &Chosen) -> KeyCapability {
    const AT_KEYEXCHANGE: u32 = 1;
    const AT_SIGNATURE: u32 = 2;
    let entry = chosen.entry.settled().and_then(Option::as_ref);
    let provider = entry.and_then(|entry| entry.key_provider.settled()?.as_ref());
    match provider.map(|provider| provider.key_spec) {
        Some(AT_KEYEXCHANGE) => KeyCapability::SignAndDecrypt,
        Some(AT_SIGNATURE) => KeyCapability::SignOnly,
        _ if entry.is_some_and(|entry| entry.is_self_signed()) && !chosen.custom => {
            KeyCapability::SignAndDecrypt
        }
        _ => KeyCapability::Unknown,
    }
}

fn signature(algorithm: &x509::SignatureAlgorithm) -> Option<SignatureScheme> {
    let hash = |hash: &x509::Hash| match hash {
        x509::Hash::Md5 => Some(tls::Hash::Md5),
        x509::Hash::Sha1 => Some(tls::Hash::Sha),
        x509::Hash::Sha224 => Some(tls::Hash::Sha224),
        x509::Hash::Sha256 => Some(tls::Hash::Sha256),
        x509::Hash::Sha384 => Some(tls::Hash::Sha384),
        x509::Hash::Sha512 => Some(tls::Hash::Sha512),
        x509::Hash::Md2 | x509::Hash::Md4 | x509::Hash::Other(_) => None,
    };
    let (algorithm, hash) = match algorithm {
        x509::SignatureAlgorithm::RsaPkcs1(own) => (tls::SignatureAlgorithm::Rsa, hash(own)),
        x509::SignatureAlgorithm::RsaPss(own) => (tls::SignatureAlgorithm::RsaPss, hash(own)),
        x509::SignatureAlgorithm::Ecdsa(own) => (tls::SignatureAlgorithm::Ecdsa, hash(own)),
        x509::SignatureAlgorithm::Dsa(own) => (tls::SignatureAlgorithm::Dsa, hash(own)),
        x509::SignatureAlgorithm::Ed25519 => {
            (tls::SignatureAlgorithm::EdDsa, Some(tls::Hash::Sha512))
        }
        x509::SignatureAlgorithm::Other(_) => return None,
    };
    Some(SignatureScheme {
        algorithm,
        hash: hash?,
    })
}
