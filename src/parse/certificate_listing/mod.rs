//! Lists of certificates as text: what `certutil -store` and `certutil -verifystore` print, and what PowerShell makes of
//! `Get-ChildItem Cert:\...`: which certificates a store holds, where their private keys are kept, and when they end.
//!
//! ```text
//! certutil    lines in the language of Windows, told by their order
//! powershell  tables, lists and files of values, with the names of properties, which no language changes
//! validity    days that stand in the order of the machine's language and in its time zone
//! ```

mod certutil;
mod powershell;
mod validity;

use super::certificate::Thumbprint;
use super::store_blob::KeyProviderInfo;
use super::text::Text;

pub use validity::Between;

use validity::{Order, PrintedDay};

/// One certificate of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCertificate {
    /// The line that gives its hash, from 1.
    pub line: u64,
    /// Its SHA-1.
    pub thumbprint: Thumbprint,
    /// Where its private key is kept; none where the listing does not tell, or is cut.
    pub key_provider: Option<KeyProviderInfo>,
    /// Whether it has a private key at all, where the listing says so by itself.
    pub has_key: Option<bool>,
    /// The store that was listed; none where the listing does not tell. What `certutil` prints of a user's store looks like the
    /// machine's.
    pub store: Option<ListedStore>,
    /// Its subject and its issuer, where both are there whole.
    pub names: Option<ListedNames>,
    /// When it begins.
    pub begins: Option<Between>,
    /// When it ends.
    pub ends: Option<Between>,
}

/// The store that a listing is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedStore {
    /// The machine's "Remote Desktop".
    RemoteDesktop,
    /// The machine's MY.
    Personal,
    /// Another one, or a user's.
    Other,
}

/// Whose a certificate is, and who issued it, as .NET writes names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNames {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
}

/// What a listing holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CertificateListing {
    /// Its certificates, in their order.
    pub certificates: Vec<ListedCertificate>,
    /// The lines at which certificates begin whose hash cannot be told; the first hundred.
    pub untold: Vec<u64>,
    /// How many there are beyond the first 50,000.
    pub further: usize,
}

const UNTOLD_LISTED: usize = 100;
const MOST_CERTIFICATES: usize = 50_000;

/// Reads a listing, or several in one file. What is cut tells what stands before.
#[must_use]
pub fn read(bytes: &[u8]) -> CertificateListing {
    let text = Text::decode_joined(bytes);
    let mut found = Found::default();
    certutil::read(&text.characters, &mut found);
    powershell::read(&text.characters, &mut found);
    found.finish()
}

impl ListedCertificate {
    fn new(line: u64, thumbprint: Thumbprint) -> Self {
        ListedCertificate {
            line,
            thumbprint,
            key_provider: None,
            has_key: None,
            store: None,
            names: None,
            begins: None,
            ends: None,
        }
    }
}

/// What was found so far, with days of which only the whole listing tells how they are read.
#[derive(Default)]
struct Found {
    listing: CertificateListing,
    days: Vec<(Option<PrintedDay>, Option<PrintedDay>)>,
}

impl Found {
    fn take(
        &mut self,
        certificate: ListedCertificate,
        days: (Option<PrintedDay>, Option<PrintedDay>),
    ) {
        if self.listing.certificates.len() < MOST_CERTIFICATES {
            self.listing.certificates.push(certificate);
            self.days.push(days);
        } else {
            self.listing.further += 1;
        }
    }

    fn untold(&mut self, line: u64) {
        if self.listing.untold.len() < UNTOLD_LISTED {
            self.listing.untold.push(line);
        }
    }

    fn finish(mut self) -> CertificateListing {
        let order = Order::of(self.days.iter().copied());
        let certificates = self.listing.certificates.iter_mut();
        for (certificate, (begins, ends)) in certificates.zip(self.days) {
            certificate.begins = begins.and_then(|day| day.between(order));
            certificate.ends = ends.and_then(|day| day.between(order));
        }
        self.listing
    }
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
