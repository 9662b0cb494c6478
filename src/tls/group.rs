//! Named groups: the elliptic curves and finite fields of the key exchange.

use std::fmt;

/// A named group, of the IANA TLS Supported Groups registry or known to Windows alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// `curve25519`.
    X25519,
    /// `NistP256`, also called secP256r1.
    Secp256r1,
    /// `NistP384`.
    Secp384r1,
    /// `NistP521`.
    Secp521r1,
    /// x448, which Schannel does not have.
    X448,
    /// The hybrid of X25519 and ML-KEM-768, TLS 1.3 only, optional from build 26100.
    X25519MlKem768,
    /// The hybrid of P-256 and ML-KEM-768.
    Secp256r1MlKem768,
    /// The hybrid of P-384 and ML-KEM-1024.
    Secp384r1MlKem1024,
    /// A finite field group of RFC 7919, by its size in bits.
    Ffdhe(u32),
    /// Another curve, by the name it was given, in lower case: Brainpool, secP192k1 and the like.
    Other(String),
}

impl Group {
    /// Reads a name as Windows (`curve25519`, `NistP256`), IANA or a suite's suffix (`P256`) spells it; case does not count.
    /// What is no group at all (a suite or signature name) gives none.
    pub fn parse(name: &str) -> Option<Group> {
        let lower = name.to_ascii_lowercase();
        let group = match lower.as_str() {
            "curve25519" | "x25519" => Group::X25519,
            "nistp256" | "secp256r1" | "p256" | "prime256v1" => Group::Secp256r1,
            "nistp384" | "secp384r1" | "p384" => Group::Secp384r1,
            "nistp521" | "secp521r1" | "p521" => Group::Secp521r1,
            "x448" => Group::X448,
            "x25519_mlkem768" | "x25519mlkem768" => Group::X25519MlKem768,
            "secp256r1_mlkem768" | "secp256r1mlkem768" => Group::Secp256r1MlKem768,
            "secp384r1_mlkem1024" | "secp384r1mlkem1024" => Group::Secp384r1MlKem1024,
            other => {
                if let Some(bits) = other.strip_prefix("ffdhe") {
                    return bits.parse().ok().map(Group::Ffdhe);
                }
                let family = [
                    "brainpoolp",
                    "secp",
                    "nistp",
                    "numsp",
                    "ec192wapi",
                    "x962p",
                    "wtls",
                ];
                if !family.iter().any(|start| other.starts_with(start)) {
                    return None;
                }
                Group::Other(lower)
            }
        };
        Some(group)
    }

    /// Whether it is an elliptic curve that TLS 1.2 and older can use: neither a finite field nor a hybrid.
    pub fn is_curve(&self) -> bool {
        !matches!(
            self,
            Group::Ffdhe(_)
                | Group::X25519MlKem768
                | Group::Secp256r1MlKem768
                | Group::Secp384r1MlKem1024
        )
    }

    /// Whether FIPS mode keeps it: the NIST curves alone (Microsoft, "TLS Elliptic Curves in Windows 10 version 1607 and
    /// later", column "FIPS"). The hybrids and finite fields are not on that page and are kept.
    pub fn is_allowed_in_fips(&self) -> bool {
        match self {
            Group::X25519 | Group::X448 => false,
            Group::Other(name) => name.starts_with("nistp"),
            _ => true,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Group::X25519 => "X25519",
            Group::Secp256r1 => "P-256",
            Group::Secp384r1 => "P-384",
            Group::Secp521r1 => "P-521",
            Group::X448 => "X448",
            Group::X25519MlKem768 => "X25519MLKEM768",
            Group::Secp256r1MlKem768 => "SecP256r1MLKEM768",
            Group::Secp384r1MlKem1024 => "SecP384r1MLKEM1024",
            Group::Ffdhe(bits) => return write!(f, "ffdhe{bits}"),
            Group::Other(name) => name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_iana_names_are_the_same_group() {
        assert_eq!(Group::parse("NistP256"), Group::parse("secp256r1"));
        assert_eq!(Group::parse("curve25519"), Some(Group::X25519));
        assert_eq!(
            Group::parse("brainpoolP256r1"),
            Some(Group::Other("brainpoolp256r1".into()))
        );
        assert_eq!(Group::parse("ffdhe3072"), Some(Group::Ffdhe(3072)));
        assert_eq!(Group::parse("TLS_AES_128_GCM_SHA256"), None);
        assert_eq!(Group::parse("RSA/SHA256"), None);
    }

    #[test]
    fn fips_keeps_nist_curves_only() {
        assert!(!Group::X25519.is_allowed_in_fips());
        assert!(Group::Secp384r1.is_allowed_in_fips());
    }
}
