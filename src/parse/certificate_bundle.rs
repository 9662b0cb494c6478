//! Files that hold certificates beside other things: PKCS #7 messages (RFC 2315, 9.1; RFC 5652, 5.1), which `.p7b` files and "include
//! all certificates in the path" are, and serialized stores (`.sst`). Only what holds the certificates is looked at; no signature is
//! checked, since nobody signs such a file.

use super::store_blob::{StoreBlob, StoreElement};
use crate::parse::certificate::{Certificate, CertificateError};

/// What a serialized store begins with: version 0 and `CERT`.
const STORE_HEADER: &[u8] = b"\0\0\0\0CERT";
/// The records that end an entry of a serialized store: certificate, revocation list, trust list.
const ELEMENTS: std::ops::RangeInclusive<u32> = 32..=34;
const RECORD_HEADER: usize = 12;
/// How deep elements of indefinite length are followed; those of a message are six deep.
const DEEPEST: usize = 32;

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const FIRST: u8 = 0xA0;
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// Where a certificate that is named only in a message's extended forms would stand (tags 0 to 3, RFC 5652, 10.2.2).
const CONSTRUCTED_CONTEXT: u8 = 0xA0;

/// A certificate of such a file, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundled {
    /// Where it begins, in bytes.
    pub offset: usize,
    /// It, or why it cannot be read.
    pub certificate: Result<Box<Certificate>, CertificateError>,
}

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

/// The certificates of a PKCS #7 message, in its order, and what ended the reading early.
#[must_use]
pub fn pkcs7(bytes: &[u8]) -> (Vec<Bundled>, Option<BundleError>) {
    let mut found = Vec::new();
    let error = message(bytes, &mut found).err();
    (found, error)
}

fn message(bytes: &[u8], found: &mut Vec<Bundled>) -> Result<(), BundleError> {
    let whole = Cursor { bytes, at: 0 };
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
    let mut certificates = match rest.next()? {
        Some(element) if element.tag == FIRST => element.content,
        _ => return Ok(()),
    };
    while let Some(element) = certificates.next()? {
        if element.tag & CONSTRUCTED_CONTEXT != CONSTRUCTED_CONTEXT {
            found.push(Bundled {
                offset: certificates.at,
                certificate: Certificate::from_der(element.raw).map(Box::new),
            });
        }
        certificates = element.after;
    }
    Ok(())
}

/// Bytes of a message, with where they stand in it.
#[derive(Clone, Copy)]
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// One element (ITU-T X.690, 8.1), of definite length or not.
struct Element<'b> {
    tag: u8,
    content: Cursor<'b>,
    raw: &'b [u8],
    after: Cursor<'b>,
}

impl<'b> Cursor<'b> {
    fn skip(self, count: usize) -> Option<Self> {
        Some(Cursor {
            bytes: self.bytes.get(count..)?,
            at: self.at + count,
        })
    }

    /// The content of the element that must stand here, and what follows it.
    fn expect(self, tag: u8) -> Result<(Cursor<'b>, Cursor<'b>), BundleError> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok((element.content, element.after)),
            _ => Err(BundleError::NotAMessage(self.at)),
        }
    }

    /// The next element; none at the end, which two zeros mark where no length does.
    fn next(self) -> Result<Option<Element<'b>>, BundleError> {
        self.next_within(DEEPEST)
    }

    fn next_within(self, depth: usize) -> Result<Option<Element<'b>>, BundleError> {
        let cut = BundleError::Cut(self.at);
        let &[tag, first, ..] = self.bytes else {
            return match self.bytes {
                [] => Ok(None),
                _ => Err(cut),
            };
        };
        if [tag, first] == [0, 0] {
            return Ok(None);
        }
        if first == 0x80 {
            return self.indefinite(tag, depth).map(Some);
        }
        let count = match first {
            0..=0x7F => 0,
            _ => usize::from(first & 0x7F),
        };
        let digits = self.bytes.get(2..2 + count).ok_or(cut)?;
        let length = match count {
            0 => usize::from(first),
            1..=4 => digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit)),
            _ => return Err(BundleError::NotAMessage(self.at)),
        };
        let header = 2 + count;
        let whole = header.checked_add(length).ok_or(cut)?;
        // What is cut off is read as far as it goes.
        let raw = self.bytes.get(..whole).unwrap_or(self.bytes);
        let after = self.skip(raw.len()).ok_or(cut)?;
        let content = Cursor {
            bytes: raw.get(header..).unwrap_or_default(),
            at: self.at + header,
        };
        if raw.len() < whole && tag & 0x20 == 0 {
            return Err(cut);
        }
        Ok(Some(Element {
            tag,
            content,
            raw,
            after,
        }))
    }

    /// An element that ends with two zeros behind the elements in it.
    fn indefinite(self, tag: u8, depth: usize) -> Result<Element<'b>, BundleError> {
        let cut = BundleError::Cut(self.at);
        let depth = depth
            .checked_sub(1)
            .ok_or(BundleError::NotAMessage(self.at))?;
        let content = self.skip(2).ok_or(cut)?;
        let mut rest = content;
        while let Some(element) = rest.next_within(depth)? {
            rest = element.after;
        }
        let length = rest.at - content.at;
        let end = rest.skip(2).unwrap_or(Cursor {
            bytes: &[],
            at: rest.at,
        });
        Ok(Element {
            tag,
            content: Cursor {
                bytes: content.bytes.get(..length).unwrap_or_default(),
                ..content
            },
            raw: self.bytes.get(..end.at - self.at).unwrap_or_default(),
            after: end,
        })
    }
}

/// The certificates of a serialized store: the records of a registry's store, entry after entry (MS-OSHARED 2.3.9.1), and what ended
/// the reading early.
#[must_use]
pub fn serialized_store(bytes: &[u8]) -> (Vec<Bundled>, Option<BundleError>) {
    let mut found = Vec::new();
    let mut entry = STORE_HEADER.len();
    let mut at = entry;
    loop {
        let header = bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk::<RECORD_HEADER>);
        let Some(&[a, b, c, d, _, _, _, _, e, f, g, h]) = header else {
            return (found, Some(BundleError::Cut(at)));
        };
        let (id, length) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        if id == 0 {
            return (found, None);
        }
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| at.checked_add(RECORD_HEADER)?.checked_add(length));
        let Some(records) = end.and_then(|end| bytes.get(entry..end)) else {
            return (found, Some(BundleError::Cut(at)));
        };
        at = entry + records.len();
        if ELEMENTS.contains(&id) {
            if let StoreElement::Certificate(certificate) = StoreBlob::parse(records).element {
                found.push(Bundled {
                    offset: entry,
                    certificate,
                });
            }
            entry = at;
        }
    }
}
