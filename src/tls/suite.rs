//! Cipher suites, read from their names by rule: a name says what a suite needs and when it can be used.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::algorithm::{Authentication, Cipher, Hash, KeyExchange};
use super::certificate::KeyType;
use super::group::Group;
use super::version::Version;

/// A cipher suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    name: String,
    /// The curve that a suffix ties it to: `_P256` and so on, before Windows 10 only.
    pub curve: Option<Group>,
    /// The versions it can be used with, oldest first.
    pub versions: &'static [Version],
    /// How the secret is made.
    pub key_exchange: KeyExchange,
    /// What certificate it needs.
    pub authentication: Authentication,
    /// The cipher.
    pub cipher: Cipher,
    /// The hash in its name: of the HMAC or, for an AEAD suite, of the key derivation.
    pub hash: Hash,
    /// Whether the cipher authenticates by itself (GCM, CCM, Poly1305).
    pub aead: bool,
    /// Whether it is one of the weakened suites of the 1990s.
    pub export: bool,
}

const SSL2: &[Version] = &[Version::Ssl2];
const SSL3_ON: &[Version] = &[
    Version::Ssl3,
    Version::Tls10,
    Version::Tls11,
    Version::Tls12,
];
const TLS10_ON: &[Version] = &[Version::Tls10, Version::Tls11, Version::Tls12];
const TLS12: &[Version] = &[Version::Tls12];
const TLS13: &[Version] = &[Version::Tls13];

impl Suite {
    /// Reads a name as Windows and IANA write it, exactly: upper case, no spaces. None for what is no suite name; OpenSSL's
    /// names are none.
    pub fn parse(name: &str) -> Option<Suite> {
        if let Some(rest) = name.strip_prefix("SSL_CK_") {
            return Self::parse_ssl2(name, rest);
        }
        let rest = name.strip_prefix("TLS_")?;
        let Some((exchange, protection)) = rest.split_once("_WITH_") else {
            return Self::parse_tls13(name, rest);
        };
        let (exchange, export) = match exchange.split_once("_EXPORT") {
            Some((exchange, "" | "1024")) => (exchange, true),
            Some(_) => return None,
            None => (exchange, false),
        };
        let (key_exchange, authentication) = match exchange {
            "RSA" => (KeyExchange::Rsa, Authentication::Certificate(KeyType::Rsa)),
            "DHE_RSA" => (KeyExchange::Dhe, Authentication::Certificate(KeyType::Rsa)),
            "DHE_DSS" => (KeyExchange::Dhe, Authentication::Certificate(KeyType::Dsa)),
            "ECDHE_RSA" => (
                KeyExchange::Ecdhe,
                Authentication::Certificate(KeyType::Rsa),
            ),
            "ECDHE_ECDSA" => (KeyExchange::Ecdhe, Authentication::Certificate(KeyType::Ec)),
            "PSK" => (KeyExchange::PreShared, Authentication::PreSharedKey),
            _ => return None,
        };
        let (protection, curve) = match protection.rsplit_once("_P") {
            Some((protection, "256")) => (protection, Some(Group::Secp256r1)),
            Some((protection, "384")) => (protection, Some(Group::Secp384r1)),
            Some((protection, "521")) => (protection, Some(Group::Secp521r1)),
            _ => (protection, None),
        };
        if curve.is_some() && key_exchange != KeyExchange::Ecdhe {
            return None;
        }
        let (cipher, hash, aead) = protection_of(protection)?;
        let versions = if aead || matches!(hash, Hash::Sha256 | Hash::Sha384) {
            TLS12
        } else if key_exchange == KeyExchange::Ecdhe
            || matches!(cipher, Cipher::Aes128 | Cipher::Aes256)
            || (key_exchange == KeyExchange::Rsa && cipher == Cipher::TripleDes)
        {
            TLS10_ON
        } else {
            SSL3_ON
        };
        let name = name.to_owned();
        Some(Suite {
            name,
            curve,
            versions,
            key_exchange,
            authentication,
            cipher,
            hash,
            aead,
            export,
        })
    }

