//! The `Blob` values of Windows' registry certificate stores
//! (`SOFTWARE\Microsoft\SystemCertificates\<store>\Certificates\<thumbprint>`): property records one after another,
//! without header or terminator. Each is `id: u32, encoding: u32, length: u32, data`, little-endian (MS-OSHARED 2.3.9.1
//! describes the records; that the registry has neither header nor terminator was checked on 112 blobs of two machines).

use super::certificate::{Certificate, CertificateError, Thumbprint};

/// Property ids, from wincrypt.h (CERT_..._PROP_ID) and MS-OSHARED 2.3.9.1 for the elements themselves.
mod id {
    pub const KEY_PROVIDER_INFO: u32 = 2;
    pub const SHA1: u32 = 3;
    pub const FRIENDLY_NAME: u32 = 11;
    pub const CERTIFICATE: u32 = 32;
    pub const REVOCATION_LIST: u32 = 33;
    pub const TRUST_LIST: u32 = 34;
    /// The first id that is free for applications: the Remote Desktop service marks its own certificates with it.
    pub const FIRST_USER: u32 = 0x8000;
    pub const LAST_USER: u32 = 0xffff;
}

/// What the Remote Desktop service writes into property 0x8000 of the certificate that it made.
const SELF_SIGNED_MARK: &[u8] = b"TERMSRV_SELF_SIGNED_CERTIFICATE";

/// X509_ASN_ENCODING, and the same with PKCS_7_ASN_ENCODING.
const KNOWN_ENCODINGS: [u32; 2] = [0x1, 0x1_0001];

/// One store entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreBlob {
    /// The element that the properties belong to.
    pub element: StoreElement,
    /// Property 3: the SHA-1 as Windows computed it. Not every entry has it.
    pub sha1_property: Option<Thumbprint>,
    /// Property 2: where the private key is kept. Without it the certificate has no private key here.
    pub key_provider: Option<KeyProviderInfo>,
    /// Whether the Remote Desktop service marked the certificate as one it made.
    pub self_signed_mark: SelfSignedMark,
    /// Property 11.
    pub friendly_name: Option<String>,
    /// The properties that are not interpreted here.
    pub other_properties: Vec<OtherProperty>,
    /// What is wrong with the blob.
    pub problems: Vec<StoreBlobProblem>,
}

/// What a store entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreElement {
    /// A certificate, or why its bytes could not be read.
    Certificate(Result<Box<Certificate>, CertificateError>),
    /// A certificate revocation list, in DER.
    RevocationList(Vec<u8>),
    /// A certificate trust list.
    TrustList,
    /// None was found: the properties are there without what they belong to.
    Missing,
}

/// Whether property 0x8000 holds the text TERMSRV_SELF_SIGNED_CERTIFICATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfSignedMark {
    /// It does.
    Marked,
    /// The property is not there, or holds something else.
    NotMarked,
}

/// Where the private key is kept: the serialized CRYPT_KEY_PROV_INFO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProviderInfo {
    /// The key container, or the unique name of its file.
    pub container: String,
    /// The name of the provider.
    pub provider: String,
    /// The CryptoAPI provider's type; 0 means a CNG key storage provider.
    pub provider_type: u32,
    /// 0x20 is CRYPT_MACHINE_KEYSET: the key belongs to the machine, not to a user.
    pub flags: u32,
    /// 1 AT_KEYEXCHANGE, 2 AT_SIGNATURE, 0 or 0xFFFFFFFF for CNG.
    pub key_spec: u32,
}

/// The two families of key storage, which keep their files in different folders and forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStorage {
    /// A cryptographic service provider: `Crypto\RSA\MachineKeys`.
    Capi,
    /// A CNG key storage provider: `Crypto\Keys`, `Crypto\SystemKeys`.
    Cng,
}

impl KeyProviderInfo {
    /// Which family the provider type belongs to.
    pub fn storage(&self) -> KeyStorage {
        if self.provider_type == 0 {
            KeyStorage::Cng
        } else {
            KeyStorage::Capi
        }
    }
}

