//! What `certutil -store` and `certutil -verifystore` print, with `-v` or without: which certificates a store holds, and where their
//! private keys are kept.
//!
//! Nearly every word is in the language of Windows. What is not: the rule of `=` before each certificate, `(sha1)` in the name of
//! its hash, the names of properties (`CERT_KEY_PROV_INFO_PROP_ID(2)`), ` = ` in the lines about the key, and their order. Dates are
//! in the language and the time zone of the machine, so that they tell no time: they are not read. Sources: outputs in English
//! and Spanish in public write-ups, of Windows 7 to 11.

use super::certificate::Thumbprint;
use super::key_file::KeyFileName;
use super::store_blob::KeyProviderInfo;
use super::text::Text;

/// One certificate of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    /// The line that gives its hash, from 1.
    pub line: u64,
    /// Its SHA-1.
    pub thumbprint: Thumbprint,
    /// Where its private key is kept; none where the listing does not tell, or is cut.
    pub key_provider: Option<KeyProviderInfo>,
}

/// What a listing holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CertificateListing {
    /// Its certificates, in their order.
    pub certificates: Vec<ListedCertificate>,
    /// The lines at which certificates begin whose hash cannot be told; the first hundred.
    pub untold: Vec<u64>,
}

const UNTOLD_LISTED: usize = 100;
const HASH_PROPERTY: &str = "CERT_SHA1_HASH_PROP_ID(3)";
const KEY_PROPERTY: &str = "CERT_KEY_PROV_INFO_PROP_ID(2)";
const SHA1: &str = "(sha1):";

/// CRYPT_MACHINE_KEYSET: what the machine's stores name is the machine's.
const MACHINE_KEY: u32 = 0x20;
const PROV_RSA_FULL: u32 = 1;

/// Reads a listing. What is cut tells what stands before.
#[must_use]
pub fn read(bytes: &[u8]) -> CertificateListing {
    let text = Text::decode(bytes);
    let mut listing = CertificateListing::default();
    let mut entry: Option<Entry<'_>> = None;
    for (line, number) in text.characters.split_inclusive('\n').zip(1..) {
        let is_whole = line.ends_with('\n');
        let line = line.trim_end();
        if is_rule(line) {
            listing.take(entry.take());
            entry = Some(Entry::begin(number));
        } else if let Some(entry) = entry.as_mut().filter(|_| is_whole) {
            entry.lines.push((number, line));
        }
    }
    listing.take(entry);
    listing
}

/// `================ Certificate 0 ================`.
fn is_rule(line: &str) -> bool {
    const RULE: &str = "================";
    let inner = line
        .strip_prefix(RULE)
        .and_then(|rest| rest.strip_suffix(RULE));
    inner.is_some_and(|inner| inner.starts_with(' ') && inner.ends_with(' '))
}

impl CertificateListing {
    fn take(&mut self, entry: Option<Entry<'_>>) {
        let Some(entry) = entry else { return };
        match entry.thumbprint() {
            Some((line, thumbprint)) => self.certificates.push(ListedCertificate {
                line,
                thumbprint,
                key_provider: entry.key_provider(line),
            }),
            None if self.untold.len() < UNTOLD_LISTED => self.untold.push(entry.begins),
            None => {}
        }
    }
}

/// The lines of one certificate.
struct Entry<'t> {
    begins: u64,
    lines: Vec<(u64, &'t str)>,
}

impl<'t> Entry<'t> {
    fn begin(line: u64) -> Self {
        Entry {
            begins: line,
            lines: Vec::new(),
        }
    }

    /// The hash of the certificate. In a long listing others stand before it, of names and of the key, so that the property
    /// counts or, without it, the last.
    fn thumbprint(&self) -> Option<(u64, Thumbprint)> {
        let mut lines = self.lines.iter();
        let property = lines
            .find(|(_, line)| line.trim_start().starts_with(HASH_PROPERTY))
            .and_then(|_| lines.next());
        let told = property.and_then(|(line, digits)| Some((*line, digits.trim().parse().ok()?)));
        let labelled = |(line, text): &(u64, &str)| {
            let (_, digits) = text.split_once(SHA1)?;
            Some((*line, digits.trim().parse().ok()?))
        };
        told.or_else(|| self.lines.iter().rev().find_map(labelled))
    }

