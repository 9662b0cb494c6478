//! Public keys, in the one form in which a certificate's and a key file's can be compared.

use x509_parser::asn1_rs::{FromDer, Oid};
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::ObjectIdentifier;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa(RsaPublicKey),
    /// An elliptic curve.
    Ec(EcPublicKey),
    /// Another algorithm, by its object identifier.
    Other(ObjectIdentifier),
    /// A known algorithm whose key bytes are not what its standard says.
    Unreadable(ObjectIdentifier),
}

/// Modulus and exponent, both big-endian without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaPublicKey {
    /// From big-endian bytes; leading zeros are dropped. `None` where modulus or exponent is zero.
    pub fn from_big_endian(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let stripped = |number: &[u8]| {
            let start = number.iter().position(|byte| *byte != 0)?;
            number.get(start..).map(<[u8]>::to_vec)
        };
        Some(RsaPublicKey {
            modulus: stripped(modulus)?,
            exponent: stripped(exponent)?,
        })
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The exponent, big-endian: nearly always 01 00 01.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// The modulus' length in bits.
    pub fn bits(&self) -> u64 {
        let leading = self.modulus.first().map_or(0, |byte| byte.leading_zeros());
        (self.modulus.len() as u64 * 8).saturating_sub(u64::from(leading))
    }
}

/// A curve and a point on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcPublicKey {
    /// The curve.
    pub curve: Curve,
    /// The point as SEC 1 section 2.3.3 encodes it: 04, X, Y where it is not compressed.
    pub point: Vec<u8>,
}

/// A named curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1, NIST P-256.
    P256,
    /// secp384r1, NIST P-384.
    P384,
    /// secp521r1, NIST P-521.
    P521,
    /// Another named curve.
    Other(ObjectIdentifier),
    /// Parameters are written out or missing: which curve it is was not found out.
    Unnamed,
}

impl Curve {
    fn named(identifier: &str) -> Self {
        match identifier {
            "1.2.840.10045.3.1.7" => Curve::P256,
            "1.3.132.0.34" => Curve::P384,
            "1.3.132.0.35" => Curve::P521,
            other => Curve::Other(ObjectIdentifier(other.to_owned())),
        }
    }

    /// The size of the curve's field in bits, for the curves known here.
    pub fn bits(&self) -> Option<u64> {
        match self {
            Curve::P256 => Some(256),
            Curve::P384 => Some(384),
            Curve::P521 => Some(521),
            Curve::Other(_) | Curve::Unnamed => None,
        }
    }
}

/// Whether two public keys are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// The same key.
    Same,
    /// Two different keys.
    Different,
    /// One of them is of a kind, or in a form, that cannot be compared here.
    Undecided,
}

impl PublicKey {
    /// A point on the curve of that object identifier.
    pub(in crate::parse) fn on_curve(curve: &str, point: Vec<u8>) -> Self {
        PublicKey::Ec(EcPublicKey {
            curve: Curve::named(curve),
            point,
        })
    }

    /// The strength the key is sold by: bits of the modulus or of the curve's field.
    pub fn bits(&self) -> Option<u64> {
        match self {
            PublicKey::Rsa(key) => Some(key.bits()),
            PublicKey::Ec(key) => key.curve.bits(),
            PublicKey::Other(_) | PublicKey::Unreadable(_) => None,
        }
    }

    /// Compares two keys.
    pub fn compare(&self, other: &PublicKey) -> KeyMatch {
        use PublicKey::{Ec, Other, Rsa, Unreadable};
        let same = match (self, other) {
            (Unreadable(_), _) | (_, Unreadable(_)) | (Other(_), Other(_)) => {
                return KeyMatch::Undecided;
            }
            (Rsa(one), Rsa(two)) => one == two,
            (Ec(one), Ec(two)) => return one.compare(two),
            (Rsa(_), Ec(_) | Other(_))
            | (Ec(_), Rsa(_) | Other(_))
            | (Other(_), Rsa(_) | Ec(_)) => false,
        };
        if same {
            KeyMatch::Same
        } else {
            KeyMatch::Different
        }
    }

