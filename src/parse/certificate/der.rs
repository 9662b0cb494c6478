//! Steps through DER one element at a time, with offsets, so that what the certificate library leaves out or refuses can
//! be shown with its place (ITU-T X.690, clause 8).

use x509_parser::asn1_rs::{Class, FromDer, Header, Length, Tag};

/// One tag-length-value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub class: Class,
    pub tag: Tag,
    /// Where its header begins, from the start of the certificate.
    pub offset: usize,
    /// Where its content begins.
    pub content_offset: usize,
    pub content: &'a [u8],
    /// Header and content.
    pub raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside this one.
    pub fn inside(&self) -> Elements<'a> {
        Elements {
            rest: self.content,
            offset: self.content_offset,
        }
    }

    /// Whether this is the universal type of that tag.
    pub fn is(&self, tag: Tag) -> bool {
        self.class == Class::Universal && self.tag == tag
    }
}

/// Why there is no next element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end here.
    End { offset: usize },
    /// The header says more bytes than there are.
    Cut {
        offset: usize,
        expected: u64,
        actual: u64,
    },
    /// What stands here is no DER header.
    NoHeader { offset: usize },
}

/// The elements of a run of bytes, one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Elements<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Elements {
            rest: bytes,
            offset: 0,
        }
    }

    /// Where the next element begins, and how many bytes are left.
    pub fn position(&self) -> (usize, usize) {
        (self.offset, self.rest.len())
    }

    /// The next element.
    pub fn next(&mut self) -> Result<Element<'a>, Stop> {
        let offset = self.offset;
        if self.rest.is_empty() {
            return Err(Stop::End { offset });
        }
        let (after, header) = Header::from_der(self.rest).map_err(|_| Stop::NoHeader { offset })?;
        let Length::Definite(length) = header.length() else {
            return Err(Stop::NoHeader { offset });
        };
        let header_length = self.rest.len() - after.len();
        let Some(content) = after.get(..length) else {
            return Err(Stop::Cut {
                offset,
                expected: (length as u64).saturating_add(header_length as u64),
                actual: self.rest.len() as u64,
            });
        };
        let (raw, rest) = self.rest.split_at(header_length + length);
        self.rest = rest;
        self.offset = offset + raw.len();
        Ok(Element {
            class: header.class(),
            tag: header.tag(),
            offset,
            content_offset: offset + header_length,
            content,
            raw,
        })
    }
}
