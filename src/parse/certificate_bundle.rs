//! Files that hold certificates beside other things: PKCS #7 messages (RFC 2315, 9.1; RFC 5652, 5.1), which `.p7b` files and "include
//! all certificates in the path" are, and serialized stores (`.sst`). Only what holds the certificates and lists of revoked ones is
//! looked at; no signature is checked, since nobody signs such a file.

use super::ber::{Cursor, OBJECT_IDENTIFIER, SEQUENCE, Trouble};
use super::store_blob::{StoreBlob, StoreElement};
use crate::parse::certificate::{Certificate, CertificateError};

/// What a serialized store begins with: version 0 and `CERT`.
const STORE_HEADER: &[u8] = b"\0\0\0\0CERT";
/// The records that end an entry of a serialized store: certificate, revocation list, trust list.
const ELEMENTS: std::ops::RangeInclusive<u32> = 32..=34;
const RECORD_HEADER: usize = 12;

const FIRST: u8 = 0xA0;
const SECOND: u8 = 0xA1;
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// Where a certificate that is named only in a message's extended forms would stand (tags 0 to 3, RFC 5652, 10.2.2).
const CONSTRUCTED_CONTEXT: u8 = 0xA0;

/// Why the file cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It does not begin as such a file does.
    #[error("byte {0}: it does not go on as a PKCS #7 message does; export it again")]
    NotAMessage(usize),
    /// The bytes end inside of something.
    #[error("byte {0}: it is cut off here; what stands before is used. Export it again")]
    Cut(usize),
}

impl From<Trouble> for BundleError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unexpected(at) => BundleError::NotAMessage(at),
            Trouble::Cut(at) => BundleError::Cut(at),
        }
    }
}

/// A certificate of such a file, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// It, or why it cannot be read.
    pub certificate: Result<Box<Certificate>, CertificateError>,
}

/// A list of revoked certificates in such a file, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundledList {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// Its DER bytes.
    pub der: Vec<u8>,
}

/// The certificates of a PKCS #7 message, in its order, and what ended the reading early.
#[must_use]
pub fn pkcs7(bytes: &[u8]) -> (Vec<Bundled>, Option<BundleError>) {
    let mut found = Vec::new();
    let error = message(bytes, &mut found, &mut Vec::new()).err();
    (found, error)
}

/// The lists of revoked certificates of a PKCS #7 message, in its order.
#[must_use]
pub fn revocation_lists_of_pkcs7(bytes: &[u8]) -> Vec<BundledList> {
    let mut lists = Vec::new();
    // What ended the reading early is told with the certificates.
    let _ = message(bytes, &mut Vec::new(), &mut lists);
    lists
}

fn message(
    bytes: &[u8],
    found: &mut Vec<Bundled>,
    lists: &mut Vec<BundledList>,
) -> Result<(), BundleError> {
    let whole = Cursor::of(bytes);
    let content = whole.expect(SEQUENCE)?.0;
    let (kind, content) = content.expect(OBJECT_IDENTIFIER)?;
    if kind.bytes != SIGNED_DATA {
        return Err(BundleError::NotAMessage(kind.at));
    }
    let signed = content.expect(FIRST)?.0.expect(SEQUENCE)?.0;
    // Version, the digests' algorithms, what is signed.
    let mut rest = signed;
    for _ in 0..3 {
        rest = rest.next()?.ok_or(BundleError::Cut(rest.at))?.after;
    }
    // Both are left out where there are none.
    if let Some(element) = rest.next()?
        && element.tag == FIRST
    {
        let mut certificates = element.content;
        while let Some(element) = certificates.next()? {
            if element.tag & CONSTRUCTED_CONTEXT != CONSTRUCTED_CONTEXT {
                found.push(Bundled {
                    offset: certificates.at,
                    certificate: Certificate::from_der(element.raw).map(Box::new),
                });
            }
            certificates = element.after;
        }
        rest = element.after;
    }
    let mut revoked = match rest.next()? {
        Some(element) if element.tag == SECOND => element.content,
        _ => return Ok(()),
    };
    while let Some(element) = revoked.next()? {
        // Answers of OCSP and the like stand in forms of their own (RFC 5652, 10.2.1).
        if element.tag == SEQUENCE {
            lists.push(BundledList {
                offset: revoked.at,
                der: element.raw.to_vec(),
            });
        }
        revoked = element.after;
    }
    Ok(())
}

/// The certificates of a serialized store: the records of a registry's store, entry after entry (MS-OSHARED 2.3.9.1), and what ended
/// the reading early.
#[must_use]
pub fn serialized_store(bytes: &[u8]) -> (Vec<Bundled>, Option<BundleError>) {
    let mut found = Vec::new();
    let error = entries(bytes, &mut |offset, element| {
        if let StoreElement::Certificate(certificate) = element {
            found.push(Bundled {
                offset,
                certificate,
            });
        }
    });
    (found, error)
}

/// The lists of revoked certificates of a serialized store, in its order.
#[must_use]
pub fn revocation_lists_of_store(bytes: &[u8]) -> Vec<BundledList> {
    let mut lists = Vec::new();
    // What ended the reading early is told with the certificates.
    let _ = entries(bytes, &mut |offset, element| {
        if let StoreElement::RevocationList(der) = element {
            lists.push(BundledList { offset, der });
        }
    });
    lists
}

fn entries(bytes: &[u8], take: &mut dyn FnMut(usize, StoreElement)) -> Option<BundleError> {
    let mut entry = STORE_HEADER.len();
    let mut at = entry;
    loop {
        let header = bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk::<RECORD_HEADER>);
        let Some(&[a, b, c, d, _, _, _, _, e, f, g, h]) = header else {
            return Some(BundleError::Cut(at));
        };
        let (id, length) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        if id == 0 {
            return None;
        }
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| at.checked_add(RECORD_HEADER)?.checked_add(length));
        let Some(records) = end.and_then(|end| bytes.get(entry..end)) else {
            return Some(BundleError::Cut(at));
        };
        at = entry + records.len();
        if ELEMENTS.contains(&id) {
            take(entry, StoreBlob::parse(records).element);
            entry = at;
        }
    }
}