/// A property that is not interpreted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherProperty {
    /// Its id.
    pub id: u32,
    /// Where its record begins in the blob.
    pub offset: usize,
    /// How many bytes of data it has.
    pub length: usize,
}

/// What is wrong with a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreBlobProblem {
    /// No bytes.
    #[error("the blob is empty")]
    Empty,
    /// Only zeros from here on.
    #[error("only zeros from offset {offset:#x} on, {length} bytes")]
    Zeroed {
        /// Where they begin.
        offset: usize,
        /// How many there are.
        length: usize,
    },
    /// Fewer bytes than a record's header needs.
    #[error(
        "a property record is cut in its header at offset {offset:#x}: {actual} bytes are left of 12"
    )]
    HeaderCut {
        /// Where the record begins.
        offset: usize,
        /// Bytes that are there.
        actual: usize,
    },
    /// A record that says it is longer than the blob.
    #[error("property {id} at offset {offset:#x} says it has {expected} bytes, {actual} are left")]
    Cut {
        /// The property.
        id: u32,
        /// Where the record begins.
        offset: usize,
        /// Bytes that the record promises.
        expected: u32,
        /// Bytes that are left.
        actual: usize,
    },
    /// What stands where a record should begin has no property's id.
    #[error("no property record stands at offset {offset:#x}: its id would be {id:#x}")]
    NotARecord {
        /// Where it stands.
        offset: usize,
        /// What would be its id.
        id: u32,
    },
    /// An encoding that Windows does not write.
    #[error("property {id} at offset {offset:#x} has the encoding {encoding:#x}, not X.509")]
    Encoding {
        /// The property.
        id: u32,
        /// Where the record begins.
        offset: usize,
        /// The encoding.
        encoding: u32,
    },
    /// A property that stands there a second time; the first one counts.
    #[error("property {id} stands there again at offset {offset:#x}")]
    Repeated {
        /// The property.
        id: u32,
        /// Where the second record begins.
        offset: usize,
    },
    /// A property whose data is not what its id says.
    #[error("property {id} at offset {offset:#x} cannot be read: {why}")]
    Unreadable {
        /// The property.
        id: u32,
        /// Where the record begins.
        offset: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl StoreBlob {
    /// Walks all records of a blob. There is always an answer; what is wrong stands among its problems.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut blob = StoreBlob {
            element: StoreElement::Missing,
            sha1_property: None,
            key_provider: None,
            self_signed_mark: SelfSignedMark::NotMarked,
            friendly_name: None,
            other_properties: Vec::new(),
            problems: Vec::new(),
        };
        if bytes.is_empty() {
            blob.problems.push(StoreBlobProblem::Empty);
        }
        let mut offset = 0;
        while let Some(record) = Record::at(bytes, offset, &mut blob.problems) {
            offset = record.end;
            blob.take(&record);
        }
        blob
    }

    /// The certificate, where the entry holds one that could be read.
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.element {
            StoreElement::Certificate(Ok(certificate)) => Some(certificate),
            _ => None,
        }
    }

    fn take(&mut self, record: &Record<'_>) {
        if !KNOWN_ENCODINGS.contains(&record.encoding) {
            self.problems.push(StoreBlobProblem::Encoding {
                id: record.id,
                offset: record.offset,
                encoding: record.encoding,
            });
        }
        match record.id {
            id::CERTIFICATE | id::REVOCATION_LIST | id::TRUST_LIST => {
                if self.element != StoreElement::Missing {
                    return self.repeated(record);
                }
                self.element = match record.id {
                    id::CERTIFICATE => {
                        StoreElement::Certificate(Certificate::from_der(record.data).map(Box::new))
                    }
                    id::REVOCATION_LIST => StoreElement::RevocationList(record.data.to_vec()),
                    _ => StoreElement::TrustList,
                };
            }
            id::SHA1 if self.sha1_property.is_some() => self.repeated(record),
            id::SHA1 => {
                self.sha1_property = Thumbprint::from_bytes(record.data);
                if self.sha1_property.is_none() {
                    self.unreadable(record, "a SHA-1 has 20 bytes");
                }
            }
            id::KEY_PROVIDER_INFO if self.key_provider.is_some() => self.repeated(record),
            id::KEY_PROVIDER_INFO => match key_provider_info(record.data) {
                Ok(info) => self.key_provider = Some(info),
                Err(why) => self.unreadable(record, why),
            },
            id::FRIENDLY_NAME => match terminated_text(record.data, 0) {
                Some(name) => self.friendly_name = Some(name),
                None => self.unreadable(record, "no UTF-16 text with its terminator"),
            },
            id::FIRST_USER
                if record.data.strip_suffix(&[0]).unwrap_or(record.data) == SELF_SIGNED_MARK =>
            {
                self.self_signed_mark = SelfSignedMark::Marked;
            }
            _ => self.other_properties.push(OtherProperty {
                id: record.id,
                offset: record.offset,
                length: record.data.len(),
            }),
        }
    }

    fn repeated(&mut self, record: &Record<'_>) {
        self.problems.push(StoreBlobProblem::Repeated {
            id: record.id,
            offset: record.offset,
        });
    }

    fn unreadable(&mut self, record: &Record<'_>, why: &'static str) {
        self.problems.push(StoreBlobProblem::Unreadable {
            id: record.id,
            offset: record.offset,
            why,
        });
    }
}