    pub(super) fn from_subject_public_key_info(info: &SubjectPublicKeyInfo<'_>) -> Self {
        const RSA: &str = "1.2.840.113549.1.1.1";
        const RSA_PSS: &str = "1.2.840.113549.1.1.10";
        const EC: &str = "1.2.840.10045.2.1";
        let algorithm = info.algorithm.algorithm.to_id_string();
        let key: &[u8] = info.subject_public_key.data.as_ref();
        match algorithm.as_str() {
            RSA | RSA_PSS => RSAPublicKey::from_der(key)
                .ok()
                .and_then(|(_, key)| RsaPublicKey::from_big_endian(key.modulus, key.exponent))
                .map_or(
                    PublicKey::Unreadable(ObjectIdentifier(algorithm)),
                    PublicKey::Rsa,
                ),
            EC if key.is_empty() => PublicKey::Unreadable(ObjectIdentifier(algorithm)),
            EC => PublicKey::Ec(EcPublicKey {
                curve: info
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|parameters| Oid::try_from(parameters.clone()).ok())
                    .map_or(Curve::Unnamed, |curve| Curve::named(&curve.to_id_string())),
                point: key.to_vec(),
            }),
            _ => PublicKey::Other(ObjectIdentifier(algorithm)),
        }
    }
}

impl EcPublicKey {
    fn compare(&self, other: &EcPublicKey) -> KeyMatch {
        // Named and written-out parameters may mean the same curve.
        let unnamed = matches!(self.curve, Curve::Unnamed) || matches!(other.curve, Curve::Unnamed);
        if self.curve != other.curve && !unnamed {
            return KeyMatch::Different;
        }
        match (self.uncompressed(), other.uncompressed()) {
            (Some(one), Some(two)) if one != two => KeyMatch::Different,
            (Some(_), Some(_)) if !unnamed => KeyMatch::Same,
            _ if self == other && !unnamed => KeyMatch::Same,
            _ => KeyMatch::Undecided,
        }
    }

    fn uncompressed(&self) -> Option<&[u8]> {
        self.point.strip_prefix(&[4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(modulus: &[u8]) -> PublicKey {
        PublicKey::Rsa(RsaPublicKey::from_big_endian(modulus, &[1, 0, 1]).unwrap())
    }

    fn ec(curve: Curve, point: &[u8]) -> PublicKey {
        PublicKey::Ec(EcPublicKey {
            curve,
            point: point.to_vec(),
        })
    }

    #[test]
    fn a_leading_zero_makes_no_difference() {
        assert_eq!(rsa(&[0, 0x81, 2]).compare(&rsa(&[0x81, 2])), KeyMatch::Same);
        assert_eq!(rsa(&[0, 0x41, 2]).bits(), Some(15));
    }

    #[test]
    fn keys_of_two_kinds_differ() {
        assert_eq!(
            rsa(&[3]).compare(&ec(Curve::P256, &[4, 1, 2])),
            KeyMatch::Different
        );
        assert_eq!(rsa(&[3]).compare(&rsa(&[5])), KeyMatch::Different);
    }

    #[test]
    fn a_compressed_point_is_not_compared_with_an_uncompressed_one() {
        let whole = ec(Curve::P256, &[4, 1, 2]);
        assert_eq!(whole.compare(&whole.clone()), KeyMatch::Same);
        assert_eq!(
            whole.compare(&ec(Curve::P256, &[4, 1, 3])),
            KeyMatch::Different
        );
        assert_eq!(
            whole.compare(&ec(Curve::P384, &[4, 1, 2])),
            KeyMatch::Different
        );
        assert_eq!(
            whole.compare(&ec(Curve::P256, &[2, 1])),
            KeyMatch::Undecided
        );
    }

    #[test]
    fn a_zero_modulus_is_no_key() {
        assert_eq!(RsaPublicKey::from_big_endian(&[0, 0], &[1, 0, 1]), None);
    }
}
