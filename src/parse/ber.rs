//! The elements of ASN.1 in their basic encoding (ITU-T X.690): also of indefinite length and also cut off, which readers of the
//! strict encoding refuse and which certificates are nonetheless exported in.

use std::borrow::Cow;

use x509_parser::asn1_rs::Oid;

/// How deep elements of indefinite length are followed; those of a message are six deep.
const DEEPEST: usize = 32;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// Why the bytes cannot be read on, and at which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Something else stands there.
    Unexpected(usize),
    /// They end inside of something.
    Cut(usize),
}

/// Bytes of a message, with where they stand in it.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) at: usize,
}

/// One element (ITU-T X.690, 8.1), of definite length or not.
pub(super) struct Element<'b> {
    pub(super) tag: u8,
    pub(super) content: Cursor<'b>,
    /// With its header, and as far as it is there.
    pub(super) raw: &'b [u8],
    /// Whether it is there to its end.
    pub(super) whole: bool,
    pub(super) after: Cursor<'b>,
}

impl<'b> Cursor<'b> {
    fn skip(self, count: usize) -> Option<Self> {
        Some(Cursor {
            bytes: self.bytes.get(count..)?,
            at: self.at + count,
        })
    }

    pub(super) fn of(bytes: &'b [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// The content of the element that must stand here, and what follows it.
    pub(super) fn expect(self, tag: u8) -> Result<(Cursor<'b>, Cursor<'b>), Trouble> {
        match self.next()? {
            Some(element) if element.tag == tag => Ok((element.content, element.after)),
            _ => Err(Trouble::Unexpected(self.at)),
        }
    }

    /// The next element; none at the end, which two zeros mark where no length does.
    pub(super) fn next(self) -> Result<Option<Element<'b>>, Trouble> {
        self.next_within(DEEPEST)
    }

    fn next_within(self, depth: usize) -> Result<Option<Element<'b>>, Trouble> {
        let cut = Trouble::Cut(self.at);
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
            _ => return Err(Trouble::Unexpected(self.at)),
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
            whole: raw.len() == whole,
            after,
        }))
    }

    /// An element that ends with two zeros behind the elements in it.
    fn indefinite(self, tag: u8, depth: usize) -> Result<Element<'b>, Trouble> {
        let cut = Trouble::Cut(self.at);
        let depth = depth.checked_sub(1).ok_or(Trouble::Unexpected(self.at))?;
        let content = self.skip(2).ok_or(cut)?;
        let mut rest = content;
        while let Some(element) = rest.next_within(depth)? {
            rest = element.after;
        }
        let length = rest.at - content.at;
        let marked = rest.skip(2);
        let end = marked.unwrap_or(Cursor {
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
            whole: marked.is_some(),
            after: end,
        })
    }

    /// The bytes of the octet string that stands here, in one piece or in several, under its own tag or that of its place.
    pub(super) fn octets(self) -> Result<Cow<'b, [u8]>, Trouble> {
        const CONSTRUCTED: u8 = 0x20;
        let element = self.next()?.ok_or(Trouble::Unexpected(self.at))?;
        if element.tag & CONSTRUCTED == 0 {
            return Ok(Cow::Borrowed(element.content.bytes));
        }
        let mut bytes = Vec::new();
        let mut rest = element.content;
        while let Some(piece) = rest.next()? {
            if piece.tag != OCTET_STRING {
                return Err(Trouble::Unexpected(rest.at));
            }
            bytes.extend_from_slice(piece.content.bytes);
            rest = piece.after;
        }
        Ok(Cow::Owned(bytes))
    }

    /// The number that stands here, and what follows it; one that is negative or larger than 64 bits is the largest.
    pub(super) fn number(self) -> Result<(u64, Self), Trouble> {
        let (digits, after) = self.expect(INTEGER)?;
        let start = digits.bytes.iter().take_while(|byte| **byte == 0).count();
        let digits = digits.bytes.get(start..).unwrap_or_default();
        let number = match digits.len() {
            0..=8 => digits
                .iter()
                .fold(0, |number, digit| number << 8 | u64::from(*digit)),
            _ => u64::MAX,
        };
        Ok((number, after))
    }

    /// The object identifier that stands here, in dotted decimals, and what follows it.
    pub(super) fn identifier(self) -> Result<(String, Self), Trouble> {
        let (encoded, after) = self.expect(OBJECT_IDENTIFIER)?;
        let identifier = Oid::new(Cow::Borrowed(encoded.bytes));
        Ok((identifier.to_id_string(), after))
    }
}