struct Record<'a> {
    id: u32,
    encoding: u32,
    offset: usize,
    data: &'a [u8],
    end: usize,
}

impl<'a> Record<'a> {
    /// The record at this offset; `None` at the end of the blob, and where it cannot be read (a problem then).
    fn at(bytes: &'a [u8], offset: usize, problems: &mut Vec<StoreBlobProblem>) -> Option<Self> {
        let rest = bytes.get(offset..)?;
        if rest.is_empty() {
            return None;
        }
        if rest.iter().all(|byte| *byte == 0) {
            problems.push(StoreBlobProblem::Zeroed {
                offset,
                length: rest.len(),
            });
            return None;
        }
        let Some((header, after)) = rest.split_first_chunk::<12>() else {
            problems.push(StoreBlobProblem::HeaderCut {
                offset,
                actual: rest.len(),
            });
            return None;
        };
        let field = |at: usize| word(header, at).unwrap_or(0);
        let (id, encoding, expected) = (field(0), field(4), field(8));
        if id == 0 || id > id::LAST_USER {
            problems.push(StoreBlobProblem::NotARecord { offset, id });
            return None;
        }
        let Some(data) = usize::try_from(expected)
            .ok()
            .and_then(|length| after.get(..length))
        else {
            problems.push(StoreBlobProblem::Cut {
                id,
                offset,
                expected,
                actual: after.len(),
            });
            return None;
        };
        Some(Record {
            id,
            encoding,
            offset,
            data,
            end: offset + header.len() + data.len(),
        })
    }
}

/// The header has seven words: offsets of container and provider from the start of the data, provider type, flags, count
/// and offset of provider parameters, key spec. The strings are UTF-16LE with a terminator.
fn key_provider_info(data: &[u8]) -> Result<KeyProviderInfo, &'static str> {
    let field =
        |index: usize| word(data, index * 4).ok_or("it is shorter than its header of 28 bytes");
    let key_spec = field(6)?;
    let text = |offset: u32| match offset {
        // A null pointer, serialized.
        0 => Some(String::new()),
        offset => usize::try_from(offset)
            .ok()
            .and_then(|offset| terminated_text(data, offset)),
    };
    Ok(KeyProviderInfo {
        container: text(field(0)?).ok_or("the container's name is not inside it")?,
        provider: text(field(1)?).ok_or("the provider's name is not inside it")?,
        provider_type: field(2)?,
        flags: field(3)?,
        key_spec,
    })
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes))
}

/// UTF-16LE up to its terminator; `None` where there is none, or where the text is no UTF-16.
fn terminated_text(bytes: &[u8], offset: usize) -> Option<String> {
    let (pairs, _) = bytes.get(offset..)?.as_chunks::<2>();
    let end = pairs.iter().position(|pair| *pair == [0, 0])?;
    let units = pairs
        .get(..end)?
        .iter()
        .map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .ok()
}