    fn parse_tls13(name: &str, rest: &str) -> Option<Suite> {
        let (cipher, hash) = match rest {
            "AES_128_GCM_SHA256" | "AES_128_CCM_SHA256" | "AES_128_CCM_8_SHA256" => {
                (Cipher::Aes128, Hash::Sha256)
            }
            "AES_256_GCM_SHA384" => (Cipher::Aes256, Hash::Sha384),
            "CHACHA20_POLY1305_SHA256" => (Cipher::ChaCha20, Hash::Sha256),
            _ => return None,
        };
        Some(Suite {
            name: name.to_owned(),
            curve: None,
            versions: TLS13,
            key_exchange: KeyExchange::AnyGroup,
            authentication: Authentication::AnyCertificate,
            cipher,
            hash,
            aead: true,
            export: false,
        })
    }

    fn parse_ssl2(name: &str, rest: &str) -> Option<Suite> {
        let (cipher, export) = match rest {
            "RC4_128_WITH_MD5" => (Cipher::Rc4(128), false),
            "RC4_128_EXPORT40_MD5" | "RC4_128_EXPORT40_WITH_MD5" => (Cipher::Rc4(40), true),
            "DES_64_CBC_WITH_MD5" => (Cipher::Des, false),
            "DES_192_EDE3_CBC_WITH_MD5" => (Cipher::TripleDes, false),
            _ => return None,
        };
        Some(Suite {
            name: name.to_owned(),
            curve: None,
            versions: SSL2,
            key_exchange: KeyExchange::Rsa,
            authentication: Authentication::Certificate(KeyType::Rsa),
            cipher,
            hash: Hash::Md5,
            aead: false,
            export,
        })
    }

    /// The name it was read from, with its suffix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name without a curve suffix: what goes over the wire.
    pub fn iana_name(&self) -> &str {
        match self.curve {
            Some(_) => without_suffix(&self.name),
            None => &self.name,
        }
    }

    /// Its number in the IANA registry, which Schannel's event 36880 records; none for SSL 2.0 and names Schannel never had.
    pub fn code_point(&self) -> Option<u16> {
        CATALOGUE.get(self.name.as_str()).copied().flatten()
    }

    /// Whether Schannel uses it only for an application that asks: no encryption, or no certificate. Remote Desktop never does.
    pub fn is_only_on_request(&self) -> bool {
        self.cipher == Cipher::Null || self.key_exchange == KeyExchange::PreShared
    }

    /// Whether the server signs the exchange (everything but RSA key transport and pre-shared keys).
    pub fn needs_signature(&self) -> bool {
        !matches!(self.key_exchange, KeyExchange::Rsa | KeyExchange::PreShared)
    }

    /// Whether FIPS mode keeps it: AES and triple DES with SHA are approved, all older ciphers and MD5 are not (NIST SP
    /// 800-52r2, 3.3.1, which Microsoft's suites pages point to).
    pub fn is_allowed_in_fips(&self) -> bool {
        matches!(
            self.cipher,
            Cipher::Aes128 | Cipher::Aes256 | Cipher::TripleDes
        ) && self.hash != Hash::Md5
            && !self.export
    }
}

/// `_256_CBC_SHA384` and the like.
fn protection_of(text: &str) -> Option<(Cipher, Hash, bool)> {
    if text == "CHACHA20_POLY1305_SHA256" {
        return Some((Cipher::ChaCha20, Hash::Sha256, true));
    }
    let (cipher, hash) = text.rsplit_once('_')?;
    let hash = match hash {
        "MD5" => Hash::Md5,
        "SHA" => Hash::Sha,
        "SHA256" => Hash::Sha256,
        "SHA384" => Hash::Sha384,
        _ => return None,
    };
    let (cipher, aead) = match cipher {
        "NULL" => (Cipher::Null, false),
        "RC4_40" => (Cipher::Rc4(40), false),
        "RC4_56" => (Cipher::Rc4(56), false),
        "RC4_128" => (Cipher::Rc4(128), false),
        "DES_CBC" => (Cipher::Des, false),
        "3DES_EDE_CBC" => (Cipher::TripleDes, false),
        "AES_128_CBC" => (Cipher::Aes128, false),
        "AES_256_CBC" => (Cipher::Aes256, false),
        "AES_128_GCM" => (Cipher::Aes128, true),
        "AES_256_GCM" => (Cipher::Aes256, true),
        _ => return None,
    };
    Some((cipher, hash, aead))
}

