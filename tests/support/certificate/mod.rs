//! Forges certificates, store entries and key files: the same bytes every time.

mod key_file;
mod keys;
mod store;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, Issuer,
    KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};

pub use key_file::{KeyFileDamage, MASTER_KEY, capi_key_file, cng_key_file};
pub use keys::TestKey;
pub use store::StoreEntry;

/// How the signature of a forged certificate is labelled. Only SHA-256 is really computed; the others are patched in, and
/// do not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureLabel {
    Sha256,
    Sha1,
    Md5,
}

/// A certificate to be made. Public fields: change what a test needs changed.
#[derive(Clone, Debug)]
pub struct ForgedCertificate {
    pub subject: String,
    /// The issuer's common name; the subject's own where it is the same.
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    pub key: TestKey,
    pub purposes: Vec<ExtendedKeyUsagePurpose>,
    pub key_usages: Vec<KeyUsagePurpose>,
    pub dns_names: Vec<String>,
    pub signature: SignatureLabel,
    pub serial: [u8; 16],
}

impl ForgedCertificate {
    /// As the Remote Desktop service makes one for itself: named after the host, for server authentication, 183 days from 24
    /// hours before it was made.
    pub fn listener(host: &str, made: Timestamp) -> Self {
        let day = SignedDuration::from_hours(24);
        let mut serial = [0x11; 16];
        for (byte, character) in serial.iter_mut().skip(1).zip(host.bytes()) {
            *byte = character;
        }
        ForgedCertificate {
            subject: host.to_owned(),
            issuer: host.to_owned(),
            not_before: made - day,
            not_after: made - day + day * 183,
            key: TestKey::Rsa2048,
            purposes: vec![ExtendedKeyUsagePurpose::ServerAuth],
            key_usages: vec![
                KeyUsagePurpose::KeyEncipherment,
                KeyUsagePurpose::DataEncipherment,
            ],
            dns_names: Vec::new(),
            signature: SignatureLabel::Sha256,
            serial,
        }
    }

    /// As a certificate authority of the domain issues one from a web server template: for a year, with the host's name as
    /// alternative name.
    pub fn issued(host: &str, authority: &str, not_before: Timestamp) -> Self {
        ForgedCertificate {
            issuer: authority.to_owned(),
            not_before,
            not_after: not_before + SignedDuration::from_hours(24 * 365),
            key_usages: vec![
                KeyUsagePurpose::DigitalSignature,
                KeyUsagePurpose::KeyEncipherment,
            ],
            dns_names: vec![host.to_owned()],
            ..ForgedCertificate::listener(host, not_before)
        }
    }

    /// The certificate's DER bytes. All are signed by the RSA test key, whatever their own key is.
    pub fn der(&self) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&self.serial));
        let date = |time: Timestamp| {
            date_time_ymd(1970, 1, 1)
                + Duration::from_secs(u64::try_from(time.as_second()).unwrap())
        };
        params.not_before = date(self.not_before);
        params.not_after = date(self.not_after);
        params.distinguished_name = common_name(&self.subject);
        params.key_usages = self.key_usages.clone();
        params.extended_key_usages = self.purposes.clone();
        params.subject_alt_names = self
            .dns_names
            .iter()
            .map(|name| SanType::DnsName(name.as_str().try_into().unwrap()))
            .collect();
        let mut authority = CertificateParams::default();
        authority.distinguished_name = common_name(&self.issuer);
        let issuer = Issuer::new(authority, TestKey::signer());
        let der = params
            .signed_by(&self.key.public(), &issuer)
            .unwrap()
            .der()
            .to_vec();
        self.signature.patch(der)
    }

    /// The same in PEM, as the export dialog of Windows writes it (CR LF, 64 characters a line).
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der())
    }
}

/// PEM with CR LF and 64 characters a line.
pub fn pem(label: &str, bytes: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\r\n");
    for line in base64(bytes).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push_str("\r\n");
    }
    text + &format!("-----END {label}-----\r\n")
}

impl SignatureLabel {
    /// The last arc of sha256WithRSAEncryption, 1.2.840.113549.1.1.11, becomes another one; it stands there twice.
    fn patch(self, mut der: Vec<u8>) -> Vec<u8> {
        const SHA256_WITH_RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
        let arc = match self {
            SignatureLabel::Sha256 => return der,
            SignatureLabel::Sha1 => 0x05,
            SignatureLabel::Md5 => 0x04,
        };
        let places: Vec<usize> = der
            .windows(SHA256_WITH_RSA.len())
            .enumerate()
            .filter_map(|(place, bytes)| (bytes == SHA256_WITH_RSA).then_some(place))
            .collect();
        assert_eq!(
            places.len(),
            2,
            "a certificate names its signature algorithm twice"
        );
        for place in places {
            der[place + SHA256_WITH_RSA.len() - 1] = arc;
        }
        der
    }
}

/// Windows encodes a host's name as PrintableString where it can.
fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    let value = match name.try_into() {
        Ok(printable) => DnValue::PrintableString(printable),
        Err(_) => DnValue::Utf8String(name.to_owned()),
    };
    distinguished.push(DnType::CommonName, value);
    distinguished
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for position in 0..4 {
            let sextet = (bits >> (18 - 6 * position)) & 0x3f;
            text.push(if position > chunk.len() {
                '='
            } else {
                char::from(BASE64[sextet as usize])
            });
        }
    }
    text
}
