//! Where each field of a certificate stands (RFC 5280 section 4.1), found by our own walk: the library neither tells
//! offsets nor keeps the whole of a name it cannot read to its end.

use x509_parser::asn1_rs::{Class, Tag};

use super::der::{Element, Elements, Stop};
use super::error::{CertificateError, Field, OtherFormat};

/// The fields of one certificate, in their order.
pub(super) struct Layout<'a> {
    /// The certificate itself, without what follows it.
    pub der: &'a [u8],
    pub serial_number: Element<'a>,
    pub issuer: Element<'a>,
    pub validity: Element<'a>,
    pub subject: Element<'a>,
    pub public_key: Element<'a>,
    pub extensions: Option<Element<'a>>,
    pub signature_algorithm: Element<'a>,
}

impl<'a> Layout<'a> {
    /// Walks the outer structure.
    pub fn of(bytes: &'a [u8]) -> Result<Self, CertificateError> {
        let first = *bytes.first().ok_or(CertificateError::Empty)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(CertificateError::Zeroed {
                length: bytes.len(),
            });
        }
        if let Some(format) = format_by_magic(bytes) {
            return Err(CertificateError::OtherFormat(format));
        }
        if first != 0x30 {
            return Err(CertificateError::NotDer { first });
        }
        let whole = match Elements::new(bytes).next() {
            Ok(whole) => whole,
            Err(stop) => {
                return Err(other_format_of_cut(bytes).map_or_else(
                    || cut_or_field(stop, Field::Body),
                    CertificateError::OtherFormat,
                ));
            }
        };
        if let Some(format) = format_by_content(whole.inside()) {
            return Err(CertificateError::OtherFormat(format));
        }
        let mut outer = whole.inside();
        let body = required(&mut outer, Field::Body, Tag::Sequence)?;

        let mut fields = body.inside();
        let mut first = next(&mut fields, Field::SerialNumber)?;
        if first.class == Class::ContextSpecific && first.tag == Tag(0) {
            first = next(&mut fields, Field::SerialNumber)?;
        }
        let serial_number = of_type(first, Field::SerialNumber, Tag::Integer)?;
        required(&mut fields, Field::SignatureAlgorithm, Tag::Sequence)?;
        let issuer = next(&mut fields, Field::Issuer)?;
        if !issuer.is(Tag::Sequence) {
            // A certification request has a public key here, a revocation list a time.
            return Err(CertificateError::OtherFormat(OtherFormat::OtherSigned));
        }
        let validity = required(&mut fields, Field::Validity, Tag::Sequence)?;
        let subject = required(&mut fields, Field::Subject, Tag::Sequence)?;
        let public_key = required(&mut fields, Field::PublicKey, Tag::Sequence)?;
        let mut extensions = None;
        while fields.position().1 > 0 {
            let element = next(&mut fields, Field::Extensions)?;
            match (element.class, element.tag) {
                // The unique identifiers of version 2.
                (Class::ContextSpecific, Tag(1 | 2)) => {}
                (Class::ContextSpecific, Tag(3)) => extensions = Some(element),
                _ => {
                    return Err(CertificateError::Field {
                        field: Field::Extensions,
                        offset: element.offset,
                        why: format!("its DER tag is {}, where [3] is expected", element.tag.0),
                    });
                }
            }
        }
        let signature_algorithm = required(&mut outer, Field::SignatureAlgorithm, Tag::Sequence)?;
        required(&mut outer, Field::Signature, Tag::BitString)?;
        Ok(Layout {
            der: whole.raw,
            serial_number,
            issuer,
            validity,
            subject,
            public_key,
            extensions,
            signature_algorithm,
        })
    }

    /// Where a field stands.
    pub fn offset(&self, field: Field) -> usize {
        match field {
            Field::Body | Field::Version | Field::Signature => 0,
            Field::SerialNumber => self.serial_number.offset,
            Field::SignatureAlgorithm => self.signature_algorithm.offset,
            Field::Issuer => self.issuer.offset,
            Field::Validity => self.validity.offset,
            Field::Subject => self.subject.offset,
            Field::PublicKey => self.public_key.offset,
            Field::Extensions => self.extensions.map_or(0, |element| element.offset),
        }
    }
}

fn next<'a>(elements: &mut Elements<'a>, field: Field) -> Result<Element<'a>, CertificateError> {
    elements.next().map_err(|stop| field_error(stop, field))
}

fn required<'a>(
    elements: &mut Elements<'a>,
    field: Field,
    tag: Tag,
) -> Result<Element<'a>, CertificateError> {
    of_type(next(elements, field)?, field, tag)
}

fn of_type(element: Element<'_>, field: Field, tag: Tag) -> Result<Element<'_>, CertificateError> {
    if element.is(tag) {
        return Ok(element);
    }
    Err(CertificateError::Field {
        field,
        offset: element.offset,
        why: format!(
            "its DER tag is {}, where {} is expected",
            element.tag.0, tag.0
        ),
    })
}

fn cut_or_field(stop: Stop, field: Field) -> CertificateError {
    match stop {
        Stop::Cut {
            expected, actual, ..
        } => CertificateError::Cut { expected, actual },
        other => field_error(other, field),
    }
}

fn field_error(stop: Stop, field: Field) -> CertificateError {
    let (offset, why) = match stop {
        Stop::End { offset } => (offset, "the bytes end where it should begin".to_owned()),
        Stop::Cut {
            offset,
            expected,
            actual,
        } => (
            offset,
            format!("it says it has {expected} bytes, {actual} are left around it"),
        ),
        Stop::NoHeader { offset } => (offset, "no DER header stands there".to_owned()),
    };
    CertificateError::Field { field, offset, why }
}

/// Serialized stores begin with a zero and the letters CERT (MS-OSHARED 2.3.9.1), cabinets with MSCF.
fn format_by_magic(bytes: &[u8]) -> Option<OtherFormat> {
    if bytes.starts_with(b"\0\0\0\0CERT") {
        Some(OtherFormat::SerializedStore)
    } else if bytes.starts_with(b"MSCF") {
        Some(OtherFormat::Cabinet)
    } else {
        None
    }
}

/// PKCS #7 opens with an object identifier, PKCS #12 with version 3, private keys with version 0 or 1.
fn format_by_content(mut inside: Elements<'_>) -> Option<OtherFormat> {
    let first = inside.next().ok()?;
    if first.is(Tag::Oid) {
        return Some(OtherFormat::Pkcs7);
    }
    if !first.is(Tag::Integer) {
        return None;
    }
    match first.content {
        [3] => Some(OtherFormat::Pkcs12),
        [0 | 1] => Some(OtherFormat::PrivateKey),
        _ => None,
    }
}

/// The same for a file that is cut or written with indefinite lengths (0x80), as PKCS #7 and #12 often are.
fn other_format_of_cut(bytes: &[u8]) -> Option<OtherFormat> {
    let length = *bytes.get(1)?;
    let header = if length < 0x80 {
        2
    } else {
        2 + usize::from(length & 0x7f)
    };
    format_by_content(Elements::new(bytes.get(header..)?))
}