    /// The lines ` = ` below the property or, in a short listing, below the hash: first the container, then what tells its
    /// file, then the provider and, in a long listing, its type, flags and use.
    fn key_provider(&self, hash: u64) -> Option<KeyProviderInfo> {
        let mut lines = self.lines.iter().map(|(line, text)| (*line, text.trim()));
        let is_long = lines
            .clone()
            .any(|(_, text)| text.starts_with(KEY_PROPERTY));
        match is_long {
            true => lines.find(|(_, text)| text.starts_with(KEY_PROPERTY)),
            false => lines.find(|(line, _)| *line == hash),
        }?;
        let block: Vec<&str> = lines
            .map(|(_, text)| text)
            .take_while(|text| !text.is_empty() && !text.contains("_PROP_ID("))
            .collect();
        let mut given = block.iter().filter_map(|text| text.split_once(" = "));
        let (_, container) = given.next()?;
        let (_, provider) = given.next()?;
        let mut numbers = given.filter_map(|(_, value)| number(value));
        let cng = provider.ends_with("Key Storage Provider");
        let provider_type = numbers.next().filter(|_| is_long);
        let flags = numbers.next();
        let key_spec = numbers.next();
        // Of the two names of a container that may stand here, the one that is its file's tells more.
        let file = block
            .iter()
            .filter_map(|text| text.rsplit_once(": "))
            .map(|(_, name)| name.trim())
            .find(|name| name.parse::<KeyFileName>().is_ok());
        Some(KeyProviderInfo {
            container: file.unwrap_or(container).trim().to_owned(),
            provider: provider.trim().to_owned(),
            provider_type: provider_type.unwrap_or(if cng { 0 } else { PROV_RSA_FULL }),
            flags: flags.unwrap_or(MACHINE_KEY),
            key_spec: key_spec.unwrap_or(if cng { 0 } else { 1 }),
        })
    }
}

