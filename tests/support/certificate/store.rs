//! Forges the `Blob` of a registry certificate store: records of id, encoding, length and data.

use sha1::{Digest, Sha1};

/// A store entry to be made.
#[derive(Clone, Debug)]
pub struct StoreEntry {
    pub certificate: Vec<u8>,
    /// Container, provider, provider type, flags, key spec; `None` for a certificate without private key.
    pub key: Option<(String, String, u32, u32, u32)>,
    pub marked_self_signed: bool,
    pub friendly_name: Option<String>,
}

impl StoreEntry {
    /// As Windows 10 and Server 2016 and later keep the listener's own certificate.
    pub fn listener(certificate: Vec<u8>) -> Self {
        StoreEntry {
            certificate,
            key: Some((
                "TSSecKeySet1".to_owned(),
                "Microsoft Enhanced Cryptographic Provider v1.0".to_owned(),
                1,
                0x20,
                1,
            )),
            marked_self_signed: true,
            friendly_name: None,
        }
    }

    /// A certificate of the machine's own store whose key CNG keeps.
    pub fn cng(certificate: Vec<u8>, container: &str) -> Self {
        StoreEntry {
            certificate,
            key: Some((
                container.to_owned(),
                "Microsoft Software Key Storage Provider".to_owned(),
                0,
                0x20,
                0,
            )),
            marked_self_signed: false,
            friendly_name: None,
        }
    }

    /// The blob, its properties in the order that was seen on real machines: the certificate last.
    pub fn blob(&self) -> Vec<u8> {
        let mut blob = record(89, &utf16("RSA/SHA256"));
        if self.marked_self_signed {
            blob.extend(record(0x8000, b"TERMSRV_SELF_SIGNED_CERTIFICATE\0"));
        }
        if let Some(key) = &self.key {
            blob.extend(record(2, &key_provider_info(key)));
        }
        if let Some(name) = &self.friendly_name {
            blob.extend(record(11, &utf16(name)));
        }
        blob.extend(record(3, &Sha1::digest(&self.certificate)));
        blob.extend(record(32, &self.certificate));
        blob
    }
}

fn record(id: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [id, 1, data.len() as u32] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(data);
    bytes
}

fn key_provider_info(key: &(String, String, u32, u32, u32)) -> Vec<u8> {
    const HEADER: u32 = 28;
    let (container, provider, provider_type, flags, key_spec) = key;
    let (container, provider) = (utf16(container), utf16(provider));
    // Windows aligns the second string on four bytes.
    let provider_offset = (HEADER + container.len() as u32).next_multiple_of(4);
    let mut bytes = Vec::new();
    for word in [
        HEADER,
        provider_offset,
        *provider_type,
        *flags,
        0,
        0,
        *key_spec,
    ] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(container);
    bytes.resize(provider_offset as usize, 0);
    bytes.extend(provider);
    bytes
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}