/// The name without a curve suffix.
pub(super) fn without_suffix(name: &str) -> &str {
    match name.rsplit_once("_P") {
        Some((plain, "256" | "384" | "521")) => plain,
        _ => name,
    }
}

/// Whether some Windows version has registered this name.
pub(super) fn is_known_to_windows(name: &str) -> bool {
    CATALOGUE.contains_key(name)
}

/// Every name that some Windows version has registered, in the order of the alphabet.
pub(super) fn names_known_to_windows() -> impl Iterator<Item = &'static str> {
    CATALOGUE.keys().map(String::as_str)
}

static CATALOGUE: LazyLock<BTreeMap<String, Option<u16>>> = LazyLock::new(|| {
    let file: SuiteFile = super::data::embedded(include_str!("data/suites.toml"), "suites.toml");
    file.suite
        .into_iter()
        .map(|row| (row.name, row.code))
        .collect()
});

#[derive(Deserialize)]
struct SuiteFile {
    suite: Vec<SuiteRow>,
}

#[derive(Deserialize)]
struct SuiteRow {
    name: String,
    code: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Expected {
        suite: Vec<Row>,
    }

    #[derive(Deserialize)]
    struct Row {
        name: String,
        versions: String,
        exchange: String,
        certificate: String,
        cipher: String,
        hash: String,
    }

    #[test]
    fn the_rule_reads_all_81_names_as_the_table_says() {
        let table: Expected = toml::from_str(include_str!("data/suites.toml")).unwrap();
        assert_eq!(table.suite.len(), 81);
        for row in table.suite {
            let suite =
                Suite::parse(&row.name).unwrap_or_else(|| panic!("{} is not read", row.name));
            let versions = match suite.versions {
                [one] => one.to_string(),
                [first, .., last] if *first == Version::Tls10 => {
                    format!("TLS 1.0-{}", &last.to_string()[4..])
                }
                [first, .., last] => format!("{first}-{last}"),
                [] => String::new(),
            };
            let certificate = match suite.authentication {
                Authentication::Certificate(KeyType::Rsa) => "RSA",
                Authentication::Certificate(KeyType::Ec) => "ECDSA",
                Authentication::Certificate(KeyType::Dsa) => "DSA",
                Authentication::AnyCertificate => "any",
                Authentication::PreSharedKey => "none",
            };
            assert_eq!(versions, row.versions, "{}", row.name);
            assert_eq!(
                suite.key_exchange.registry_name().unwrap_or("none"),
                row.exchange,
                "{}",
                row.name
            );
            assert_eq!(certificate, row.certificate, "{}", row.name);
            assert_eq!(
                suite.cipher.registry_name().unwrap_or("none"),
                row.cipher,
                "{}",
                row.name
            );
            assert_eq!(suite.hash.to_string(), row.hash, "{}", row.name);
        }
    }

    #[test]
    fn a_suffix_is_no_part_of_the_name_on_the_wire() {
        let suite = Suite::parse("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P384").unwrap();
        assert_eq!(suite.iana_name(), "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256");
        assert_eq!(suite.curve, Some(Group::Secp384r1));
        assert_eq!(suite.code_point(), Some(0xc027));
    }

    #[test]
    fn what_windows_would_not_take_is_no_suite() {
        for name in [
            "ECDHE-RSA-AES256-GCM-SHA384",
            "tls_rsa_with_aes_128_cbc_sha",
            " TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_AES_128_CBC_SHA_P256",
            "TLS_RSA_WITH_AES_128_CB",
            "NistP256",
            "",
        ] {
            assert_eq!(Suite::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn clients_have_suites_that_windows_never_had() {
        let suite = Suite::parse("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256").unwrap();
        assert_eq!(
            (suite.versions, suite.aead, suite.code_point()),
            (TLS12, true, None)
        );
    }
}