/// `20 (32)` is 0x20, `1 -- AT_KEYEXCHANGE` is 1: the first word is hexadecimal.
fn number(value: &str) -> Option<u32> {
    let digits = value.split_whitespace().next()?;
    u32::from_str_radix(digits.trim_start_matches("0x"), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "my \"Personal\"\r\n================ Certificate 0 ================\r\nSerial Number: 1f\r\nIssuer: CN=TS1\r\n NotBefore: 11/2/2026 6:10 AM\r\n NotAfter: 5/4/2027 6:10 AM\r\nSubject: CN=TS1\r\nCert Hash(sha1): 37378a1b06dcef1b4d4753f7d21e4f20b18fbfec\r\n  Key Container = 31685cae-af6f-48fb-ac37-845c69b4c097\r\n  Unique container name: bf4097e20d4480b8d6ebc139c9360f02_5834bfa9-1c4a-44a8-a128-c2267f712336\r\n  Provider = Microsoft Software Key Storage Provider\r\nEncryption test passed\r\n\r\n================ Certificate 1 ================\r\nCert Hash(sha1): a5 03 37 ab 01 5d 56 12 b7 dc 4c 1e 75 9d 20 1e 74 cc 2a 93\r\n  Key Container = TSSecKeySet1\r\n  Provider = Microsoft Enhanced Cryptographic Provider v1.0\r\nCertUtil: -store command completed successfully.\r\n";

    const LONG: &str = "================ Certificado 0 ================\r\nEmisor:\r\n    CN=TS1\r\n  Hash de nombre(sha1): a07626ccaaaaabbbb562364300973304401cd3fb\r\nHash de Id. de clave(sha1): 944d5680aaaabbbb95b1cb4f50ba2b719fc2c0a3\r\nHash de certificado(sha1): 2f02901dcff083ed3dbb6cb0a15bbfee6002b1a8\r\nHash de certificado(sha256): 2f02\r\n\r\n  CERT_KEY_PROV_INFO_PROP_ID(2):\r\n    Contenedor de claves = TSSecKeySet1\r\n  Nombre de contenedor exclusivo: f686aace6942fb7f7ceb231212eef4a4_caabdf74-6fe2-47d3-a3ea-f1f1ca13972a\r\n    Proveedor = Microsoft Enhanced Cryptographic Provider v1.0\r\n    Tipo de proveedor = 1\r\n  Marcas = 20 (32)\r\n    CRYPT_MACHINE_KEYSET -- 20 (32)\r\n    Especificacion de clave = 2 -- AT_SIGNATURE\r\n\r\n  CERT_SHA1_HASH_PROP_ID(3):\r\n    2f02901dcff083ed3dbb6cb0a15bbfee6002b1a8\r\n\r\n  D:PAI(A;;GAGR;;;SY)\r\n";

    #[test]
    fn short_listings_tell_hash_and_container() {
        let listing = read(SHORT.as_bytes());
        assert!(listing.untold.is_empty());
        let [cng, csp] = listing.certificates.as_slice() else {
            panic!("{listing:?}");
        };
        assert_eq!(cng.line, 8);
        assert_eq!(
            cng.thumbprint.to_string(),
            "37378A1B06DCEF1B4D4753F7D21E4F20B18FBFEC"
        );
        let provider = cng.key_provider.as_ref().unwrap();
        assert!(provider.container.starts_with("bf4097e20d44"));
        assert_eq!((provider.provider_type, provider.flags), (0, 0x20));
        let provider = csp.key_provider.as_ref().unwrap();
        assert_eq!(provider.container, "TSSecKeySet1");
        assert_eq!((provider.provider_type, provider.key_spec), (1, 1));
    }

    #[test]
    fn long_listings_are_read_in_any_language() {
        let listing = read(LONG.as_bytes());
        let certificate = &listing.certificates[0];
        assert_eq!(
            certificate.thumbprint.to_string(),
            "2F02901DCFF083ED3DBB6CB0A15BBFEE6002B1A8"
        );
        let provider = certificate.key_provider.as_ref().unwrap();
        assert_eq!(
            provider.container,
            "f686aace6942fb7f7ceb231212eef4a4_caabdf74-6fe2-47d3-a3ea-f1f1ca13972a"
        );
        assert_eq!((provider.provider_type, provider.key_spec), (1, 2));
        // Without the property the last hash is the certificate's.
        let without = LONG.replace("CERT_SHA1_HASH_PROP_ID(3)", "x");
        assert_eq!(
            read(without.as_bytes()).certificates[0].thumbprint,
            certificate.thumbprint
        );
    }

    #[test]
    fn wherever_it_is_cut_nothing_wrong_is_told() {
        for whole in [SHORT, LONG] {
            let all = read(whole.as_bytes());
            for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
                for cut in read(&whole.as_bytes()[..end]).certificates {
                    let full = all.certificates.iter();
                    let Some(full) = full.clone().find(|full| full.thumbprint == cut.thumbprint)
                    else {
                        // Of a long listing that lost its end, the last hash may be of a name: no store names such a certificate.
                        assert_eq!((whole, cut.key_provider), (LONG, None));
                        continue;
                    };
                    let container = |of: &ListedCertificate| {
                        of.key_provider.as_ref().map(|key| key.container.clone())
                    };
                    assert!(container(&cut).is_none() || container(&cut) == container(full));
                }
            }
        }
    }

    #[test]
    fn a_certificate_without_a_hash_is_named_by_its_line() {
        let listing = read(b"================ Certificate 0 ================\r\nSubject: CN=x\r\n");
        assert_eq!((listing.certificates.len(), listing.untold), (0, vec![1]));
    }
}
